"""Register as a donor, change what was said, sleep, leave, take everything away."""

from dataclasses import dataclass, replace
from datetime import date

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.alerts.volunteers import PlaceKind, Precision
from reunite.app.donor_families import require_family
from reunite.app.join_alerts import make_place
from reunite.app.notice_alike import claim_for_keepers
from reunite.app.services import Services
from reunite.blood.centres import BloodCentre
from reunite.blood.claims import DonorClaim, Verdict
from reunite.blood.deferral import Donation, DonationKind, Reason
from reunite.blood.donors import ConsentPurpose, RegisteredDonor
from reunite.blood.phenotype import Phenotype
from reunite.blood.waves import Answer
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.ids import DonorId
from reunite.kernel.people import Sex
from reunite.kernel.places import Point, cell_of, centre_of
from reunite.ports import Transaction


@dataclass(frozen=True, slots=True)
class DonorForm:
    """What a donor says of themselves.

    The place is a point, a town, or, where neither is given, the home that the same person gave
    as a volunteer, or the place as it was.  ``last_given`` is added to the donations known.
    """

    declared: Phenotype
    consents: frozenset[ConsentPurpose]
    born_on: date | None = None
    sex: Sex = Sex.UNKNOWN
    weight_kg: float | None = None
    last_given: Donation | None = None
    kinds: frozenset[DonationKind] = frozenset(DonationKind)
    travel_km: int | None = None
    rules: str = "china"
    contact: str = ""
    point: Point | None = None
    town_id: int | None = None  # GeoNames
    family_code: str = ""  # of a family to join; empty: none, or the one as it was


@dataclass(frozen=True, slots=True)
class DonorView:
    """A donor with what belongs to them, for themselves."""

    donor: RegisteredDonor
    centre: BloodCentre | None  # that keeps them
    confirmed_by: BloodCentre | None
    family: int  # others who joined the same family
    claims: list[tuple[DonorClaim, BloodCentre]]  # open ones, and who makes them


def register_donor(services: Services, actor: Actor | None, form: DonorForm) -> RegisteredDonor:
    """Join the register, or change what was said; what a centre has found stays.

    Raises InvalidInputError ``consent_ask_required`` for somebody new who does not agree to be
    asked, ``place_required``, ``town_unknown``, ``place_at_sea``, ``family_code_unknown``, and as
    ``RegisteredDonor.check``.
    """
    actor = require_role(actor, EVERYONE)
    today = services.clock.now().date()
    with services.database.transaction() as transaction:
        known = transaction.donors.find_of_account(actor.account_id, lock=True)
        if known is None and ConsentPurpose.ASK not in form.consents:
            raise InvalidInputError("consent_ask_required", field="consent")
        donor = known or RegisteredDonor(
            registered_at=services.clock.now(), account_id=actor.account_id
        )
        donor.declared = form.declared
        donor.consents, donor.kinds = form.consents, form.kinds
        donor.travel_km, donor.rules = form.travel_km, form.rules
        donor.contact = form.contact.strip()
        donor.facts = replace(
            donor.facts, born_on=form.born_on, sex=form.sex, weight_kg=form.weight_kg
        )
        if form.last_given is not None:
            donor.has_given(form.last_given)
        if form.family_code:
            donor.family_code = require_family(transaction, form.family_code).code
            donor.consents |= {ConsentPurpose.FAMILY}
        _place(services, transaction, actor, donor, form)
        donor.check(today)
        if known is None:
            transaction.donors.add(donor)
            claim_for_keepers(transaction, donor, services.clock.now())
        else:
            transaction.donors.save(donor)
    return donor


