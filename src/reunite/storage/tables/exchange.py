"""Partners: their keys, their records, where a case's fields come from, alerts, webhooks."""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from reunite.kernel.people import Module
from reunite.partners.cap.alert import MessageType, Status
from reunite.partners.cap.signing import SignatureState
from reunite.partners.exchange import RecordState
from reunite.partners.pfif.fields import Kind
from reunite.storage.tables.base import UTC_TIME, id_column, metadata, one_of, text_column

api_keys = Table(
    "api_keys",
    metadata,
    id_column(),
    text_column("name"),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the secret
    text_column("hint"),
    Column("scopes", JSONB, nullable=False),
    # Whoever answers for a key stays on record: such accounts are disabled instead.
    Column("account_id", ForeignKey("accounts.id", ondelete="RESTRICT"), nullable=False),
    Column("created_at", UTC_TIME, nullable=False),
    text_column("domain"),
    Column("publication_agreed", Boolean, nullable=False),
    Column("photos_agreed", Boolean, nullable=False, server_default=text("false")),
    Column("requests_per_minute", Integer, nullable=False),
    Column("expires_at", UTC_TIME),
    Column("revoked_at", UTC_TIME),
    Column("last_used_at", UTC_TIME),
)

api_key_uses = Table(
    "api_key_uses",
    metadata,
    id_column(),
    Column("key_id", ForeignKey("api_keys.id", ondelete="CASCADE"), nullable=False),
    Column("at", UTC_TIME, nullable=False, index=True),
    text_column("operation"),
    Column("records", Integer, nullable=False),
    text_column("outcome"),
    Index(None, "key_id", "at"),
)

repositories = Table(
    "repositories",
    metadata,
    Column("domain", Text, primary_key=True),
    text_column("address"),
    Column("account_id", ForeignKey("accounts.id", ondelete="RESTRICT"), nullable=False),
    Column("created_at", UTC_TIME, nullable=False),
    text_column("secret"),  # ours there: it has to be sent, so it cannot be a digest
    Column("publication_agreed", Boolean, nullable=False),
    Column("photos_agreed", Boolean, nullable=False, server_default=text("false")),
    Column("module", SmallInteger, nullable=False),
    Column("every_seconds", Integer, nullable=False),
    Column("due_at", UTC_TIME),
    Column("since", UTC_TIME),
    Column("skip", Integer, nullable=False),
    Column("pulled_at", UTC_TIME),
    text_column("error"),
    Column("paused", Boolean, nullable=False),
    one_of("module", Module),
)

partner_records = Table(
    "partner_records",
    metadata,
    Column("record_id", Text, primary_key=True),
    text_column("kind"),
    text_column("domain"),
    text_column("person_record_id"),
    Column("fields", JSONB, nullable=False),
    Column("unknown", JSONB, nullable=False),
    Column("expires_at", UTC_TIME),
    Column("received_at", UTC_TIME, nullable=False),
    text_column("via"),
    text_column("state"),
    Column("case_id", ForeignKey("cases.id", ondelete="SET NULL"), index=True),
    one_of("kind", Kind),
    one_of("state", RecordState),
    Index(None, "domain", "record_id"),
    Index(None, "person_record_id"),
    Index(
        "ix_partner_records_expiring",
        "expires_at",
        postgresql_where=text("state = 'live' AND expires_at IS NOT NULL"),
    ),
)

case_origins = Table(
    "case_origins",
    metadata,
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
    Column("field", Text, primary_key=True),
    text_column("record_id"),
    Column("source_at", UTC_TIME),
    Column("received_at", UTC_TIME, nullable=False),
)

cap_messages = Table(
    "cap_messages",
    metadata,
    id_column(),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    text_column("kind"),
    Column("sent_at", UTC_TIME, nullable=False),
    Column("radius_km", Double, nullable=False),
    one_of("kind", MessageType),
)

received_alerts = Table(
    "received_alerts",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("identifier", Text, primary_key=True),
    Column("sent_at", UTC_TIME, nullable=False),
    text_column("kind"),
    text_column("status"),
    text_column("signature"),
    Column("document", LargeBinary, nullable=False),
    Column("received_at", UTC_TIME, nullable=False, index=True),
    text_column("headline"),
    Column("expires_at", UTC_TIME),
    Column("cancelled_at", UTC_TIME),
    one_of("kind", MessageType),
    one_of("status", Status),
    one_of("signature", SignatureState),
)

webhooks = Table(
    "webhooks",
    metadata,
    id_column(),
    text_column("address"),
    Column("events", JSONB, nullable=False),
    Column("created_at", UTC_TIME, nullable=False),
    text_column("secret"),  # signs what is sent, so it cannot be a digest
    Column("failures", Integer, nullable=False),
    Column("disabled_at", UTC_TIME),
)
