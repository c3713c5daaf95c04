"""Let a search have several photos, and remember whom the searcher set aside."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say which photos belong to one search."""
    op.execute(SEVERAL_PHOTOS)


SEVERAL_PHOTOS = """
ALTER TABLE probes
    ADD COLUMN beside BYTEA,
    ADD COLUMN set_aside BIGINT[] DEFAULT '{}' NOT NULL,
    ADD CONSTRAINT fk_probes_beside FOREIGN KEY (beside)
        REFERENCES probes (token_digest) ON DELETE CASCADE;
CREATE INDEX ix_probes_beside ON probes (beside);
"""
