"""Sightings that are sent once, and answered."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a device's own key and the reply."""
    op.execute(SIGHTINGS)


SIGHTINGS = """
ALTER TABLE sightings
    ADD COLUMN client_key TEXT,
    ADD COLUMN reply TEXT NOT NULL DEFAULT '',
    ADD COLUMN replied_by BIGINT,
    ADD COLUMN replied_at TIMESTAMPTZ,
    ADD CONSTRAINT fk_sightings_replied_by
        FOREIGN KEY (replied_by) REFERENCES accounts (id) ON DELETE RESTRICT,
    ADD CONSTRAINT uq_sightings_reported_by_case_id_client_key
        UNIQUE (reported_by, case_id, client_key);
ALTER TABLE sightings ALTER COLUMN reply DROP DEFAULT;
CREATE INDEX ix_sightings_reported_by_reported_at ON sightings (reported_by, reported_at);
"""
