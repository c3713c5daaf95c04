"""CAP messages, ours and others', in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update
from sqlalchemy.dialects.postgresql import insert

from reunite.kernel.ids import CapMessageId, CaseId
from reunite.partners.cap.alert import MessageType
from reunite.partners.cap.ledger import ReceivedAlert, SentMessage
from reunite.partners.cap.signing import SignatureState
from reunite.storage.tables import cap_messages, received_alerts


class PostgresCapMessages:
    """Implements ``AlertLedger``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_sent(self, message: SentMessage) -> CapMessageId:
        """Sets ``message.id``."""
        message.id = CapMessageId(
            self._connection.execute(
                insert(cap_messages)
                .values(
                    case_id=message.case_id,
                    kind=message.kind.value,
                    sent_at=message.sent_at,
                    radius_km=float(message.radius_km),
                )
                .returning(cap_messages.c.id)
            ).scalar_one()
        )
        return message.id

    def find_sent(self, message_id: CapMessageId) -> SentMessage | None:
        found = self._sent(select(cap_messages).where(cap_messages.c.id == message_id))
        return found[0] if found else None

    def list_sent_of_case(self, case_id: CaseId) -> list[SentMessage]:
        """By id."""
        return self._sent(
            select(cap_messages)
            .where(cap_messages.c.case_id == case_id)
            .order_by(cap_messages.c.id)
        )

    def list_sent(self, *, limit: int = 100) -> list[SentMessage]:
        """The newest first."""
        return self._sent(select(cap_messages).order_by(cap_messages.c.id.desc()).limit(limit))

    def save_received(self, alert: ReceivedAlert) -> bool:
        """Keep a message of somebody else; False where we had it."""
        added = self._connection.execute(
            insert(received_alerts)
            .values(
                sender=alert.sender,
                identifier=alert.identifier,
                sent_at=alert.sent_at,
                kind=alert.kind.value,
                status=alert.status,
                signature=alert.signature.value,
                document=alert.document,
                received_at=alert.received_at,
                headline=alert.headline,
                expires_at=alert.expires_at,
                cancelled_at=alert.cancelled_at,
            )
            .on_conflict_do_nothing()
            .returning(received_alerts.c.identifier)
        ).scalar()
        return added is not None

    def cancel_received(self, sender: str, identifiers: Sequence[str], at: datetime) -> int:
        """Its sender has taken messages back; how many of them we had."""
        return self._connection.execute(
            update(received_alerts)
            .where(received_alerts.c.sender == sender)
            .where(received_alerts.c.identifier.in_(list(identifiers)))
            .where(received_alerts.c.cancelled_at.is_(None))
            .values(cancelled_at=at)
        ).rowcount

    def list_received(self, *, limit: int = 100) -> list[ReceivedAlert]:
        """The newest first."""
        rows = self._connection.execute(
            select(received_alerts)
            .order_by(
                received_alerts.c.received_at.desc(),
                received_alerts.c.sender.collate("C"),
                received_alerts.c.identifier.collate("C"),
            )
            .limit(limit)
        )
        return [
            ReceivedAlert(
                sender=row.sender,
                identifier=row.identifier,
                sent_at=row.sent_at,
                kind=MessageType(row.kind),
                status=row.status,
                signature=SignatureState(row.signature),
                document=bytes(row.document),
                received_at=row.received_at,
                headline=row.headline,
                expires_at=row.expires_at,
                cancelled_at=row.cancelled_at,
            )
            for row in rows
        ]

    def _sent(self, wanted: Select[Any]) -> list[SentMessage]:
        return [
            SentMessage(
                case_id=CaseId(row.case_id),
                kind=MessageType(row.kind),
                sent_at=row.sent_at,
                radius_km=row.radius_km,
                id=CapMessageId(row.id),
            )
            for row in self._connection.execute(wanted)
        ]
