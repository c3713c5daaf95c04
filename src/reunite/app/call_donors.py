"""Call donors without an account: each centre its own, whoever needs them."""

from dataclasses import dataclass
from datetime import datetime

from reunite.accounts.account import Actor
from reunite.app.answer_ask import settle
from reunite.app.blood_centres import require_centre
from reunite.app.open_blood_request import require_open
from reunite.app.services import Services
from reunite.blood.appeals import Appeal, CannotReason, DonorAsk
from reunite.blood.centres import BloodCentre
from reunite.blood.donors import RegisteredDonor
from reunite.blood.waves import Answer
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.ids import DonorAskId
from reunite.ports import Transaction


@dataclass(frozen=True, slots=True)
class Call:
    """A donor to be called, and the hospital that needs them."""

    ask: DonorAsk
    donor: RegisteredDonor
    appeal: Appeal
    centre: BloodCentre


def list_calls(services: Services, actor: Actor | None) -> list[Call]:
    """Donors of the actor's centre to be called, the longest waiting first.

    Requests for which enough are coming, or whose time has passed, need nobody.
    """
    now = services.clock.now()
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
        asks = transaction.donor_asks.list_to_call(centre.id)
        donors = transaction.donors.get_many([one.donor_id for one in asks])
        calls = []
        for ask in asks:
            appeal = transaction.blood_requests.get(ask.request_id)
            if appeal.filled_at is None and not appeal.is_late(now):
                needy = transaction.blood_centres.get(appeal.request.centre_id)
                calls.append(Call(ask, donors[ask.donor_id], appeal, needy))
        return calls


def answer_call(
    services: Services,
    actor: Actor | None,
    ask_id: DonorAskId,
    answer: Answer,
    *,
    comes_at: datetime | None = None,
    reason: CannotReason = CannotReason.OTHER,
    remark: str = "",
) -> None:
    """What a donor of the actor's centre said on the telephone.

    Raises NotFoundError for another centre's donor; ConflictError ``case_closed`` or
    ``answer_settled``; InvalidInputError as ``take_answer``.
    """
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
        appeal = transaction.blood_requests.get(transaction.donor_asks.get(ask_id).request_id)
        case = transaction.cases.get(appeal.case_id, lock=True)
        ask = transaction.donor_asks.get(ask_id)
        donor = transaction.donors.get_many([ask.donor_id]).get(ask.donor_id)
        if not ask.by_phone or donor is None or donor.centre_id != centre.id:
            raise NotFoundError
        require_open(case)
        if answer not in {Answer.COMING, Answer.CANNOT, Answer.NOT_ME}:
            raise InvalidInputError("choice_unknown", field="answer")
        take_answer(
            services, transaction, ask, answer, comes_at=comes_at, reason=reason, remark=remark
        )
        transaction.donor_asks.save(ask)
        settle(services, transaction, case, appeal)


def take_answer(
    services: Services,
    transaction: Transaction,
    ask: DonorAsk,
    answer: Answer,
    *,
    comes_at: datetime | None = None,
    reason: CannotReason = CannotReason.OTHER,
    remark: str = "",
) -> None:
    """Change an ask as somebody said on the telephone, and what follows for the register.

    Raises ConflictError ``answer_settled``; InvalidInputError as ``DonorAsk.come``.
    """
    now = services.clock.now()
    if answer is Answer.COMING:
        was_coming = ask.answer is Answer.COMING
        ask.come(now, comes_at)
        if not was_coming and ask.donor_id:
            transaction.donors.mark_willing(ask.donor_id)
    elif answer is Answer.CANNOT:
        ask.decline(now, reason, remark.strip())
    else:
        ask.leave(now)
        if ask.donor_id:
            donor = transaction.donors.get(ask.donor_id, lock=True)
            donor.asleep = True
            transaction.donors.save(donor)
