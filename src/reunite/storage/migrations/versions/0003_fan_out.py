"""Inboxes by chunk, and a ledger of each chunk on each channel."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index of recipients and the ledger of deliveries."""
    op.execute(FAN_OUT)
    op.execute(FORGETTING)


FAN_OUT = """
DROP INDEX ix_notice_chunks_waiting;
ALTER TABLE notice_chunks DROP COLUMN finished_at;

ALTER TABLE notices
    ADD COLUMN xact BIGINT DEFAULT ((pg_current_xact_id())::text)::bigint NOT NULL,
    ADD COLUMN opened_at TIMESTAMPTZ,
    ADD COLUMN stopped_at TIMESTAMPTZ,
    ADD COLUMN stopped_by BIGINT,
    ADD CONSTRAINT fk_notices_stopped_by
        FOREIGN KEY (stopped_by) REFERENCES accounts (id) ON DELETE SET NULL,
    DROP CONSTRAINT ck_notices_kind,
    ADD CONSTRAINT ck_notices_kind
        CHECK (kind IN ('published', 'updated', 'resolved', 'cancelled'));
CREATE INDEX ix_notices_xact ON notices (xact);

CREATE TABLE notice_recipients (
    notice_id BIGINT NOT NULL,
    bucket BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    entries BYTEA NOT NULL,
    CONSTRAINT pk_notice_recipients PRIMARY KEY (notice_id, bucket, part),
    CONSTRAINT fk_notice_recipients_notice_id
        FOREIGN KEY (notice_id) REFERENCES notices (id) ON DELETE CASCADE
);
ALTER TABLE notice_recipients ALTER COLUMN entries SET STORAGE EXTERNAL;

CREATE TABLE chunk_deliveries (
    notice_id BIGINT NOT NULL,
    sequence INTEGER NOT NULL,
    channel TEXT NOT NULL,
    recipients INTEGER NOT NULL,
    state TEXT DEFAULT 'waiting' NOT NULL,
    position INTEGER DEFAULT 0 NOT NULL,
    sent INTEGER DEFAULT 0 NOT NULL,
    failed INTEGER DEFAULT 0 NOT NULL,
    sent_bits BYTEA DEFAULT '' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    due_at TIMESTAMPTZ,
    lease_owner TEXT,
    lease_until TIMESTAMPTZ,
    queued_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    reason TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_chunk_deliveries PRIMARY KEY (notice_id, sequence, channel),
    CONSTRAINT ck_chunk_deliveries_state
        CHECK (state IN ('waiting', 'done', 'dead', 'dropped', 'stopped')),
    CONSTRAINT ck_chunk_deliveries_position CHECK (position BETWEEN 0 AND recipients),
    CONSTRAINT fk_chunk_deliveries_notice_id FOREIGN KEY (notice_id, sequence)
        REFERENCES notice_chunks (notice_id, sequence) ON DELETE CASCADE
);
CREATE INDEX ix_chunk_deliveries_waiting ON chunk_deliveries (channel, sequence, notice_id)
    WHERE state = 'waiting';
CREATE INDEX ix_chunk_deliveries_dead ON chunk_deliveries (finished_at) WHERE state = 'dead';

CREATE TABLE inbox_looks (
    account_id BIGINT NOT NULL,
    xact BIGINT NOT NULL,
    CONSTRAINT pk_inbox_looks PRIMARY KEY (account_id),
    CONSTRAINT fk_inbox_looks_account_id
        FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
);
"""

# On the table and not in the queries: however an account is deleted, its number leaves every
# chunk and every index.  The entries of a bucket are 2 bytes for each of its people, then 4;
# numbers in both are little-endian, and 0 takes the place of the one who has gone.
FORGETTING = """
CREATE FUNCTION forget_recipient() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry RECORD;
    people INTEGER;
    slot INTEGER;
    width INTEGER;
BEGIN
    FOR entry IN
        SELECT notice_id, part, bucket, entries FROM notices
        JOIN notice_recipients ON notice_id = notices.id AND bucket = OLD.id >> 10
        FOR UPDATE OF notice_recipients
    LOOP
        people := length(entry.entries) / 6;
        FOR at IN 0 .. people - 1 LOOP
            CONTINUE WHEN get_byte(entry.entries, 2 * at)
                + 256 * get_byte(entry.entries, 2 * at + 1) <> OLD.id & 1023;
            slot := get_byte(entry.entries, 2 * people + 4 * at)
                + 256 * get_byte(entry.entries, 2 * people + 4 * at + 1)
                + 65536 * get_byte(entry.entries, 2 * people + 4 * at + 2);
            UPDATE notice_recipients SET entries = overlay(
                    overlay(entries PLACING ''::bytea FROM 2 * people + 4 * at + 1 FOR 4)
                    PLACING ''::bytea FROM 2 * at + 1 FOR 2
                )
            WHERE notice_id = entry.notice_id AND bucket = entry.bucket AND part = entry.part;
            UPDATE notice_chunks SET account_ids = overlay(
                    account_ids
                    PLACING decode(repeat('00', length(account_ids) / recipients), 'hex')
                    FROM (slot & 1023) * (length(account_ids) / recipients) + 1
                )
            WHERE notice_id = entry.notice_id AND sequence = 1000 * entry.part + (slot >> 10);
        END LOOP;
    END LOOP;
    RETURN OLD;
END $$;

CREATE TRIGGER accounts_forgotten BEFORE DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION forget_recipient();
"""
