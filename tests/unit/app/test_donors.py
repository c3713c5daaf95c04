"""Donors register, are kept and confirmed by centres, join families, and leave."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from reunite.accounts.account import Actor, Role
from reunite.app.blood_centres import (
    CentreRequest,
    add_centre,
    find_own_centre,
    list_centres,
    set_centre_member,
    verify_centre,
)
from reunite.app.donor_families import join_family, leave_family, make_family
from reunite.app.export_donors import export_own_donor
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.keep_donors import (
    confirm_type,
    get_kept_donor,
    list_own_donors,
    record_deferral,
    record_donation,
    release_donor,
    take_on_donor,
)
from reunite.app.register_donor import (
    DonorForm,
    defer_donor,
    erase_donor,
    find_own_donor,
    forget_deferral,
    register_donor,
    sleep_donor,
)
from reunite.app.settle_claims import list_claims, settle_claim, settle_own_claim
from reunite.blood.centres import BloodCentre, CentreKind
from reunite.blood.claims import ClaimReason, DonorClaim, Party, Verdict
from reunite.blood.deferral import Donation, DonationKind, DonorFacts, Reason
from reunite.blood.donors import ConsentPurpose, RegisteredDonor, TypingMethod
from reunite.blood.notation import parse_phenotype
from reunite.kernel.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from reunite.kernel.ids import DonorId
from reunite.kernel.people import Module, Sex
from reunite.kernel.places import cell_of
from reunite.testing.donors import store_centre, store_donor
from tests.contract.test_blood_requests import an_appeal, an_ask, stored
from tests.unit.app.world import HANGZHOU, MID_PACIFIC, NOON, World

TODAY = NOON.date()
FORM = DonorForm(
    parse_phenotype("O Rh-"),
    frozenset({ConsentPurpose.ASK, ConsentPurpose.CENTRE}),
    born_on=date(1990, 5, 1),
    sex=Sex.FEMALE,
    weight_kg=58,
    point=HANGZHOU,
)


def officer_of(world: World, centre: BloodCentre) -> Actor:
    actor = world.actor(Role.OFFICER)
    with world.database.transaction() as transaction:
        transaction.blood_centres.set_member(actor.account_id, centre.id)
    return actor


def a_centre(world: World) -> tuple[BloodCentre, Actor]:
    centre = store_centre(world.database)
    return centre, officer_of(world, centre)


def own(world: World, actor: Actor) -> RegisteredDonor:
    view = find_own_donor(world.services, actor)
    assert view is not None
    return view.donor


def test_registering_and_changing_what_was_said(world: World) -> None:
    donor = world.actor(Role.VOLUNTEER)
    assert find_own_donor(world.services, donor) is None
    register_donor(world.services, donor, FORM)
    first = own(world, donor)
    assert first.cell == cell_of(HANGZHOU, 7)
    assert not first.is_confirmed
    gave = Donation(DonationKind.WHOLE_BLOOD, TODAY)
    changed = replace(
        FORM, declared=parse_phenotype("O Rh- K-"), point=None, last_given=gave, travel_km=100
    )
    register_donor(world.services, donor, changed)
    register_donor(world.services, donor, changed)
    second = own(world, donor)
    assert (second.id, second.cell, second.code) == (first.id, first.cell, first.code)
    assert second.facts.donations == (gave,)
    assert second.travel_km == 100
    assert second.next_eligible(DonationKind.WHOLE_BLOOD, TODAY).earliest == date(2026, 12, 1)


def test_the_home_of_a_volunteer_serves(world: World) -> None:
    donor = world.actor(Role.VOLUNTEER)
    with pytest.raises(InvalidInputError, match="place_required"):
        register_donor(world.services, donor, replace(FORM, point=None))
    join_alerts(world.services, donor, JoinRequest(frozenset({Module.BLOOD}), point=HANGZHOU))
    register_donor(world.services, donor, replace(FORM, point=None))
    assert own(world, donor).cell == cell_of(HANGZHOU, 7)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (replace(FORM, consents=frozenset()), "consent_ask_required"),
        (replace(FORM, point=MID_PACIFIC), "place_at_sea"),
        (replace(FORM, born_on=date(2027, 1, 1)), "date_in_future"),
        (replace(FORM, weight_kg=5), "number_out_of_range"),
        (replace(FORM, rules="../secret"), "deferral_rules_missing"),
        (
            replace(FORM, last_given=Donation(DonationKind.PLASMA, date(1980, 1, 1))),
            "date_too_early",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_kept(
    world: World, form: DonorForm, code: str
) -> None:
    donor = world.actor(Role.VOLUNTEER)
    with pytest.raises(InvalidInputError) as caught:
        register_donor(world.services, donor, form)
    assert caught.value.code == code
    assert find_own_donor(world.services, donor) is None


def test_sleeping_and_being_away(world: World) -> None:
    donor = world.actor(Role.VOLUNTEER)
    with pytest.raises(NotFoundError):
        sleep_donor(world.services, donor, asleep=True)
    register_donor(world.services, donor, FORM)
    assert len(world.services.donors.pool()) == 1
    sleep_donor(world.services, donor, asleep=True)
    assert len(world.services.donors.pool()) == 0
    sleep_donor(world.services, donor, away_until=TODAY + timedelta(days=9))
    assert len(world.services.donors.pool()) == 1
    assert own(world, donor).away_until == TODAY + timedelta(days=9)
    with pytest.raises(InvalidInputError, match="date_in_past"):
        sleep_donor(world.services, donor, away_until=TODAY)


def test_what_defers_a_donor(world: World) -> None:
    donor = world.actor(Role.VOLUNTEER)
    register_donor(world.services, donor, FORM)
    defer_donor(world.services, donor, reason=Reason("tattoo_or_piercing", TODAY))
    defer_donor(world.services, donor, donation=Donation(DonationKind.PLASMA, TODAY))
    assert own(world, donor).next_eligible(DonationKind.PLASMA, TODAY).earliest == date(2027, 6, 1)
    forget_deferral(world.services, donor, "tattoo_or_piercing")
    assert own(world, donor).facts.reasons == ()
    for reason, code in (
        (Reason("bad_luck", None), "deferral_reason_unknown"),
        (Reason("malaria", TODAY + timedelta(1)), "date_in_future"),
    ):
        with pytest.raises(InvalidInputError, match=code):
            defer_donor(world.services, donor, reason=reason)


def test_leaving_erases_everything(world: World) -> None:
    donor = world.actor(Role.VOLUNTEER)
    register_donor(world.services, donor, FORM)
    _, officer = a_centre(world)
    _, other = a_centre(world)
    code = own(world, donor).code
    take_on_donor(world.services, officer, code)
    take_on_donor(world.services, other, code)
    erase_donor(world.services, donor)
    erase_donor(world.services, donor)
    assert find_own_donor(world.services, donor) is None
    assert list_own_donors(world.services, officer).total == 0
    assert list_claims(world.services, officer) == list_claims(world.services, other) == []
    assert len(world.services.donors.pool()) == 0
    with world.database.transaction() as transaction:
        assert transaction.donors.count() == 0
        assert transaction.donors.find_by_code(code) is None


def test_leaving_erases_what_was_answered(world: World) -> None:
    donor = world.actor(Role.VOLUNTEER)
    register_donor(world.services, donor, FORM)
    centre = store_centre(world.database)
    appeal = stored(world.database, an_appeal(world.database, centre.id))
    ask = an_ask(appeal, own(world, donor))
    ask.contact, ask.remark, ask.hindrance, ask.deferred_until = "138", "back at 5", "weight", TODAY
    with world.database.transaction() as transaction:
        transaction.donor_asks.add_many([ask])
    kept = export_own_donor(world.services, donor)
    assert isinstance(kept["asked"], list)
    assert kept["asked"][0]["remark"] == "back at 5"
    erase_donor(world.services, donor)
    with world.database.transaction() as transaction:
        [left] = transaction.donor_asks.list_of_request(appeal.id)
    assert left.donor_id == 0
    assert (left.contact, left.remark, left.hindrance, left.deferred_until) == ("", "", "", None)


def test_everything_that_is_kept_can_be_taken_away(world: World) -> None:
    donor = world.actor(Role.VOLUNTEER)
    with pytest.raises(NotFoundError):
        export_own_donor(world.services, donor)
    register_donor(world.services, donor, FORM)
    centre, officer = a_centre(world)
    take_on_donor(world.services, officer, own(world, donor).code, "HZ-1")
    confirm_type(world.services, officer, own(world, donor).id, parse_phenotype("O Rh- K-"))
    kept = export_own_donor(world.services, donor)
    assert kept["declared_type"] == "O RhD-"
    assert kept["kept_by"] == centre.name
    assert kept["confirmed_type"] == {
        "type": "O RhD- K-",
        "by": centre.name,
        "at": NOON.isoformat(),
        "method": "serology",
    }
    assert json.loads(json.dumps(kept)) == kept


def test_a_centre_acts_once_it_is_verified(world: World) -> None:
    admin, officer = world.actor(Role.ADMIN), world.actor(Role.OFFICER)
    request = CentreRequest(" 杭州血液中心 ", CentreKind.HOSPITAL, town_id=1808926)
    centre = add_centre(world.services, admin, request)
    assert centre.name == "杭州血液中心"
    assert centre.place is not None
    with pytest.raises(ForbiddenError, match="centre_required"):
        list_own_donors(world.services, officer)
    with world.database.transaction() as transaction:
        email = transaction.accounts.get(officer.account_id).email
    set_centre_member(world.services, admin, f" {email.upper()} ", centre.id)
    assert find_own_centre(world.services, officer) == centre
    with pytest.raises(ForbiddenError, match="centre_not_verified"):
        list_own_donors(world.services, officer)
    verify_centre(world.services, admin, centre.id)
    assert list_own_donors(world.services, officer).donors == []
    [view] = list_centres(world.services, admin)
    assert [member.id for member in view.members] == [officer.account_id]
    verify_centre(world.services, admin, centre.id, verified=False)
    with pytest.raises(ForbiddenError, match="centre_not_verified"):
        list_own_donors(world.services, officer)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (CentreRequest(" "), "required"),
        (CentreRequest("A", rules="moon"), "choice_unknown"),
        (CentreRequest("A", town_id=1), "town_unknown"),
        (CentreRequest("A" * 121), "text_too_long"),
    ],
)
def test_centres_that_are_refused(world: World, request_: CentreRequest, code: str) -> None:
    with pytest.raises(InvalidInputError, match=code):
        add_centre(world.services, world.actor(Role.ADMIN), request_)


def test_only_staff_act_for_a_centre(world: World) -> None:
    admin, centre = world.actor(Role.ADMIN), store_centre(world.database)
    with world.database.transaction() as transaction:
        email = transaction.accounts.get(world.actor(Role.VOLUNTEER).account_id).email
    with pytest.raises(InvalidInputError, match="account_not_staff"):
        set_centre_member(world.services, admin, email, centre.id)
    with pytest.raises(InvalidInputError, match="email_unknown"):
        set_centre_member(world.services, admin, "nobody@example.org", centre.id)


def test_a_centre_keeps_a_donor_who_shows_the_code(world: World) -> None:
    donor = world.actor(Role.VOLUNTEER)
    register_donor(world.services, donor, FORM)
    centre, officer = a_centre(world)
    code = own(world, donor).code
    taken = take_on_donor(world.services, officer, f" {code.lower()}", "HZ-1")
    assert isinstance(taken, RegisteredDonor)
    assert take_on_donor(world.services, officer, code) == own(world, donor)
    roll = list_own_donors(world.services, officer)
    assert (roll.centre, roll.total, roll.next) == (centre, 1, None)
    assert roll.donors[0].name == donor.display_name
    register_donor(world.services, donor, replace(FORM, consents=frozenset({ConsentPurpose.ASK})))
    assert get_kept_donor(world.services, officer, taken.id).name == ""
    _, stranger = a_centre(world)
    with pytest.raises(InvalidInputError, match="donor_code_unknown"):
        take_on_donor(world.services, stranger, code)
    for ask in (get_kept_donor, release_donor):
        with pytest.raises(NotFoundError):
            ask(world.services, stranger, taken.id)


def test_a_roll_is_read_in_parts(world: World) -> None:
    centre, officer = a_centre(world)
    kept = [store_donor(world.database, centre_id=centre.id) for _ in range(3)]
    first = list_own_donors(world.services, officer, limit=2)
    assert [one.donor.id for one in first.donors] == [one.id for one in kept[:2]]
    assert first.next == kept[1].id
    assert first.next is not None
    rest = list_own_donors(world.services, officer, after=first.next, limit=2)
    assert ([one.donor.id for one in rest.donors], rest.next) == ([kept[2].id], None)


def test_a_laboratory_result_goes_before_a_word(world: World) -> None:
    centre, officer = a_centre(world)
    donor = store_donor(world.database, centre_id=centre.id, written="O+")
    found = parse_phenotype("Bombay Rh+")
    confirm_type(world.services, officer, donor.id, found, TypingMethod.GENOTYPING)
    kept = get_kept_donor(world.services, officer, donor.id).donor
    assert kept.phenotype == found
    assert kept.disagrees
    assert kept.confirmation is not None
    assert kept.confirmation.centre_id == centre.id
    assert world.services.donors.pool().pool.declared.tolist() == [0]
    record_donation(world.services, officer, donor.id, Donation(DonationKind.PLASMA, TODAY))
    record_deferral(world.services, officer, donor.id, "malaria", None)
    kept = get_kept_donor(world.services, officer, donor.id).donor
    assert kept.facts.donations[0].on == TODAY
    assert kept.facts.reasons == (Reason("malaria", None),)


def test_letting_a_donor_go(world: World) -> None:
    centre, officer = a_centre(world)
    with_account = store_donor(
        world.database, centre_id=centre.id, account_id=world.actor(Role.VOLUNTEER).account_id
    )
    without = store_donor(world.database, centre_id=centre.id)
    for donor in (with_account, without):
        release_donor(world.services, officer, donor.id)
    with world.database.transaction() as transaction:
        assert transaction.donors.get(with_account.id).centre_id is None
        assert transaction.donors.count() == 1


def test_families(world: World) -> None:
    centre, officer = a_centre(world)
    first = store_donor(world.database, centre_id=centre.id)
    family = make_family(world.services, officer, first.id)
    assert make_family(world.services, officer, first.id) == family
    assert make_family(world.services, officer) != family
    sibling = world.actor(Role.VOLUNTEER)
    with pytest.raises(NotFoundError):
        join_family(world.services, sibling, family.code)
    register_donor(world.services, sibling, FORM)
    with pytest.raises(InvalidInputError, match="family_code_unknown"):
        join_family(world.services, sibling, "0000000000")
    written = f" {family.code[:5].lower()}-{family.code[5:].replace('0', 'o')} "
    join_family(world.services, sibling, written)
    view = find_own_donor(world.services, sibling)
    assert view is not None
    assert (view.family, view.donor.family_code) == (1, family.code)
    assert ConsentPurpose.FAMILY in view.donor.consents
    leave_family(world.services, sibling)
    assert own(world, sibling).family_code == ""
    assert ConsentPurpose.FAMILY not in own(world, sibling).consents
    _, stranger = a_centre(world)
    with pytest.raises(NotFoundError):
        make_family(world.services, stranger, first.id)


def claimed(world: World) -> tuple[Actor, Actor, Actor, DonorClaim]:
    """A donor, the officer of their centre, that of another one, and its claim."""
    donor = world.actor(Role.VOLUNTEER)
    register_donor(world.services, donor, FORM)
    (_, keeper), (_, claimant) = a_centre(world), a_centre(world)
    code = own(world, donor).code
    take_on_donor(world.services, keeper, code, "A-1")
    claim = take_on_donor(world.services, claimant, code, "B-1")
    assert isinstance(claim, DonorClaim)
    with pytest.raises(InvalidInputError, match="claim_made_before"):
        take_on_donor(world.services, claimant, code)
    return donor, keeper, claimant, claim


def test_two_centres_and_the_first_gives_the_donor_up(world: World) -> None:
    donor, keeper, claimant, claim = claimed(world)
    assert list_own_donors(world.services, keeper).claims == 1
    assert own(world, donor).reference == "A-1"
    [seen] = list_claims(world.services, keeper)
    assert (seen.party, seen.answers) == (
        Party.KEEPER,
        frozenset({Verdict.MOVE, Verdict.STAY}),
    )
    [seen] = list_claims(world.services, claimant)
    assert (seen.party, seen.answers) == (Party.CLAIMANT, frozenset({Verdict.STAY}))
    _, stranger = a_centre(world)
    with pytest.raises(NotFoundError):
        settle_claim(world.services, stranger, claim.id, Verdict.MOVE)
    with pytest.raises(InvalidInputError, match="choice_unknown"):
        settle_claim(world.services, claimant, claim.id, Verdict.MOVE)
    settle_claim(world.services, keeper, claim.id, Verdict.MOVE)
    assert own(world, donor).reference == "B-1"
    assert list_own_donors(world.services, keeper).total == 0
    with pytest.raises(ConflictError, match="claim_settled"):
        settle_claim(world.services, keeper, claim.id, Verdict.STAY)


def test_two_centres_and_the_donor_decides(world: World) -> None:
    donor, _, claimant, claim = claimed(world)
    view = find_own_donor(world.services, donor)
    assert view is not None
    assert [one for one, _ in view.claims] == [claim]
    with pytest.raises(NotFoundError):
        settle_own_claim(world.services, world.actor(Role.FAMILY), claim.id, Verdict.STAY)
    settle_own_claim(world.services, donor, claim.id, Verdict.STAY)
    assert own(world, donor).reference == "A-1"
    assert list_claims(world.services, claimant) == []


def test_a_record_that_a_centre_had_is_noticed_and_the_donor_decides(world: World) -> None:
    centre, officer = a_centre(world)
    record = store_donor(
        world.database,
        centre_id=centre.id,
        reference="A-1",
        written="O- K-",
        contact="13800001234",
        facts=DonorFacts(None),
    )
    donor = world.actor(Role.VOLUNTEER)
    register_donor(world.services, donor, replace(FORM, contact="+86 138 0000 1234"))
    view = find_own_donor(world.services, donor)
    assert view is not None
    assert view.claims == []  # not before the centre says that it may be so
    [seen] = list_claims(world.services, officer)
    assert seen.own == record
    settle_claim(world.services, officer, seen.claim.id, Verdict.SAME)
    view = find_own_donor(world.services, donor)
    assert view is not None
    [(claim, who)] = view.claims
    assert who == centre
    settle_own_claim(world.services, donor, claim.id, Verdict.SAME)
    assert own(world, donor).reference == "A-1"
    assert own(world, donor).centre_id == centre.id
    assert list_own_donors(world.services, officer).total == 1


def test_two_records_become_one_when_both_centres_say_so(world: World) -> None:
    (keeper, first), (other, second) = a_centre(world), a_centre(world)
    kept = store_donor(world.database, centre_id=keeper.id, reference="A-1", written="O-")
    brought = store_donor(world.database, centre_id=other.id, reference="B-1", written="O-")
    confirm_type(world.services, second, brought.id, parse_phenotype("O- K-"))
    record_donation(world.services, second, brought.id, Donation(DonationKind.PLASMA, TODAY))
    record_deferral(world.services, second, brought.id, "malaria", None)
    claim = DonorClaim(
        kept.id, keeper.id, other.id, ClaimReason.SAME_PERSON, NOON, "B-1", brought.id
    )
    with world.database.transaction() as transaction:
        transaction.donors.add_claim(claim)
    with world.database.transaction() as transaction:
        transaction.donors.mark_asked([brought.id], NOON)
    settle_claim(world.services, first, claim.id, Verdict.SAME)
    assert list_own_donors(world.services, second).total == 1  # one word is not enough
    settle_claim(world.services, second, claim.id, Verdict.SAME)
    assert list_own_donors(world.services, second).total == 0
    one = get_kept_donor(world.services, first, kept.id).donor
    assert one.reference == "A-1"
    assert one.last_asked_at == NOON
    assert one.phenotype == parse_phenotype("O- K-")
    assert one.facts.donations[0].on == TODAY
    assert one.facts.reasons == (Reason("malaria", None),)
    with pytest.raises(NotFoundError):
        get_kept_donor(world.services, first, DonorId(brought.id))


def test_an_account_goes_on_when_its_record_is_joined_to_anothers(world: World) -> None:
    (keeper, first), (other, second) = a_centre(world), a_centre(world)
    kept = store_donor(world.database, centre_id=keeper.id, reference="A-1", written="O-")
    donor = world.actor(Role.VOLUNTEER)
    register_donor(world.services, donor, FORM)
    taken = take_on_donor(world.services, second, own(world, donor).code, "B-1")
    assert not isinstance(taken, DonorClaim)
    sleep_donor(world.services, donor, asleep=True)
    claim = DonorClaim(
        kept.id, keeper.id, other.id, ClaimReason.SAME_CONTACT, NOON, "B-1", taken.id
    )
    with world.database.transaction() as transaction:
        transaction.donors.add_claim(claim)
    code = own(world, donor).code
    settle_claim(world.services, first, claim.id, Verdict.SAME)
    settle_claim(world.services, second, claim.id, Verdict.SAME)
    one = own(world, donor)
    assert (one.id, one.reference, one.code) == (kept.id, "A-1", code)
    assert one.declared == FORM.declared
    assert one.consents == FORM.consents
    assert one.asleep
    with world.database.transaction() as transaction:
        assert transaction.donors.find_by_code(code) is not None
