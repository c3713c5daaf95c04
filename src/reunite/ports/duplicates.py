"""Where pairs of records of one side are kept."""

from collections.abc import Sequence
from typing import Protocol

from reunite.cases.duplicates import Duplicate, DuplicateStatus
from reunite.kernel.ids import CaseId, DuplicateId


class DuplicateRepository(Protocol):
    """Suggested, linked and separated pairs, with the decisions on them."""

    def suggest(self, pair: Duplicate) -> DuplicateId | None:
        """Write a new pair; None when it is known already, separated ones included.

        A pair that nobody has decided is given what is known better now.
        """
        ...

    def get(self, duplicate_id: DuplicateId, *, lock: bool = False) -> Duplicate:
        """Raises NotFoundError."""
        ...

    def save(self, pair: Duplicate) -> None:
        """Write status and new decisions.  Raises NotFoundError."""
        ...

    def list_with_status(
        self, status: DuplicateStatus, *, limit: int = 50, offset: int = 0
    ) -> list[Duplicate]:
        """Pairs of open cases, the weightiest first."""
        ...

    def list_of_cases(self, case_ids: Sequence[CaseId]) -> list[Duplicate]:
        """Every pair that one of these records belongs to, by id."""
        ...
