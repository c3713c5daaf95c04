"""Two records of one person on the same side: compare them, link them, undo it.

A link changes neither record.  Staff see the other record beside each, and partners are told in
PFIF's own words (``publish_feeds``); undone, they are told that as well.
"""

from dataclasses import dataclass

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.duplicates import Duplicate, DuplicateStatus
from reunite.cases.photos import CasePhoto
from reunite.kernel.ids import CaseId, DuplicateId
from reunite.ports import Look, LookPurpose, Transaction


@dataclass(frozen=True, slots=True)
class DuplicateSide:
    """One of the two records."""

    case: Case
    photo: CasePhoto | None


@dataclass(frozen=True, slots=True)
class DuplicateView:
    """A pair with both records."""

    pair: Duplicate
    first: DuplicateSide
    second: DuplicateSide

    def other(self, case_id: CaseId) -> DuplicateSide:
        """The record beside this one."""
        return self.second if case_id == self.first.case.id else self.first


def list_duplicates(
    services: Services,
    actor: Actor | None,
    status: DuplicateStatus = DuplicateStatus.SUGGESTED,
    *,
    limit: int = 50,
    offset: int = 0,
) -> list[DuplicateView]:
    """Pairs of open records, the weightiest first."""
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        pairs = transaction.duplicates.list_with_status(status, limit=limit, offset=offset)
        return _views(transaction, pairs)


def list_duplicates_of(
    services: Services, actor: Actor | None, reference: str
) -> list[DuplicateView]:
    """Pairs that a record belongs to, apart from those that are two people.

    Raises NotFoundError.
    """
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
        pairs = transaction.duplicates.list_of_cases([case.id])
        told = [one for one in pairs if one.status is not DuplicateStatus.SEPARATE]
        return _views(transaction, told)


def get_duplicate(
    services: Services, actor: Actor | None, duplicate_id: DuplicateId
) -> DuplicateView:
    """One pair for comparison; the look at both faces is logged.  Raises NotFoundError."""
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        pair = transaction.duplicates.get(duplicate_id)
        now = services.clock.now()
        transaction.looks.add(
            [Look(actor.account_id, one, LookPurpose.REVIEW, now) for one in pair.case_ids]
        )
        return _views(transaction, [pair])[0]


def decide_duplicate(
    services: Services,
    actor: Actor | None,
    duplicate_id: DuplicateId,
    status: DuplicateStatus,
    note: str = "",
) -> None:
    """Link two records, or take them for two people; a link is undone in the same way.

    Raises NotFoundError; ConflictError ``duplicate_decided`` where they stand like that already.
    """
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        pair = transaction.duplicates.get(duplicate_id, lock=True)
        pair.decide(actor.account_id, status, services.clock.now(), note.strip())
        transaction.duplicates.save(pair)


def _views(transaction: Transaction, pairs: list[Duplicate]) -> list[DuplicateView]:
    ids = sorted({case_id for pair in pairs for case_id in pair.case_ids})
    cases = transaction.cases.get_many(ids)
    photos = transaction.photos.list_of_cases(ids)
    sides = {
        case_id: DuplicateSide(
            cases[case_id], next((one for one in photos[case_id] if one.chosen is not None), None)
        )
        for case_id in ids
    }
    return [
        DuplicateView(pair, sides[pair.first_case_id], sides[pair.second_case_id]) for pair in pairs
    ]
