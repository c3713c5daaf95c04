"""Say by which ways one wishes to be told, and take it back."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from reunite.accounts.account import EVERYONE, STAFF, Actor, require_role
from reunite.app.services import Services
from reunite.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from reunite.kernel.ids import AccountId
from reunite.kernel.tokens import LinkSigner
from reunite.ports import (
    Channel,
    ChannelAddress,
    ChannelAddressId,
    ChannelName,
    DigestOption,
    PushChannel,
    ServiceChannel,
    Transaction,
)
from reunite.ports.channels import identity_of

MAX_ADDRESSES = 12  # a person's: browsers come and go, and the dead ones are removed
MAX_ADDRESS_CHARACTERS = 2000
SECRET_BYTES = 24  # of a webhook
# A webhook makes this server call another one.
FOR_STAFF = frozenset({ChannelName.WEBHOOK})
# The bot adds these itself, for those who write to it.
NOT_FROM_PAGES = frozenset({ChannelName.CHAT})

_LINKS = ("confirm", "unsubscribe")


@dataclass(frozen=True, slots=True)
class ChannelRequest:
    """A way to be told.  An empty e-mail address is the account's own."""

    channel: ChannelName
    address: str = ""
    digest: DigestOption = DigestOption.AT_ONCE


def offered_channels(services: Services, actor: Actor | None) -> list[ChannelName]:
    """The ways that this person may choose from, in the order of the enumeration."""
    actor = require_role(actor, EVERYONE)
    return [
        name
        for name in ChannelName
        if name in services.channels
        and name not in NOT_FROM_PAGES
        and (actor.role in STAFF or name not in FOR_STAFF)
    ]


