"""Import photos of many people, resumable after a crash at any point.

Every file ends as imported, duplicate or refused with its reason; that is written in the
transaction that writes the record, so an import that was cut off goes on where it was.
"""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.app.describe_case import enter_for_matching
from reunite.app.import_sources import SourcePhoto, iter_source
from reunite.app.intake import ReadPhoto, enrol, kept, photo_of, read_photo
from reunite.app.open_case import located
from reunite.app.services import Services
from reunite.cases.case import Case, check_photo_year, open_case
from reunite.kernel.errors import ConflictError, InvalidInputError, ReuniteError
from reunite.kernel.ids import new_reference
from reunite.kernel.people import Module, Side
from reunite.ports import Transaction

BATCH = 16  # files to a transaction: what a crash makes us read again
# A face this much larger than the next one is plainly the one that was photographed.
DOMINANT_AREA_RATIO = 4.0

IMPORTED, DUPLICATE, REFUSED = "imported", "duplicate", "refused"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What all records of an import have in common.

    ``verified_by`` is the second person who answers for the source: with one, records are
    verified, and published where ``publish`` is set.
    """

    module: Module
    side: Side
    verified_by: Actor | None = None
    publish: bool = False
    take_dominant_face: bool = True
    only: frozenset[str] = frozenset()  # names of the files to take; empty takes all
    threads: int = 2


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import has come."""

    total: int
    done: int
    imported: int
    duplicates: int
    refused: int
    resumed: int  # of ``done``: dealt with by an earlier run
    seconds: float

    @property
    def files_per_second(self) -> float:
        return (self.done - self.resumed) / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of every file, in the order of the source."""

    progress: ImportProgress
    outcomes: list[tuple[str, str, str]]  # name, outcome, detail: a reference or a reason


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A file after reading: either ``read`` and the number of the face, or why not."""

    item: SourcePhoto
    read: ReadPhoto | None
    face: int
    error: str


def import_photos(
    services: Services,
    actor: Actor | None,
    source: Path,
    options: ImportOptions,
    progress: Callable[[ImportProgress], None] = lambda _: None,
) -> ImportReport:
    """Import everything in ``source`` that has not been dealt with before.

    Raises InvalidInputError for a source that cannot be read at all; single bad files are
    refused in the report and stop nothing; ConflictError ``own_case`` where one person would
    both bring and verify the records.
    """
    actor = require_role(actor, STAFF)
    if options.verified_by is not None:
        require_role(options.verified_by, STAFF)
        if options.verified_by.account_id == actor.account_id:
            raise ConflictError("own_case")
    items = [item for item in iter_source(source) if not options.only or item.name in options.only]
    label = f"{source.resolve()}|{options.side.name}|{options.module.name}"
    with services.database.transaction() as transaction:
        earlier = {name: (what, detail) for name, what, detail in _outcomes(transaction, label)}
    references = {
        item.person_key: earlier[item.name][1]
        for item in items
        if item.name in earlier and earlier[item.name][0] == IMPORTED
    }
    waiting = [item for item in items if item.name not in earlier]
    counts = {IMPORTED: 0, DUPLICATE: 0, REFUSED: 0}
    for item in items:
        if item.name in earlier:
            counts[earlier[item.name][0]] += 1
    started = perf_counter()
    resumed = len(items) - len(waiting)
    done = resumed

    def state() -> ImportProgress:
        return ImportProgress(
            total=len(items),
            done=done,
            imported=counts[IMPORTED],
            duplicates=counts[DUPLICATE],
            refused=counts[REFUSED],
            resumed=resumed,
            seconds=perf_counter() - started,
        )

    progress(state())
    for batch in _prepare_all(services, waiting, options):
        for what in _write_batch(services, actor, label, batch, options, references):
            counts[what] += 1
        done += len(batch)
        progress(state())
    with services.database.transaction() as transaction:
        outcomes = _outcomes(transaction, label)
    order = {item.name: number for number, item in enumerate(items)}
    return ImportReport(state(), sorted(outcomes, key=lambda one: order.get(one[0], len(order))))


def _outcomes(transaction: Transaction, label: str) -> list[tuple[str, str, str]]:
    return transaction.imports.list_outcomes(label)


