"""Plans of alerts, and whom channels may disturb."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of plans; a bit for each recipient."""
    op.execute(ALERT_PLANS)


ALERT_PLANS = """
CREATE TABLE alert_plans (
    case_id BIGINT NOT NULL,
    decided_by BIGINT NOT NULL,
    decided_at TIMESTAMPTZ NOT NULL,
    radius_km DOUBLE PRECISION NOT NULL,
    area TEXT NOT NULL,
    without TEXT NOT NULL,
    suggested_km DOUBLE PRECISION NOT NULL,
    category TEXT NOT NULL,
    mode TEXT NOT NULL,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    is_imminent BOOLEAN NOT NULL,
    schedule JSONB NOT NULL,
    waves_sent INTEGER NOT NULL,
    stopped_at TIMESTAMPTZ,
    stopped_by BIGINT,
    stop_reason TEXT,
    CONSTRAINT pk_alert_plans PRIMARY KEY (case_id),
    CONSTRAINT ck_alert_plans_category CHECK (category IN ('child_to_3', 'child_to_6',
        'child_to_9', 'child_to_12', 'youth', 'dementia', 'autism', 'intellectual_disability',
        'despondent', 'abduction')),
    CONSTRAINT ck_alert_plans_mode CHECK (mode IN ('foot', 'vehicle')),
    CONSTRAINT ck_alert_plans_stop_reason
        CHECK (stop_reason IN ('ended', 'saturated', 'reviewer')),
    CONSTRAINT ck_alert_plans_stopped CHECK ((stopped_at IS NULL) = (stop_reason IS NULL)),
    CONSTRAINT fk_alert_plans_case_id
        FOREIGN KEY (case_id) REFERENCES cases (id) ON DELETE CASCADE,
    CONSTRAINT fk_alert_plans_decided_by
        FOREIGN KEY (decided_by) REFERENCES accounts (id) ON DELETE RESTRICT,
    CONSTRAINT fk_alert_plans_stopped_by
        FOREIGN KEY (stopped_by) REFERENCES accounts (id) ON DELETE RESTRICT
);

ALTER TABLE notice_chunks ADD COLUMN push_bits BYTEA;
"""
