"""Ask for blood: a hospital or blood centre says what is needed, and donors are asked."""

from dataclasses import dataclass
from datetime import date, datetime

from reunite.accounts.account import Actor
from reunite.app.blood_centres import require_centre
from reunite.app.open_case import located
from reunite.app.own_request import own_request
from reunite.app.recruit_donors import look_now
from reunite.app.services import Services
from reunite.blood.appeals import Appeal
from reunite.blood.centres import BloodCentre
from reunite.blood.compatibility import Verdict
from reunite.blood.demands import Need
from reunite.blood.donors import stored_type
from reunite.blood.phenotype import Phenotype
from reunite.blood.requests import BloodRequest, Likeness, likenesses, require_request
from reunite.blood.rules import DEFAULT_POLICY, Component, Policy
from reunite.blood.stock import units_for
from reunite.blood.waves import Urgency
from reunite.cases.case import Case, Circumstances, Person, open_case
from reunite.kernel.errors import ConflictError, InvalidInputError
from reunite.kernel.ids import BloodCentreId, BloodRequestId, CaseId, new_reference
from reunite.kernel.people import Module, Side
from reunite.kernel.places import Point
from reunite.ports import ShelvedUnit, Transaction


@dataclass(frozen=True, slots=True)
class RequestWish:
    """What a centre asks for; ``place`` None: where the centre is."""

    patient: Phenotype
    units: int
    needed_by: datetime
    component: Component = Component.RED_CELLS
    childbearing: bool = False
    policy: Policy = DEFAULT_POLICY
    urgency: Urgency = Urgency.URGENT
    units_per_donation: int = 1
    place: Point | None = None
    patient_code: str = ""
    family_code: str = ""
    note: str = ""
    override_reason: str = ""


@dataclass(frozen=True, slots=True)
class LikeRequest:
    """Another open request that may be for the same patient.

    ``reference`` is empty for a request of another centre, which is known by its name alone.
    """

    likeness: Likeness
    centre: str
    reference: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class SuitableUnit:
    """A unit in stock that suits the patient."""

    shelved: ShelvedUnit
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class OpenedRequest:
    """A request that has been written.

    ``asking``: donors are being asked.  Not so where the same request may be open already, or
    stock may hold enough: the centre looks first, and begins with ``start_asking``.
    """

    reference: str
    asking: bool
    alike: list[LikeRequest]
    units: list[SuitableUnit]


def open_blood_request(services: Services, actor: Actor | None, wish: RequestWish) -> OpenedRequest:
    """Write a request and, unless there is something to look at first, ask the first wave.

    Raises ForbiddenError ``centre_required``, ``centre_not_verified``; InvalidInputError as
    ``require_request``, ``required`` (no type), ``place_required``, ``place_at_sea``,
    ``family_code_unknown``.
    """
    now = services.clock.now()
    with services.database.transaction() as transaction:
        actor, centre = require_centre(transaction, actor)
        appeal = _appeal(transaction, centre, wish, now)
        case = _case(services, centre, actor, appeal)
        alike = find_alike(transaction, appeal)
        transaction.cases.add(case)
        appeal.case_id = case.id
        units = find_units(transaction, appeal, now.date())
        asking = not alike and len(units) < wish.units
        if asking:
            appeal.asking_since = now
        transaction.blood_requests.add(appeal)
        if asking:
            look_now(transaction, case.id)
    return OpenedRequest(case.reference, asking, alike, units)


def start_asking(services: Services, actor: Actor | None, reference: str) -> None:
    """Ask donors after all.

    Raises NotFoundError, ConflictError ``case_closed`` or ``asking_already``.
    """
    with services.database.transaction() as transaction:
        _, _, case, appeal = own_request(transaction, actor, reference, lock=True)
        require_open(case)
        if appeal.asking_since is not None:
            raise ConflictError("asking_already")
        appeal.asking_since = services.clock.now()
        transaction.blood_requests.save(appeal)
        look_now(transaction, case.id)


