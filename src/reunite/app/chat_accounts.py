"""People who use Reunite from a chat: an account that belongs to a name in a chat network.

``identity`` is the network and the user's id there, e.g. ``onebot:10001``.  The network vouches
for it; nobody else can sign in to such an account.
"""

import hashlib
import secrets

from reunite.accounts.account import Account, Actor, Role
from reunite.app.services import Services
from reunite.app.sign_in import actor_of
from reunite.kernel.errors import ForbiddenError
from reunite.kernel.languages import Language
from reunite.ports import ChannelAddress, ChannelName, Transaction

# Reserved (RFC 2606): never anybody's mail.
_DOMAIN = "chat.invalid"


def enter_chat(services: Services, identity: str, language: Language) -> Actor:
    """Whoever writes, with an account of their own, made the first time.

    Raises ForbiddenError ``account_disabled`` for somebody who was shut out.
    """
    with services.database.transaction() as transaction:
        account = _find(transaction, identity)
        if account is None:
            account = Account(
                email=_email(identity),
                display_name=identity.split(":", 1)[0],
                # No password leads here: what is stored is no hash of anything.
                password_hash=f"!{secrets.token_hex(8)}",
                role=Role.VOLUNTEER,
                created_at=services.clock.now(),
                language=language,
            )
            transaction.accounts.add(account)
        if account.disabled:
            raise ForbiddenError("account_disabled")
        if account.language is not language:
            account.language = language
            transaction.accounts.save(account)
    return actor_of(account)


def tell_in_chat(services: Services, identity: str, actor: Actor) -> None:
    """Have alerts sent to the chat from which somebody wrote that they wish so."""
    now = services.clock.now()
    with services.database.transaction() as transaction:
        transaction.channel_addresses.add(
            ChannelAddress(actor.account_id, ChannelName.CHAT, identity, now, confirmed_at=now)
        )


def leave_chat(services: Services, identity: str) -> None:
    """Forget where somebody is and that they wished to be told; whoever never did is fine."""
    with services.database.transaction() as transaction:
        account = _find(transaction, identity)
        if account is None:
            return
        transaction.volunteers.delete(account.id)
        addresses = transaction.channel_addresses.list_of(account.id)
        transaction.channel_addresses.remove([address.id for address in addresses])


def _find(transaction: Transaction, identity: str) -> Account | None:
    return transaction.accounts.find_by_email(_email(identity))


def _email(identity: str) -> str:
    # A digest: lists of accounts shall not show who is who in the network.
    return f"{hashlib.sha256(f'reunite chat {identity}'.encode()).hexdigest()[:32]}@{_DOMAIN}"
