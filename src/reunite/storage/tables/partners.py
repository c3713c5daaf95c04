"""Stations, whom they look after, and the keys under which records are compared."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from reunite.kernel.people import Side
from reunite.storage.tables.base import UTC_TIME, id_column, metadata, one_of, text_column

stations = Table(
    "stations",
    metadata,
    id_column(),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", UTC_TIME, nullable=False),
    Column("region", SmallInteger, nullable=False),
    text_column("place_label"),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("capacity", Integer),
    text_column("contact"),
    Column("columns", JSONB, nullable=False),
    CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place"),
)

station_clerks = Table(
    "station_clerks",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("station_id", ForeignKey("stations.id", ondelete="CASCADE"), nullable=False, index=True),
)

residents = Table(
    "residents",
    metadata,
    Column("station_id", ForeignKey("stations.id", ondelete="RESTRICT"), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, unique=True),
    text_column("digest"),
)

backgrounds = Table(
    "backgrounds",
    metadata,
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
    text_column("other_names"),
    text_column("home_places"),
    text_column("condition"),
    text_column("medication"),
    text_column("habits"),
    text_column("bracelet"),
    text_column("belongings"),
    text_column("statement"),
)

linkage_keys = Table(
    "linkage_keys",
    metadata,
    Column("key", BigInteger, primary_key=True),
    Column("side", SmallInteger, primary_key=True),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
    one_of("side", Side),
    Index(None, "case_id"),
)

# Nights for which somebody has queued the comparison of everything.
linkage_nights = Table("linkage_nights", metadata, Column("night", Date, primary_key=True))
