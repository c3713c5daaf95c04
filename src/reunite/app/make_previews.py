"""Illustrate how a missing child may look by now, and again as they grow."""

from collections.abc import Mapping

import numpy as np
import structlog

from reunite.app.estimate_ages import estimate_age
from reunite.app.intake import view_stored
from reunite.app.services import Services
from reunite.cases.age_at_photo import age_at_photo, likely_birth_year
from reunite.cases.case import Case
from reunite.cases.photos import CasePhoto
from reunite.cases.previews import AgePreview, next_due, wanted_ages
from reunite.faces.progression.marking import encode_marked
from reunite.faces.progression.port import AgeingReader
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import CaseId, PhotoId
from reunite.kernel.people import Module, Side
from reunite.ports import Look, LookPurpose, Transaction

log = structlog.get_logger(__name__)

# A preview takes seconds where an alert takes none: only a few may be ahead of it in the
# outbox, and none while much is waiting.
QUEUED_AT_ONCE = 4
LONG_OUTBOX = 20


def queue_due_previews(services: Services) -> int:
    """Hand the cases that are due for new previews to the outbox; how many."""
    if services.ageing is None:
        return 0
    with services.database.transaction() as transaction:
        if transaction.outbox.count_waiting() >= LONG_OUTBOX:
            return 0
        due = transaction.previews.claim_due(services.clock.now().date(), QUEUED_AT_ONCE)
        for case_id in due:
            transaction.outbox.add("make_previews", {"case_id": case_id})
    return len(due)


def make_previews(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Estimate the ages that the record lacks, make the previews that are wanted now.

    A preview is kept apart from photos: it gets no template, so no search can find it.
    """
    ageing = services.ageing
    case = transaction.cases.get(CaseId(int(str(payload["case_id"]))), lock=True)
    if ageing is None or not wants_previews(case):
        return
    photos = [p for p in transaction.photos.list_of_case(case.id) if p.chosen is not None]
    for photo in photos:
        estimate_age(services, transaction, case, photo)
    source = _best_source(case, photos)
    if source is None:
        return
    photo, age, born = source
    today = services.clock.now().date()
    transaction.previews.set_due(case.id, next_due(born, today))
    wanted = wanted_ages(age, today.year - born)
    kept = _kept(transaction, case.id, photo.id, wanted, ageing.digest)
    missing = [years for years in wanted if years not in kept]
    if missing:
        _draw(services, transaction, ageing, case, photo, age, missing)


def wants_previews(case: Case) -> bool:
    """Whether the case is of a child who is still looked for."""
    return case.is_open and case.side is Side.MISSING and case.module is Module.CHILD


def _best_source(case: Case, photos: list[CasePhoto]) -> tuple[CasePhoto, float, int] | None:
    """The photo in which the child is oldest, their age in it, and their year of birth."""
    found = []
    for photo in photos:
        age = age_at_photo(case.person.birth_years, photo)
        born = likely_birth_year(case.person.birth_years, photo)
        if age is not None and born is not None:
            found.append((age.years, int(photo.id), photo, born))
    if not found:
        return None
    years, _, photo, born = max(found, key=lambda row: row[:2])
    return photo, years, born


def _kept(
    transaction: Transaction,
    case_id: CaseId,
    photo_id: PhotoId,
    wanted: tuple[int, ...],
    maker: str,
) -> set[int]:
    """The ages that need not be made again; what is of no use any more goes.

    Its file is left to the hourly sweep: were it deleted here, a rollback would leave a row
    without a picture.
    """
    previews = transaction.previews.list_of_case(case_id)
    useful = {
        p.id: p.age
        for p in previews
        if p.photo_id == photo_id and p.age in wanted and p.maker == maker
    }
    transaction.previews.delete([p.id for p in previews if p.id not in useful])
    return set(useful.values())


def _draw(
    services: Services,
    transaction: Transaction,
    ageing: AgeingReader,
    case: Case,
    photo: CasePhoto,
    age: float,
    ages: list[int],
) -> None:
    face = photo.face
    if face is None:
        return
    picture, _ = view_stored(services, photo.storage_key)
    landmarks = np.array(face.landmarks, dtype=np.float32)
    try:
        made = ageing.preview(picture.pixels, landmarks, case.person.sex, age, ages)
    except InvalidInputError as error:
        # A face turned aside or too small gives no honest preview; another photo may.
        log.info("preview_refused", reason=error.code)
        return
    now = services.clock.now()
    for preview in made.previews:
        key = services.photos.put(encode_marked(preview.pixels))
        transaction.previews.add(
            AgePreview(
                case_id=case.id,
                photo_id=photo.id,
                age=preview.age,
                storage_key=key,
                made_at=now,
                maker=ageing.digest,
                doubts=preview.doubts,
            )
        )
    transaction.looks.add([Look(None, case.id, LookPurpose.VIEW, now)])
