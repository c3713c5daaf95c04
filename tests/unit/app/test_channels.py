import json
from dataclasses import replace

import pytest

from reunite.app.choose_channels import (
    MAX_ADDRESSES,
    ChannelRequest,
    add_channel,
    confirm_address,
    confirm_link,
    export_channels,
    find_push_key,
    list_channels,
    offered_channels,
    read_link,
    remove_channel,
    unsubscribe,
    unsubscribe_link,
)
from reunite.app.erase_expired import erase_expired
from reunite.app.prepare_channels import Preparation
from reunite.app.services import Services
from reunite.app.sign_in import change_account
from reunite.app.try_channels import try_channels
from reunite.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from reunite.kernel.tokens import LinkSigner
from reunite.ports import ChannelName, DigestOption, Receipt, ReceiptStatus
from reunite.testing.channels import FakeChannel, FakePushChannel
from reunite.worker.loop import Worker
from tests.unit.app.world import NOON, World

REFUSED = Receipt(ReceiptStatus.REFUSED, reason="address_invalid")


@pytest.fixture
def services(world: World) -> Services:
    channels = {
        ChannelName.WEB_PUSH: FakePushChannel({"nonsense": REFUSED}),
        **{
            name: FakeChannel(name, {"nonsense": REFUSED})
            for name in (ChannelName.EMAIL, ChannelName.WEBHOOK, ChannelName.CHAT)
        },
    }
    return replace(world.services, channels=channels)


def browser(number: int, key: str = "B") -> ChannelRequest:
    said = {"endpoint": f"https://push.example/{number}", "keys": {"p256dh": key, "auth": "x"}}
    return ChannelRequest(ChannelName.WEB_PUSH, json.dumps(said))


def waiting(world: World) -> list[object]:
    with world.database.transaction() as transaction:
        message = transaction.outbox.claim(NOON)
        return [] if message is None else [message.topic, message.payload["address_id"]]


def test_a_browser_is_told_from_now_on(world: World, services: Services) -> None:
    kept = add_channel(services, world.volunteer, browser(1))
    assert kept.confirmed_at == NOON
    assert list_channels(services, world.volunteer) == [kept]
    assert list_channels(services, world.family) == []
    assert waiting(world) == []


def test_a_browser_that_renews_its_keys_is_the_same(world: World, services: Services) -> None:
    first = add_channel(services, world.volunteer, browser(1))
    again = add_channel(services, world.volunteer, browser(1, "C"))
    assert again.id == first.id
    assert list_channels(services, world.volunteer) == [again]


def test_the_owner_of_an_email_address_is_asked_first(world: World, services: Services) -> None:
    request = ChannelRequest(ChannelName.EMAIL, " Aunt@Example.org ", DigestOption.DAILY)
    kept = add_channel(services, world.volunteer, request)
    assert (kept.address, kept.digest, kept.confirmed_at) == (
        "aunt@example.org",
        DigestOption.DAILY,
        None,
    )
    assert waiting(world) == ["confirm_channel", kept.id]
    token = confirm_link(services.links, kept)
    assert read_link(services, "confirm", token) == kept
    assert confirm_address(services, token).id == kept.id
    [confirmed] = list_channels(services, world.volunteer)
    assert confirmed.confirmed_at == NOON


def test_the_question_is_sent_once_and_carries_the_link(world: World, services: Services) -> None:
    mail = services.channels[ChannelName.EMAIL]
    assert isinstance(mail, FakeChannel)
    kept = add_channel(services, world.volunteer, ChannelRequest(ChannelName.EMAIL, "a@x.example"))
    Worker(services).drain()
    [asked] = mail.sent
    assert (asked.address, asked.message.kind) == ("a@x.example", "confirm")
    token = asked.message.url.rpartition("/confirm/")[2]
    assert confirm_address(services, token).id == kept.id
    # Asked again where the address is saved again; not once it is confirmed.
    add_channel(services, world.volunteer, ChannelRequest(ChannelName.EMAIL, "a@x.example"))
    Worker(services).drain()
    assert len(mail.sent) == 1


def test_a_question_waits_for_a_mail_server_that_is_away(world: World, services: Services) -> None:
    mail = services.channels[ChannelName.EMAIL]
    assert isinstance(mail, FakeChannel)
    mail.answers["a@x.example"] = Receipt(ReceiptStatus.RETRY, reason="unreachable")
    add_channel(services, world.volunteer, ChannelRequest(ChannelName.EMAIL, "a@x.example"))
    worker = Worker(services)
    worker.drain()
    mail.answers.clear()
    world.pass_time(minutes=1)
    worker.drain()
    assert len(mail.sent) == 2  # attempts: the first was not taken


