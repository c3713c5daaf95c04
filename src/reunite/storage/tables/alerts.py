"""Volunteers, where they are, and what may disturb them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)

from reunite.alerts.volunteers import PlaceKind
from reunite.kernel.languages import Language
from reunite.storage.tables.base import (
    UTC_TIME,
    id_column,
    metadata,
    one_of,
    text_column,
    xact_column,
)

# Names (IANA) that clocks of volunteers go by; the audience arrays hold their numbers.
time_zones = Table(
    "time_zones",
    metadata,
    Column("id", SmallInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

volunteers = Table(
    "volunteers",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("modules", SmallInteger, nullable=False),  # bit m is set for Module m
    text_column("language"),
    Column("joined_at", UTC_TIME, nullable=False),
    Column("weekly_pushes", SmallInteger, nullable=False),
    # Full hours on the clock of the time zone.
    Column("quiet_from", SmallInteger, nullable=False),
    Column("quiet_until", SmallInteger, nullable=False),
    Column("time_zone_id", ForeignKey("time_zones.id"), nullable=False),
    CheckConstraint("modules >= 0", name="modules"),
    CheckConstraint("weekly_pushes BETWEEN 0 AND 15", name="weekly_pushes"),
    CheckConstraint("quiet_from BETWEEN 0 AND 23 AND quiet_until BETWEEN 0 AND 23", name="quiet"),
    one_of("language", Language),
)

volunteer_places = Table(
    "volunteer_places",
    metadata,
    Column("account_id", ForeignKey("volunteers.account_id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("cell", BigInteger, nullable=False),  # H3; nothing finer is kept
    text_column("place_label"),
    Column("said_at", UTC_TIME, nullable=False),
    Column("expires_at", UTC_TIME),
    one_of("kind", PlaceKind),
    # Room on the page, so that a move writes no index.
    postgresql_with={"fillfactor": "80"},
)

# Written by triggers on ``volunteers`` and ``volunteer_places``, as ``template_changes`` is on
# ``templates``.  A row tells of the accounts that one statement touched, not where they are.
volunteer_changes = Table(
    "volunteer_changes",
    metadata,
    id_column(),
    xact_column(),
    Column("account_ids", LargeBinary, nullable=False),  # int64, big-endian
    Column("at", UTC_TIME, nullable=False, server_default=text("now()")),
)
