"""Compare a new or changed record with the other side, by facts and faces together."""

from collections.abc import Mapping, Sequence

from reunite.app.compare_faces import Faces, FacesOf, said_of_faces, weigh_compared
from reunite.app.describe_case import NO_BACKGROUND, describe
from reunite.app.find_duplicates import suggest_duplicates
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.leads import Lead, LeadEvidence
from reunite.faces.calibration import Likelihood
from reunite.kernel.ids import CaseId
from reunite.kernel.people import Module, Side
from reunite.partners.linkage.blocking import keys_of
from reunite.partners.linkage.comparison import Weight, posterior, weigh
from reunite.partners.linkage.description import Reading
from reunite.partners.linkage.frequencies import Frequencies
from reunite.ports import Transaction

CANDIDATES = 500  # weighed at most a record; those that share most keys
MOST_COUNTED = 20_000  # beyond that, one more stranger changes little
PUBLISHED = Frequencies()


def other_side(side: Side) -> Side:
    """Where a record's mate stands."""
    return Side.FOUND if side is Side.MISSING else Side.MISSING


def match_facts(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Leads for records that are new or say something new.

    Records of the same side that repeat one are suggested beside them.  Nothing but the review
    queue hears of either: facts that fit never change a case.
    """
    case_ids = payload["case_ids"]
    assert isinstance(case_ids, Sequence)  # noqa: S101  (written by ``enter_for_matching``)
    match_cases(
        services,
        transaction,
        [CaseId(int(case_id)) for case_id in case_ids],
        own_side_only=bool(payload.get("own_side_only")),
    )


def match_cases(
    services: Services,
    transaction: Transaction,
    case_ids: Sequence[CaseId],
    *,
    own_side_only: bool = False,
) -> int:
    """Leads and duplicates of those of the records that are open; how many pairs were weighed."""
    cases = transaction.cases.get_many(case_ids)
    backgrounds = transaction.backgrounds.get_many(case_ids)
    pairs = 0
    for case in cases.values():
        if not case.is_open:
            continue
        reading = describe(case, backgrounds.get(case.id, NO_BACKGROUND))
        if not own_side_only:
            pairs += match_case(services, transaction, case, reading)
        pairs += suggest_duplicates(services, transaction, case, reading)
    return pairs


def match_case(services: Services, transaction: Transaction, case: Case, reading: Reading) -> int:
    """Leads for one open record; how many pairs were weighed.

    Everybody of the other side who shares a key is weighed.
    """
    other = other_side(case.side)
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
    mine = FacesOf(services, transaction, case)
    likely = []
    for partner in partners.values():
        theirs = describe(partner, backgrounds.get(partner.id, NO_BACKGROUND))
        pair = (reading, theirs) if case.side is Side.MISSING else (theirs, reading)
        weight = weigh(*pair, PUBLISHED)
        if weight.bits < settings.lead_bits - settings.face_bits_at_most:
            continue
        faces = mine.compare(partner)
        if faces.is_known:
            likelihood = weigh_compared(services, transaction, case, partner, faces)
            weight = weigh(*pair, PUBLISHED, *said_of_faces(faces, likelihood))
        if (
            weight.bits >= settings.lead_bits
            and posterior(weight.bits, pool) >= settings.lead_probability
        ):
            likely.append((weight, partner, faces))
    likely.sort(key=lambda one: -one[0].bits)
    for weight, partner, faces in likely[: settings.leads_per_record]:
        transaction.leads.add_new(lead_of(services, case, partner, weight, faces))
    return len(partners)


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
        *said_of_faces(faces, likelihood),
    )