def test_an_address_that_is_dead_is_not_kept(world: World, services: Services) -> None:
    mail = services.channels[ChannelName.EMAIL]
    assert isinstance(mail, FakeChannel)
    mail.answers["a@x.example"] = Receipt(ReceiptStatus.GONE, reason="gone")
    add_channel(services, world.volunteer, ChannelRequest(ChannelName.EMAIL, "a@x.example"))
    Worker(services).drain()
    assert list_channels(services, world.volunteer) == []


def test_a_telephone_number_is_asked_first_and_a_token_is_not(
    world: World, services: Services
) -> None:
    channels = {ChannelName.APPRISE: FakeChannel(ChannelName.APPRISE)}
    services = replace(services, channels=channels)
    sms = add_channel(services, world.volunteer, ChannelRequest(ChannelName.APPRISE, "sms:+861380"))
    own = add_channel(services, world.volunteer, ChannelRequest(ChannelName.APPRISE, "tgram://a/b"))
    assert sms.confirmed_at is None
    assert own.confirmed_at == NOON


def test_whoever_says_nothing_is_forgotten(world: World, services: Services) -> None:
    add_channel(services, world.volunteer, ChannelRequest(ChannelName.EMAIL, "a@x.example"))
    kept = add_channel(services, world.volunteer, browser(1))
    world.pass_time(days=6)
    erase_expired(services)
    assert len(list_channels(services, world.volunteer)) == 2
    world.pass_time(days=2)
    erase_expired(services)
    assert list_channels(services, world.volunteer) == [kept]


def test_what_was_confirmed_stays_so_when_the_wish_changes(
    world: World, services: Services
) -> None:
    kept = add_channel(services, world.volunteer, ChannelRequest(ChannelName.EMAIL))
    assert kept.address.endswith("@example.org")
    confirm_address(services, confirm_link(services.links, kept))
    daily = ChannelRequest(ChannelName.EMAIL, digest=DigestOption.DAILY)
    changed = add_channel(services, world.volunteer, daily)
    assert (changed.id, changed.confirmed_at) == (kept.id, NOON)
    assert changed.digest is DigestOption.DAILY


def test_a_reader_ends_it_without_signing_in(world: World, services: Services) -> None:
    kept = add_channel(services, world.volunteer, browser(1))
    token = unsubscribe_link(services.links, kept.account_id, kept.channel, kept.address)
    unsubscribe(services, token)
    assert list_channels(services, world.volunteer) == []
    unsubscribe(services, token)  # pressed twice
    assert read_link(services, "unsubscribe", token) is None


def test_no_token_is_good_for_something_else(world: World, services: Services) -> None:
    kept = add_channel(services, world.volunteer, ChannelRequest(ChannelName.EMAIL))
    confirm = confirm_link(services.links, kept)
    end = unsubscribe_link(services.links, kept.account_id, kept.channel, kept.address)
    for token in (end, "", "x", confirm[:-2], confirm + "AA", "räuber", "A" * 80):
        with pytest.raises(NotFoundError):
            confirm_address(services, token)
    for token in (confirm, "", "x"):
        with pytest.raises(NotFoundError):
            unsubscribe(services, token)
    other = replace(services, links=LinkSigner(b"another secret, as long as it is"))
    with pytest.raises(NotFoundError):
        confirm_address(other, confirm)
    assert list_channels(services, world.volunteer) == [kept]


def test_a_link_is_void_once_the_address_is_gone(world: World, services: Services) -> None:
    kept = add_channel(services, world.volunteer, ChannelRequest(ChannelName.EMAIL))
    token = confirm_link(services.links, kept)
    remove_channel(services, world.volunteer, kept.id)
    assert read_link(services, "confirm", token) is None
    with pytest.raises(NotFoundError):
        confirm_address(services, token)


def test_nobody_turns_off_what_is_somebody_elses(world: World, services: Services) -> None:
    kept = add_channel(services, world.volunteer, browser(1))
    with pytest.raises(NotFoundError):
        remove_channel(services, world.family, kept.id)
    remove_channel(services, world.volunteer, kept.id)
    with pytest.raises(NotFoundError):
        remove_channel(services, world.volunteer, kept.id)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ChannelRequest(ChannelName.EMAIL, "nonsense"), "channel_address_refused"),
        (ChannelRequest(ChannelName.EMAIL, "x" * 2001), "text_too_long"),
        (ChannelRequest(ChannelName.WEBHOOK, "https://x.example"), "channel_not_offered"),
        (ChannelRequest(ChannelName.CHAT, "onebot:1"), "channel_not_offered"),
        (ChannelRequest(ChannelName.APPRISE, "tgram://x/y"), "channel_not_offered"),
    ],
)
def test_what_cannot_be_is_refused(
    world: World, services: Services, request_: ChannelRequest, code: str
) -> None:
    with pytest.raises(InvalidInputError, match=code):
        add_channel(services, world.volunteer, request_)
    assert list_channels(services, world.volunteer) == []


