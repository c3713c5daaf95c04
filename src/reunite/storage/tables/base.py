"""What every table is made with.

Times are aware UTC, closed sets are CHECK constraints made from the enumerations of the domain.
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    MetaData,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

UTC_TIME = DateTime(timezone=True)


def one_of(column: str, allowed: Iterable[StrEnum | IntEnum | str]) -> CheckConstraint:
    values = [str(int(v)) if isinstance(v, IntEnum) else f"'{v}'" for v in allowed]
    return CheckConstraint(f"{column} IN ({', '.join(values)})", name=column)


def text_column(name: str) -> "Column[str]":
    return Column(name, Text, nullable=False)


def id_column() -> "Column[int]":
    return Column("id", BigInteger, Identity(), primary_key=True)


def xact_column() -> "Column[int]":
    # Whose commit made a change visible: readers go on from the oldest transaction still open.
    now = text("((pg_current_xact_id())::text)::bigint")
    return Column("xact", BigInteger, nullable=False, index=True, server_default=now)
