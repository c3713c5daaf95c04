"""Outside delivery: once, in order, again when it failed, not after it was stopped."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from reunite.accounts.account import Actor, Role
from reunite.alerts.fanout import BATCH_DELIVERIES, LEASE, MAX_ATTEMPTS, ChunkTask
from reunite.app import deliver_outside
from reunite.app.close_case import resolve_case, withdraw_case
from reunite.app.dead_letters import drop_dead_letter, list_dead_letters, retry_dead_letter
from reunite.app.deliver_outside import OutsideDelivery
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.list_notices import AlertView, get_alert, list_notices
from reunite.app.publish_case import AlertWish, publish_case
from reunite.app.read_inbox import list_inbox
from reunite.app.stop_alert import stop_alert
from reunite.app.update_alert import update_alert
from reunite.cases.case import Outcome, Person, ResolutionCause
from reunite.kernel.errors import ConflictError
from reunite.kernel.people import Module
from reunite.kernel.places import Point
from reunite.ports import (
    ChannelAddress,
    ChannelName,
    ChannelProgress,
    Database,
    Delivery,
    Receipt,
    ReceiptStatus,
)
from reunite.storage.server.errors import DatabaseUnreachableError
from reunite.testing import memory_queue
from reunite.testing.channels import FakeChannel
from reunite.testing.memory_queue import MemoryQueue
from reunite.worker.loop import Worker
from tests.unit.app.world import HANGZHOU, World

MAIL = ChannelName.EMAIL
BATCH = 10

AWAY = Receipt(ReceiptStatus.RETRY, reason="away")
GONE = Receipt(ReceiptStatus.GONE, reason="gone")
REFUSED = Receipt(ReceiptStatus.REFUSED, reason="refused")


class PluggedOut(BaseException):
    """What no handler of errors sees: the process is gone."""


@pytest.fixture(params=["ledger", "broker"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything twice: workers look into the ledger, or a broker hands them the chunks."""
    monkeypatch.setattr(Site, "has_broker", request.param == "broker")
    monkeypatch.setattr(deliver_outside, "BATCH_DELIVERIES", BATCH)
    monkeypatch.setattr(deliver_outside, "TAKE_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(memory_queue, "ACK_WAIT", LEASE)


class Site:
    """A world with one channel and people who have an address on it, nearest first."""

    has_broker = False

    def __init__(self, people: int, **settings: Any) -> None:
        self.world = World()
        self.channel = FakeChannel(MAIL)
        self.world.services = replace(
            self.world.services,
            channels={MAIL: self.channel},
            queue=MemoryQueue(self.world.clock.now) if self.has_broker else None,
            settings=replace(self.world.services.settings, **settings),
        )
        self.world.worker = Worker(self.world.services)
        self.people = [self.join(0.05 * place) for place in range(people)]

    def join(self, km: float) -> Actor:
        world, actor = self.world, self.world.actor(Role.VOLUNTEER)
        place = Point(HANGZHOU.latitude + km / 111.2, HANGZHOU.longitude)
        join_alerts(world.services, actor, JoinRequest(frozenset(Module), point=place))
        self.add_address(actor, address_of(actor))
        return actor

    def add_address(self, actor: Actor, address: str) -> None:
        now = self.world.clock.now()
        with self.world.database.transaction() as transaction:
            transaction.channel_addresses.add(
                ChannelAddress(actor.account_id, MAIL, address, now, confirmed_at=now)
            )

    def publish(self) -> str:
        """Publish, and let workers come so far that the channel has everything to do."""
        reference = self.world.open(person=Person(name="王乐乐"))
        self.world.publish(reference, 30.0)
        self.queue()
        return reference

    def queue(self) -> None:
        inboxes = Worker(replace(self.world.services))
        inboxes._outside = []
        inboxes.drain()

    def view(self, reference: str) -> AlertView:
        world = self.world
        (*_, (notice, _)) = list_notices(world.services, world.reviewer, reference)
        return get_alert(world.services, world.reviewer, notice.id)

    def mail(self, reference: str) -> ChannelProgress:
        (channel,) = self.view(reference).progress.channels
        return channel

    def reached(self) -> list[str]:
        return [delivery.address for delivery in self.channel.sent]


def address_of(actor: Actor) -> str:
    return f"{actor.account_id}@example.org"


def addresses(people: Sequence[Actor]) -> list[str]:
    return [address_of(actor) for actor in people]


def test_everybody_with_an_address_is_told_once_nearest_first() -> None:
    site = Site(2 * BATCH + 7)
    for actor in site.people[3:60:3]:
        site.world.database._store.committed["channel_addresses"] = {
            key: one
            for key, one in site.world.database._store.committed["channel_addresses"].items()
            if one.account_id != actor.account_id
        }
    told = [actor for actor in site.people if actor not in site.people[3:60:3]]
    reference = site.publish()
    site.world.drain()
    assert site.reached() == addresses(told)
    assert len({delivery.delivery_id for delivery in site.channel.sent}) == len(told)
    everyone = len(site.people)
    assert site.mail(reference) == ChannelProgress(MAIL, 0, everyone, len(told), 0)
    assert not site.view(reference).is_running
    site.world.pass_time(days=1)
    site.world.drain()
    assert len(site.channel.attempts) == len(told)


def test_the_words_fit_the_reader_and_the_stage() -> None:
    site = Site(1)
    reference = site.publish()
    site.world.drain()
    update_alert(site.world.services, site.world.reviewer, reference)
    site.world.drain()
    resolve_case(
        site.world.services,
        site.world.reviewer,
        reference,
        Outcome.REUNITED,
        ResolutionCause.POLICE,
    )
    site.world.drain()
    titles = [delivery.message.title for delivery in site.channel.sent]
    assert titles == ["寻人：王乐乐", "新消息：寻人：王乐乐", "寻找已结束，谢谢您"]
    # On the device the last has taken the place of the others, and gives away no name.
    (shown,) = site.channel.screen(address_of(site.people[0]))
    assert shown.title == titles[-1]
    assert "王乐乐" not in shown.body + shown.title + shown.url
    assert site.channel.sent[0].message.url == f"/zh/cases/{reference}"


def test_who_is_disturbed_in_spite_of_everything_reads_why() -> None:
    site = Site(1)
    world, (person,) = site.world, site.people
    reference = world.open()
    world.verify(reference)
    wish = AlertWish(5.0, reason="trial", is_imminent=True)
    publish_case(world.services, world.reviewer, reference, None, wish)
    world.drain()
    update_alert(world.services, world.reviewer, reference)
    world.drain()
    first, news = (delivery.message.body for delivery in site.channel.sent)
    assert "免打扰" in first
    # What only replaces it rings nobody out of bed.
    assert "免打扰" not in news
    assert [item.is_imminent for item in list_inbox(world.services, person)] == [False, True]


def test_news_needs_an_alert_that_runs() -> None:
    site = Site(1)
    quiet = site.world.open_public(3)
    with pytest.raises(ConflictError, match="alert_not_running"):
        update_alert(site.world.services, site.world.reviewer, quiet)
    reference = site.publish()
    withdraw_case(site.world.services, site.world.family, reference)
    with pytest.raises(ConflictError, match="alert_not_running"):
        update_alert(site.world.services, site.world.reviewer, reference)


def test_a_second_browser_is_told_in_the_same_batch() -> None:
    site = Site(BATCH)
    last = site.people[-1]
    site.add_address(last, "second@example.org")
    reference = site.publish()
    sizes = []
    send = site.channel.send

    def counted(deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        sizes.append(len(deliveries))
        return send(deliveries)

    site.channel.send = counted  # type: ignore[method-assign]
    site.world.drain()
    assert sizes == [BATCH + 1]
    assert site.mail(reference).sent == BATCH


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_worker_repeats_one_batch_at_most(when: str) -> None:
    site = Site(3 * BATCH)
    reference = site.publish()
    dies = OutsideDelivery(site.world.services, MAIL)
    assert dies.step()
    send = site.channel.send

    def killed(deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        if when == "after":
            send(deliveries)
        raise PluggedOut

    site.channel.send = killed  # type: ignore[method-assign]
    with pytest.raises(PluggedOut):
        dies.step()
    site.channel.send = send  # type: ignore[method-assign]
    site.world.drain()
    # Its lease has not run out: nobody knows yet that it is dead.
    assert len(site.reached()) == BATCH * (1 if when == "before" else 2)
    site.world.clock.advance(LEASE)
    site.world.drain()
    again = Counter(delivery.delivery_id for delivery in site.channel.sent)
    assert len(again) == len(site.people)
    assert sum(again.values()) - len(again) == (0 if when == "before" else BATCH)
    assert site.mail(reference).sent == len(site.people)
    # On the device a repetition takes the place of what it repeats.
    assert all(len(site.channel.screen(one)) == 1 for one in addresses(site.people))


class Shaky:
    """A database that is away for one transaction."""

    def __init__(self, site: Site, fails_at: int) -> None:
        self._database = site.world.database
        self._left = fails_at

    def transaction(self) -> Any:
        self._left -= 1
        if self._left == 0:
            raise DatabaseUnreachableError
        return self._database.transaction()


@pytest.mark.parametrize("fails_at", range(1, 11))
def test_a_database_that_is_away_for_a_moment_costs_nobody_anything(fails_at: int) -> None:
    site = Site(2 * BATCH + 5)
    reference = site.publish()
    first, second, *_ = addresses(site.people)
    site.channel.answers = {first: AWAY, second: GONE}
    shaky = replace(site.world.services, database=cast("Database", Shaky(site, fails_at)))
    worker = OutsideDelivery(shaky, MAIL)
    gave_up = 0
    while True:
        try:
            if not worker.step():
                break
        except DatabaseUnreachableError:
            gave_up += 1
    assert gave_up == 1
    site.channel.answers = {second: GONE}
    for _ in range(2):  # what a broker had handed out comes again first
        site.world.clock.advance(timedelta(hours=1))
        site.world.drain()
    tries = Counter(delivery.address for delivery in site.channel.attempts)
    # The first is tried again where it failed; in no case is anybody else.
    assert tries == {**dict.fromkeys(addresses(site.people), 1), first: tries[first]}
    assert tries[first] in {1, 2}
    mail = site.mail(reference)
    assert (mail.sent, mail.failed, mail.waiting) == (len(site.people) - 1, 1, 0)


def test_a_worker_that_lost_its_lease_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(2 * BATCH)
    reference = site.publish()
    slow = OutsideDelivery(site.world.services, MAIL)
    slow.step()
    slow.renew()
    site.world.clock.advance(LEASE)
    quick = OutsideDelivery(site.world.services, MAIL)
    while quick.step():
        pass
    assert len(site.reached()) == 2 * BATCH
    while slow.step():
        pass
    slow.renew()
    assert len(site.reached()) == 2 * BATCH
    assert site.mail(reference).sent == 2 * BATCH


def test_a_lease_is_renewed_while_a_batch_takes_its_time() -> None:
    site = Site(BATCH)
    site.publish()
    slow = OutsideDelivery(site.world.services, MAIL)
    send = site.channel.send
    renewed_for = []

    def takes_long(deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        for seconds in (15, 15, 15, 300):
            site.world.pass_time(seconds=seconds)
            slow.renew()
            free = OutsideDelivery(site.world.services, MAIL)
            renewed_for.append(not free._take(site.world.clock.now()))
        return send(deliveries)

    site.channel.send = takes_long  # type: ignore[method-assign]
    slow.step()
    # A send that hangs for ever is given up in the end.
    assert renewed_for == [True, True, True, False]


def test_stopped_midway_nobody_else_is_told() -> None:
    site = Site(3 * BATCH)
    reference = site.publish()
    worker = OutsideDelivery(site.world.services, MAIL)
    worker.step()
    notice_id = site.view(reference).notice.id
    assert stop_alert(site.world.services, site.world.reviewer, notice_id) == reference
    stop_alert(site.world.services, site.world.reviewer, notice_id)
    while worker.step():
        pass
    site.world.drain()
    assert site.reached() == addresses(site.people[:BATCH])
    view = site.view(reference)
    assert view.notice.stopped_by == site.world.reviewer.account_id
    assert not view.is_running
    assert site.mail(reference).waiting == 0


def test_a_case_that_leaves_the_public_side_is_named_to_nobody_else() -> None:
    site = Site(3 * BATCH)
    reference = site.publish()
    worker = OutsideDelivery(site.world.services, MAIL)
    worker.step()
    withdraw_case(site.world.services, site.world.family, reference)
    while worker.step():
        pass
    assert site.reached() == addresses(site.people[:BATCH])
    site.world.drain()
    # All of them had it in their inboxes, and hear that it is over.
    assert [one.message.kind for one in site.channel.sent[BATCH:]] == ["cancelled"] * len(
        site.people
    )


def test_what_fails_is_tried_again_later_and_later_and_given_up() -> None:
    site = Site(3)
    broken = address_of(site.people[1])
    site.channel.answers[broken] = AWAY
    reference = site.publish()
    site.world.drain()
    assert site.mail(reference) == ChannelProgress(MAIL, 0, 3, 2, 0)
    for _ in range(MAX_ATTEMPTS + 3):
        site.world.pass_time(minutes=15)
        site.world.drain()
    tried = [delivery for delivery in site.channel.attempts if delivery.address == broken]
    assert len(tried) == MAX_ATTEMPTS
    assert len({delivery.delivery_id for delivery in tried}) == 1
    assert site.mail(reference).failed == 1
    admin = site.world.admin
    found = list_dead_letters(site.world.services, admin)
    (letter,) = found.letters
    assert (found.count, letter.reason, letter.attempts) == (1, "away", MAX_ATTEMPTS)
    del site.channel.answers[broken]
    assert retry_dead_letter(site.world.services, admin, letter.task, letter.failure_id)
    site.world.drain()
    assert site.mail(reference) == ChannelProgress(MAIL, 0, 3, 3, 0)
    assert not retry_dead_letter(site.world.services, admin, letter.task, letter.failure_id)
    assert not drop_dead_letter(site.world.services, admin, letter.task, letter.failure_id)


def test_what_the_other_side_asks_for_is_waited_for() -> None:
    site = Site(2)
    busy = address_of(site.people[0])
    site.channel.answers[busy] = Receipt(ReceiptStatus.RETRY, 600.0, "too_many")
    site.publish()
    site.world.drain()
    site.channel.answers.clear()
    site.world.pass_time(seconds=599)
    site.world.drain()
    assert busy not in [one.address for one in site.channel.attempts[2:]]
    site.world.pass_time(seconds=62)
    site.world.drain()
    assert [one.address for one in site.channel.attempts[2:]] == [busy]


def test_a_dead_address_is_removed_and_a_refusal_is_a_dead_letter() -> None:
    site = Site(4)
    site.channel.answers[address_of(site.people[1])] = GONE
    site.channel.answers[address_of(site.people[2])] = REFUSED
    reference = site.publish()
    site.world.drain()
    assert site.mail(reference) == ChannelProgress(MAIL, 0, 4, 2, 2)
    with site.world.database.transaction() as transaction:
        left = [len(transaction.channel_addresses.list_of(one.account_id)) for one in site.people]
        (letter,) = transaction.ledger.list_dead()
    assert left == [1, 0, 1, 1]
    assert (letter.reason, letter.attempts) == ("refused", 1)
    assert drop_dead_letter(site.world.services, site.world.admin, letter.task, letter.failure_id)
    assert list_dead_letters(site.world.services, site.world.admin).letters == []


def test_an_address_that_goes_before_its_second_try_is_let_go() -> None:
    site = Site(3)
    site.channel.answers = dict.fromkeys(addresses(site.people[:2]), AWAY)
    reference = site.publish()
    site.world.drain()
    with site.world.database.transaction() as transaction:
        (address,) = transaction.channel_addresses.list_of(site.people[0].account_id)
        transaction.channel_addresses.remove([address.id])
    site.channel.answers[address_of(site.people[1])] = GONE
    site.world.pass_time(minutes=1)
    site.world.drain()
    assert len(site.channel.attempts) == 4
    assert site.mail(reference) == ChannelProgress(MAIL, 0, 3, 1, 2)
    with site.world.database.transaction() as transaction:
        assert transaction.channel_addresses.list_of(site.people[1].account_id) == []
        assert transaction.ledger.count_dead() == 0


def test_a_stopped_alert_is_not_tried_again() -> None:
    site = Site(2)
    site.channel.answers = dict.fromkeys(addresses(site.people), AWAY)
    reference = site.publish()
    site.world.drain()
    withdraw_case(site.world.services, site.world.family, reference)
    attempts = len(site.channel.attempts)
    again = OutsideDelivery(site.world.services, MAIL)
    site.world.pass_time(minutes=1)
    while again.step():
        pass
    assert len(site.channel.attempts) == attempts


def test_a_service_that_is_away_for_an_hour_loses_nobody() -> None:
    site = Site(BATCH + 20)
    site.channel.answers = dict.fromkeys(addresses(site.people), AWAY)
    reference = site.publish()
    site.world.drain()
    assert len(site.channel.attempts) == BATCH
    for _ in range(60):
        site.world.pass_time(minutes=1)
        site.world.drain()
    # Nobody hurries a service that is down.
    assert len(site.channel.attempts) <= BATCH * 20
    assert site.mail(reference) == ChannelProgress(MAIL, len(site.people), 0, 0, 0)
    site.channel.answers.clear()
    site.channel.attempts.clear()
    for _ in range(12):
        site.world.pass_time(minutes=1)
        site.world.drain()
    assert sorted(site.reached()) == sorted(addresses(site.people))
    assert site.mail(reference).sent == len(site.people)


def test_a_service_that_never_comes_back_makes_one_dead_letter() -> None:
    site = Site(BATCH)

    def broken(deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        raise RuntimeError("a bug in a channel")

    send = site.channel.send
    site.channel.send = broken  # type: ignore[method-assign]
    site.publish()
    for _ in range(MAX_ATTEMPTS + 1):
        site.world.drain()
        site.world.pass_time(minutes=10)
    (letter,) = list_dead_letters(site.world.services, site.world.admin).letters
    assert (letter.failure_id, letter.recipients) == (None, BATCH)
    assert (letter.reason, letter.attempts) == ("channel_failed", MAX_ATTEMPTS)
    site.channel.send = send  # type: ignore[method-assign]
    unknown = ChunkTask(letter.task.notice_id, 99, MAIL)
    assert not retry_dead_letter(site.world.services, site.world.admin, unknown, None)
    assert retry_dead_letter(site.world.services, site.world.admin, letter.task, None)
    site.world.drain()
    assert len(site.reached()) == BATCH


def test_a_channel_keeps_to_its_rate() -> None:
    site = Site(4 * BATCH, channel_rates={MAIL: BATCH / 2})
    site.publish()
    sent = []
    for _ in range(8):
        site.world.drain()
        sent.append(len(site.reached()) // BATCH)
        site.world.pass_time(seconds=1)
    assert sent == [1, 2, 2, 3, 3, 4, 4, 4]


def test_a_broker_that_loses_everything_or_is_away_loses_nobody() -> None:
    site = Site(2 * BATCH)
    reference = site.publish()
    queue = site.world.services.queue
    if not isinstance(queue, MemoryQueue):
        return
    queue.lose()
    site.world.drain()
    assert site.reached() == []
    site.world.clock.advance(site.world.services.settings.requeue_after * 1.5)
    site.world.drain()
    assert site.mail(reference).sent == 2 * BATCH
    queue.away = True
    second = site.publish()
    site.world.drain()
    assert site.mail(second).sent == 2 * BATCH


def test_measurements_say_nothing_about_anybody() -> None:
    site = Site(3)
    site.channel.answers[address_of(site.people[1])] = AWAY
    site.publish()
    site.world.drain()
    registry = site.world.services.metrics.registry
    sent = {"channel": "email", "status": "sent"}
    assert registry.get_sample_value("reunite_channel_deliveries_total", sent) == 2
    assert registry.get_sample_value("reunite_inbox_deliveries_total") == 3
    assert registry.get_sample_value("reunite_notice_recipients_total") == 3
    labels = {
        label for metric in registry.collect() for one in metric.samples for label in one.labels
    }
    assert labels == {"kind", "channel", "status", "topic", "outcome", "le"}


def test_a_rate_and_a_window_are_what_the_documents_say() -> None:
    assert timedelta(minutes=5) == deliver_outside.LONGEST_SEND
    assert BATCH_DELIVERIES == 50