def test_organisations_may_have_a_webhook_with_a_secret_of_its_own(
    world: World, services: Services
) -> None:
    assert ChannelName.WEBHOOK in offered_channels(services, world.officer)
    assert ChannelName.WEBHOOK not in offered_channels(services, world.volunteer)
    request = ChannelRequest(ChannelName.WEBHOOK, "https://station.example/alerts")
    said = json.loads(add_channel(services, world.officer, request).address)
    assert said["url"] == "https://station.example/alerts"
    assert said["secret"].startswith("whsec_")
    again = json.loads(add_channel(services, world.officer, request).address)
    assert again["secret"] != said["secret"]
    assert len(list_channels(services, world.officer)) == 1


def test_nobody_collects_addresses_without_end(world: World, services: Services) -> None:
    for number in range(MAX_ADDRESSES):
        add_channel(services, world.volunteer, browser(number))
    with pytest.raises(ConflictError, match="channels_too_many"):
        add_channel(services, world.volunteer, browser(MAX_ADDRESSES))
    add_channel(services, world.volunteer, browser(0, "renewed"))
    assert len(list_channels(services, world.volunteer)) == MAX_ADDRESSES


def test_what_is_kept_is_given_out_to_its_owner(world: World, services: Services) -> None:
    add_channel(services, world.volunteer, ChannelRequest(ChannelName.EMAIL, "a@x.example"))
    [exported] = export_channels(services, world.volunteer)
    assert json.loads(json.dumps(exported)) == {
        "channel": "email",
        "address": "a@x.example",
        "created_at": NOON.isoformat(),
        "confirmed_at": None,
        "digest": "at_once",
    }
    assert export_channels(services, world.family) == []


def test_whoever_is_shut_out_is_told_nothing_more(world: World, services: Services) -> None:
    add_channel(services, world.volunteer, browser(1))
    change_account(services, world.admin, world.volunteer.account_id, disabled=True)
    assert list_channels(services, world.volunteer) == []


def test_browsers_subscribe_with_the_key_of_this_server(world: World, services: Services) -> None:
    assert find_push_key(services) == FakePushChannel.public_key
    assert find_push_key(world.services) is None


def test_whoever_tries_it_hears_by_every_way_that_is_on(world: World, services: Services) -> None:
    dead, busy = browser(1), browser(2)
    push = FakePushChannel(
        {
            dead.address: Receipt(ReceiptStatus.GONE, reason="gone"),
            busy.address: Receipt(ReceiptStatus.RETRY, reason="timed_out"),
        }
    )
    channels = {**services.channels, ChannelName.WEB_PUSH: push}
    services = replace(services, channels=channels)
    for request in (dead, busy, browser(3)):
        add_channel(services, world.volunteer, request)
    add_channel(services, world.family, browser(4))
    add_channel(services, world.volunteer, ChannelRequest(ChannelName.EMAIL))  # not confirmed
    trials = try_channels(services, world.volunteer, "a test", "nobody is lost", "https://x/")
    assert [trial.status for trial in trials] == [
        ReceiptStatus.GONE,
        ReceiptStatus.RETRY,
        ReceiptStatus.SENT,
    ]
    assert [one.message.title for one in push.sent] == ["a test"]
    left = list_channels(services, world.volunteer)
    assert [(one.channel, one.failed_count) for one in left] == [
        (ChannelName.WEB_PUSH, 1),
        (ChannelName.WEB_PUSH, 0),
        (ChannelName.EMAIL, 0),
    ]


def test_quiet_moments_are_used_for_every_browser(world: World, services: Services) -> None:
    for number in range(3):
        add_channel(services, world.volunteer, browser(number))
    push = services.channels[ChannelName.WEB_PUSH]
    assert isinstance(push, FakePushChannel)
    preparation = Preparation(services)
    assert not preparation.step()
    assert len(push.prepared) == 3
    preparation.step()  # rests
    assert len(push.prepared) == 3
    world.pass_time(minutes=1)
    preparation.step()
    assert len(push.prepared) == 6


def test_many_browsers_are_prepared_for_in_parts(
    world: World, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reunite.app.prepare_channels.BATCH", 2)
    for number in range(5):
        add_channel(services, world.volunteer, browser(number))
    push = services.channels[ChannelName.WEB_PUSH]
    assert isinstance(push, FakePushChannel)
    preparation = Preparation(services)
    assert [preparation.step() for _ in range(4)] == [True, True, False, False]
    assert len(set(push.prepared)) == 5


def test_no_more_is_prepared_than_there_is_room_for(world: World, services: Services) -> None:
    add_channel(services, world.volunteer, browser(1))
    small = {ChannelName.WEB_PUSH: FakePushChannel(room=1)}
    assert not Preparation(replace(services, channels=small)).step()
    assert not Preparation(world.services).step()
