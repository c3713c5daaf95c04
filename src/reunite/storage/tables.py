"""Every table of the system of record.

The repositories beside this module hold all queries, except those on ``outbox``: they
belong to ``broker``, which may not import ``storage``.  Times are aware UTC, closed sets
are CHECK constraints made from the enumerations of the domain, and ``migrations`` must
lead to exactly what is written here (``tests/integration/storage`` compares the two).
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from reunite.accounts.account import Role
from reunite.alerts.notices import NoticeKind
from reunite.cases.case import CaseStatus, Outcome, ResolutionCause
from reunite.cases.leads import LeadStatus, Verdict
from reunite.cases.sightings import SightingStatus
from reunite.kernel.languages import Language
from reunite.kernel.people import Module, Sex, Side
from reunite.ports import LookPurpose

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
IMPORT_OUTCOMES = ("imported", "duplicate", "refused")


def _one_of(column: str, allowed: Iterable[StrEnum | IntEnum | str]) -> CheckConstraint:
    values = [str(int(v)) if isinstance(v, IntEnum) else f"'{v}'" for v in allowed]
    return CheckConstraint(f"{column} IN ({', '.join(values)})", name=column)


def _text(name: str) -> "Column[str]":
    return Column(name, Text, nullable=False)


def _id() -> "Column[int]":
    return Column("id", BigInteger, Identity(), primary_key=True)


def _xact() -> "Column[int]":
    # Whose commit made a change visible: readers go on from the oldest transaction still open.
    now = text("((pg_current_xact_id())::text)::bigint")
    return Column("xact", BigInteger, nullable=False, index=True, server_default=now)


accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("email", Text, nullable=False, unique=True),
    _text("display_name"),
    _text("password_hash"),
    _text("role"),
    _text("language"),
    _text("organisation"),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", UTC_TIME, nullable=False),
    _one_of("role", Role),
    _one_of("language", Language),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at", UTC_TIME, nullable=False, index=True),
)

cases = Table(
    "cases",
    metadata,
    _id(),
    Column("reference", Text, nullable=False, unique=True),
    Column("module", SmallInteger, nullable=False),
    Column("side", SmallInteger, nullable=False),
    _text("status"),
    Column("outcome", Text),
    Column("cause", Text),
    _text("name"),
    Column("sex", SmallInteger, nullable=False),
    Column("birth_year_first", SmallInteger),
    Column("birth_year_last", SmallInteger),
    Column("height_cm", SmallInteger),
    _text("marks"),
    _text("clothing"),
    _text("dialect"),
    _text("blood_group"),
    Column("seen_at", UTC_TIME),
    Column("latitude", Double),
    Column("longitude", Double),
    _text("place_label"),
    Column("region", SmallInteger, nullable=False),
    _text("story"),
    _text("private_note"),
    # Whoever opened a case or decided on it stays on record: such accounts are disabled instead.
    Column("opened_by", ForeignKey("accounts.id", ondelete="RESTRICT"), nullable=False, index=True),
    Column("opened_at", UTC_TIME, nullable=False),
    Column("consent_search", Boolean, nullable=False),
    Column("consent_publish", Boolean, nullable=False),
    _text("contact"),
    _text("organisation"),
    Column("closed_at", UTC_TIME),
    Column("photos_erased_at", UTC_TIME),
    Column("version", Integer, nullable=False),
    _one_of("module", Module),
    _one_of("side", Side),
    _one_of("sex", Sex),
    _one_of("status", CaseStatus),
    _one_of("outcome", Outcome),
    _one_of("cause", ResolutionCause),
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
    _text("status"),
    Column("by", ForeignKey("accounts.id", ondelete="RESTRICT"), nullable=False),
    Column("at", UTC_TIME, nullable=False),
    _text("note"),
    _one_of("status", CaseStatus),
)

photos = Table(
    "photos",
    metadata,
    _id(),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False),
    Column("storage_key", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False, index=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("added_at", UTC_TIME, nullable=False),
    Column("captured_year", SmallInteger),
    Column("faces", JSONB, nullable=False),
    Column("chosen", SmallInteger),
    UniqueConstraint("case_id", "digest"),
)

template_spaces = Table(
    "template_spaces",
    metadata,
    Column("id", SmallInteger, Identity(), primary_key=True),
    _text("model_digest"),
    _text("adapter_digest"),
    Column("dim", Integer, nullable=False),
    UniqueConstraint("model_digest", "adapter_digest", "dim"),
    CheckConstraint("dim > 0", name="dim"),
)

templates = Table(
    "templates",
    metadata,
    _id(),
    # Both null: a synthetic template, which belongs to nobody.
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE")),
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE")),
    # Of ``template_spaces``, whose rows stay: a foreign key would be checked a million times
    # where a million templates are copied in, and take a third of the time.
    Column("space_id", SmallInteger, nullable=False),
    Column("vector", LargeBinary, nullable=False),  # float16, little-endian
    # The columns of gallery.port.FACT_DTYPE, in its order.
    Column("subject_id", BigInteger, nullable=False),
    Column("side", SmallInteger, nullable=False),
    Column("module", SmallInteger, nullable=False),
    Column("sex", SmallInteger, nullable=False),
    Column("birth_year", SmallInteger, nullable=False),
    Column("region", SmallInteger, nullable=False),
    Column("seen_day", Integer, nullable=False),
    Column("created_at", UTC_TIME, nullable=False, server_default=text("now()")),
    CheckConstraint("(case_id IS NULL) = (photo_id IS NULL)", name="owner"),
    Index(
        "uq_templates_photo_id_space_id",
        "photo_id",
        "space_id",
        unique=True,
        postgresql_where=text("photo_id IS NOT NULL"),
    ),
    Index("ix_templates_case_id", "case_id", postgresql_where=text("case_id IS NOT NULL")),
    Index("ix_templates_synthetic", "id", postgresql_where=text("photo_id IS NULL")),
)

# Written by triggers on ``templates``, so that no template comes or goes unnoticed, not even
# in a cascade.  A row tells of the ids from first to last, which one statement touched.
template_changes = Table(
    "template_changes",
    metadata,
    _id(),
    _xact(),
    Column("first_template_id", BigInteger, nullable=False),
    Column("last_template_id", BigInteger, nullable=False),
    Column("removed", Boolean, nullable=False),
)

leads = Table(
    "leads",
    metadata,
    _id(),
    Column("missing_case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False),
    Column("found_case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    # Null once the photo has been erased: the decision outlives the picture.
    Column("missing_photo_id", ForeignKey("photos.id", ondelete="SET NULL"), index=True),
    Column("found_photo_id", ForeignKey("photos.id", ondelete="SET NULL"), index=True),
    Column("similarity", Double, nullable=False),
    Column("found_at", UTC_TIME, nullable=False),
    _text("status"),
    UniqueConstraint("missing_case_id", "found_case_id"),
    CheckConstraint("missing_case_id <> found_case_id", name="pair"),
    _one_of("status", LeadStatus),
    Index(None, "status", "similarity"),
)

lead_decisions = Table(
    "lead_decisions",
    metadata,
    Column("lead_id", ForeignKey("leads.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("by", ForeignKey("accounts.id", ondelete="RESTRICT"), nullable=False),
    _text("verdict"),
    Column("at", UTC_TIME, nullable=False),
    _text("note"),
    _one_of("verdict", Verdict),
)

sightings = Table(
    "sightings",
    metadata,
    _id(),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("reported_by", ForeignKey("accounts.id", ondelete="RESTRICT"), nullable=False),
    Column("reported_at", UTC_TIME, nullable=False),
    Column("seen_at", UTC_TIME, nullable=False),
    Column("latitude", Double),
    Column("longitude", Double),
    _text("place_label"),
    _text("text"),
    Column("photo_key", Text, unique=True),
    Column("similarity", Double),
    _text("status"),
    Column("decided_by", ForeignKey("accounts.id", ondelete="RESTRICT")),
    Column("decided_at", UTC_TIME),
    _one_of("status", SightingStatus),
    CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place"),
    Index(None, "status", "reported_at", "id"),
)

volunteers = Table(
    "volunteers",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("cell", BigInteger, nullable=False),
    _text("place_label"),
    Column("modules", SmallInteger, nullable=False),  # bit m is set for Module m
    _text("language"),
    Column("joined_at", UTC_TIME, nullable=False),
    CheckConstraint("modules >= 0", name="modules"),
    _one_of("language", Language),
)

# Written by triggers on ``volunteers``, as ``template_changes`` is on ``templates``.  A row
# tells of the accounts that one statement touched; where they are now is in ``volunteers``.
volunteer_changes = Table(
    "volunteer_changes",
    metadata,
    _id(),
    _xact(),
    Column("account_ids", LargeBinary, nullable=False),  # int64, big-endian
    Column("at", UTC_TIME, nullable=False, server_default=text("now()")),
)

notices = Table(
    "notices",
    metadata,
    _id(),
    Column("case_id", ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    _text("kind"),
    Column("created_at", UTC_TIME, nullable=False),
    Column("radius_km", Double, nullable=False),
    Column("recipients", Integer, nullable=False),
    _one_of("kind", NoticeKind),
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

probes = Table(
    "probes",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("storage_key", Text, nullable=False, unique=True),
    Column("faces", JSONB, nullable=False),
    Column("chosen", SmallInteger),
    Column("captured_year", SmallInteger),
    Column("created_at", UTC_TIME, nullable=False),
    Column("expires_at", UTC_TIME, nullable=False, index=True),
    Index(None, "account_id", "created_at"),
)

looks = Table(
    "looks",
    metadata,
    _id(),
    Column("account_id", ForeignKey("accounts.id", ondelete="SET NULL"), index=True),
    Column("case_id", ForeignKey("cases.id", ondelete="SET NULL")),
    _text("purpose"),
    Column("at", UTC_TIME, nullable=False),
    _one_of("purpose", LookPurpose),
    Index(None, "case_id", "at"),
)

imports = Table(
    "imports",
    metadata,
    Column("source", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    _text("outcome"),
    _text("detail"),
    Column("at", UTC_TIME, nullable=False, server_default=text("now()")),
    _one_of("outcome", IMPORT_OUTCOMES),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    _text("topic"),
    Column("payload", JSONB, nullable=False),
    Column("created_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("due_at", UTC_TIME),  # null: at once
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text, nullable=False, server_default=text("''")),
)
