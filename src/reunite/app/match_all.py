"""Compare all records with all others: every night, or at an operator's word.

Each record is compared when it comes in; this finds what has changed around them since, such as
better weights, and what was restored from a copy.  Blocking keeps it from being every pair.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import perf_counter

from reunite.accounts.account import Actor, Role, require_role
from reunite.app.match_facts import match_cases
from reunite.app.services import Services
from reunite.cases.case import OPEN_STATUSES
from reunite.cases.leads import LeadStatus
from reunite.kernel.ids import CaseId
from reunite.kernel.people import Module, Side
from reunite.ports import CaseQuery, Transaction

ADMINS = frozenset({Role.ADMIN})
PAGE = 100  # records to a transaction, or to a message
# In China two to six o'clock: nobody waits for the worker.
NIGHT_UTC = range(18, 22)
WAITING = frozenset({LeadStatus.OPEN, LeadStatus.SECOND_OPINION})


@dataclass(frozen=True, slots=True)
class MatchProgress:
    """How far a comparison of everything has come."""

    records: int
    pairs: int  # weighed
    seconds: float

    @property
    def records_per_second(self) -> float:
        return self.records / self.seconds if self.seconds > 0 else 0.0


def match_all(
    services: Services,
    actor: Actor | None,
    progress: Callable[[MatchProgress], None] = lambda _: None,
) -> MatchProgress:
    """Compare every open record now.  Cut off, it can be run again: nothing is written twice."""
    require_role(actor, ADMINS)
    started = perf_counter()
    records = pairs = 0
    state = MatchProgress(0, 0, 0.0)
    for side in Side:
        for ids in _iter_pages(services, side):
            with services.database.transaction() as transaction:
                pairs += match_cases(services, transaction, ids, own_side_only=_is_second(side))
            records += len(ids)
            state = MatchProgress(records, pairs, perf_counter() - started)
            progress(state)
    return state


def queue_nightly_matches(services: Services) -> int:
    """Queue the comparison of everything, once a night; how many messages.

    The messages come when nothing else is due, and any number of workers share them.
    """
    night = night_of(services.clock.now())
    if night is None:
        return 0
    with services.database.transaction() as transaction:
        if not transaction.linkage.claim_night(night):
            return 0
    queued = 0
    for side in Side:
        for ids in _iter_pages(services, side):
            with services.database.transaction() as transaction:
                _queue(transaction, ids, side)
            queued += 1
    return queued


def night_of(now: datetime) -> date | None:
    """The day that this night begins on; None while people are up."""
    return (now - timedelta(hours=NIGHT_UTC.start)).date() if now.hour in NIGHT_UTC else None


def _queue(transaction: Transaction, ids: list[CaseId], side: Side) -> None:
    transaction.outbox.add(
        "match_import",
        {"case_ids": [int(one) for one in ids], "own_side_only": _is_second(side)},
    )


def _is_second(side: Side) -> bool:
    # Pairs across the sides are all found from the missing side.
    return side is Side.FOUND


def _iter_pages(services: Services, side: Side) -> Iterator[list[CaseId]]:
    """Ids of all open records of a side that facts are compared of, the newest first."""
    before: CaseId | None = None
    while True:
        query = CaseQuery(
            statuses=OPEN_STATUSES,
            sides=frozenset({side}),
            modules=frozenset(Module) - {Module.BLOOD},
            before=before,
            limit=PAGE,
        )
        with services.database.transaction() as transaction:
            ids = [case.id for case in transaction.cases.list_matching(query)]
        if ids:
            yield ids
        if len(ids) < PAGE:
            return
        before = ids[-1]