def promise_unit(
    services: Services,
    actor: Actor | None,
    reference: str,
    centre_id: BloodCentreId,
    number: str,
    *,
    promised: bool = True,
) -> None:
    """The partner has agreed to give this unit: so many donors fewer are asked.

    Raises NotFoundError, ConflictError ``case_closed`` or ``unit_promised``.
    """
    with services.database.transaction() as transaction:
        _, _, case, appeal = own_request(transaction, actor, reference, lock=True)
        require_open(case)
        if not promised:
            require_promised(transaction, appeal.id, centre_id, number, services.clock.now().date())
        transaction.blood_stock.promise(centre_id, number, appeal.id if promised else None)
        look_now(transaction, case.id)


def require_promised(
    transaction: Transaction,
    request_id: BloodRequestId,
    centre_id: BloodCentreId,
    number: str,
    on: date,
) -> None:
    """Raise ConflictError ``unit_promised`` unless the unit was set aside for this request."""
    for one in transaction.blood_stock.list_units(on):
        if (one.centre_id, one.unit.number) == (centre_id, number):
            if one.promised_to != request_id:
                raise ConflictError("unit_promised")
            return


def require_open(case: Case) -> None:
    """Raise ConflictError ``case_closed``."""
    if not case.is_open:
        raise ConflictError("case_closed", status=case.status.value)


def find_alike(transaction: Transaction, appeal: Appeal) -> list[LikeRequest]:
    """Open requests that may be for the same patient."""
    others = [one for one in transaction.blood_requests.list_open() if one.id != appeal.id]
    found = likenesses(appeal.request, [one.request for one in others])
    by_request = {id(one.request): one for one in others}
    alike = []
    for request, likeness in found:
        other = by_request[id(request)]
        own = request.centre_id == appeal.request.centre_id
        alike.append(
            LikeRequest(
                likeness,
                transaction.blood_centres.get(request.centre_id).name,
                transaction.cases.get(other.case_id).reference if own else "",
                request.opened_at,
            )
        )
    return alike


def find_units(transaction: Transaction, appeal: Appeal, on: date) -> list[SuitableUnit]:
    """Units that suit and that nobody else was promised; the best first."""
    shelved = {
        id(one.unit): one
        for one in transaction.blood_stock.list_units(on)
        if one.promised_to in {None, appeal.id or None}
    }
    stock = [one.unit for one in shelved.values()]
    found = units_for(appeal.request.need, stock, appeal.request.place, on)
    return [SuitableUnit(shelved[id(unit)], verdict) for unit, verdict in found]


def _appeal(
    transaction: Transaction, centre: BloodCentre, wish: RequestWish, now: datetime
) -> Appeal:
    place = wish.place or centre.place
    if place is None:
        raise InvalidInputError("place_required", field="place")
    if wish.patient == Phenotype():
        raise InvalidInputError("required", field="patient")
    family = wish.family_code.strip().upper()
    if family and transaction.blood_centres.find_family(family) is None:
        raise InvalidInputError("family_code_unknown", field="family_code")
    request = BloodRequest(
        centre_id=centre.id,
        need=Need(wish.patient, wish.component, wish.childbearing, wish.policy),
        units=wish.units,
        place=place,
        opened_at=now,
        needed_by=wish.needed_by,
        urgency=wish.urgency,
        patient_code=wish.patient_code.strip(),
        family_code=family,
        note=wish.note.strip(),
        override_reason=wish.override_reason.strip(),
    )
    return Appeal(require_request(request), CaseId(0), wish.units_per_donation).check()


def _case(services: Services, centre: BloodCentre, actor: Actor, appeal: Appeal) -> Case:
    """The case that the request hangs on: what reaches donors, lives and is counted by it."""
    request, now = appeal.request, services.clock.now()
    words = stored_type(request.need.patient)
    case = open_case(
        reference=new_reference(),
        module=Module.BLOOD,
        side=Side.MISSING,
        person=Person(name=words[:80], blood_group=words[:200]),
        circumstances=located(
            services, Circumstances(place=request.place, place_label=centre.name)
        ),
        opened_by=actor.account_id,
        at=now,
        consent_search=True,
        consent_publish=False,  # no public page, no feed: only whoever is asked hears of it
        organisation=centre.name,
    )
    case.vouch(actor.account_id, now, centre.name)
    return case
