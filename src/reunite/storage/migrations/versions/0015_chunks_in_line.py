"""Chunks of recipients lie in the rows themselves, not in rows of a table beside them."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rows of up to a page stay whole: one write and one index entry a chunk, instead of four."""
    op.execute("ALTER TABLE notice_chunks SET (toast_tuple_target = 8160)")
