"""Blood centres, families that may share a rare type, donors."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from reunite.blood.centres import CentreKind
from reunite.blood.claims import ClaimReason, Verdict
from reunite.blood.donors import TypingMethod
from reunite.kernel.people import Sex
from reunite.storage.tables.base import (
    UTC_TIME,
    id_column,
    metadata,
    one_of,
    text_column,
    xact_column,
)

blood_centres = Table(
    "blood_centres",
    metadata,
    id_column(),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", UTC_TIME, nullable=False),
    text_column("kind"),
    Column("latitude", Double),
    Column("longitude", Double),
    text_column("place_label"),
    text_column("contact"),
    text_column("rules"),
    Column("verified_at", UTC_TIME),
    CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place"),
    one_of("kind", CentreKind),
)

blood_centre_members = Table(
    "blood_centre_members",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "centre_id",
        ForeignKey("blood_centres.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
)

blood_families = Table(
    "blood_families",
    metadata,
    Column("code", Text, primary_key=True),
    Column("centre_id", ForeignKey("blood_centres.id"), nullable=False, index=True),
    Column("made_at", UTC_TIME, nullable=False),
)

donors = Table(
    "donors",
    metadata,
    id_column(),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), unique=True),
    Column("centre_id", ForeignKey("blood_centres.id")),
    Column("code", Text, nullable=False, unique=True),  # told to a centre by the donor
    text_column("reference"),  # the centre's own number; empty where there is none
    Column("registered_at", UTC_TIME, nullable=False),
    # Blood types in the notation that ``blood.donors.stored_type`` writes.
    Column("declared", Text),
    Column("confirmed", Text),
    Column("confirmed_by", ForeignKey("blood_centres.id")),
    Column("confirmed_at", UTC_TIME),
    Column("method", Text),
    Column("cell", BigInteger),  # H3; nothing finer is kept
    text_column("place_label"),
    Column("born_on", Date),
    Column("sex", SmallInteger, nullable=False),
    Column("weight_kg", Double),
    Column("donations", JSONB, nullable=False),
    Column("reasons", JSONB, nullable=False),
    text_column("rules"),
    Column("consents", JSONB, nullable=False),
    Column("kinds", JSONB, nullable=False),
    Column("travel_km", Integer),
    Column("asleep", Boolean, nullable=False),
    Column("away_until", Date),
    Column("family_code", ForeignKey("blood_families.code", ondelete="SET NULL"), index=True),
    text_column("contact"),
    text_column("contact_key"),  # the same for all ways of writing one number
    Column("last_asked_at", UTC_TIME),
    Column("asked", Integer, nullable=False),
    Column("willing", Integer, nullable=False),
    CheckConstraint("account_id IS NOT NULL OR centre_id IS NOT NULL", name="kept"),
    CheckConstraint("declared IS NOT NULL OR confirmed IS NOT NULL", name="type"),
    CheckConstraint(
        "(confirmed IS NULL) = (confirmed_at IS NULL)"
        " AND (confirmed IS NULL) = (confirmed_by IS NULL)"
        " AND (confirmed IS NULL) = (method IS NULL)",
        name="confirmation",
    ),
    CheckConstraint("willing BETWEEN 0 AND asked", name="willing"),
    one_of("method", TypingMethod),
    one_of("sex", Sex),
    Index(None, "centre_id", "id"),
    Index(
        "uq_donors_centre_id_reference",
        "centre_id",
        "reference",
        unique=True,
        postgresql_where=text("reference <> ''"),
    ),
    Index("ix_donors_contact_key", "contact_key", postgresql_where=text("contact_key <> ''")),
    Index(None, "born_on"),
    # Room on the page, so that being asked writes no index.
    postgresql_with={"fillfactor": "80"},
)

donor_claims = Table(
    "donor_claims",
    metadata,
    id_column(),
    Column("donor_id", ForeignKey("donors.id", ondelete="CASCADE"), nullable=False),
    Column("keeper_id", ForeignKey("blood_centres.id", ondelete="CASCADE"), index=True),
    Column(
        "centre_id",
        ForeignKey("blood_centres.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("own_donor_id", ForeignKey("donors.id", ondelete="CASCADE"), index=True),
    text_column("why"),
    Column("made_at", UTC_TIME, nullable=False),
    text_column("reference"),
    Column("claimant_says", Text),
    Column("keeper_says", Text),
    Column("outcome", Text),
    Column("settled_at", UTC_TIME),
    Column("settled_by", ForeignKey("accounts.id", ondelete="SET NULL")),
    UniqueConstraint("donor_id", "centre_id", "own_donor_id", postgresql_nulls_not_distinct=True),
    CheckConstraint("(outcome IS NULL) = (settled_at IS NULL)", name="settled"),
    one_of("why", ClaimReason),
    one_of("claimant_says", Verdict),
    one_of("keeper_says", Verdict),
    one_of("outcome", Verdict),
)

# Written by triggers on ``donors``, as ``volunteer_changes`` is.
donor_changes = Table(
    "donor_changes",
    metadata,
    id_column(),
    xact_column(),
    Column("donor_ids", LargeBinary, nullable=False),  # int64, big-endian
    Column("at", UTC_TIME, nullable=False, server_default=text("now()")),
)
