"""By which ways somebody is told: choose them, confirm an address, put an end to messages."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from reunite.app.access import PUBLIC, SIGNED_IN
from reunite.app.choose_channels import (
    ChannelRequest,
    add_channel,
    confirm_address,
    find_push_key,
    list_channels,
    list_message_services,
    offered_channels,
    read_link,
    remove_channel,
    unsubscribe,
)
from reunite.app.try_channels import try_channels
from reunite.kernel.errors import NotFoundError, ReuniteError
from reunite.ports import ChannelAddress, ChannelAddressId, ChannelName, DigestOption, ReceiptStatus
from reunite.ports.channels import identity_of
from reunite.web.forms import Form
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()

FAILURES_SHOWN = 3  # in a row; a single one is the network's

# Each form of the page has its own name for the field, so that a message stands beside it.
_FIELDS = {
    ChannelName.EMAIL: "address",
    ChannelName.APPRISE: "apprise_address",
    ChannelName.WEBHOOK: "webhook_address",
}


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One address as its owner sees it."""

    address: ChannelAddress
    detail: str
    secret: str = ""
    digest: str = ""  # of a browser's endpoint, by which the page knows its own

    @property
    def is_failing(self) -> bool:
        return self.address.failed_count >= FAILURES_SHOWN


@routes.get("/volunteer/channels", access=SIGNED_IN)
def show_channels(page: Page) -> Response:
    """What is on, and what there is."""
    return page.render("alerts/channels.html", **_context(page, None))


@routes.post("/volunteer/channels", access=SIGNED_IN)
def submit_channel(page: Page) -> Response:
    """Turn a way on."""
    channel = page.form.choice("channel", ChannelName)
    field = _FIELDS.get(channel, "address")
    try:
        digest = page.form.choice("digest", DigestOption, DigestOption.AT_ONCE)
        request = ChannelRequest(channel, page.form.text(field), digest)
        add_channel(page.services, page.actor, request)
    except ReuniteError as error:
        if error.details.get("field") == "address":
            error.details["field"] = field
        return page.refuse("alerts/channels.html", error, **_context(page, channel))
    return page.redirect(f"/volunteer/channels?added={channel.value}")


@routes.post("/volunteer/channels/{address_id:int}/remove", access=SIGNED_IN)
def submit_remove(page: Page, address_id: int) -> Response:
    """Turn a way off."""
    remove_channel(page.services, page.actor, ChannelAddressId(address_id))
    return page.redirect("/volunteer/channels?removed=1")


@routes.post("/volunteer/channels/try", access=SIGNED_IN)
def submit_trial(page: Page) -> Response:
    """Send oneself a message by every way that is on."""
    if page.actor is not None:
        page.web.doorkeeper.count_trial(page.actor.account_id)
    _ = page.web.renderers[page.language].translations.gettext
    trials = try_channels(
        page.services,
        page.actor,
        title=_("This is how an alert reaches you"),
        body=_("You asked Reunite for a test. Nobody is lost; thank you for being ready."),
        url=page.absolute(page.url("/volunteer/channels")),
    )
    failed = sum(trial.status is not ReceiptStatus.SENT for trial in trials)
    return page.redirect(f"/volunteer/channels?tried={len(trials)}&failed={failed}")


@routes.get("/volunteer/channels/push", access=SIGNED_IN)
def push_state(page: Page) -> Response:
    """What the service worker needs when the browser has changed its subscription."""
    key = find_push_key(page.services)
    if key is None:
        raise NotFoundError
    action = page.url("/volunteer/channels")
    return JSONResponse({"key": key, "csrf": page.csrf_token, "action": action})


@routes.get("/confirm/{token}", access=PUBLIC)
def show_confirm(page: Page, token: str) -> Response:
    """Ask the owner of an address, who need not be signed in."""
    address = read_link(page.services, "confirm", token)
    _ = page.web.renderers[page.language].translations.gettext
    if address is None:
        raise NotFoundError
    return page.render(
        "alerts/channel_link.html",
        title=_("Do you wish to be told?"),
        text=_("Alerts of Reunite are to be sent to %(address)s. Press the button if that is you.")
        % {"address": address.address},
        button=_("Yes, send them to me"),
    )


@routes.post("/confirm/{token}", access=PUBLIC)
def submit_confirm(page: Page, token: str) -> Response:
    """The owner agrees."""
    confirm_address(page.services, token)
    _ = page.web.renderers[page.language].translations.gettext
    return page.render(
        "alerts/channel_link.html",
        title=_("Thank you"),
        text=_("From now on we tell you when somebody near you is lost."),
        button="",
    )


@routes.get("/unsubscribe/{token}", access=PUBLIC)
def show_unsubscribe(page: Page, token: str) -> Response:
    """Ask once; whoever came from a message need not sign in."""
    read_link(page.services, "unsubscribe", token)
    _ = page.web.renderers[page.language].translations.gettext
    return page.render(
        "alerts/channel_link.html",
        title=_("No more messages?"),
        text=_("Nothing more is sent to this address. Your inbox on the site stays."),
        button=_("Stop sending"),
    )


@routes.post("/unsubscribe/{token}", access=PUBLIC, own_pages_only=False)
def submit_unsubscribe(page: Page, token: str) -> Response:
    """Stop at once.  Mail programs send this themselves (RFC 8058): the token is the proof."""
    unsubscribe(page.services, token)
    _ = page.web.renderers[page.language].translations.gettext
    return page.render(
        "alerts/channel_link.html",
        title=_("Done"),
        text=_("Nothing more is sent to this address."),
        button="",
    )


def _context(page: Page, refused: ChannelName | None) -> dict[str, Any]:
    """Everything on the page; the form that was refused keeps what was typed."""
    blank = Form({"digest": [DigestOption.AT_ONCE.value]})
    forms = {
        f"{channel.value}_form": page.form if channel is refused else blank for channel in _FIELDS
    }
    return {
        **forms,
        "rows": [_row(address) for address in list_channels(page.services, page.actor)],
        "offered": offered_channels(page.services, page.actor),
        "configured": page.services.channels,
        "push_key": find_push_key(page.services),
        "apprise_services": ", ".join(list_message_services(page.services)),
        "ChannelName": ChannelName,
        "DigestOption": DigestOption,
    }


def _row(address: ChannelAddress) -> ChannelRow:
    if address.channel is ChannelName.WEB_PUSH:
        host = urlsplit(json.loads(address.address)["endpoint"]).hostname or ""
        digest = identity_of(address.channel, address.address).hex()[:32]
        return ChannelRow(address, host, digest=digest)
    if address.channel is ChannelName.WEBHOOK:
        said = json.loads(address.address)
        return ChannelRow(address, said["url"], secret=said["secret"])
    if address.channel is ChannelName.APPRISE:
        # The rest is a token: whoever looks over a shoulder could send in the owner's name.
        return ChannelRow(address, f"{address.address.split(':', 1)[0]}://…")
    return ChannelRow(address, address.address)
