"""Answer a request for blood: coming, not this time, not me any more."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.app.recruit_donors import look_now, wind_down
from reunite.app.services import Services
from reunite.blood.appeals import SAID_BY_DONORS, Appeal, CannotReason, DonorAsk
from reunite.blood.centres import BloodCentre
from reunite.blood.deferral import Donation, Eligibility
from reunite.blood.donors import RegisteredDonor
from reunite.blood.live_pool import KIND_OF
from reunite.blood.waves import Answer
from reunite.cases.case import Case
from reunite.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from reunite.ports import Transaction


@dataclass(frozen=True, slots=True)
class DonorAnswer:
    """What a donor says.

    ``gave_on``: a donation that the register does not know of.  ``contact``: how the centre
    reaches them, if they come.
    """

    answer: Answer
    comes_at: datetime | None = None
    contact: str = ""
    reason: CannotReason = CannotReason.OTHER
    remark: str = ""
    gave_on: date | None = None


@dataclass(frozen=True, slots=True)
class AskView:
    """A request as a donor who was asked sees it: the hospital and what is needed, no patient.

    ``filled``: enough others are coming.  ``eligibility`` is the donor's own.
    """

    case: Case
    appeal: Appeal
    centre: BloodCentre
    ask: DonorAsk
    donor: RegisteredDonor
    eligibility: Eligibility
    filled: bool
    late: bool

    @property
    def can_come(self) -> bool:
        """Whether an answer may still be given."""
        return self.case.is_open and not self.late and self.ask.may_change


def get_ask(services: Services, actor: Actor | None, reference: str) -> AskView:
    """A request that the actor was asked for.  Raises NotFoundError for anybody else."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        return _view(services, transaction, actor, reference)


def list_asks(services: Services, actor: Actor | None) -> list[AskView]:
    """Every request that the actor was asked for, the newest first."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        donor = transaction.donors.find_of_account(actor.account_id)
        if donor is None:
            return []
        views = []
        for ask in transaction.donor_asks.list_of_donor(donor.id):
            appeal = transaction.blood_requests.get(ask.request_id)
            case = transaction.cases.get(appeal.case_id)
            views.append(_of(services, transaction, case, appeal, donor, ask))
        return views


def answer_ask(
    services: Services, actor: Actor | None, reference: str, said: DonorAnswer
) -> AskView:
    """Take a donor's answer; what they may not do they are told, and the centre sees it.

    Whoever would come and is deferred is written down as that: see ``ask.hindrance``.

    Raises NotFoundError; ConflictError ``request_over``, ``request_filled`` or
    ``answer_settled``; InvalidInputError as ``DonorAsk.come`` and ``decline``.
    """
    actor = require_role(actor, EVERYONE)
    now = services.clock.now()
    with services.database.transaction() as transaction:
        # Held to the end: two donors who come at once would both be the last one needed.
        case = transaction.cases.get_by_reference(reference, lock=True)
        view = _view(services, transaction, actor, reference)
        ask, appeal = view.ask, view.appeal
        if not case.is_open or (said.answer is Answer.COMING and view.late):
            raise ConflictError("request_over")
        donor = transaction.donors.get(view.donor.id, lock=True)
        if said.gave_on is not None:
            _note_donation(services, transaction, appeal, donor, said.gave_on)
        if said.answer is Answer.COMING:
            if view.filled and ask.answer is not Answer.COMING:
                raise ConflictError("request_filled")
            _come(services, transaction, appeal, donor, ask, said)
        elif said.answer is Answer.CANNOT:
            if said.reason not in SAID_BY_DONORS:
                raise InvalidInputError("choice_unknown", field="reason")
            ask.decline(now, said.reason, said.remark.strip())
        elif said.answer is Answer.NOT_ME:
            ask.leave(now)
            donor.asleep = True
            transaction.donors.save(donor)
        else:
            raise InvalidInputError("choice_unknown", field="answer")
        transaction.donor_asks.save(ask)
        settle(services, transaction, case, appeal)
        return _view(services, transaction, actor, reference)


def settle(services: Services, transaction: Transaction, case: Case, appeal: Appeal) -> None:
    """After an answer: stop at once if that was the last one needed; else look again."""
    asks = transaction.donor_asks.list_of_request(appeal.id)
    promised = transaction.blood_stock.count_promised(appeal.id)
    if not appeal.recruitment(asks, promised).filled:
        look_now(transaction, case.id)
    elif appeal.filled_at is None:
        wind_down(transaction, case, appeal, asks, services.clock.now())


def _come(
    services: Services,
    transaction: Transaction,
    appeal: Appeal,
    donor: RegisteredDonor,
    ask: DonorAsk,
    said: DonorAnswer,
) -> None:
    now = services.clock.now()
    before = ask.answer
    # The form first: a slip in it is no deferral.
    replace(ask).come(now, said.comes_at, said.contact.strip())
    eligibility = donor.next_eligible(KIND_OF[appeal.request.need.component], now.date())
    if not eligibility.on((said.comes_at or now).date()):
        ask.be_deferred(now, eligibility)
        return
    ask.come(now, said.comes_at, said.contact.strip())
    if before is not Answer.COMING:
        transaction.donors.mark_willing(donor.id)


def _note_donation(
    services: Services,
    transaction: Transaction,
    appeal: Appeal,
    donor: RegisteredDonor,
    gave_on: date,
) -> None:
    today = services.clock.now().date()
    if gave_on > today:
        raise InvalidInputError("date_in_future", field="gave_on")
    kind = KIND_OF[appeal.request.need.component]
    donor.has_given(Donation(kind, gave_on))
    transaction.donors.save(donor.check(today))


def _view(services: Services, transaction: Transaction, actor: Actor, reference: str) -> AskView:
    case = transaction.cases.get_by_reference(reference)
    appeal = transaction.blood_requests.find_of_case(case.id)
    donor = transaction.donors.find_of_account(actor.account_id)
    if appeal is None or donor is None:
        raise NotFoundError
    ask = transaction.donor_asks.find(appeal.id, donor.id)
    if ask is None:
        raise NotFoundError
    return _of(services, transaction, case, appeal, donor, ask)


def _of(
    services: Services,
    transaction: Transaction,
    case: Case,
    appeal: Appeal,
    donor: RegisteredDonor,
    ask: DonorAsk,
) -> AskView:
    now = services.clock.now()
    asks = transaction.donor_asks.list_of_request(appeal.id)
    promised = transaction.blood_stock.count_promised(appeal.id)
    kind = KIND_OF[appeal.request.need.component]
    return AskView(
        case=case,
        appeal=appeal,
        centre=transaction.blood_centres.get(appeal.request.centre_id),
        ask=ask,
        donor=donor,
        eligibility=donor.next_eligible(kind, now.date()),
        filled=appeal.recruitment(asks, promised).filled,
        late=appeal.is_late(now),
    )
