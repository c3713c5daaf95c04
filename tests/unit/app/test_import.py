"""Imports: every file ends as imported, duplicate or refused, once, whatever happens."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reunite.app import import_photos as importing
from reunite.app.close_case import withdraw_case
from reunite.app.import_photos import (
    ImportOptions,
    ImportProgress,
    ImportReport,
    import_photos,
)
from reunite.app.import_sources import SourcePhoto, iter_source, year_in_name
from reunite.app.intake import ReadPhoto, read_photo
from reunite.app.intake import enrol as real_enrol
from reunite.app.view_case import list_own_cases
from reunite.cases.case import CaseStatus
from reunite.faces.quality import Verdict
from reunite.kernel.errors import ConflictError, ForbiddenError, InvalidInputError
from reunite.kernel.ids import new_reference
from reunite.kernel.people import Module, Sex, Side, YearRange
from reunite.testing.faces import PaintedPerson, paint_people, paint_person
from tests.unit.app.world import World, cut_off

COLUMNS = "photo,person,name,sex,birth_year,captured_year,seen_on,latitude,longitude,place,story"


def options(world: World, **changes: Any) -> ImportOptions:
    return ImportOptions(Module.CHILD, Side.MISSING, **changes)


def run(world: World, source: Path, **changes: Any) -> ImportReport:
    return import_photos(world.services, world.officer, source, options(world, **changes))


def outcomes(report: ImportReport) -> dict[str, str]:
    """What became of each file; a reference is written as ``+``."""
    return {
        name: "+" if what == "imported" else detail or what
        for name, what, detail in report.outcomes
    }


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def a_csv(folder: Path, *rows: str, header: str = COLUMNS, encoding: str = "utf-8") -> Path:
    path = folder / "people.csv"
    path.write_bytes("\r\n".join((header, *rows, "")).encode(encoding))
    return path


def test_a_folder_becomes_records(world: World, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "li_wei-2009.jpg": paint_person(1),
            "chen-jing/2004.jpg": paint_person(2),
            "chen-jing/2016.JPEG": paint_person(2, 1),
            "notes.txt": b"no photo",
            "folder.jpg/inside.jpg": paint_person(3),
        },
    )
    report = run(world, tmp_path)
    assert set(outcomes(report).values()) == {"+"}
    assert (report.progress.total, report.progress.done, report.progress.imported) == (4, 4, 4)
    cards = list_own_cases(world.services, world.officer).cards
    by_name = {card.case.person.name: card.case for card in cards}
    assert set(by_name) == {"li wei 2009", "chen jing", "folder.jpg"}
    case = by_name["chen jing"]
    assert (case.status, case.organisation) == (CaseStatus.REPORTED, "湖滨救助站")
    with world.database.transaction() as transaction:
        photos = transaction.photos.list_of_case(case.id)
    assert [photo.captured_year for photo in photos] == [2004, 2016]
    assert world.count_templates() == world.count_waiting() == 4
    assert world.files() == world.keys()


def test_bad_files_are_refused_with_a_reason_and_stop_nothing(world: World, tmp_path: Path) -> None:
    two = paint_people(PaintedPerson(7), PaintedPerson(8))
    write(
        tmp_path,
        {
            "a.jpg": paint_person(1),
            "b.jpg": paint_person(1),
            "c.jpg": b"text",
            "d.jpg": b"",
            "e.jpg": paint_people(),
            "f.jpg": two,
            "g.jpg": paint_person(2, verdict=Verdict.UNUSABLE),
            "h.jpg": cut_off(paint_person(3)),
            "i-2031.jpg": paint_person(4),
            "---.jpg": paint_person(5),
            "j.jpg": paint_person(6, verdict=Verdict.WEAK),
        },
    )
    (tmp_path / "k.jpg").symlink_to(tmp_path / "nowhere.jpg")
    report = run(world, tmp_path)
    assert outcomes(report) == {
        "a.jpg": "+",
        "b.jpg": "duplicate",
        "c.jpg": "photo_not_an_image (photo)",
        "d.jpg": "photo_empty (photo)",
        "e.jpg": "photo_no_face (photo)",
        "f.jpg": "photo_several_faces",
        "g.jpg": "face_too_small (photo)",
        "h.jpg": "photo_truncated (photo)",
        "i-2031.jpg": "date_in_future (captured_year)",
        "---.jpg": "required (name)",
        "j.jpg": "+",
    }
    progress = report.progress
    assert (progress.imported, progress.duplicates, progress.refused) == (2, 1, 8)
    assert world.count_cases() == 2
    assert world.files() == world.keys()
    assert len(world.files()) == 2


def test_what_any_case_holds_already_is_a_duplicate(world: World, tmp_path: Path) -> None:
    world.open(1)
    write(tmp_path, {"a.jpg": paint_person(1), "b.jpg": paint_person(2)})
    assert outcomes(run(world, tmp_path)) == {"a.jpg": "duplicate", "b.jpg": "+"}
    assert world.count_cases() == 2


def test_a_second_run_does_nothing_twice(world: World, tmp_path: Path) -> None:
    write(tmp_path, {f"p{n}.jpg": paint_person(n) for n in range(5)} | {"z.jpg": b"text"})
    first = run(world, tmp_path)
    cases, files = world.count_cases(), world.files()
    again = run(world, tmp_path)
    assert again.outcomes == first.outcomes
    assert (again.progress.resumed, again.progress.done, again.progress.imported) == (6, 6, 5)
    assert again.progress.files_per_second == 0
    assert (world.count_cases(), world.files()) == (cases, files)
    write(tmp_path, {"new.jpg": paint_person(77)})
    more = run(world, tmp_path)
    assert (more.progress.resumed, more.progress.imported) == (6, 6)
    assert world.count_cases() == cases + 1


class CutOffError(Exception):
    """Somebody pulled the plug."""


@pytest.mark.parametrize("writes", [0, 1, 5, 6, 7, 11, 19])
def test_an_import_that_was_cut_off_goes_on_without_duplicates(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    monkeypatch.setattr(importing, "BATCH", 6)
    # Two photos a person, some of them in two batches.
    write(
        tmp_path,
        {f"p{n // 2:02}/{n}.jpg": paint_person(n // 2, n % 2) for n in range(20)},
    )
    left = [writes]

    def until_cut_off() -> str:
        if not left[0]:
            raise CutOffError
        left[0] -= 1
        return new_reference()

    def enrol(*arguments: Any) -> Any:
        until_cut_off()
        return real_enrol(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(importing, "enrol", enrol)
        with pytest.raises(CutOffError):
            run(world, tmp_path)
    # Whole batches or nothing, and no file without its row.
    assert world.count_templates() == writes // 6 * 6
    assert world.files() == world.keys()
    assert len(world.files()) == world.count_templates()
    report = run(world, tmp_path)
    assert report.progress.resumed == writes // 6 * 6
    assert set(outcomes(report).values()) == {"+"}
    assert (report.progress.done, report.progress.imported) == (20, 20)
    assert world.count_cases() == 10
    assert world.count_templates() == len(world.files()) == len(world.keys()) == 20
    references = {name: detail for name, _, detail in report.outcomes}
    for n in range(0, 20, 2):
        first, second = references[f"p{n // 2:02}/{n}.jpg"], references[f"p{n // 2:02}/{n + 1}.jpg"]
        assert first == second


def test_a_record_that_was_closed_meanwhile_takes_no_more_photos(
    world: World, tmp_path: Path
) -> None:
    write(tmp_path, {"li/1.jpg": paint_person(1)})
    [(_, _, reference)] = run(world, tmp_path).outcomes
    withdraw_case(world.services, world.officer, reference)
    write(tmp_path, {"li/2.jpg": paint_person(1, 1)})
    assert outcomes(run(world, tmp_path))["li/2.jpg"] == "case_closed"
    assert world.count_templates() == 0
    assert len(world.files()) == 1


def test_progress_is_told_and_runs_to_the_end(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    write(tmp_path, {f"p{n}.jpg": paint_person(n) for n in range(5)} | {"z.jpg": b"text"})
    told: list[ImportProgress] = []
    import_photos(world.services, world.officer, tmp_path, options(world), told.append)
    assert [p.done for p in told] == [0, 2, 4, 6]
    assert {p.total for p in told} == {6}
    for p in told:
        assert p.done == p.imported + p.duplicates + p.refused
    assert told[-1].files_per_second > 0


def test_only_named_files_are_taken_and_counted(world: World, tmp_path: Path) -> None:
    write(tmp_path, {f"p{n}.jpg": paint_person(n) for n in range(4)})
    first = run(world, tmp_path, only=frozenset({"p0.jpg", "p1.jpg"}))
    assert (first.progress.total, first.progress.imported) == (2, 2)
    second = run(world, tmp_path, only=frozenset({"p2.jpg"}))
    assert (second.progress.total, second.progress.done, second.progress.imported) == (1, 1, 1)


def test_a_second_person_answers_for_the_source(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": paint_person(1)})
    with pytest.raises(ConflictError, match="own_case"):
        run(world, tmp_path, verified_by=world.officer)
    with pytest.raises(ForbiddenError, match="role_required"):
        run(world, tmp_path, verified_by=world.family)
    assert world.is_untouched()
    [(_, _, reference)] = run(world, tmp_path, verified_by=world.reviewer, publish=True).outcomes
    steps = [(s.status, s.by) for s in world.case(reference).transitions]
    assert steps == [
        (CaseStatus.REPORTED, world.officer.account_id),
        (CaseStatus.VERIFIED, world.reviewer.account_id),
        (CaseStatus.PUBLISHED, world.reviewer.account_id),
    ]


def test_verified_is_not_published(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": paint_person(1)})
    [(_, _, reference)] = run(world, tmp_path, verified_by=world.reviewer).outcomes
    case = world.case(reference)
    assert (case.status, case.consent_publish) == (CaseStatus.VERIFIED, False)


def test_both_sides_of_one_source_are_two_imports(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": paint_person(1)})
    run(world, tmp_path)
    found = import_photos(
        world.services, world.officer, tmp_path, ImportOptions(Module.CHILD, Side.FOUND)
    )
    assert outcomes(found) == {"a.jpg": "duplicate"}


def test_a_plainly_larger_face_is_the_one_meant(world: World) -> None:
    read = read_photo(world.services, paint_people(PaintedPerson(1), PaintedPerson(2)))
    large, small = read.faces
    small = replace(small, box=(0.0, 0.0, large.box[2] / 2, large.box[3] / 2))
    photo: ReadPhoto = replace(read, faces=[large, small])
    assert importing._meant(photo, options(world)) == 0
    for other, faces in (
        (options(world, take_dominant_face=False), [large, small]),
        (options(world), [large, large]),
        (options(world), [replace(large, verdict="unusable"), small]),
    ):
        with pytest.raises(InvalidInputError) as caught:
            importing._meant(replace(read, faces=faces), other)
        assert (caught.value.code, caught.value.details) == ("photo_several_faces", {"count": 2})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_a_csv_file_in_the_encodings_of_excel(world: World, tmp_path: Path, encoding: str) -> None:
    write(tmp_path, {"old.jpg": paint_person(1), "new-2016.jpg": paint_person(1, 1)})
    source = a_csv(
        tmp_path,
        'old.jpg,p1,周明,男,1990,2004,2005-05-01,30.27,120.15,杭州市西湖区,"放学后，没有回家"',
        "new-2016.jpg,p1,周明,男,1990,,,,,,",
        encoding=encoding,
    )
    report = run(world, source)
    assert outcomes(report) == {"2: old.jpg": "+", "3: new-2016.jpg": "+"}
    [reference] = {detail for _, _, detail in report.outcomes}
    case = world.case(reference)
    assert (case.person.name, case.person.sex) == ("周明", Sex.MALE)
    assert case.person.birth_years == YearRange(1990, 1990)
    assert case.circumstances.seen_at is not None
    assert case.circumstances.seen_at.isoformat() == "2005-05-01T00:00:00+00:00"
    assert case.circumstances.place is not None
    assert case.circumstances.region == 2
    assert case.circumstances.story == "放学后，没有回家"
    with world.database.transaction() as transaction:
        photos = transaction.photos.list_of_case(case.id)
    assert [photo.captured_year for photo in photos] == [2004, 2016]


def test_bad_rows_are_refused_with_a_reason(world: World, tmp_path: Path) -> None:
    write(tmp_path, {f"{n}.jpg": paint_person(n) for n in range(12)})
    source = a_csv(
        tmp_path,
        "0.jpg,,王,,,,,,,,",
        ",,王,,,,,,,,",
        "1.jpg,,王,x,,,,,,,",
        "2.jpg,,王,,abc,,,,,,",
        "3.jpg,,王,,,1066,,,,,",
        "4.jpg,,王,,,,yesterday,,,,",
        "5.jpg,,王,,,,,north,120,,",
        "6.jpg,,王,,,,,30.2,,,",
        "7.jpg,,王,,,,,120.15,30.27,,",
        "8.jpg,,王,,,,,nan,120,,",
        "9.jpg,,王,,,,,0,0,,",
        "10.jpg,,王,,2010,2009,,,,,",
        "11.jpg,,,,,,,,,,",
        "gone.jpg,,王,,,,,,,,",
        "0.jpg",
    )
    report = outcomes(run(world, source))
    assert list(report.values()) == [
        "+",
        "required (photo)",
        "sex_invalid (sex)",
        "year_invalid (birth_year)",
        "year_invalid (captured_year)",
        "date_invalid (seen_on)",
        "coordinates_invalid (latitude)",
        "coordinates_invalid (latitude)",
        "place_out_of_range",
        "place_out_of_range",
        "place_at_sea (place)",
        "photo_before_birth (captured_year)",
        "required (name)",
        "file_unreadable: No such file or directory",
        "duplicate",
    ]
    assert world.count_cases() == len(world.files()) == 1


def test_a_story_may_run_over_several_lines(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": paint_person(1), "b.jpg": paint_person(2)})
    source = a_csv(
        tmp_path, 'a.jpg,王,"one\r\ntwo, ""three"""', "b.jpg,李,x", header="Photo , NAME,story"
    )
    items = list(iter_source(source))
    assert [item.person.name for item in items] == ["王", "李"]
    assert items[0].circumstances.story.split() == ["one", "two,", '"three"']


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "import_columns"),
        (b"name,sex\nx,y\n", "import_columns"),
        (b"photo\n\xff\xff\xff\n", "import_encoding"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(
    world: World, tmp_path: Path, data: bytes, code: str
) -> None:
    source = tmp_path / "people.csv"
    source.write_bytes(data)
    with pytest.raises(InvalidInputError, match=code):
        run(world, source)


def test_a_source_that_is_not_there_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="import_source_missing"):
        run(world, tmp_path / "nowhere")


def test_an_empty_folder_is_an_empty_report(world: World, tmp_path: Path) -> None:
    report = run(world, tmp_path)
    assert (report.progress.total, report.outcomes) == (0, [])


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("li-wei-2009", 2009),
        ("1998", 1998),
        ("1998_to_2004", 2004),
        ("IMG_20191231", None),
        ("12009", None),
        ("li-wei", None),
        ("2100", None),
        ("1850", None),
    ],
)
def test_a_year_in_a_file_name(name: str, year: int | None) -> None:
    assert year_in_name(name) == year


def test_names_of_a_source_are_unique_and_in_a_fixed_order(tmp_path: Path) -> None:
    write(tmp_path, {f"{n % 3}/{n}.png": b"" for n in range(9)})
    items: list[SourcePhoto] = list(iter_source(tmp_path))
    names = [item.name for item in items]
    assert names == sorted(set(names))
    assert all(re.fullmatch(r"\d/\d\.png", name) for name in names)
