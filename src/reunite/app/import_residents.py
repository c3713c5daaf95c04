"""Import a station's sheet: every row ends as new, updated, unchanged or refused with its reason.

Rows are known by the station's own numbers and by a digest of all that they say, pictures
included.  So a sheet that comes again changes nothing, and an import that was killed is simply
started again: what was committed is unchanged, the rest goes on.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from time import perf_counter

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.app.describe_case import enter_for_matching
from reunite.app.intake import ReadPhoto, age_in, enrol_template, kept, photo_of, read_photo
from reunite.app.resident_photos import PhotoFolder, RowPhotos, photos_of_row
from reunite.app.services import Services
from reunite.app.stations import require_station
from reunite.cases.background import Background
from reunite.cases.case import Case, Circumstances, Person, open_case
from reunite.faces.port import Template
from reunite.kernel.errors import ConflictError, InvalidInputError, ReuniteError
from reunite.kernel.ids import CaseId, StationId, new_reference
from reunite.kernel.people import Module, Side
from reunite.partners.stations.columns import Column
from reunite.partners.stations.documents import DocumentSheet
from reunite.partners.stations.gazetteer import locate
from reunite.partners.stations.residents import (
    ReadSheet,
    RefusedRow,
    Resident,
    iter_residents,
    read_source,
)
from reunite.partners.stations.station import Station
from reunite.ports import ResidentRecord, Transaction

BATCH = 200  # rows to a transaction: what a crash makes us do again
NEW, UPDATED, UNCHANGED, REFUSED = "new", "updated", "unchanged", "refused"
OUTCOMES = (NEW, UPDATED, UNCHANGED, REFUSED)


@dataclass(frozen=True, slots=True)
class ResidentOptions:
    """``photos`` is a folder with pictures by file name; ``columns`` what heads mean."""

    photos: Path | None = None
    columns: dict[str, Column] = field(default_factory=dict)
    module: Module = Module.ELDER
    dry_run: bool = False
    threads: int = 2
    most_rows: int | None = None


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one row.  ``detail`` is a case's reference, or a reason."""

    row: int
    number: str
    outcome: str
    detail: str
    warnings: tuple[str, ...] = ()  # columns that could not be read, photos that could not be used


@dataclass(frozen=True, slots=True)
class ResidentProgress:
    """How far an import has come."""

    total: int
    counts: dict[str, int]
    photos: int
    seconds: float

    @property
    def done(self) -> int:
        return sum(self.counts.values())

    @property
    def rows_per_second(self) -> float:
        return self.done / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class ResidentReport:
    """What became of every row, which columns were understood, and which were not."""

    progress: ResidentProgress
    outcomes: list[RowOutcome]
    mapping: dict[str, Column]
    unknown_heads: list[str]
    encoding: str


