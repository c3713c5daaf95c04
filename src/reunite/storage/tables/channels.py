"""Where people wish to be told, outside of Reunite's own pages."""

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)

from reunite.ports.channels import ChannelName, DigestOption
from reunite.storage.tables.base import UTC_TIME, id_column, metadata, one_of, text_column

channel_addresses = Table(
    "channel_addresses",
    metadata,
    id_column(),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    text_column("channel"),
    text_column("address"),
    # SHA-256 of what makes it the same address again: an index takes no text of any length.
    Column("identity", LargeBinary, nullable=False),
    Column("created_at", UTC_TIME, nullable=False),
    Column("confirmed_at", UTC_TIME),
    text_column("digest"),
    Column("digested_at", UTC_TIME),
    Column("failed_count", Integer, nullable=False),
    UniqueConstraint("account_id", "channel", "identity"),
    one_of("channel", ChannelName),
    one_of("digest", DigestOption),
    Index(None, "channel", "identity"),
    # A browser has one subscription, whoever is signed in there.
    Index(
        "uq_channel_addresses_browser",
        "identity",
        unique=True,
        postgresql_where=text("channel = 'web_push'"),
    ),
    Index(
        "ix_channel_addresses_unconfirmed",
        "created_at",
        postgresql_where=text("confirmed_at IS NULL"),
    ),
    Index(
        "ix_channel_addresses_daily",
        text("coalesce(digested_at, confirmed_at)"),
        postgresql_where=text("digest = 'daily' AND confirmed_at IS NOT NULL"),
    ),
)
