"""Compare a new or changed record with the other side, by facts and faces together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reunite.app.describe_case import NO_BACKGROUND, describe
from reunite.app.services import Services
from reunite.app.weigh_faces import face_evidence, weigh_photos
from reunite.cases.case import Case
from reunite.cases.leads import NO_PHOTO, Lead, LeadEvidence
from reunite.faces.calibration import Likelihood
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import CaseId, PhotoId
from reunite.kernel.people import Module, Side
from reunite.partners.linkage.blocking import keys_of
from reunite.partners.linkage.comparison import Weight, posterior, weigh
from reunite.partners.linkage.frequencies import Frequencies
from reunite.ports import Transaction

CANDIDATES = 500  # weighed at most a record; those that share most keys
MOST_COUNTED = 20_000  # beyond that, one more stranger changes little
PUBLISHED = Frequencies()


@dataclass(frozen=True, slots=True)
class Faces:
    """The most similar two photos of two records, and the mean over all of their pairs.

    ``photos`` of the missing and of the found person that went into the mean.
    """

    similarity: float
    missing_photo_id: PhotoId
    found_photo_id: PhotoId
    mean_similarity: float = 0.0
    photos: tuple[int, int] = (1, 1)


NO_FACES = Faces(0.0, NO_PHOTO, NO_PHOTO)


def other_side(side: Side) -> Side:
    """Where a record's mate stands."""
    return Side.FOUND if side is Side.MISSING else Side.MISSING


def match_facts(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Leads for records that are new or say something new.

    Nothing but the review queue hears of them: facts that fit never change a case.
    """
    case_ids = payload["case_ids"]
    assert isinstance(case_ids, Sequence)  # noqa: S101  (written by ``enter_for_matching``)
    for case_id in case_ids:
        try:
            case = transaction.cases.get(CaseId(int(case_id)))
        except NotFoundError:
            continue
        if case.is_open:
            _match(services, transaction, case)


def _match(services: Services, transaction: Transaction, case: Case) -> None:
    other = other_side(case.side)
    own = transaction.backgrounds.get_many([case.id]).get(case.id, NO_BACKGROUND)
    reading = describe(case, own)
    candidates = transaction.linkage.candidates(
        keys_of(reading, case.side).plain, other, CANDIDATES
    )
    ruled_out = set(transaction.leads.list_rejected_partners(case.id))
    ids = [case_id for case_id, _ in candidates if case_id not in ruled_out]
    partners = {
        one.id: one
        for one in transaction.cases.get_many(ids).values()
        if one.is_open and one.module is not Module.BLOOD
    }
    backgrounds = transaction.backgrounds.get_many(list(partners))
    pool = transaction.cases.count_open(other, MOST_COUNTED)
    settings = services.settings
    likely = []
    for partner in partners.values():
        theirs = describe(partner, backgrounds.get(partner.id, NO_BACKGROUND))
        pair = (reading, theirs) if case.side is Side.MISSING else (theirs, reading)
        weight = weigh(*pair, PUBLISHED)
        if weight.bits < settings.lead_bits - settings.face_bits_at_most:
            continue
        faces = compare_faces(services, transaction, case, partner)
        if faces is not NO_FACES:
            likelihood = weigh_compared(services, transaction, case, partner, faces)
            weight = weigh_pair(transaction, case, partner, faces, likelihood)
        if (
            weight.bits >= settings.lead_bits
            and posterior(weight.bits, pool) >= settings.lead_probability
        ):
            likely.append((weight, partner, faces))
    likely.sort(key=lambda one: -one[0].bits)
    for weight, partner, faces in likely[: settings.leads_per_record]:
        transaction.leads.add_new(lead_of(services, case, partner, weight, faces))


def lead_of(services: Services, case: Case, partner: Case, weight: Weight, faces: Faces) -> Lead:
    """The lead of two records, whichever side ``case`` stands on."""
    missing, found = (case, partner) if case.side is Side.MISSING else (partner, case)
    return Lead(
        missing_case_id=missing.id,
        found_case_id=found.id,
        missing_photo_id=faces.missing_photo_id,
        found_photo_id=faces.found_photo_id,
        similarity=faces.similarity,
        found_at=services.clock.now(),
        bits=round(weight.bits, 3),
        evidence=[LeadEvidence(one.fact, one.level, round(one.bits, 3)) for one in weight.evidence],
    )


def weigh_pair(
    transaction: Transaction,
    case: Case,
    partner: Case,
    faces: Faces,
    likelihood: Likelihood | None,
) -> Weight:
    """What facts and faces of two records say; ``likelihood`` is that of ``weigh_compared``."""
    backgrounds = transaction.backgrounds.get_many([case.id, partner.id])
    missing, found = (case, partner) if case.side is Side.MISSING else (partner, case)
    return weigh(
        describe(missing, backgrounds.get(missing.id, NO_BACKGROUND)),
        describe(found, backgrounds.get(found.id, NO_BACKGROUND)),
        PUBLISHED,
        faces.similarity,
        face_evidence(likelihood),
    )


def weigh_compared(
    services: Services, transaction: Transaction, case: Case, partner: Case, faces: Faces
) -> Likelihood | None:
    """What all photos of two records say together, at the ages of the most similar two.

    None where templates of this kind were never calibrated.
    """
    if services.calibration is None:
        return None
    missing, found = (case, partner) if case.side is Side.MISSING else (partner, case)
    photos = {
        photo.id: photo
        for of_case in transaction.photos.list_of_cases([missing.id, found.id]).values()
        for photo in of_case
    }
    return weigh_photos(
        services,
        faces.mean_similarity,
        (missing, photos.get(faces.missing_photo_id)),
        (found, photos.get(faces.found_photo_id)),
        faces.photos,
    )


def compare_faces(services: Services, transaction: Transaction, case: Case, partner: Case) -> Faces:
    """The most similar two photos; ``NO_FACES`` where a side has none."""
    space = services.gallery.space
    mine = transaction.templates.list_of_case(case.id, space)
    theirs = transaction.templates.list_of_case(partner.id, space)
    if not mine or not theirs:
        return NO_FACES
    cosines = (
        np.array([vector for _, _, vector in mine])
        @ np.array([vector for _, _, vector in theirs]).T
    )
    row, column = np.unravel_index(int(np.argmax(cosines)), cosines.shape)
    photos = mine[int(row)][1], theirs[int(column)][1]
    counts = len(mine), len(theirs)
    if case.side is not Side.MISSING:
        photos, counts = photos[::-1], counts[::-1]
    return Faces(float(cosines[row, column]), *photos, float(cosines.mean()), counts)
