"""What must not reach a log by way of an error of the database."""

from reunite.broker.outbox import PostgresOutbox
from reunite.storage.database import PostgresDatabase


def test_errors_carry_no_values() -> None:
    database = PostgresDatabase("postgresql://nobody@localhost/none", PostgresOutbox)
    # SQLAlchemy would print names and telephone numbers below the statement that failed.
    assert database._engine.hide_parameters
    database.dispose()
