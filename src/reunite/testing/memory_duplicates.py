"""Pairs of records of one side in memory."""

from collections.abc import Sequence
from dataclasses import replace

from reunite.cases.case import OPEN_STATUSES, Case
from reunite.cases.duplicates import Duplicate, DuplicateStatus
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import CaseId, DuplicateId
from reunite.testing.memory_accounts import require_account
from reunite.testing.memory_cases import require_case
from reunite.testing.memory_tables import MemorySession, Table


class MemoryDuplicates:
    """Implements ``DuplicateRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._pairs: Table[DuplicateId, Duplicate] = session.table("duplicates")

    def suggest(self, pair: Duplicate) -> DuplicateId | None:
        for case_id in pair.case_ids:
            require_case(self._session, case_id)
        self._session.hold("duplicates.pair", pair.case_ids)
        known = self._pairs.values(lambda one: one.case_ids == pair.case_ids)
        if not known:
            pair.id = DuplicateId(self._session.store.next_id("duplicates"))
            self._pairs.put(pair.id, pair)
            return pair.id
        self._session.hold("duplicates", known[0].id)
        stored = self.get(known[0].id)
        if stored.status is DuplicateStatus.SUGGESTED and stored.bits != pair.bits:
            better = replace(stored, bits=pair.bits, evidence=list(pair.evidence))
            self._pairs.put(stored.id, better)
        return None

    def get(self, duplicate_id: DuplicateId, *, lock: bool = False) -> Duplicate:
        if lock and duplicate_id in self._pairs:
            self._session.hold("duplicates", duplicate_id)
        pair = self._pairs.get(duplicate_id)
        if pair is None:
            raise NotFoundError
        return pair

    def save(self, pair: Duplicate) -> None:
        self._session.hold("duplicates", pair.id)
        stored = self.get(pair.id)
        for decision in pair.decisions:
            require_account(self._session, decision.by)
        decisions = stored.decisions + pair.decisions[len(stored.decisions) :]
        self._pairs.put(pair.id, replace(stored, status=pair.status, decisions=decisions))

    def list_with_status(
        self, status: DuplicateStatus, *, limit: int = 50, offset: int = 0
    ) -> list[Duplicate]:
        listed = [
            pair
            for pair in self._pairs.values(lambda one: one.status is status)
            if all(self._is_open(case_id) for case_id in pair.case_ids)
        ]
        return sorted(listed, key=lambda one: (-one.bits, one.id))[offset : offset + limit]

    def list_of_cases(self, case_ids: Sequence[CaseId]) -> list[Duplicate]:
        wanted = set(case_ids)
        found = self._pairs.values(lambda one: not wanted.isdisjoint(one.case_ids))
        return sorted(found, key=lambda one: one.id)

    def _is_open(self, case_id: CaseId) -> bool:
        case: Case | None = self._session.table("cases").get(case_id)
        return case is not None and case.status in OPEN_STATUSES
