"""Requests for blood, who was asked for them, and units in stock."""

from sqlalchemy import (
    Boolean,
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
    UniqueConstraint,
)

from reunite.blood.appeals import CannotReason
from reunite.blood.rules import Component, Grade
from reunite.blood.waves import Answer, Urgency, Why
from reunite.storage.tables.base import UTC_TIME, id_column, metadata, one_of, text_column

blood_requests = Table(
    "blood_requests",
    metadata,
    id_column(),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("centre_id", ForeignKey("blood_centres.id"), nullable=False),
    text_column("patient"),  # in the notation that ``blood.donors.stored_type`` writes
    text_column("component"),
    Column("childbearing", Boolean, nullable=False),
    text_column("policy"),
    Column("units", SmallInteger, nullable=False),
    Column("units_per_donation", SmallInteger, nullable=False),
    Column("latitude", Double, nullable=False),
    Column("longitude", Double, nullable=False),
    Column("opened_at", UTC_TIME, nullable=False),
    Column("needed_by", UTC_TIME, nullable=False),
    text_column("urgency"),
    text_column("patient_code"),
    text_column("family_code"),
    text_column("note"),
    text_column("override_reason"),
    Column("asking_since", UTC_TIME),
    Column("filled_at", UTC_TIME),
    Column("waves", Integer, nullable=False),
    Column("why", Text),
    Column("next_look_at", UTC_TIME),
    one_of("component", Component),
    one_of("urgency", Urgency),
    one_of("why", Why),
    CheckConstraint("units > 0 AND units_per_donation > 0", name="units"),
    Index(None, "centre_id", "id"),
)

donor_asks = Table(
    "donor_asks",
    metadata,
    id_column(),
    Column("request_id", ForeignKey("blood_requests.id", ondelete="CASCADE"), nullable=False),
    # Null once the donor has left: that somebody was asked is still counted.
    Column("donor_id", ForeignKey("donors.id", ondelete="SET NULL")),
    Column("asked_at", UTC_TIME, nullable=False),
    Column("wave", Integer, nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("distance_km", Double),
    Column("probability", Double, nullable=False),
    Column("sibling", Boolean, nullable=False),
    Column("by_phone", Boolean, nullable=False),
    Column("answer", Text),
    Column("answered_at", UTC_TIME),
    Column("comes_at", UTC_TIME),
    Column("reason", Text),
    text_column("hindrance"),
    Column("deferred_until", Date),
    text_column("remark"),
    text_column("contact"),
    Column("thanked_at", UTC_TIME),
    UniqueConstraint("request_id", "donor_id"),
    one_of("grade", Grade),
    one_of("answer", Answer),
    one_of("reason", CannotReason),
    CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered"),
    Index(None, "donor_id", "id"),
)

blood_stock = Table(
    "blood_stock",
    metadata,
    Column("centre_id", ForeignKey("blood_centres.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Text, primary_key=True),
    text_column("type"),
    text_column("component"),
    Column("expires_on", Date, nullable=False),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("reported_at", UTC_TIME, nullable=False),
    Column("promised_to", ForeignKey("blood_requests.id", ondelete="SET NULL"), index=True),
    one_of("component", Component),
    CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place"),
    Index(None, "component", "expires_on"),
)
