import json
from dataclasses import replace

import pytest

from reunite.accounts.account import Actor
from reunite.app.choose_channels import (
    ChannelRequest,
    add_channel,
    confirm_link,
    list_channels,
    unsubscribe_link,
)
from reunite.ports import ChannelAddress, ChannelName, DigestOption, Receipt, ReceiptStatus
from reunite.testing.channels import FakeChannel, FakePushChannel
from reunite.web.main import create_web
from reunite.web.settings import WebSettings
from tests.browsers import Subscriber
from tests.unit.app.world import World
from tests.unit.web.conftest import Reader, Site, _renderers

REFUSED = Receipt(ReceiptStatus.REFUSED, reason="address_invalid")
BROWSER = Subscriber("https://updates.push.example/wpush/v2/abc").subscription


@pytest.fixture
def site() -> Site:
    world = World()
    channels = {
        name: FakeChannel(name, {"nonsense": REFUSED})
        for name in (ChannelName.EMAIL, ChannelName.WEBHOOK, ChannelName.APPRISE)
    }
    world.services = replace(
        world.services, channels={ChannelName.WEB_PUSH: FakePushChannel(), **channels}
    )
    app = create_web(world.services, WebSettings())
    app.state.web = replace(app.state.web, renderers=_renderers)
    return Site(world, app)


def kept(site: Site, actor: Actor | None = None) -> list[ChannelAddress]:
    return list_channels(site.world.services, actor or site.world.volunteer)


def volunteer(site: Site) -> Reader:
    return site.reader(site.world.volunteer)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_offered_is_on_the_page(site: Site, language: str) -> None:
    html = volunteer(site).get(f"/{language}/volunteer/channels").text
    assert FakePushChannel.public_key in html
    assert 'name="channel" value="email"' in html
    assert 'name="channel" value="apprise"' in html
    assert 'name="channel" value="webhook"' not in html
    officer = site.reader(site.world.officer)
    assert 'value="webhook"' in officer.get(f"/{language}/volunteer/channels").text


def test_without_channels_there_is_only_the_inbox(site: Site) -> None:
    site.app.state.web = replace(
        site.app.state.web, services=replace(site.world.services, channels={})
    )
    html = volunteer(site).get("/en/volunteer/channels").text
    assert "data-push" not in html
    assert 'name="channel"' not in html
    answer = volunteer(site).get("/en/volunteer/channels/push")
    assert answer.status_code == 404


def test_a_browser_is_added_and_turned_off(site: Site) -> None:
    reader = volunteer(site)
    sent = reader.post("/en/volunteer/channels", {"channel": "web_push", "address": BROWSER})
    assert sent.headers["location"] == "/en/volunteer/channels?added=web_push"
    [address] = kept(site)
    assert address.address == BROWSER
    html = reader.get("/en/volunteer/channels?added=web_push").text
    assert "updates.push.example" in html
    assert "wpush" not in html  # the rest of the endpoint is a secret
    assert "even while no page is open" in html
    done = reader.post(f"/en/volunteer/channels/{address.id}/remove")
    assert done.headers["location"] == "/en/volunteer/channels?removed=1"
    assert kept(site) == []


def test_the_service_worker_learns_how_to_renew_a_subscription(site: Site) -> None:
    reader = volunteer(site)
    said = reader.get("/en/volunteer/channels/push").json()
    assert said["key"] == FakePushChannel.public_key
    sent = reader.client.post(
        said["action"],
        data={"channel": "web_push", "address": BROWSER},
        headers={"X-CSRF-Token": said["csrf"]},
    )
    assert sent.status_code == 303
    assert len(kept(site)) == 1


