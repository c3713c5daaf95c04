"""Webhooks: who is told what, signed; and what happens when nobody answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from reunite.app.close_case import withdraw_case
from reunite.app.services import Services
from reunite.kernel.errors import ReuniteError
from reunite.partners.webhooks import (
    GIVE_UP_AFTER,
    EventName,
    Webhook,
    new_webhook_secret,
    verify,
)
from reunite.worker.loop import Worker
from tests.unit.app.world import World


@dataclass
class Inbox:
    """A partner's server, within this process."""

    answers: bool = True
    arrived: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def get(self, address: str, headers: Mapping[str, str], *, max_bytes: int) -> bytes:
        raise ReuniteError("peer_unreachable")

    def post(self, address: str, headers: Mapping[str, str], body: bytes) -> None:
        self.arrived.append((address, dict(headers), body))
        if not self.answers:
            raise ReuniteError("peer_refused", status=500)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def services(world: World, inbox: Inbox) -> Services:
    return replace(world.services, outside=inbox)


def a_webhook(world: World, *events: EventName) -> Webhook:
    webhook = Webhook(
        "https://partner.example/hook",
        frozenset(events or EventName),
        world.clock.now(),
        new_webhook_secret(),
    )
    with world.database.transaction() as transaction:
        transaction.webhooks.add(webhook)
    return webhook


def test_a_partner_hears_of_a_case_and_of_its_end(
    world: World, services: Services, inbox: Inbox
) -> None:
    webhook = a_webhook(world)
    reference = world.open_public(1)
    Worker(services).drain()
    withdraw_case(services, world.family, reference)
    Worker(services).drain()
    (_, first_headers, first), (_, second_headers, second) = inbox.arrived
    lowered = {name.lower(): value for name, value in first_headers.items()}
    message_id = verify(webhook.secret, lowered, first, world.clock.now())
    assert message_id != second_headers["webhook-id"]
    said = json.loads(first)
    assert (said["type"], said["data"]["reference"]) == ("case.published", reference)
    assert json.loads(second)["type"] == "case.closed"
    assert "王乐乐" not in (first + second).decode()


def test_only_what_was_asked_for_is_sent(world: World, services: Services, inbox: Inbox) -> None:
    a_webhook(world, EventName.CASE_CLOSED)
    world.open_public(1)
    Worker(services).drain()
    assert inbox.arrived == []


def test_whoever_does_not_answer_is_asked_again_and_then_left_alone(
    world: World, services: Services, inbox: Inbox
) -> None:
    webhook = a_webhook(world)
    inbox.answers = False
    world.open_public(1)
    worker = Worker(services)
    for _ in range(GIVE_UP_AFTER + 5):
        worker.drain()
        world.clock.advance(timedelta(hours=1))
    assert len(inbox.arrived) == GIVE_UP_AFTER
    assert len({headers["webhook-id"] for _, headers, _ in inbox.arrived}) == 1
    assert len({headers["webhook-timestamp"] for _, headers, _ in inbox.arrived}) > 30
    with world.database.transaction() as transaction:
        (stored,) = transaction.webhooks.list_all()
    assert (stored.failures, stored.disabled_at is not None) == (GIVE_UP_AFTER, True)
    assert stored.id == webhook.id
    assert world.count_waiting() == 0


def test_an_answer_makes_good_the_failures_before(
    world: World, services: Services, inbox: Inbox
) -> None:
    a_webhook(world)
    inbox.answers = False
    world.open_public(1)
    Worker(services).drain()
    inbox.answers = True
    world.clock.advance(timedelta(hours=1))
    Worker(services).drain()
    with world.database.transaction() as transaction:
        assert transaction.webhooks.list_all()[0].failures == 0
    assert world.count_waiting() == 0
