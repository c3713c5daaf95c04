"""A transaction that fails on purpose."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reunite.ports import Database, Transaction


class OnPurposeError(Exception):
    """Raised at the end of the block."""


@contextmanager
def undone(database: Database) -> Iterator[Transaction]:
    """Do things in a transaction, and fail in the end."""
    with suppress(OnPurposeError), database.transaction() as transaction:
        yield transaction
        raise OnPurposeError