def _prepare_all(
    services: Services, items: list[SourcePhoto], options: ImportOptions
) -> Iterator[list[_Prepared]]:
    """Files read on several threads, a batch ahead of the one being written."""
    batches = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
    with ThreadPoolExecutor(options.threads) as pool:
        ahead = iter(batches)
        pending = [
            [pool.submit(_prepare, services, item, options) for item in batch]
            for batch in itertools.islice(ahead, 2)
        ]
        while pending:
            futures = pending.pop(0)
            following = next(ahead, None)
            if following is not None:
                pending.append(
                    [pool.submit(_prepare, services, item, options) for item in following]
                )
            yield [future.result() for future in futures]


def _prepare(services: Services, item: SourcePhoto, options: ImportOptions) -> _Prepared:
    if item.error is not None:
        return _Prepared(item, None, 0, _reason(item.error))
    try:
        read = read_photo(services, item.path.read_bytes())
        check_photo_year(
            item.person,
            item.captured_year or read.captured_year,
            services.clock.now().date(),
            "captured_year",
        )
        return _Prepared(item, read, _meant(read, options), "")
    except ReuniteError as error:
        return _Prepared(item, None, 0, _reason(error))
    except OSError as error:
        return _Prepared(item, None, 0, f"file_unreadable: {error.strerror}")


def _meant(read: ReadPhoto, options: ImportOptions) -> int:
    """The face that a photo is of; there is nobody here to ask."""
    if read.only_face is not None:
        return read.only_face
    areas = [face.box[2] * face.box[3] for face in read.faces]
    usable = read.faces[0].verdict != "unusable"
    if options.take_dominant_face and usable and areas[0] >= DOMINANT_AREA_RATIO * areas[1]:
        return 0
    raise InvalidInputError("photo_several_faces", count=len(read.faces))


def _reason(error: ReuniteError) -> str:
    where = error.details.get("field")
    return f"{error.code} ({where})" if where else error.code


def _write_batch(
    services: Services,
    actor: Actor,
    label: str,
    batch: list[_Prepared],
    options: ImportOptions,
    references: dict[str, str],
) -> list[str]:
    """Write a batch in one transaction; what became of each file."""
    known = dict(references)
    outcomes: list[str] = []
    with ExitStack() as files, services.database.transaction() as transaction:
        digests = [p.read.photo.digest for p in batch if p.read is not None]
        seen = transaction.photos.has_digest(digests)
        for prepared in batch:
            what, detail = REFUSED, prepared.error
            read = prepared.read
            if read is not None and read.photo.digest in seen:
                what, detail = DUPLICATE, ""
            elif read is not None:
                seen.add(read.photo.digest)
                what, detail = _write(
                    services, transaction, files, actor, prepared, read, options, known
                )
            transaction.imports.add(label, prepared.item.name, what, detail)
            outcomes.append(what)
    references.update(known)
    return outcomes


def _write(
    services: Services,
    transaction: Transaction,
    files: ExitStack,
    actor: Actor,
    prepared: _Prepared,
    read: ReadPhoto,
    options: ImportOptions,
    references: dict[str, str],
) -> tuple[str, str]:
    item = prepared.item
    try:
        case = _case_of(services, transaction, actor, item, options, references)
    except (InvalidInputError, ConflictError) as error:
        return REFUSED, _reason(error)
    photo = photo_of(services, read, files.enter_context(kept(services, read.jpeg)), None)
    photo = replace(
        photo,
        case_id=case.id,
        chosen=prepared.face,
        captured_year=item.captured_year or read.captured_year,
    )
    transaction.photos.add(photo)
    enrol(services, transaction, case, photo, read.views[prepared.face])
    return IMPORTED, case.reference


def _case_of(
    services: Services,
    transaction: Transaction,
    actor: Actor,
    item: SourcePhoto,
    options: ImportOptions,
    references: dict[str, str],
) -> Case:
    """The record of the photo's person, opened with the first photo."""
    known = references.get(item.person_key)
    if known is not None:
        case = transaction.cases.get_by_reference(known, lock=True)
        if not case.is_open:
            # Closed since an earlier run: its face must not come back into the gallery.
            raise ConflictError("case_closed")
        return case
    now = services.clock.now()
    case = open_case(
        reference=new_reference(),
        module=options.module,
        side=options.side,
        person=item.person,
        circumstances=located(services, item.circumstances),
        opened_by=actor.account_id,
        at=now,
        consent_search=True,
        consent_publish=options.publish,
        contact=item.contact,
        organisation=actor.organisation,
    )
    if options.verified_by is not None:
        case.verify(options.verified_by.account_id, now, "import")
        if options.publish:
            case.publish(options.verified_by.account_id, now)
    transaction.cases.add(case)
    enter_for_matching(transaction, [case])
    references[item.person_key] = case.reference
    return case