def test_email_is_asked_for_and_says_what_it_waits_for(site: Site) -> None:
    reader = volunteer(site)
    form = {"channel": "email", "address": "aunt@example.org", "digest": "daily"}
    assert "added=email" in reader.post("/en/volunteer/channels", form).headers["location"]
    [address] = kept(site)
    assert address.digest is DigestOption.DAILY
    html = reader.get("/en/volunteer/channels").text
    assert "aunt@example.org" in html
    assert "waits for your confirmation" in html


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"channel": "email", "address": "nonsense"}, "address"),
        ({"channel": "apprise", "apprise_address": "nonsense"}, "apprise_address"),
    ],
)
def test_an_address_that_cannot_be_stays_in_its_field(
    site: Site, form: dict[str, str], field: str
) -> None:
    answer = volunteer(site).post("/en/volunteer/channels", form)
    assert answer.status_code == 422
    assert f'href="#field-{field}"' in answer.text
    assert answer.text.count('value="nonsense"') == 1
    assert kept(site) == []


def test_tokens_of_services_are_not_shown_again(site: Site) -> None:
    reader = volunteer(site)
    form = {"channel": "apprise", "apprise_address": "tgram://123456:secret/42"}
    reader.post("/en/volunteer/channels", form)
    html = reader.get("/en/volunteer/channels").text
    assert "tgram://…" in html
    assert "secret/42" not in html


def test_an_organisation_sees_the_secret_of_its_webhook(site: Site) -> None:
    officer = site.reader(site.world.officer)
    form = {"channel": "webhook", "webhook_address": "https://station.example/alerts"}
    officer.post("/en/volunteer/channels", form)
    [address] = kept(site, site.world.officer)
    assert json.loads(address.address)["secret"] in officer.get("/en/volunteer/channels").text


def added(site: Site, request: ChannelRequest) -> ChannelAddress:
    return add_channel(site.world.services, site.world.volunteer, request)


def test_whoever_opens_the_link_agrees_with_a_button(site: Site) -> None:
    address = added(site, ChannelRequest(ChannelName.EMAIL, "aunt@example.org"))
    token = confirm_link(site.world.services.links, address)
    aunt = site.reader()
    page = aunt.get(f"/en/confirm/{token}")
    assert "aunt@example.org" in page.text
    # A program that looks at links has changed nothing.
    assert kept(site)[0].confirmed_at is None
    assert aunt.post(f"/en/confirm/{token}").status_code == 200
    assert kept(site)[0].confirmed_at is not None


def test_whoever_has_enough_is_left_alone(site: Site) -> None:
    address = added(site, ChannelRequest(ChannelName.EMAIL, "aunt@example.org"))
    token = unsubscribe_link(
        site.world.services.links, address.account_id, address.channel, address.address
    )
    assert "Stop sending" in site.reader().get(f"/en/unsubscribe/{token}").text
    assert len(kept(site)) == 1
    # As RFC 8058, 3.2 has it: no cookie, no page of ours, from anywhere.
    answer = site.reader().client.post(
        f"/en/unsubscribe/{token}",
        data={"List-Unsubscribe": "One-Click"},
        headers={"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 200
    assert kept(site) == []
    assert site.reader().client.post(f"/en/unsubscribe/{token}").status_code == 200


def test_a_test_is_sent_and_told_of(site: Site) -> None:
    reader = volunteer(site)
    reader.post("/zh/volunteer/channels", {"channel": "web_push", "address": BROWSER})
    sent = reader.post("/zh/volunteer/channels/try")
    assert sent.headers["location"] == "/zh/volunteer/channels?tried=1&failed=0"
    push = site.world.services.channels[ChannelName.WEB_PUSH]
    assert isinstance(push, FakePushChannel)
    [delivery] = push.sent
    assert delivery.message.url == "http://reunite.example/zh/volunteer/channels"
    assert "这是您要求的测试" in delivery.message.body
    assert "几秒内" in reader.get(sent.headers["location"]).text
    for _ in range(5):
        reader.post("/zh/volunteer/channels/try")
    assert reader.post("/zh/volunteer/channels/try").status_code == 429


@pytest.mark.parametrize("path", ["confirm", "unsubscribe"])
def test_links_that_were_not_made_here_lead_nowhere(site: Site, path: str) -> None:
    assert site.reader().get(f"/en/{path}/AAAA").status_code == 404
    assert site.reader().post(f"/en/{path}/AAAA").status_code == 404
