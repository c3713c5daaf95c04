"""Pairs of records of one side that may be about one person."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from reunite.cases.duplicates import DuplicateSource, DuplicateStatus
from reunite.storage.tables.base import UTC_TIME, id_column, metadata, one_of, text_column

duplicates = Table(
    "duplicates",
    metadata,
    id_column(),
    Column("first_case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False),
    Column(
        "second_case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("suggested_at", UTC_TIME, nullable=False),
    Column("bits", Double, nullable=False),
    Column("evidence", JSONB, nullable=False),
    text_column("source"),
    text_column("status"),
    UniqueConstraint("first_case_id", "second_case_id"),
    CheckConstraint("first_case_id < second_case_id", name="pair"),
    one_of("source", DuplicateSource),
    one_of("status", DuplicateStatus),
    Index(None, "status", "bits"),
)

duplicate_decisions = Table(
    "duplicate_decisions",
    metadata,
    Column("duplicate_id", ForeignKey("duplicates.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("by", ForeignKey("accounts.id", ondelete="RESTRICT"), nullable=False),
    text_column("status"),
    Column("at", UTC_TIME, nullable=False),
    text_column("note"),
    one_of("status", DuplicateStatus),
)
