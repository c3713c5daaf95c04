"""The outbox and live events on PostgreSQL."""