@dataclass(slots=True)
class _Work:
    """One row on its way."""

    resident: Resident
    digest: str
    photos: RowPhotos
    known: ResidentRecord | None
    read: list[tuple[ReadPhoto, Template | None]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A batch whose photos are being read."""

    outcomes: list[RowOutcome]  # of rows that need no more work
    work: list[_Work]
    reading: list[Future[None]]


def import_residents(
    services: Services,
    actor: Actor | None,
    station_id: StationId,
    source: Path,
    options: ResidentOptions,
    progress: Callable[[ResidentProgress], None] = lambda _: None,
) -> ResidentReport:
    """Bring a station's records up to date with its sheet.

    A dry run reads everything, faces included, and writes nothing.  Raises InvalidInputError for
    a file that cannot be read at all (``sheet_…``), ForbiddenError for somebody else's station.
    """
    actor = require_role(actor, STAFF)
    station = require_station(services, actor, station_id)
    today = services.clock.now().date()
    remembered = {head: Column(name) for head, name in station.columns.items()} | options.columns
    with closing(read_source(source, remembered)) as read:
        return _import(services, actor, station, read, options, progress, today)


def _import(
    services: Services,
    actor: Actor,
    station: Station,
    read: ReadSheet,
    options: ResidentOptions,
    progress: Callable[[ResidentProgress], None],
    today: date,
) -> ResidentReport:
    if options.most_rows is not None and len(read) > options.most_rows:
        raise InvalidInputError("sheet_too_large", most_rows=options.most_rows)
    folder = PhotoFolder(options.photos)
    started = perf_counter()
    counts = dict.fromkeys(OUTCOMES, 0)
    outcomes: list[RowOutcome] = []
    photos = 0

    def state() -> ResidentProgress:
        return ResidentProgress(len(read), dict(counts), photos, perf_counter() - started)

    progress(state())
    importer = _Importer(services, actor, station, read, folder, options, today)
    for batch in importer.iter_batches():
        for one in batch.outcomes:
            counts[one.outcome] += 1
            outcomes.append(one)
        photos += batch.photos
        progress(state())
    if not options.dry_run and not isinstance(read.sheet, DocumentSheet):
        _remember_columns(services, station.id, read)
    outcomes.sort(key=lambda one: one.row)
    return ResidentReport(state(), outcomes, read.mapping, read.unknown_heads, read.sheet.encoding)


def _remember_columns(services: Services, station_id: StationId, read: ReadSheet) -> None:
    with services.database.transaction() as transaction:
        station = transaction.stations.get(station_id)
        mapping = {head: column.value for head, column in read.mapping.items()}
        if not mapping.items() <= station.columns.items():
            station.columns |= mapping
            transaction.stations.save(station)


@dataclass(frozen=True, slots=True)
class _Batch:
    outcomes: list[RowOutcome]
    photos: int


class _Importer:
    """The rows of one sheet, a batch a transaction, photos read ahead on threads."""

    def __init__(
        self,
        services: Services,
        actor: Actor,
        station: Station,
        read: ReadSheet,
        folder: PhotoFolder,
        options: ResidentOptions,
        today: date,
    ) -> None:
        self._services, self._actor, self._station = services, actor, station
        self._read, self._folder, self._options = read, folder, options
        self._today = today

    def iter_batches(self) -> Iterator[_Batch]:
        """What became of the rows; the photos of one batch are read while another is written."""
        rows = iter_residents(self._read, self._today)
        with ThreadPoolExecutor(self._options.threads) as pool:
            ahead: _Prepared | None = None
            while batch := list(itertools.islice(rows, BATCH)):
                prepared = self._prepare(batch, pool)
                if ahead is not None:
                    yield self._finish(ahead)
                ahead = prepared
            if ahead is not None:
                yield self._finish(ahead)

    def _prepare(
        self, rows: Sequence[Resident | RefusedRow], pool: ThreadPoolExecutor
    ) -> _Prepared:
        outcomes = [
            RowOutcome(
                one.row, "", REFUSED, f"{one.code} ({one.column})" if one.column else one.code
            )
            for one in rows
            if isinstance(one, RefusedRow)
        ]
        residents = [one for one in rows if isinstance(one, Resident)]
        # A number stands once in a sheet, so the batch that is still being written changes nothing
        # of what is known here.
        with self._services.database.transaction() as transaction:
            known = transaction.stations.known(self._station.id, [one.number for one in residents])
        work = []
        for one in residents:
            photos = photos_of_row(self._read.sheet, self._folder, one)
            digest = hashlib.sha256(f"{one.digest}|{photos.digest}".encode()).hexdigest()
            before = known.get(one.number)
            if before is not None and before.digest == digest:
                warnings = (*one.warnings, *photos.warnings)
                outcomes.append(RowOutcome(one.row, one.number, UNCHANGED, "", warnings))
            else:
                warned = [*one.warnings, *photos.warnings]
                work.append(_Work(one, digest, photos, before, warnings=warned))
        reading = [pool.submit(self._read_photos, one) for one in work if one.photos.pictures]
        return _Prepared(outcomes, work, reading)

    def _finish(self, prepared: _Prepared) -> _Batch:
        for one in prepared.reading:
            one.result()
        outcomes = prepared.outcomes + self._write(prepared.work)
        return _Batch(outcomes, sum(len(one.read) for one in prepared.work))

    def _read_photos(self, one: _Work) -> None:
        """Faces and, unless nothing is to be written, templates: none of it in a transaction."""
        services, born = self._services, one.resident.birth_years
        for name, data in one.photos.pictures:
            try:
                read = read_photo(services, data)
                template = None
                if read.only_face is not None and not self._options.dry_run:
                    view = read.views[read.only_face]
                    template = services.faces.template(view, age_in(born, read.captured_year))
                one.read.append((read, template))
            except ReuniteError as error:
                one.warnings.append(f"{name}: {error.code}")
        one.photos.pictures.clear()  # what is kept is what was read from them

    def _write(self, work: list[_Work]) -> list[RowOutcome]:
        outcomes = []
        with ExitStack() as files, self._services.database.transaction() as transaction:
            new: list[tuple[_Work, Case]] = []
            changed: list[tuple[_Work, Case]] = []
            for one in work:
                try:
                    if one.known is None:
                        new.append((one, self._new_case(one.resident)))
                    else:
                        changed.append((one, self._revised(transaction, one)))
                except (InvalidInputError, ConflictError) as error:
                    outcomes.append(_refused(one, error))
            if not self._options.dry_run:
                transaction.cases.add_many([case for _, case in new])
                self._write_facts(transaction, [*new, *changed])
                for one, case in [*new, *changed]:
                    self._write_photos(transaction, files, one, case)
        for outcome, pairs in ((NEW, new), (UPDATED, changed)):
            for one, case in pairs:
                detail = "" if self._options.dry_run and outcome == NEW else case.reference
                row = one.resident
                outcomes.append(
                    RowOutcome(row.row, row.number, outcome, detail, tuple(one.warnings))
                )
        return outcomes

    def _new_case(self, resident: Resident) -> Case:
        person, circumstances = self._facts(resident)
        background_of(resident).check()
        return open_case(
            reference=new_reference(),
            module=self._options.module,
            side=Side.FOUND,
            person=person,
            circumstances=circumstances,
            opened_by=self._actor.account_id,
            at=self._services.clock.now(),
            consent_search=True,
            consent_publish=False,
            contact=self._station.contact,
            organisation=self._station.name,
        )

    def _revised(self, transaction: Transaction, one: _Work) -> Case:
        assert one.known is not None  # noqa: S101
        case = transaction.cases.get(one.known.case_id, lock=True)
        person, circumstances = self._facts(one.resident)
        background_of(one.resident).check()
        case.revise(person, circumstances, self._services.clock.now())
        return case

    def _facts(self, resident: Resident) -> tuple[Person, Circumstances]:
        person = Person(
            name=resident.name,
            sex=resident.sex,
            birth_years=resident.birth_years,
            height_cm=resident.height_cm,
            marks=resident.marks,
            clothing=resident.clothing,
            dialect=resident.dialect,
            blood_group=resident.blood_group,
        )
        place = locate(resident.found_place)
        seen = resident.found_on
        circumstances = Circumstances(
            seen_at=None if seen is None else datetime.combine(seen, time(), UTC),
            place=place.point or self._station.place,
            place_label=resident.found_place,
            region=place.region or self._station.region,
            private_note=resident.note,
        )
        return person, circumstances

    def _write_facts(self, transaction: Transaction, pairs: list[tuple[_Work, Case]]) -> None:
        for one, case in pairs:
            if one.known is not None:
                transaction.cases.save(case)
        backgrounds: dict[CaseId, Background] = {
            case.id: background_of(one.resident)
            for one, case in pairs
            if one.known is not None or not background_of(one.resident).is_empty
        }
        transaction.backgrounds.put(backgrounds)
        transaction.stations.put_residents(
            [
                ResidentRecord(self._station.id, one.resident.number, case.id, one.digest)
                for one, case in pairs
            ]
        )
        topic = "match_facts" if len(pairs) == 1 else "match_import"
        enter_for_matching(transaction, [case for _, case in pairs], backgrounds, topic=topic)

    def _write_photos(
        self, transaction: Transaction, files: ExitStack, one: _Work, case: Case
    ) -> None:
        there = (
            {photo.digest for photo in transaction.photos.list_of_case(case.id)}
            if (one.read and one.known is not None)
            else set()
        )
        for read, template in one.read:
            if read.photo.digest in there:
                continue
            there.add(read.photo.digest)
            key = files.enter_context(kept(self._services, read.jpeg))
            photo = replace(photo_of(self._services, read, key, None), case_id=case.id)
            transaction.photos.add(photo)
            if template is not None:
                enrol_template(self._services, transaction, case, photo, template)
            else:
                one.warnings.append("photo_several_faces")


def background_of(resident: Resident) -> Background:
    """What a row says beyond looks."""
    return Background(
        other_names="，".join(resident.other_names),
        home_places=resident.home,
        condition=resident.condition,
        belongings=resident.belongings,
        statement=resident.statement,
    )


def _refused(one: _Work, error: ReuniteError) -> RowOutcome:
    where = error.details.get("field")
    reason = f"{error.code} ({where})" if where else error.code
    return RowOutcome(one.resident.row, one.resident.number, REFUSED, reason)
