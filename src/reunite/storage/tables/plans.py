"""How alerts were decided."""

from sqlalchemy import Boolean, CheckConstraint, Column, Double, ForeignKey, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from reunite.alerts.plan import StopReason
from reunite.alerts.radius import Category, TravelMode
from reunite.storage.tables.base import UTC_TIME, metadata, one_of, text_column

alert_plans = Table(
    "alert_plans",
    metadata,
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
    Column("decided_by", ForeignKey("accounts.id", ondelete="RESTRICT"), nullable=False),
    Column("decided_at", UTC_TIME, nullable=False),
    Column("radius_km", Double, nullable=False),
    text_column("area"),  # GeoJSON in WGS-84; empty: the circle
    text_column("without"),
    Column("suggested_km", Double, nullable=False),
    text_column("category"),
    text_column("mode"),
    text_column("source"),  # of the rule
    text_column("reason"),  # of the reviewer, for another area than the suggested one
    Column("is_imminent", Boolean, nullable=False),
    # Waves that are left: pairs of seconds after the one before, and km.
    Column("schedule", JSONB, nullable=False),
    Column("waves_sent", Integer, nullable=False),
    Column("stopped_at", UTC_TIME),
    Column("stopped_by", ForeignKey("accounts.id", ondelete="RESTRICT")),
    Column("stop_reason", Text),
    one_of("category", Category),
    one_of("mode", TravelMode),
    one_of("stop_reason", StopReason),
    CheckConstraint("(stopped_at IS NULL) = (stop_reason IS NULL)", name="stopped"),
)
