"""Volunteers, and what they are told."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    text,
)

from reunite.alerts.notices import NoticeKind
from reunite.kernel.languages import Language
from reunite.storage.tables.base import (
    UTC_TIME,
    id_column,
    metadata,
    one_of,
    text_column,
    xact_column,
)

volunteers = Table(
    "volunteers",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("cell", BigInteger, nullable=False),
    text_column("place_label"),
    Column("modules", SmallInteger, nullable=False),  # bit m is set for Module m
    text_column("language"),
    Column("joined_at", UTC_TIME, nullable=False),
    CheckConstraint("modules >= 0", name="modules"),
    one_of("language", Language),
)

# Written by triggers on ``volunteers``, as ``template_changes`` is on ``templates``.  A row
# tells of the accounts that one statement touched; where they are now is in ``volunteers``.
volunteer_changes = Table(
    "volunteer_changes",
    metadata,
    id_column(),
    xact_column(),
    Column("account_ids", LargeBinary, nullable=False),  # int64, big-endian
    Column("at", UTC_TIME, nullable=False, server_default=text("now()")),
)

notices = Table(
    "notices",
    metadata,
    id_column(),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    text_column("kind"),
    Column("created_at", UTC_TIME, nullable=False),
    Column("radius_km", Double, nullable=False),
    Column("recipients", Integer, nullable=False),
    one_of("kind", NoticeKind),
)

notice_chunks = Table(
    "notice_chunks",
    metadata,
    Column("notice_id", ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    # int64, little-endian, nearest first; STORAGE EXTERNAL, for ids do not compress
    Column("account_ids", LargeBinary, nullable=False),
    Column("recipients", Integer, nullable=False),
    Column("finished_at", UTC_TIME),
    Index(
        "ix_notice_chunks_waiting",
        "notice_id",
        "sequence",
        postgresql_where=text("finished_at IS NULL"),
    ),
)

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
