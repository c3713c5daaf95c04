"""Suggest records of the same side that may be about one person; nothing is ever merged."""

from reunite.app.compare_faces import FacesOf, compare_faces, said_of_faces, weigh_compared
from reunite.app.describe_case import NO_BACKGROUND, describe
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.duplicates import Duplicate, DuplicateSource
from reunite.cases.leads import LeadEvidence
from reunite.kernel.people import Module, Side
from reunite.partners.linkage.blocking import keys_of
from reunite.partners.linkage.comparison import Weight, posterior, weigh_same_side
from reunite.partners.linkage.description import Reading
from reunite.partners.linkage.frequencies import Frequencies
from reunite.ports import Transaction

CANDIDATES = 100  # weighed at most a record; those that share most keys
MOST_COUNTED = 20_000  # beyond that, one more stranger changes little
# Of a hundred records of a side, as many have a second one (judgement: registries that collect
# from several sources report a few per cent).
SHARE_REPEATED = 0.05
PUBLISHED = Frequencies()


def suggest_duplicates(
    services: Services, transaction: Transaction, case: Case, reading: Reading
) -> int:
    """Compare a record with those of its own side, by facts and the faces beside them.

    Returns how many pairs were weighed.
    """
    # Where facts are ranges the two sides stand under different keys, made to meet: so a record
    # that looks for its own side asks as the other one would.
    other = Side.FOUND if case.side is Side.MISSING else Side.MISSING
    found = transaction.linkage.candidates(
        keys_of(reading, other, by_place=False).plain, case.side, CANDIDATES
    )
    ids = [case_id for case_id, _ in found if case_id != case.id]
    partners = [
        one
        for one in transaction.cases.get_many(ids).values()
        if one.is_open and one.module is not Module.BLOOD
    ]
    backgrounds = transaction.backgrounds.get_many([one.id for one in partners])
    settings = services.settings
    mine = FacesOf(services, transaction, case)
    likely: list[tuple[Weight, Case]] = []
    for partner in partners:
        theirs = describe(partner, backgrounds.get(partner.id, NO_BACKGROUND))
        weight = weigh_same_side(reading, theirs, PUBLISHED)
        if weight.bits < settings.lead_bits - settings.face_bits_at_most:
            continue
        faces = mine.compare(partner)
        if faces.is_known:
            likelihood = weigh_compared(services, transaction, case, partner, faces)
            weight = weigh_same_side(reading, theirs, PUBLISHED, *said_of_faces(faces, likelihood))
        if is_likely(services, transaction, case.side, weight):
            likely.append((weight, partner))
    likely.sort(key=lambda one: -one[0].bits)
    for weight, partner in likely[: settings.leads_per_record]:
        suggest_pair(services, transaction, case, partner, weight)
    return len(partners)


def is_likely(services: Services, transaction: Transaction, side: Side, weight: Weight) -> bool:
    """Whether a pair of this side is worth a reviewer's look."""
    settings = services.settings
    if weight.bits < settings.lead_bits:
        return False
    pool = transaction.cases.count_open(side, MOST_COUNTED)
    return posterior(weight.bits, pool, SHARE_REPEATED) >= settings.duplicate_probability


def weigh_duplicate(
    services: Services, transaction: Transaction, case: Case, other: Case
) -> Weight:
    """What facts and faces of two records of one side say."""
    backgrounds = transaction.backgrounds.get_many([case.id, other.id])
    faces = compare_faces(services, transaction, case, other)
    return weigh_same_side(
        describe(case, backgrounds.get(case.id, NO_BACKGROUND)),
        describe(other, backgrounds.get(other.id, NO_BACKGROUND)),
        PUBLISHED,
        *said_of_faces(faces, weigh_compared(services, transaction, case, other, faces)),
    )


def suggest_pair(
    services: Services,
    transaction: Transaction,
    case: Case,
    other: Case,
    weight: Weight,
    source: DuplicateSource = DuplicateSource.COMPARISON,
) -> None:
    """Write a pair for reviewers, unless it is known."""
    first, second = sorted((case.id, other.id))
    transaction.duplicates.suggest(
        Duplicate(
            first_case_id=first,
            second_case_id=second,
            suggested_at=services.clock.now(),
            bits=round(weight.bits, 3),
            evidence=[
                LeadEvidence(one.fact, one.level, round(one.bits, 3)) for one in weight.evidence
            ],
            source=source,
        )
    )
