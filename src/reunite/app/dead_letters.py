"""What was given up: look at why, try it again, or drop it."""

from dataclasses import dataclass

from reunite.accounts.account import Actor, Role, require_role
from reunite.alerts.fanout import ChunkTask, DeadLetter
from reunite.app.services import Services

OPERATORS = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The newest dead letters, and how many there are."""

    letters: list[DeadLetter]
    count: int


def list_dead_letters(services: Services, actor: Actor | None, limit: int = 100) -> DeadLetters:
    """The newest first.  They say which notice, channel and reason, and not whose address."""
    require_role(actor, OPERATORS)
    with services.database.transaction() as transaction:
        return DeadLetters(
            transaction.ledger.list_dead(limit=limit), transaction.ledger.count_dead()
        )


def retry_dead_letter(
    services: Services, actor: Actor | None, task: ChunkTask, failure_id: int | None
) -> bool:
    """Try it again at once; False when somebody else was quicker, or its notice was stopped."""
    require_role(actor, OPERATORS)
    with services.database.transaction() as transaction:
        return transaction.ledger.revive(task, failure_id)


def drop_dead_letter(
    services: Services, actor: Actor | None, task: ChunkTask, failure_id: int | None
) -> bool:
    """Never try it again; False when somebody else was quicker."""
    require_role(actor, OPERATORS)
    with services.database.transaction() as transaction:
        return transaction.ledger.drop(task, failure_id)
