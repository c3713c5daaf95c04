"""Blood centres, families and donors, in memory and on PostgreSQL."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from reunite.blood.centres import BloodFamily
from reunite.blood.claims import ClaimReason, DonorClaim, Party, Verdict
from reunite.blood.deferral import Donation, DonationKind, DonorFacts, Reason
from reunite.blood.donors import Confirmation, TypingMethod
from reunite.blood.notation import parse_phenotype
from reunite.blood.waves import History
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import BloodCentreId, DonorId
from reunite.kernel.people import Sex
from reunite.ports import Database, DonorChange
from reunite.testing.donors import make_centre, make_donor, store_centre, store_donor
from reunite.testing.factories import NOW, store_account
from tests.contract.undoing import undone


def test_a_centre_comes_back(database: Database) -> None:
    centre = store_centre(database, "杭州血液中心")
    centre.contact, centre.verified_at, centre.place = "0571", None, None
    with database.transaction() as transaction:
        transaction.blood_centres.save(centre)
        transaction.blood_centres.add(make_centre("A"))
    with database.transaction() as transaction:
        assert transaction.blood_centres.get(centre.id) == centre
        assert transaction.blood_centres.find_by_name(centre.name) == centre
        assert transaction.blood_centres.find_by_name("B") is None
        assert [one.name for one in transaction.blood_centres.list_all()] == ["A", centre.name]
        for ask in (
            lambda: transaction.blood_centres.get(BloodCentreId(99)),
            lambda: transaction.blood_centres.save(replace(centre, id=BloodCentreId(99))),
        ):
            with pytest.raises(NotFoundError):
                ask()
        with pytest.raises(ConflictError, match="centre_exists"):
            transaction.blood_centres.add(make_centre("A"))


def test_somebody_acts_for_one_centre(database: Database) -> None:
    officer, other = store_account(database), store_account(database)
    first, second = store_centre(database), store_centre(database)
    with database.transaction() as transaction:
        centres = transaction.blood_centres
        assert centres.find_of_member(officer.id) is None
        centres.set_member(officer.id, first.id)
        centres.set_member(officer.id, second.id)
        centres.set_member(other.id, second.id)
        assert centres.find_of_member(officer.id) == second
        assert centres.list_members(second.id) == [officer.id, other.id]
        assert centres.list_members(first.id) == []
        centres.set_member(officer.id, None)
        assert centres.find_of_member(officer.id) is None


def test_families_are_found_by_their_code(database: Database) -> None:
    family = BloodFamily("7K3M9QX2TB", store_centre(database).id, NOW)
    with database.transaction() as transaction:
        transaction.blood_centres.add_family(family)
    one, other, _ = (store_donor(database, family_code=code) for code in (family.code,) * 2 + ("",))
    with database.transaction() as transaction:
        assert transaction.blood_centres.find_family(family.code) == family
        assert transaction.blood_centres.find_family("X") is None
        assert transaction.donors.list_family(family.code) == [one, other]
        assert transaction.donors.list_family("") == []
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.donors.add(make_donor(store_account(database).id, family_code="X"))


def test_a_donor_comes_back_whole(database: Database) -> None:
    centre = store_centre(database)
    donor = store_donor(database, written="孟买型 Jk(a-b-) 抗-E 其他:Vw+")
    with database.transaction() as transaction:
        assert transaction.donors.get(donor.id) == donor
    donor.centre_id, donor.reference = centre.id, "HZ-1"
    donor.confirmation = Confirmation(
        parse_phenotype("O Rh-"), centre.id, NOW, TypingMethod.GENOTYPING
    )
    donor.facts = DonorFacts(
        date(1990, 2, 28),
        Sex.MALE,
        70.5,
        (Donation(DonationKind.PLATELETS, date(2026, 1, 5)),),
        (Reason("malaria", date(2026, 2, 1)), Reason("hiv", None)),
    )
    donor.consents, donor.kinds = frozenset(), frozenset({DonationKind.PLASMA})
    donor.travel_km, donor.asleep, donor.away_until = 300, True, date(2026, 9, 1)
    donor.rules, donor.contact, donor.cell, donor.place_label = "uk", "138", None, ""
    with database.transaction() as transaction:
        transaction.donors.save(donor)
    with database.transaction() as transaction:
        assert transaction.donors.get(donor.id, lock=True) == donor
        assert transaction.donors.get_many([donor.id, DonorId(99)]) == {donor.id: donor}
        assert donor.account_id is not None
        assert transaction.donors.find_of_account(donor.account_id, lock=True) == donor
        assert transaction.donors.find_of_account(store_account(database).id) is None
        assert transaction.donors.known(centre.id, ["HZ-1", "HZ-2", ""]) == {"HZ-1": donor}
        assert transaction.donors.count() == 1


def test_unknown_donors_are_not_found(database: Database) -> None:
    with database.transaction() as transaction:
        with pytest.raises(NotFoundError):
            transaction.donors.get(DonorId(99))
        with pytest.raises(NotFoundError):
            transaction.donors.save(make_donor(id=DonorId(99)))
        transaction.donors.delete(DonorId(99))
        transaction.donors.mark_willing(DonorId(99))
        transaction.donors.mark_asked([DonorId(99)], NOW)


def test_one_donor_an_account_and_a_number(database: Database) -> None:
    centre, other = store_centre(database), store_centre(database)
    first = store_donor(database, centre_id=centre.id, reference="1")
    with database.transaction() as transaction:
        donors = transaction.donors
        with pytest.raises(ConflictError, match="donor_reference_taken"):
            donors.add(make_donor(centre_id=centre.id, reference="1"))
        donors.add(make_donor(centre_id=other.id, reference="1"))
        unnumbered = [make_donor(centre_id=centre.id) for _ in range(2)]
        for donor in unnumbered:
            donors.add(donor)
        with pytest.raises(ConflictError, match="donor_reference_taken"):
            donors.save(replace(unnumbered[0], reference="1"))
        assert donors.list_of_centre(centre.id) == [first, *unnumbered]
        assert donors.list_of_centre(centre.id, after=first.id, limit=1) == unnumbered[:1]
        assert donors.count_of_centre(centre.id) == len([first, *unnumbered])
    registered = store_donor(database)
    with pytest.raises(ConflictError, match="donor_exists"), database.transaction() as transaction:
        transaction.donors.add(make_donor(registered.account_id))


def test_who_was_asked_is_kept_apart(database: Database) -> None:
    donor, other = store_donor(database), store_donor(database)
    with database.transaction() as transaction:
        transaction.donors.mark_asked([donor.id, other.id], NOW)
        transaction.donors.mark_asked([donor.id], NOW + timedelta(days=40))
        transaction.donors.mark_willing(donor.id)
        transaction.donors.mark_willing(other.id)
        transaction.donors.mark_willing(other.id)  # never more often than asked
        transaction.donors.save(replace(donor, asleep=True))
    with database.transaction() as transaction:
        found = transaction.donors.get_many([donor.id, other.id])
    assert found[donor.id].last_asked_at == NOW + timedelta(days=40)
    assert found[donor.id].history == History(2, 1)
    assert found[donor.id].asleep
    assert found[other.id].history == History(1, 1)


def test_everybody_is_read_by_id(database: Database) -> None:
    stored = [store_donor(database) for _ in range(3)]
    with database.transaction() as transaction:
        assert list(transaction.donors.iter_all()) == stored


def changes(database: Database, since: int) -> DonorChange:
    with database.transaction() as transaction:
        return transaction.donors.changes_since(since)


def test_the_stream_tells_who_has_come_changed_and_gone(database: Database) -> None:
    stayed, changed, left = (store_donor(database) for _ in range(3))
    with database.transaction() as transaction:
        start = transaction.donors.position()
    come = store_donor(database)
    with database.transaction() as transaction:
        transaction.donors.save(replace(changed, asleep=True))
        transaction.donors.delete(left.id)
    with undone(database) as transaction:
        transaction.donors.delete(stayed.id)
    told = changes(database, start)
    present = {one.id: one for one in told.present}
    assert present[come.id] == come
    assert present[changed.id].asleep
    assert left.id in told.gone
    assert stayed.id not in told.gone
    assert told.position >= start
    with database.transaction() as transaction:
        assert transaction.donors.forget_changes_before(NOW + timedelta(days=20_000)) > 0
    told = changes(database, 0)
    assert (tuple(told.present), tuple(told.gone)) == ((), ())


def test_donors_are_found_by_code_contact_and_birthday(database: Database) -> None:
    centre = store_centre(database)
    one = store_donor(database, contact="+86 138-0000-1234")
    other = store_donor(database, facts=DonorFacts(date(1980, 5, 5)))
    with database.transaction() as transaction:
        donors = transaction.donors
        assert donors.find_by_code(one.code, lock=True) == one
        assert donors.find_by_code("X") is None
        assert donors.list_resembling(["13800001234"], []) == [one]
        assert donors.list_resembling([], [date(1980, 5, 5)]) == [other]
        assert donors.list_resembling(["", "13800001234"], [date(1980, 5, 5)]) == [one, other]
        assert donors.list_resembling([""], []) == []
        one.contact, one.centre_id = "", centre.id
        donors.save(one)
        assert donors.list_resembling(["13800001234"], []) == []


def test_a_claim_is_made_once_and_goes_with_its_donor(database: Database) -> None:
    keeper, claimant = store_centre(database), store_centre(database)
    officer = store_account(database)
    donor = store_donor(database, centre_id=keeper.id)
    own = store_donor(database, centre_id=claimant.id)
    claims = [
        DonorClaim(donor.id, keeper.id, claimant.id, ClaimReason.CODE, NOW, reference="B-7"),
        DonorClaim(
            donor.id, keeper.id, claimant.id, ClaimReason.SAME_CONTACT, NOW, own_donor_id=own.id
        ),
    ]
    with database.transaction() as transaction:
        assert all(transaction.donors.add_claim(claim) for claim in claims)
        assert not any(transaction.donors.add_claim(replace(claim)) for claim in claims)
        assert transaction.donors.list_open_claims(keeper.id) == claims
        assert transaction.donors.list_open_claims(claimant.id) == claims
        assert transaction.donors.list_claims_of_donor(own.id) == claims[1:]
    assert claims[1].say(Party.CLAIMANT, Verdict.SAME, officer.id, NOW) is False
    assert claims[0].say(Party.KEEPER, Verdict.STAY, officer.id, NOW) is True
    with database.transaction() as transaction:
        for claim in claims:
            transaction.donors.save_claim(claim)
    with database.transaction() as transaction:
        assert transaction.donors.get_claim(claims[0].id, lock=True) == claims[0]
        assert transaction.donors.list_open_claims(keeper.id) == claims[1:]
        assert transaction.donors.list_claims_of_donor(donor.id) == claims
        transaction.donors.delete(own.id)
        assert transaction.donors.list_claims_of_donor(donor.id) == claims[:1]
        transaction.donors.delete(donor.id)
        for ask in (
            lambda: transaction.donors.get_claim(claims[0].id),
            lambda: transaction.donors.save_claim(claims[0]),
        ):
            with pytest.raises(NotFoundError):
                ask()