def find_own_donor(services: Services, actor: Actor | None) -> DonorView | None:
    """What is kept about the actor as a donor, for them to see."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        donor = transaction.donors.find_of_account(actor.account_id)
        if donor is None:
            return None
        centres = transaction.blood_centres
        found = donor.confirmation
        return DonorView(
            donor,
            None if donor.centre_id is None else centres.get(donor.centre_id),
            None if found is None else centres.get(found.centre_id),
            len(transaction.donors.list_family(donor.family_code)) - 1 if donor.family_code else 0,
            [
                (one, centres.get(one.centre_id))
                for one in transaction.donors.list_claims_of_donor(donor.id)
                if one.is_open and one.donor_id == donor.id and _may_know(one)
            ],
        )


def _may_know(claim: DonorClaim) -> bool:
    # Whoever enters a stranger's telephone number must not learn that a centre knows it: that a
    # record looks alike, the donor hears once the centre has said that it is one person.
    return claim.own_donor_id is None or claim.claimant_says is Verdict.SAME


def sleep_donor(
    services: Services,
    actor: Actor | None,
    *,
    asleep: bool = False,
    away_until: date | None = None,
) -> RegisteredDonor:
    """Be asked by nobody until woken, or before that day; or be there again.

    Raises NotFoundError for somebody who is no donor, InvalidInputError ``date_in_past``.
    """
    actor = require_role(actor, EVERYONE)
    if away_until is not None and away_until <= services.clock.now().date():
        raise InvalidInputError("date_in_past", field="away_until")
    with services.database.transaction() as transaction:
        donor = _get(transaction, actor)
        donor.asleep, donor.away_until = asleep, away_until
        transaction.donors.save(donor)
    return donor


def defer_donor(
    services: Services,
    actor: Actor | None,
    *,
    donation: Donation | None = None,
    reason: Reason | None = None,
) -> RegisteredDonor:
    """Say that one has given, or what defers one; ``reason`` replaces what was said of the same.

    Raises NotFoundError, and InvalidInputError as ``RegisteredDonor.check``.
    """
    actor = require_role(actor, EVERYONE)
    today = services.clock.now().date()
    if reason is not None and reason.over_on is not None and reason.over_on > today:
        raise InvalidInputError("date_in_future", field="reason_over_on")
    with services.database.transaction() as transaction:
        donor = _get(transaction, actor)
        if donation is not None:
            donor.has_given(donation)
        if reason is not None:
            donor.is_deferred_for(reason)
        donor.check(today)
        transaction.donors.save(donor)
    return donor


def forget_deferral(services: Services, actor: Actor | None, code: str) -> RegisteredDonor:
    """A reason that somebody gave by mistake.  Raises NotFoundError."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        donor = _get(transaction, actor)
        kept = tuple(one for one in donor.facts.reasons if one.code != code)
        donor.facts = replace(donor.facts, reasons=kept)
        transaction.donors.save(donor)
    return donor


def erase_donor(services: Services, actor: Actor | None) -> None:
    """Leave the register: the donor and everything that hangs on the record is erased at once."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        donor = transaction.donors.find_of_account(actor.account_id, lock=True)
        if donor is not None:
            forget_donor(transaction, donor.id)


def forget_donor(transaction: Transaction, donor_id: DonorId) -> None:
    """Erase a record, and what the donor said when asked; that somebody was asked still counts."""
    for ask in transaction.donor_asks.list_of_donor(donor_id, limit=_EVERY_ASK):
        if ask.answer is Answer.COMING:
            # Somebody else is needed then.
            case_id = transaction.blood_requests.get(ask.request_id).case_id
            transaction.outbox.add("recruit_donors", {"case_id": case_id})
        ask.contact, ask.remark, ask.hindrance, ask.deferred_until = "", "", "", None
        transaction.donor_asks.save(ask)
    transaction.donors.delete(donor_id)


_EVERY_ASK = 100_000


def _get(transaction: Transaction, actor: Actor) -> RegisteredDonor:
    donor = transaction.donors.find_of_account(actor.account_id, lock=True)
    if donor is None:
        raise NotFoundError
    return donor


def _place(
    services: Services,
    transaction: Transaction,
    actor: Actor,
    donor: RegisteredDonor,
    form: DonorForm,
) -> None:
    if form.point is None and form.town_id is None:
        if donor.cell is not None:
            return
        volunteer = transaction.volunteers.find(actor.account_id)
        if volunteer is not None and volunteer.main_place is not None:
            donor.cell = cell_of(centre_of(volunteer.main_place.cell), Precision.COARSE)
            donor.place_label = volunteer.main_place.place_label
            return
    # A donor's town and its surroundings are near enough for blood.
    place, _ = make_place(services, PlaceKind.HOME, form.point, form.town_id, Precision.COARSE)
    donor.cell, donor.place_label = place.cell, place.place_label
