"""People registered ahead of time, their episodes, and what finders wrote."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from reunite.storage.tables.base import UTC_TIME, id_column, metadata, text_column

registrations = Table(
    "registrations",
    metadata,
    id_column(),
    Column("token", Text, nullable=False, unique=True),
    Column("owner", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", UTC_TIME, nullable=False),
    Column("person", JSONB, nullable=False),
    Column("background", JSONB, nullable=False),
    text_column("contact"),
    Column("consent_publish", Boolean, nullable=False),
    Column("latitude", Double),
    Column("longitude", Double),
    text_column("place_label"),
    Column("photo_key", Text, unique=True),
    CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place"),
)

registration_cases = Table(
    "registration_cases",
    metadata,
    Column("registration_id", ForeignKey("registrations.id", ondelete="CASCADE"), primary_key=True),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True, index=True),
)

card_messages = Table(
    "card_messages",
    metadata,
    id_column(),
    Column("registration_id", ForeignKey("registrations.id", ondelete="CASCADE"), nullable=False),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UTC_TIME, nullable=False),
    text_column("text"),
    text_column("contact"),
    Column("latitude", Double),
    Column("longitude", Double),
    text_column("place_label"),
    CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place"),
    Index(None, "registration_id", "at"),
)
