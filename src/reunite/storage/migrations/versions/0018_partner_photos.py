"""Partners who allow us to fetch the photos that their records point at."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say so of keys and of repositories."""
    for table in ("api_keys", "repositories"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN photos_agreed BOOLEAN DEFAULT false NOT NULL")
