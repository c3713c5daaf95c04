"""CAP messages of others come in: kept, shown to staff, and without effect by themselves."""

from dataclasses import dataclass

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.app.services import Services
from reunite.kernel.errors import ForbiddenError
from reunite.partners.cap.alert import CapAlert, MessageType
from reunite.partners.cap.ledger import ReceivedAlert
from reunite.partners.cap.signing import SignatureState, read_signed
from reunite.partners.keys import ApiKey, Scope

MAX_HEADLINE = 200


@dataclass(frozen=True, slots=True)
class TakenAlert:
    """What became of a message.  ``cancelled`` counts earlier ones that it took back."""

    is_new: bool
    cancelled: int
    signature: SignatureState


def take_alert(services: Services, key: ApiKey, document: bytes) -> TakenAlert:
    """Keep a message of a partner; the same one again changes nothing.

    Raises ForbiddenError ``key_scope_missing``, or ``cap_sender_strange`` for a sender of
    another domain; InvalidInputError for what is no CAP 1.2.
    """
    key.require(Scope.WRITE_OWN)
    alert, signature = read_signed(document, None)
    if not _belongs(alert.sender, key.domain):
        raise ForbiddenError("cap_sender_strange")
    now = services.clock.now()
    info = alert.info_in("zh")
    with services.database.transaction() as transaction:
        is_new = transaction.cap_messages.save_received(
            ReceivedAlert(
                sender=alert.sender,
                identifier=alert.identifier,
                sent_at=alert.sent,
                kind=alert.message_type,
                status=alert.status.value,
                signature=signature,
                document=document,
                received_at=now,
                headline="" if info is None else (info.headline or info.event)[:MAX_HEADLINE],
                expires_at=None if info is None else info.expires,
            )
        )
        cancelled = 0
        if is_new and alert.message_type in (MessageType.CANCEL, MessageType.UPDATE):
            cancelled = transaction.cap_messages.cancel_received(
                alert.sender, _replaced(alert), now
            )
    return TakenAlert(is_new, cancelled, signature)


def list_received_alerts(services: Services, actor: Actor | None) -> list[ReceivedAlert]:
    """What others have sent, the newest first."""
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        return transaction.cap_messages.list_received()


def _belongs(sender: str, domain: str) -> bool:
    host = sender.lower().rpartition("@")[2]
    return host == domain or host.endswith(f".{domain}")


def _replaced(alert: CapAlert) -> list[str]:
    # Only its own: nobody takes back what somebody else has said.
    return [one.identifier for one in alert.references if one.sender == alert.sender]
