"""Where an import finds its photos: a folder, or a CSV file with one photo a row."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reunite.cases.case import Circumstances, Person
from reunite.kernel.datum import Datum, to_wgs84
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex, YearRange
from reunite.kernel.places import Point

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"})
YEAR_IN_NAME = re.compile(r"(?<!\d)(19\d\d|20\d\d)(?!\d)")
SEXES = {"f": Sex.FEMALE, "female": Sex.FEMALE, "女": Sex.FEMALE}
SEXES |= {"m": Sex.MALE, "male": Sex.MALE, "男": Sex.MALE, "": Sex.UNKNOWN}
CSV_COLUMNS = (
    "photo", "person", "name", "sex", "birth_year", "captured_year",
    "seen_on", "latitude", "longitude", "datum", "place", "story", "marks", "contact",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SourcePhoto:
    """One photo to import with what is known about its person.

    ``person_key`` joins the photos of one person into one record.
    """

    name: str  # unique within the source; what reports speak of
    path: Path
    person_key: str
    person: Person
    circumstances: Circumstances
    captured_year: int | None
    contact: str = ""
    error: InvalidInputError | None = None  # the row cannot be read


def iter_source(source: Path) -> Iterator[SourcePhoto]:
    """Every photo of a folder or a CSV file, in a fixed order.

    Raises InvalidInputError ``import_source_missing``, ``import_columns``,
    ``import_encoding``.
    """
    if source.is_dir():
        yield from _iter_folder(source)
    elif source.is_file():
        yield from _iter_csv(source)
    else:
        raise InvalidInputError("import_source_missing", path=str(source))


def year_in_name(name: str) -> int | None:
    """The year that a file name gives, e.g. of ``li-wei-2009.jpg``."""
    years = YEAR_IN_NAME.findall(name)
    return int(years[-1]) if years else None


def _iter_folder(folder: Path) -> Iterator[SourcePhoto]:
    """Photos in a subfolder belong to the person that it is named after."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in PHOTO_SUFFIXES or not path.is_file():
            continue
        relative = path.relative_to(folder)
        in_subfolder = len(relative.parts) > 1
        key = relative.parts[0] if in_subfolder else relative.stem
        yield SourcePhoto(
            name=relative.as_posix(),
            path=path,
            person_key=key,
            person=Person(name=key.replace("-", " ").replace("_", " ").strip()[:80]),
            circumstances=Circumstances(),
            captured_year=year_in_name(relative.stem),
        )


def _iter_csv(path: Path) -> Iterator[SourcePhoto]:
    text = _decode(path.read_bytes())
    # Not splitlines: a story in quotes may run over several lines.
    rows = csv.DictReader(io.StringIO(text, newline=""))
    columns = {(name or "").strip().lower() for name in rows.fieldnames or ()}
    if "photo" not in columns:
        raise InvalidInputError("import_columns", missing="photo", known=", ".join(CSV_COLUMNS))
    for number, raw in enumerate(rows, start=2):
        row = {(k or "").strip().lower(): (v or "").strip() for k, v in raw.items() if k}
        yield _csv_photo(path.parent, number, row)


def _decode(data: bytes) -> str:
    # Excel in China writes GBK unless told otherwise; UTF-8 is tried first, as it is strict.
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInputError("import_encoding")


def _csv_photo(folder: Path, number: int, row: dict[str, str]) -> SourcePhoto:
    name = row.get("photo", "")
    label = f"{number}: {name}" if name else f"{number}"
    error: InvalidInputError | None = None
    person, circumstances, captured = Person(), Circumstances(), None
    try:
        if not name:
            raise InvalidInputError("required", field="photo")  # noqa: TRY301
        born = _year(row, "birth_year")
        person = Person(
            name=row.get("name", ""),
            sex=_sex(row.get("sex", "")),
            birth_years=YearRange(born, born) if born else None,
            marks=row.get("marks", ""),
        )
        circumstances = Circumstances(
            seen_at=_day(row.get("seen_on", "")),
            place=_point(row),
            place_label=row.get("place", ""),
            story=row.get("story", ""),
        )
        captured = _year(row, "captured_year") or year_in_name(Path(name).stem)
    except InvalidInputError as raised:
        error = raised
    return SourcePhoto(
        name=label,
        path=folder / name,
        person_key=row.get("person") or label,
        person=person,
        circumstances=circumstances,
        captured_year=captured,
        contact=row.get("contact", ""),
        error=error,
    )


def _year(row: dict[str, str], column: str) -> int | None:
    text = row.get(column, "")
    if not text:
        return None
    if not re.fullmatch(r"(18|19|20)\d\d", text):
        raise InvalidInputError("year_invalid", field=column, got=text[:20])
    return int(text)


def _sex(text: str) -> Sex:
    if text.lower() not in SEXES:
        raise InvalidInputError("sex_invalid", field="sex", got=text[:20])
    return SEXES[text.lower()]


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        day = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError("date_invalid", field="seen_on", got=text[:20]) from error
    return day if day.tzinfo else day.replace(tzinfo=UTC)


def _point(row: dict[str, str]) -> Point | None:
    latitude, longitude = row.get("latitude", ""), row.get("longitude", "")
    if not latitude and not longitude:
        return None
    try:
        point = Point(float(latitude), float(longitude))
        datum = Datum(row.get("datum", "").lower() or Datum.WGS84)
    except ValueError as error:
        raise InvalidInputError("coordinates_invalid", field="latitude") from error
    return to_wgs84(point, datum)
