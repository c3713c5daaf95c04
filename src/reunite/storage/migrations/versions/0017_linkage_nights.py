"""Nights in which everything is compared."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of nights."""
    op.execute(
        "CREATE TABLE linkage_nights (night DATE NOT NULL, "
        "CONSTRAINT pk_linkage_nights PRIMARY KEY (night))"
    )
