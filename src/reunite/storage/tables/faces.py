"""Templates of faces, and photos that somebody searches with."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from reunite.storage.tables.base import UTC_TIME, id_column, metadata, text_column, xact_column

template_spaces = Table(
    "template_spaces",
    metadata,
    Column("id", SmallInteger, Identity(), primary_key=True),
    text_column("model_digest"),
    text_column("adapter_digest"),
    Column("dim", Integer, nullable=False),
    UniqueConstraint("model_digest", "adapter_digest", "dim"),
    CheckConstraint("dim > 0", name="dim"),
)

templates = Table(
    "templates",
    metadata,
    id_column(),
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
    id_column(),
    xact_column(),
    Column("first_template_id", BigInteger, nullable=False),
    Column("last_template_id", BigInteger, nullable=False),
    Column("removed", Boolean, nullable=False),
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
    Column("beside", ForeignKey("probes.token_digest", ondelete="CASCADE"), index=True),
    Column("set_aside", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Index(None, "account_id", "created_at"),
)
