"""Volunteers and where they are."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    LargeBinary,
    SmallInteger,
    Table,
    text,
)

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
