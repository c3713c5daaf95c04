"""What the worker has yet to do."""

from sqlalchemy import Column, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from reunite.storage.tables.base import UTC_TIME, id_column, metadata, text_column

outbox = Table(
    "outbox",
    metadata,
    id_column(),
    text_column("topic"),
    Column("payload", JSONB, nullable=False),
    Column("created_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("due_at", UTC_TIME),  # null: at once
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text, nullable=False, server_default=text("''")),
)
