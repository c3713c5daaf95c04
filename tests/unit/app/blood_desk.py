"""A hospital that asks for blood in a world in memory, and donors who hear."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from reunite.accounts.account import Actor, Role
from reunite.alerts.notices import NoticeKind
from reunite.app.answer_ask import AskView, DonorAnswer, answer_ask
from reunite.app.count_outcomes import ModuleCount, count_outcomes
from reunite.app.open_blood_request import OpenedRequest, RequestWish, open_blood_request
from reunite.app.read_inbox import list_inbox
from reunite.app.run_blood_request import Board, close_request, get_board, record_answer
from reunite.blood.appeals import DonorAsk
from reunite.blood.centres import BloodCentre, BloodFamily
from reunite.blood.donors import RegisteredDonor
from reunite.blood.notation import parse_phenotype
from reunite.blood.waves import Answer
from reunite.cases.case import Outcome, ResolutionCause
from reunite.kernel.people import Module
from reunite.kernel.places import Point
from reunite.testing.donors import store_centre, store_donor
from tests.unit.app.world import NOON, World

FAR = Point(27.70, 119.40)  # some 300 km to the south
FAMILY = "7K3M9QX2TB"


class Desk:
    """A hospital that asks, and donors who hear."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.centre = store_centre(world.database, "湖滨医院")
        self.clerk = world.actor(Role.OFFICER, "湖滨医院")
        self.join(self.clerk, self.centre)
        with world.database.transaction() as transaction:
            family = BloodFamily(FAMILY, self.centre.id, NOON)
            transaction.blood_centres.add_family(family)

    def join(self, actor: Actor, centre: BloodCentre) -> None:
        with self.world.database.transaction() as transaction:
            transaction.blood_centres.set_member(actor.account_id, centre.id)

    def donor(self, written: str, **changes: Any) -> tuple[Actor, RegisteredDonor]:
        actor = self.world.actor(Role.VOLUNTEER)
        facts = {"account_id": actor.account_id, "written": written, **changes}
        return actor, store_donor(self.world.database, **facts)

    def ask(self, written: str = "Bombay Rh+", **changes: Any) -> OpenedRequest:
        wish = RequestWish(parse_phenotype(written), 1, NOON + timedelta(hours=24))
        opened = open_blood_request(self.world.services, self.clerk, replace(wish, **changes))
        self.world.drain()
        return opened

    def answer(self, donor: Actor, reference: str, answer: Answer, **said: Any) -> AskView:
        view = answer_ask(self.world.services, donor, reference, DonorAnswer(answer, **said))
        self.world.drain()
        return view

    def board(self, reference: str) -> Board:
        return get_board(self.world.services, self.clerk, reference)

    def record(self, reference: str, ask: DonorAsk, answer: Answer, **said: Any) -> None:
        record_answer(self.world.services, self.clerk, reference, ask.id, answer, **said)
        self.world.drain()

    def close(self, reference: str, outcome: Outcome, cause: ResolutionCause) -> None:
        close_request(self.world.services, self.clerk, reference, outcome, cause)
        self.world.drain()

    def heard(self, donor: Actor) -> list[NoticeKind]:
        return [item.kind for item in list_inbox(self.world.services, donor)][::-1]

    def counted(self) -> ModuleCount:
        modules = count_outcomes(self.world.services).modules
        return next(one for one in modules if one.module is Module.BLOOD)
