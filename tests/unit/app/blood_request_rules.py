"""Who may do what with requests for blood; a part of the table in ``test_who_may``."""

from collections.abc import Callable
from datetime import timedelta

from reunite.accounts.account import EVERYONE, STAFF, Actor, Role
from reunite.app import (
    answer_ask,
    call_donors,
    import_stock,
    open_blood_request,
    own_request,
    run_blood_request,
)
from reunite.app.services import Services
from reunite.blood.notation import parse_phenotype
from reunite.blood.waves import Answer
from reunite.cases.case import Outcome, ResolutionCause
from reunite.kernel.ids import BloodCentreId, DonorAskId
from tests.unit.app.world import NOON

NOBODY, NOTHING = DonorAskId(0), "0000000000"
WISH = open_blood_request.RequestWish(parse_phenotype("O-"), 1, NOON + timedelta(hours=1))


def _own(services: Services, actor: Actor | None) -> object:
    with services.database.transaction() as transaction:
        return own_request.own_request(transaction, actor, NOTHING)


BLOOD_REQUEST_RULES: dict[
    str, tuple[frozenset[Role], Callable[[Services, Actor | None], object]]
] = {
    "own_request.own_request": (STAFF, _own),
    "open_blood_request.open_blood_request": (
        STAFF,
        lambda s, a: open_blood_request.open_blood_request(s, a, WISH),
    ),
    "open_blood_request.start_asking": (
        STAFF,
        lambda s, a: open_blood_request.start_asking(s, a, NOTHING),
    ),
    "open_blood_request.promise_unit": (
        STAFF,
        lambda s, a: open_blood_request.promise_unit(s, a, NOTHING, BloodCentreId(0), "1"),
    ),
    "run_blood_request.list_requests": (STAFF, run_blood_request.list_requests),
    "run_blood_request.find_centre": (STAFF, run_blood_request.find_centre),
    "run_blood_request.get_board": (
        STAFF,
        lambda s, a: run_blood_request.get_board(s, a, NOTHING),
    ),
    "run_blood_request.rank_donors": (
        STAFF,
        lambda s, a: run_blood_request.rank_donors(s, a, NOTHING),
    ),
    "run_blood_request.see_contact": (
        STAFF,
        lambda s, a: run_blood_request.see_contact(s, a, NOTHING, NOBODY),
    ),
    "run_blood_request.record_answer": (
        STAFF,
        lambda s, a: run_blood_request.record_answer(s, a, NOTHING, NOBODY, Answer.COMING),
    ),
    "run_blood_request.close_request": (
        STAFF,
        lambda s, a: run_blood_request.close_request(
            s, a, NOTHING, Outcome.HELPED, ResolutionCause.UNRELATED
        ),
    ),
    "call_donors.list_calls": (STAFF, call_donors.list_calls),
    "call_donors.answer_call": (
        STAFF,
        lambda s, a: call_donors.answer_call(s, a, NOBODY, Answer.COMING),
    ),
    "import_stock.import_stock": (STAFF, lambda s, a: import_stock.import_stock(s, a, b"x")),
    "import_stock.last_stock": (STAFF, import_stock.last_stock),
    "answer_ask.get_ask": (EVERYONE, lambda s, a: answer_ask.get_ask(s, a, NOTHING)),
    "answer_ask.list_asks": (EVERYONE, answer_ask.list_asks),
    "answer_ask.answer_ask": (
        EVERYONE,
        lambda s, a: answer_ask.answer_ask(s, a, NOTHING, answer_ask.DonorAnswer(Answer.COMING)),
    ),
}
