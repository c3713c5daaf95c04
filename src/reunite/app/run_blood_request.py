"""The desk of the centre: who comes, who arrived, what became of it, and how it ended."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reunite.accounts.account import Actor
from reunite.app.answer_ask import settle
from reunite.app.blood_centres import require_centre
from reunite.app.call_donors import take_answer
from reunite.app.close_case import end_case
from reunite.app.find_donors import DonorList, list_donors
from reunite.app.open_blood_request import (
    LikeRequest,
    SuitableUnit,
    find_alike,
    find_units,
    require_open,
)
from reunite.app.own_request import own_request
from reunite.app.recruit_donors import wind_down
from reunite.app.services import Services
from reunite.blood.appeals import Appeal, CannotReason, DonorAsk
from reunite.blood.centres import BloodCentre
from reunite.blood.deferral import Donation
from reunite.blood.donors import RegisteredDonor
from reunite.blood.live_pool import KIND_OF
from reunite.blood.phenotype import Phenotype
from reunite.blood.waves import Answer, to_call
from reunite.cases.case import BLOOD_CAUSES, BLOOD_OUTCOMES, Case, Outcome, ResolutionCause
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.ids import DonorAskId
from reunite.ports import Look, LookPurpose, Transaction

# Something left behind, a result to be told: no need to reach a donor lasts longer.
CONTACT_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request in the list of a centre."""

    case: Case
    appeal: Appeal
    asked: int
    coming: int


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One donor who was asked, without who it is.

    ``keeper`` is the centre that keeps a donor without an account, and ``number`` what it calls
    them: those are called, in the order of the rows.
    """

    ask: DonorAsk
    phenotype: Phenotype | None  # None once they have left the register
    confirmed: bool
    to_call: bool
    keeper: str = ""
    number: str = ""
    contact_open: bool = False  # see ``see_contact``


@dataclass(frozen=True, slots=True)
class Board:
    """How far a request has come."""

    case: Case
    appeal: Appeal
    centre: BloodCentre
    needed: int  # donors, beyond what stock has promised
    coming: int
    filled: bool
    late: bool
    promised: int
    rows: list[BoardRow]
    alike: list[LikeRequest]
    units: list[SuitableUnit]
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DonorContact:
    """Who a donor is, once they have said that they come."""

    name: str
    email: str
    contact: str
    reference: str


def list_requests(services: Services, actor: Actor | None) -> list[RequestLine]:
    """The requests of the actor's centre, the newest first."""
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
        appeals = transaction.blood_requests.list_of_centre(centre.id)
        cases = transaction.cases.get_many([one.case_id for one in appeals])
        lines = []
        for one in appeals:
            asks = transaction.donor_asks.list_of_request(one.id)
            coming = one.recruitment(asks).coming
            lines.append(RequestLine(cases[one.case_id], one, len(asks), coming))
        return lines


def find_centre(services: Services, actor: Actor | None) -> BloodCentre:
    """The verified centre that the actor acts for.  Raises as ``require_centre``."""
    with services.database.transaction() as transaction:
        return require_centre(transaction, actor)[1]


def get_board(
    services: Services, actor: Actor | None, reference: str, *, donors_only: bool = False
) -> Board:
    """A request of the actor's centre, as it stands now.

    ``donors_only`` leaves stock and like requests out, for a page that looks every second.
    Raises NotFoundError.
    """
    now = services.clock.now()
    with services.database.transaction() as transaction:
        _, centre, case, appeal = own_request(transaction, actor, reference)
        asks = transaction.donor_asks.list_of_request(appeal.id)
        promised = transaction.blood_stock.count_promised(appeal.id)
        recruitment = appeal.recruitment(asks, promised, closed=not case.is_open)
        donors = transaction.donors.get_many([one.donor_id for one in asks])
        calls = set(to_call(recruitment))
        names = {one.id: one.name for one in transaction.blood_centres.list_all()}
        rows = []
        for ask in asks:
            donor = donors.get(ask.donor_id)
            kept = donor is not None and donor.centre_id is not None and ask.by_phone
            rows.append(
                BoardRow(
                    ask,
                    None if donor is None else donor.phenotype,
                    donor is not None and donor.is_confirmed,
                    ask.by_phone and ask.donor_id in calls,
                    names.get(donor.centre_id, "") if donor and kept and donor.centre_id else "",
                    donor.reference if donor and kept else "",
                    donor is not None and _is_contact_open(case, centre, donor, ask, now),
                )
            )
        looks_around = case.is_open and not donors_only
        return Board(
            case=case,
            appeal=appeal,
            centre=centre,
            needed=recruitment.needed,
            coming=recruitment.coming,
            filled=recruitment.filled,
            late=appeal.is_late(now),
            promised=promised,
            rows=rows,
            alike=find_alike(transaction, appeal) if looks_around else [],
            units=find_units(transaction, appeal, now.date()) if looks_around else [],
            counts=_counts(asks),
        )


def rank_donors(services: Services, actor: Actor | None, reference: str) -> DonorList:
    """Whom the request could reach, in order, and why others are not asked."""
    with services.database.transaction() as transaction:
        _, _, _, appeal = own_request(transaction, actor, reference)
        asks = transaction.donor_asks.list_of_request(appeal.id)
        return list_donors(services, transaction, appeal, asks)


