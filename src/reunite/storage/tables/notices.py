"""Notices, the chunks of their recipients, how far each has come, and inboxes."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from reunite.alerts.notices import NoticeKind
from reunite.storage.tables.base import (
    UTC_TIME,
    id_column,
    metadata,
    one_of,
    text_column,
    xact_column,
)

CHUNK_STATES = ("waiting", "done", "dead", "dropped", "stopped")

notices = Table(
    "notices",
    metadata,
    id_column(),
    xact_column(),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    text_column("kind"),
    Column("created_at", UTC_TIME, nullable=False),
    Column("radius_km", Double, nullable=False),
    Column("recipients", Integer, nullable=False),
    Column("opened_at", UTC_TIME),  # when its recipients were indexed
    Column("stopped_at", UTC_TIME),
    Column("stopped_by", ForeignKey("accounts.id", ondelete="SET NULL")),
    one_of("kind", NoticeKind),
)

notice_chunks = Table(
    "notice_chunks",
    metadata,
    Column("notice_id", ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    # Little-endian, nearest first, of 4 bytes where they fit; STORAGE EXTERNAL, for ids do not
    # compress.  0 stands for somebody whose account has gone.
    Column("account_ids", LargeBinary, nullable=False),
    Column("recipients", Integer, nullable=False),
    # One bit a recipient: whom channels may disturb.  Null: everybody.
    Column("push_bits", LargeBinary),
    # In the row itself as long as a page holds it: rows of a table beside cost twice the time.
    postgresql_with={"toast_tuple_target": "8160"},
)

# Who is in which chunk: see ``alerts/recipient_index.py``.  By notice first, so that a new
# notice is written in one place; what has been found for a reader is kept in ``inbox``.
notice_recipients = Table(
    "notice_recipients",
    metadata,
    Column("notice_id", ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True),
    Column("bucket", BigInteger, primary_key=True),
    Column("part", SmallInteger, primary_key=True),
    Column("entries", LargeBinary, nullable=False),
)

# The ledger.  A chunk comes to stand here for the inbox first, and for the other channels in
# the transaction that put it into inboxes.
chunk_deliveries = Table(
    "chunk_deliveries",
    metadata,
    Column("notice_id", BigInteger, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("recipients", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("position", Integer, nullable=False, server_default=text("0")),
    Column("sent", Integer, nullable=False, server_default=text("0")),
    Column("failed", Integer, nullable=False, server_default=text("0")),
    # Of outside channels: bit i, the lowest of a byte first, for recipient i of the chunk.
    Column("sent_bits", LargeBinary, nullable=False, server_default=text("''")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", UTC_TIME),  # null: at once
    Column("lease_owner", Text),
    Column("lease_until", UTC_TIME),
    Column("queued_at", UTC_TIME),  # when a broker was told of it; null: not yet
    Column("finished_at", UTC_TIME),
    Column("reason", Text, nullable=False, server_default=text("''")),
    ForeignKeyConstraint(
        ["notice_id", "sequence"],
        ["notice_chunks.notice_id", "notice_chunks.sequence"],
        ondelete="CASCADE",
    ),
    one_of("state", CHUNK_STATES),
    CheckConstraint("position BETWEEN 0 AND recipients", name="position"),
    # Nearest first, across all alerts: a second one need not wait for the end of the first.
    Index(
        "ix_chunk_deliveries_waiting",
        "channel",
        "sequence",
        "notice_id",
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "ix_chunk_deliveries_dead",
        "finished_at",
        postgresql_where=text("state = 'dead'"),
    ),
)

# What a reader's looks have found; rows are written when somebody reads, not when they are told.
inbox = Table(
    "inbox",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("notice_id", ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True),
    Column("delivered_at", UTC_TIME, nullable=False),
    Column("read_at", UTC_TIME),
    # Only what was read is counted by notice; an index of everything would slow delivery.
    Index("ix_inbox_read", "notice_id", postgresql_where=text("read_at IS NOT NULL")),
)

# Up to which transaction a reader's looks have seen everything.
inbox_looks = Table(
    "inbox_looks",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("xact", BigInteger, nullable=False),
)

# Deliveries that did not go out: to be tried again, or (due_at null) given up.
delivery_failures = Table(
    "delivery_failures",
    metadata,
    id_column(),
    Column("notice_id", BigInteger, nullable=False),
    Column("sequence", Integer, nullable=False),
    text_column("channel"),
    Column("recipient", SmallInteger, nullable=False),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("address_id", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UTC_TIME),
    Column("lease_until", UTC_TIME),
    text_column("reason"),
    Column("failed_at", UTC_TIME, nullable=False),
    ForeignKeyConstraint(
        ["notice_id", "sequence", "channel"],
        ["chunk_deliveries.notice_id", "chunk_deliveries.sequence", "chunk_deliveries.channel"],
        ondelete="CASCADE",
    ),
    UniqueConstraint("notice_id", "channel", "address_id"),
    Index(
        "ix_delivery_failures_due",
        "channel",
        "due_at",
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index("ix_delivery_failures_dead", "failed_at", postgresql_where=text("due_at IS NULL")),
)

# When a channel may send again: after its own rate, and after what the other side asked for.
channel_gates = Table(
    "channel_gates",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("free_at", UTC_TIME),
    Column("shut_until", UTC_TIME),
)
