"""Who is who, and who looked at a face."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text

from reunite.accounts.account import Role
from reunite.kernel.languages import Language
from reunite.ports import LookPurpose
from reunite.storage.tables.base import UTC_TIME, id_column, metadata, one_of, text_column

accounts = Table(
    "accounts",
    metadata,
    id_column(),
    Column("email", Text, nullable=False, unique=True),
    text_column("display_name"),
    text_column("password_hash"),
    text_column("role"),
    text_column("language"),
    text_column("organisation"),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", UTC_TIME, nullable=False),
    one_of("role", Role),
    one_of("language", Language),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at", UTC_TIME, nullable=False, index=True),
)

looks = Table(
    "looks",
    metadata,
    id_column(),
    Column("account_id", ForeignKey("accounts.id", ondelete="SET NULL"), index=True),
    Column("case_id", ForeignKey("cases.id", ondelete="SET NULL")),
    text_column("purpose"),
    Column("at", UTC_TIME, nullable=False),
    one_of("purpose", LookPurpose),
    Index(None, "case_id", "at"),
)
