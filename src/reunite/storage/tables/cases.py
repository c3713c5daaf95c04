"""Cases, what belongs to them, and what people decided about them."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from reunite.cases.case import CaseStatus, Outcome, ResolutionCause
from reunite.cases.leads import LeadStatus, Verdict
from reunite.cases.sightings import SightingStatus
from reunite.kernel.people import Module, Sex, Side
from reunite.storage.tables.base import UTC_TIME, id_column, metadata, one_of, text_column

IMPORT_OUTCOMES = ("imported", "duplicate", "refused")

cases = Table(
    "cases",
    metadata,
    id_column(),
    Column("reference", Text, nullable=False, unique=True),
    Column("module", SmallInteger, nullable=False),
    Column("side", SmallInteger, nullable=False),
    text_column("status"),
    Column("outcome", Text),
    Column("cause", Text),
    text_column("name"),
    Column("sex", SmallInteger, nullable=False),
    Column("birth_year_first", SmallInteger),
    Column("birth_year_last", SmallInteger),
    Column("height_cm", SmallInteger),
    text_column("marks"),
    text_column("clothing"),
    text_column("dialect"),
    text_column("blood_group"),
    Column("seen_at", UTC_TIME),
    Column("latitude", Double),
    Column("longitude", Double),
    text_column("place_label"),
    Column("region", SmallInteger, nullable=False),
    text_column("story"),
    text_column("private_note"),
    # Whoever opened a case or decided on it stays on record: such accounts are disabled instead.
    Column("opened_by", ForeignKey("accounts.id", ondelete="RESTRICT"), nullable=False, index=True),
    Column("opened_at", UTC_TIME, nullable=False),
    Column("consent_search", Boolean, nullable=False),
    Column("consent_publish", Boolean, nullable=False),
    text_column("contact"),
    text_column("organisation"),
    Column("closed_at", UTC_TIME),
    Column("photos_erased_at", UTC_TIME),
    Column("version", Integer, nullable=False),
    one_of("module", Module),
    one_of("side", Side),
    one_of("sex", Sex),
    one_of("status", CaseStatus),
    one_of("outcome", Outcome),
    one_of("cause", ResolutionCause),
    CheckConstraint("birth_year_first <= birth_year_last", name="birth_years"),
    CheckConstraint("(birth_year_first IS NULL) = (birth_year_last IS NULL)", name="birth_year"),
    CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place"),
    CheckConstraint("(outcome IS NULL) = (cause IS NULL)", name="outcome_cause"),
    # Lists ask for one status most of the time, newest first.
    Index(None, "status", "id"),
    Index(
        "ix_cases_photos_due",
        "closed_at",
        postgresql_where=text("closed_at IS NOT NULL AND photos_erased_at IS NULL"),
    ),
)

case_transitions = Table(
    "case_transitions",
    metadata,
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    text_column("status"),
    Column("by", ForeignKey("accounts.id", ondelete="RESTRICT"), nullable=False),
    Column("at", UTC_TIME, nullable=False),
    text_column("note"),
    one_of("status", CaseStatus),
)

photos = Table(
    "photos",
    metadata,
    id_column(),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False),
    Column("storage_key", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False, index=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("added_at", UTC_TIME, nullable=False),
    Column("captured_year", SmallInteger),
    Column("faces", JSONB, nullable=False),
    Column("chosen", SmallInteger),
    # How old the person looks, where the record does not say: years, low, high.
    Column("estimated_age", ARRAY(Double)),
    UniqueConstraint("case_id", "digest"),
    CheckConstraint("cardinality(estimated_age) = 3", name="estimated_age"),
)

sightings = Table(
    "sightings",
    metadata,
    id_column(),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("reported_by", ForeignKey("accounts.id", ondelete="RESTRICT"), nullable=False),
    Column("reported_at", UTC_TIME, nullable=False),
    Column("seen_at", UTC_TIME, nullable=False),
    Column("latitude", Double),
    Column("longitude", Double),
    text_column("place_label"),
    text_column("text"),
    Column("photo_key", Text, unique=True),
    Column("similarity", Double),
    text_column("status"),
    Column("decided_by", ForeignKey("accounts.id", ondelete="RESTRICT")),
    Column("decided_at", UTC_TIME),
    Column("client_key", Text),
    text_column("reply"),
    Column("replied_by", ForeignKey("accounts.id", ondelete="RESTRICT")),
    Column("replied_at", UTC_TIME),
    one_of("status", SightingStatus),
    UniqueConstraint("reported_by", "case_id", "client_key"),
    Index(None, "reported_by", "reported_at"),
    CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place"),
    Index(None, "status", "reported_at", "id"),
)

leads = Table(
    "leads",
    metadata,
    id_column(),
    Column("missing_case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False),
    Column("found_case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    # Null once the photo has been erased: the decision outlives the picture.
    Column("missing_photo_id", ForeignKey("photos.id", ondelete="SET NULL"), index=True),
    Column("found_photo_id", ForeignKey("photos.id", ondelete="SET NULL"), index=True),
    Column("similarity", Double, nullable=False),
    Column("found_at", UTC_TIME, nullable=False),
    text_column("status"),
    # What facts and faces say together, and why.
    Column("bits", Double, nullable=False, server_default=text("0")),
    Column("evidence", JSONB, nullable=False, server_default=text("'[]'")),
    UniqueConstraint("missing_case_id", "found_case_id"),
    CheckConstraint("missing_case_id <> found_case_id", name="pair"),
    one_of("status", LeadStatus),
    Index(None, "status", "similarity"),
)

lead_decisions = Table(
    "lead_decisions",
    metadata,
    Column("lead_id", ForeignKey("leads.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("by", ForeignKey("accounts.id", ondelete="RESTRICT"), nullable=False),
    text_column("verdict"),
    Column("at", UTC_TIME, nullable=False),
    text_column("note"),
    one_of("verdict", Verdict),
)

imports = Table(
    "imports",
    metadata,
    Column("source", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    text_column("outcome"),
    text_column("detail"),
    Column("at", UTC_TIME, nullable=False, server_default=text("now()")),
    one_of("outcome", IMPORT_OUTCOMES),
)