def list_channels(services: Services, actor: Actor | None) -> list[ChannelAddress]:
    """The actor's own addresses, by id."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        return transaction.channel_addresses.list_of(actor.account_id)


def add_channel(services: Services, actor: Actor | None, request: ChannelRequest) -> ChannelAddress:
    """Keep an address, or change what was said of it.

    Somebody else's consent is asked for first where the address may be somebody else's: it is
    then not yet confirmed.

    Raises InvalidInputError ``channel_not_offered``, ``channel_address_refused``,
    ``text_too_long``; ConflictError ``channels_too_many``.
    """
    actor = require_role(actor, EVERYONE)
    channel = _channel(services, actor, request.channel)
    now = services.clock.now()
    with services.database.transaction() as transaction:
        account = transaction.accounts.get(actor.account_id)
        text = _address(request, account.email)
        if len(text) > MAX_ADDRESS_CHARACTERS:
            raise InvalidInputError(
                "text_too_long", field="address", maximum=MAX_ADDRESS_CHARACTERS
            )
        reason = channel.refuses(text)
        if reason:
            raise InvalidInputError("channel_address_refused", field="address", reason=reason)
        known = transaction.channel_addresses.list_of(actor.account_id)
        said = _said(actor.account_id, request.channel, text)
        same = [one for one in known if _said_of(one) == said]
        if not same and len(known) >= MAX_ADDRESSES:
            raise ConflictError("channels_too_many", maximum=MAX_ADDRESSES)
        confirmed_at = None if _needs_consent(request.channel, text) else now
        if same:
            confirmed_at = same[0].confirmed_at or confirmed_at
        address = ChannelAddress(
            account_id=actor.account_id,
            channel=request.channel,
            address=text,
            created_at=now,
            confirmed_at=confirmed_at,
            digest=request.digest if request.channel is ChannelName.EMAIL else DigestOption.AT_ONCE,
            digested_at=same[0].digested_at if same else None,
        )
        address = replace(address, id=transaction.channel_addresses.add(address))
        if address.confirmed_at is None:
            transaction.outbox.add("confirm_channel", {"address_id": address.id})
    return address


def remove_channel(services: Services, actor: Actor | None, address_id: ChannelAddressId) -> None:
    """Forget one of the actor's own addresses.

    Raises NotFoundError for one that is not theirs.
    """
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        address = transaction.channel_addresses.find(address_id)
        if address is None or address.account_id != actor.account_id:
            raise NotFoundError
        transaction.channel_addresses.remove([address_id])


def find_push_key(services: Services) -> str | None:
    """What browsers subscribe with; None where Web Push is not configured."""
    channel = services.channels.get(ChannelName.WEB_PUSH)
    return channel.public_key if isinstance(channel, PushChannel) else None


def list_message_services(services: Services) -> list[str]:
    """What addresses of message services may begin with; empty where none is configured."""
    channel = services.channels.get(ChannelName.APPRISE)
    return channel.services if isinstance(channel, ServiceChannel) else []


def confirm_link(links: LinkSigner, address: ChannelAddress) -> str:
    """The token with which the owner of an address agrees."""
    return links.sign("confirm", _said_of(address))


def unsubscribe_link(links: LinkSigner, account_id: int, channel: ChannelName, address: str) -> str:
    """The token with which whoever reads a message puts an end to them, signed in or not."""
    return links.sign("unsubscribe", _said(account_id, channel, address))


def read_link(services: Services, purpose: str, token: str) -> ChannelAddress | None:
    """The address that a token of this purpose speaks of; None where it is gone already.

    Raises NotFoundError for a token that was not made here.
    """
    with services.database.transaction() as transaction:
        return _read_link(services, transaction, purpose, token)


def confirm_address(services: Services, token: str) -> ChannelAddress:
    """The owner of an address agrees.  Raises NotFoundError."""
    with services.database.transaction() as transaction:
        address = _read_link(services, transaction, "confirm", token)
        if address is None:
            raise NotFoundError
        transaction.channel_addresses.confirm(address.id, services.clock.now())
    return address


def unsubscribe(services: Services, token: str) -> None:
    """Nothing is sent there any more (RFC 8058); twice is no error.  Raises NotFoundError."""
    with services.database.transaction() as transaction:
        address = _read_link(services, transaction, "unsubscribe", token)
        if address is not None:
            transaction.channel_addresses.remove([address.id])


def _read_link(
    services: Services, transaction: Transaction, purpose: str, token: str
) -> ChannelAddress | None:
    if purpose not in _LINKS:
        raise ValueError(purpose)
    said = services.links.find_text(purpose, token)
    if said is None:
        raise NotFoundError
    account_id = int(said.split(" ", 1)[0])
    for address in transaction.channel_addresses.list_of(AccountId(account_id)):
        if _said_of(address) == said:
            return address
    return None


def _said(account_id: int, channel: ChannelName, address: str) -> str:
    # Not the address itself: links are logged along their way.
    return f"{account_id} {channel.value} {identity_of(channel, address).hex()[:32]}"


def _said_of(address: ChannelAddress) -> str:
    return _said(address.account_id, address.channel, address.address)


def _needs_consent(channel: ChannelName, address: str) -> bool:
    """Whether an address can be anybody's, so that its owner is asked first.

    Not where whoever gives it is at the other end of it, or holds its token.
    """
    is_gateway = channel is ChannelName.APPRISE and "://" not in address
    return channel is ChannelName.EMAIL or is_gateway


def _channel(services: Services, actor: Actor, name: ChannelName) -> Channel:
    channel = services.channels.get(name)
    if channel is None or name not in offered_channels(services, actor):
        raise InvalidInputError("channel_not_offered", field="channel")
    return channel


def _address(request: ChannelRequest, own_email: str) -> str:
    text = request.address.strip()
    if request.channel is ChannelName.EMAIL:
        return (text or own_email).lower()
    if request.channel is ChannelName.WEBHOOK:
        # The standard's spelling (Standard Webhooks 1.0), so that its libraries take it.
        secret = "whsec_" + secrets.token_urlsafe(SECRET_BYTES)
        return json.dumps({"url": text, "secret": secret})
    return text


ExportedAddress = Mapping[str, object]


def export_channels(services: Services, actor: Actor | None) -> list[ExportedAddress]:
    """What is kept of the actor's addresses, for the actor."""
    return [
        {
            "channel": address.channel.value,
            "address": address.address,
            "created_at": address.created_at.isoformat(),
            "confirmed_at": address.confirmed_at and address.confirmed_at.isoformat(),
            "digest": address.digest.value,
        }
        for address in list_channels(services, actor)
    ]
