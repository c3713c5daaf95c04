"""Illustrations of ageing, and which cases are due for new ones."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from reunite.storage.tables.base import UTC_TIME, id_column, metadata, text_column

age_previews = Table(
    "age_previews",
    metadata,
    id_column(),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    # Without the photo that it was made from, nobody could judge it: they go together.
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE"), nullable=False),
    Column("age", SmallInteger, nullable=False),
    Column("storage_key", Text, nullable=False, unique=True),
    Column("made_at", UTC_TIME, nullable=False),
    text_column("maker"),
    Column("doubts", JSONB, nullable=False),
    Column("approved_by", ForeignKey("accounts.id", ondelete="RESTRICT")),
    Column("approved_at", UTC_TIME),
    UniqueConstraint("photo_id", "age"),
    CheckConstraint("age > 0", name="age"),
    CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approved"),
)

preview_dues = Table(
    "preview_dues",
    metadata,
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
    Column("due_on", Date, nullable=False, index=True),
)
