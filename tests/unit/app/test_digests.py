from dataclasses import replace

import pytest

from reunite.app.choose_channels import (
    ChannelRequest,
    add_channel,
    confirm_address,
    confirm_link,
    list_channels,
)
from reunite.app.close_case import resolve_case
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.services import Services
from reunite.cases.case import Outcome, ResolutionCause
from reunite.kernel.people import Module
from reunite.ports import ChannelName, DigestOption, Receipt, ReceiptStatus
from reunite.testing.channels import FakeChannel
from reunite.worker.loop import Worker
from tests.unit.app.world import HANGZHOU, World


@pytest.fixture
def mail() -> FakeChannel:
    return FakeChannel(ChannelName.EMAIL)


@pytest.fixture
def services(world: World, mail: FakeChannel) -> Services:
    settings = replace(world.settings, public_url="https://reunite.example")
    made = replace(world.services, channels={ChannelName.EMAIL: mail}, settings=settings)
    request = JoinRequest(frozenset(Module), point=HANGZHOU)
    join_alerts(made, world.volunteer, request)
    wish = ChannelRequest(ChannelName.EMAIL, "lin@x.example", DigestOption.DAILY)
    kept = add_channel(made, world.volunteer, wish)
    confirm_address(made, confirm_link(made.links, kept))
    Worker(made).drain()
    mail.attempts.clear()
    return made


def told(mail: FakeChannel) -> list[str]:
    return [one.message.kind for one in mail.sent]


def work(worker: Worker) -> None:
    """A digest is queued when house is kept, and sent in the next round."""
    worker.drain()
    worker.drain()


def test_everything_of_a_day_comes_in_one_message(
    world: World, services: Services, mail: FakeChannel
) -> None:
    worker = Worker(services)
    references = [world.open(number) for number in (1, 2)]
    for reference in references:
        world.publish(reference, 5.0)
    work(worker)
    # Not at once, and not before a day has passed.
    assert told(mail) == []
    world.pass_time(hours=23)
    work(worker)
    assert told(mail) == []
    world.pass_time(hours=2)
    work(worker)
    assert told(mail) == ["digest"]
    [digest] = mail.sent
    assert digest.address == "lin@x.example"
    assert "2" in digest.message.title
    for reference in references:
        assert f"https://reunite.example/zh/cases/{reference}" in digest.message.body
    # A quiet day is no message.
    world.pass_time(days=2)
    work(worker)
    assert len(mail.sent) == 1


def test_what_is_over_by_then_is_told_without_a_name(
    world: World, services: Services, mail: FakeChannel
) -> None:
    worker = Worker(services)
    reference = world.open(1)
    world.publish(reference, 5.0)
    work(worker)
    resolve_case(services, world.reviewer, reference, Outcome.REUNITED, ResolutionCause.POLICE)
    work(worker)
    world.pass_time(days=1, hours=1)
    work(worker)
    [digest] = mail.sent
    assert "王乐乐" not in digest.message.body
    assert "结束" in digest.message.body


def test_a_digest_waits_for_a_server_that_is_away(
    world: World, services: Services, mail: FakeChannel
) -> None:
    worker = Worker(services)
    world.publish(world.open(1), 5.0)
    work(worker)
    mail.answers["lin@x.example"] = Receipt(ReceiptStatus.RETRY, reason="unreachable")
    world.pass_time(days=1, hours=1)
    work(worker)
    mail.answers.clear()
    world.pass_time(hours=1)
    work(worker)
    assert len({one.delivery_id for one in mail.attempts}) == 1
    assert mail.attempts[-1].message.kind == "digest"
    world.pass_time(hours=12)
    work(worker)
    assert len({one.delivery_id for one in mail.attempts}) == 1


def test_an_address_that_is_dead_is_forgotten(
    world: World, services: Services, mail: FakeChannel
) -> None:
    worker = Worker(services)
    world.publish(world.open(1), 5.0)
    work(worker)
    mail.answers["lin@x.example"] = Receipt(ReceiptStatus.GONE, reason="gone")
    world.pass_time(days=1, hours=1)
    work(worker)
    assert list_channels(services, world.volunteer) == []