def see_contact(
    services: Services, actor: Actor | None, reference: str, ask_id: DonorAskId
) -> DonorContact:
    """Who is coming, or whom of its own donors the centre has to call.  The look is logged.

    Raises NotFoundError before a donor has said that they come, and a week after the request.
    """
    with services.database.transaction() as transaction:
        actor, centre, case, appeal = own_request(transaction, actor, reference)
        ask = _ask_of(transaction, appeal, ask_id)
        donor = transaction.donors.get_many([ask.donor_id]).get(ask.donor_id)
        if donor is None:
            raise NotFoundError
        now = services.clock.now()
        if not _is_contact_open(case, centre, donor, ask, now):
            raise NotFoundError
        transaction.looks.add([Look(actor.account_id, case.id, LookPurpose.DONOR_CONTACT, now)])
        return _contact(transaction, donor, ask)


def record_answer(
    services: Services,
    actor: Actor | None,
    reference: str,
    ask_id: DonorAskId,
    answer: Answer,
    *,
    comes_at: datetime | None = None,
    reason: CannotReason = CannotReason.OTHER,
    remark: str = "",
) -> None:
    """What a donor said on the telephone, or what the desk saw.

    A donation is written into the register, so that the donor is not asked before time.

    Raises NotFoundError; ConflictError ``case_closed`` or ``answer_settled``; InvalidInputError.
    """
    now = services.clock.now()
    with services.database.transaction() as transaction:
        _, _, case, appeal = own_request(transaction, actor, reference, lock=True)
        require_open(case)
        ask = _ask_of(transaction, appeal, ask_id)
        if answer in {Answer.COMING, Answer.CANNOT, Answer.NOT_ME}:
            take_answer(
                services, transaction, ask, answer, comes_at=comes_at, reason=reason, remark=remark
            )
        else:
            ask.record(answer, now, remark.strip())
        if answer is Answer.GIVEN and ask.donor_id:
            donor = transaction.donors.get(ask.donor_id, lock=True)
            kind = KIND_OF[appeal.request.need.component]
            donor.has_given(Donation(kind, now.date()))
            transaction.donors.save(donor)
        transaction.donor_asks.save(ask)
        settle(services, transaction, case, appeal)


def close_request(
    services: Services,
    actor: Actor | None,
    reference: str,
    outcome: Outcome,
    cause: ResolutionCause,
    note: str = "",
) -> None:
    """End a request: everybody who was asked and did not decline is thanked.

    Raises NotFoundError, ConflictError ``case_transition``, InvalidInputError
    ``choice_unknown`` or ``cause_contradicts`` (nobody gave, and yet a donor is the cause).
    """
    if outcome not in BLOOD_OUTCOMES:
        raise InvalidInputError("choice_unknown", field="outcome")
    if cause not in BLOOD_CAUSES:
        raise InvalidInputError("choice_unknown", field="cause")
    now = services.clock.now()
    with services.database.transaction() as transaction:
        actor, _, case, appeal = own_request(transaction, actor, reference, lock=True)
        asks = transaction.donor_asks.list_of_request(appeal.id)
        gave = any(one.answer is Answer.GIVEN for one in asks)
        promised = transaction.blood_stock.count_promised(appeal.id)
        _check_cause(outcome, cause, gave=gave, promised=promised > 0)
        case.resolve(outcome, cause, actor.account_id, now, note.strip()[:500])
        end_case(transaction, case, None)
        wind_down(transaction, case, appeal, asks, now)


def _check_cause(outcome: Outcome, cause: ResolutionCause, *, gave: bool, promised: bool) -> None:
    """Our figures are only as honest as this: what nobody recorded is not counted as ours."""
    told = {
        ResolutionCause.DONOR_ASKED: outcome is Outcome.HELPED and gave,
        ResolutionCause.STOCK: outcome is Outcome.HELPED and promised,
        ResolutionCause.NO_DONOR: outcome is Outcome.UNMET,
    }
    if not told.get(cause, True):
        raise InvalidInputError("cause_contradicts", field="cause")


def _counts(asks: list[DonorAsk]) -> dict[str, int]:
    """How many were asked, have answered, and what they said; by name."""
    counts = {"asked": len(asks), "answered": sum(not one.is_silent for one in asks)}
    for answer in Answer:
        counts[answer.value] = sum(one.answer is answer for one in asks)
    counts["thanked"] = sum(one.thanked_at is not None for one in asks)
    return counts


def _is_contact_open(
    case: Case, centre: BloodCentre, donor: RegisteredDonor, ask: DonorAsk, now: datetime
) -> bool:
    """Whether the centre may know who it is: somebody who comes, or its own donor to be called."""
    if case.closed_at is not None and now - case.closed_at > CONTACT_KEPT:
        return False
    return ask.shares_contact or (ask.by_phone and donor.centre_id == centre.id)


def _ask_of(transaction: Transaction, appeal: Appeal, ask_id: DonorAskId) -> DonorAsk:
    ask = transaction.donor_asks.get(ask_id)
    if ask.request_id != appeal.id:
        raise NotFoundError
    return ask


def _contact(transaction: Transaction, donor: RegisteredDonor, ask: DonorAsk) -> DonorContact:
    name = email = ""
    if donor.account_id is not None:
        account = transaction.accounts.get(donor.account_id)
        name, email = account.display_name, account.email
    return DonorContact(name, email, ask.contact or donor.contact, donor.reference)
