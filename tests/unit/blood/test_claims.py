"""Two centres and one donor."""

from datetime import date

import pytest

from reunite.blood.claims import ClaimReason, DonorClaim, Party, Verdict, likeness
from reunite.blood.deferral import DonorFacts
from reunite.blood.donors import RegisteredDonor, contact_key
from reunite.kernel.errors import ConflictError, InvalidInputError
from reunite.kernel.ids import AccountId, BloodCentreId, DonorId
from reunite.kernel.people import Sex
from reunite.kernel.places import Point, cell_of
from reunite.testing.donors import make_donor
from reunite.testing.factories import NOW

BY = AccountId(1)
BEIJING = cell_of(Point(39.9, 116.4))
BORN = DonorFacts(date(1990, 1, 1), Sex.MALE)


@pytest.mark.parametrize(
    ("contact", "key"),
    [
        ("138 0000 1234", "13800001234"),
        ("+86-138-0000-1234", "13800001234"),
        ("１３８００００１２３４", "13800001234"),
        ("Lin@Example.org ", "lin@example.org"),
        ("ask the ward", ""),
        ("110", ""),
    ],
)
def test_one_contact_is_known_however_it_is_written(contact: str, key: str) -> None:
    assert contact_key(contact) == key


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (
            make_donor(contact="13800001234"),
            make_donor(contact="+86 138 0000 1234"),
            ClaimReason.SAME_CONTACT,
        ),
        # A telephone of the family.
        (
            make_donor(contact="13800001234"),
            make_donor(contact="13800001234", facts=BORN),
            None,
        ),
        (make_donor(contact="13800001234"), make_donor(contact="13800001234", written="A"), None),
        (make_donor(), make_donor(), None),
        (make_donor(written="O-"), make_donor(written="O-"), ClaimReason.SAME_PERSON),
        (make_donor(written="Bombay"), make_donor(written="Bombay"), ClaimReason.SAME_PERSON),
        (make_donor(written="O-"), make_donor(written="O-", cell=BEIJING), None),
        (make_donor(written="O-"), make_donor(written="O-", cell=None), None),
        (make_donor(written="O-", facts=DonorFacts(None)), make_donor(written="O-"), None),
        (make_donor(written="O-"), make_donor(written="O+ K-"), None),
    ],
)
def test_what_makes_two_records_alike(
    one: RegisteredDonor, other: RegisteredDonor, reason: ClaimReason | None
) -> None:
    assert likeness(one, other) is reason
    assert likeness(other, one) is reason


def a_claim(*, of_record: bool = False) -> DonorClaim:
    own = DonorId(2) if of_record else None
    return DonorClaim(
        DonorId(1), BloodCentreId(1), BloodCentreId(2), ClaimReason.CODE, NOW, own_donor_id=own
    )


@pytest.mark.parametrize(
    ("party", "verdict"),
    [
        (Party.KEEPER, Verdict.MOVE),
        (Party.KEEPER, Verdict.STAY),
        (Party.DONOR, Verdict.MOVE),
        (Party.DONOR, Verdict.STAY),
        (Party.CLAIMANT, Verdict.STAY),
    ],
)
def test_one_word_settles_a_claim_by_code(party: Party, verdict: Verdict) -> None:
    claim = a_claim()
    assert claim.say(party, verdict, BY, NOW)
    assert (claim.outcome, claim.settled_at, claim.settled_by) == (verdict, NOW, BY)
    assert not claim.may_say(Party.KEEPER)
    with pytest.raises(ConflictError, match="claim_settled"):
        claim.say(party, verdict, BY, NOW)


def test_a_claimant_cannot_take_a_donor_alone() -> None:
    for claim, verdict in ((a_claim(), Verdict.MOVE), (a_claim(of_record=True), Verdict.MOVE)):
        with pytest.raises(InvalidInputError, match="choice_unknown"):
            claim.say(Party.CLAIMANT, verdict, BY, NOW)
        assert claim.is_open


def test_records_are_one_only_if_both_sides_say_so() -> None:
    claim = a_claim(of_record=True)
    assert not claim.say(Party.CLAIMANT, Verdict.SAME, BY, NOW)
    assert claim.is_open
    assert claim.say(Party.KEEPER, Verdict.SAME, BY, NOW)
    assert claim.outcome is Verdict.SAME
    claim = a_claim(of_record=True)
    claim.say(Party.CLAIMANT, Verdict.SAME, BY, NOW)
    assert claim.say(Party.KEEPER, Verdict.DIFFERENT, BY, NOW)
    assert claim.outcome is Verdict.DIFFERENT
    claim = a_claim(of_record=True)
    assert not claim.say(Party.DONOR, Verdict.SAME, BY, NOW)
    assert claim.say(Party.CLAIMANT, Verdict.SAME, BY, NOW)
