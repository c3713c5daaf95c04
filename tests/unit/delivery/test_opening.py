from pathlib import Path

import pytest

from reunite.delivery.opening import (
    ChannelSettings,
    open_channels,
    read_channel_rates,
    read_channel_settings,
)
from reunite.kernel.clock import SystemClock
from reunite.kernel.errors import InvalidInputError
from reunite.ports import ChannelName, Delivery, PushChannel, ServiceChannel

MAIL = {"REUNITE_SMTP_URL": "smtps://mail.example", "REUNITE_MAIL_FROM": "a@reunite.example"}


def stop_link(_delivery: Delivery) -> str:
    return "https://reunite.example/stop"


def opened(settings: ChannelSettings, folder: Path, *, known: bool = True) -> set[ChannelName]:
    channels = open_channels(settings, folder, SystemClock(), stop_link if known else None)
    for name, channel in channels.items():
        assert channel.name is name
        channel.close()
    return set(channels)


def test_without_configuration_there_is_what_needs_none(tmp_path: Path) -> None:
    assert opened(read_channel_settings({}), tmp_path, known=False) == {
        ChannelName.WEB_PUSH,
        ChannelName.WEBHOOK,
        ChannelName.APPRISE,
    }
    assert (tmp_path / "vapid.pem").exists()


def test_each_channel_is_turned_on_and_off(tmp_path: Path) -> None:
    off = {"REUNITE_WEB_PUSH": "0", "REUNITE_WEBHOOKS": "no", "REUNITE_MESSAGE_SERVICES": "0"}
    assert opened(read_channel_settings(off), tmp_path) == set()
    assert opened(read_channel_settings({**off, **MAIL}), tmp_path) == {ChannelName.EMAIL}
    assert not list(tmp_path.iterdir())


def test_the_key_is_where_the_operator_wants_it(tmp_path: Path) -> None:
    elsewhere = tmp_path / "shared" / "push.pem"
    settings = read_channel_settings({"REUNITE_PUSH_KEY_FILE": str(elsewhere)})
    first, second = (
        open_channels(settings, tmp_path / name, SystemClock(), None)[ChannelName.WEB_PUSH]
        for name in ("one", "two")
    )
    # Two machines with one file: browsers know one key.
    assert isinstance(first, PushChannel)
    assert isinstance(second, PushChannel)
    assert first.public_key == second.public_key


def test_mail_that_nobody_could_stop_is_not_sent(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="public_url_missing"):
        opened(read_channel_settings(MAIL), tmp_path, known=False)


def test_gateways_of_the_operator_are_offered(tmp_path: Path) -> None:
    said = '{"sms": "twilio://AC1:token@+1555/{address}"}'
    settings = read_channel_settings({"REUNITE_GATEWAYS": said})
    channel = open_channels(settings, tmp_path, SystemClock(), None)[ChannelName.APPRISE]
    assert isinstance(channel, ServiceChannel)
    assert "sms:" in channel.services
    channel.close()


def test_rates_are_said_by_channel() -> None:
    assert read_channel_rates("") == {}
    rates = read_channel_rates("email=5, web_push=2000")
    assert rates == {ChannelName.EMAIL: 5.0, ChannelName.WEB_PUSH: 2000.0}


@pytest.mark.parametrize("said", ["5", "email", "post=5", "email=0", "email=nan", "email=-1"])
def test_rates_that_cannot_be_kept_are_named(said: str) -> None:
    with pytest.raises(InvalidInputError, match="channel_rates_unreadable"):
        read_channel_rates(said)


@pytest.mark.parametrize("said", ["x", "[]", '{"sms": 5}', '{"sms": "twilio://no-address"}'])
def test_gateways_that_cannot_work_are_named(said: str) -> None:
    with pytest.raises(InvalidInputError, match="gateways_unreadable"):
        read_channel_settings({"REUNITE_GATEWAYS": said})
