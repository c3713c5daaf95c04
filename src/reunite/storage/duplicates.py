"""Pairs of records of one side in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Select, and_, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from reunite.cases.case import OPEN_STATUSES
from reunite.cases.duplicates import (
    Duplicate,
    DuplicateDecision,
    DuplicateSource,
    DuplicateStatus,
)
from reunite.cases.leads import LeadEvidence
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, CaseId, DuplicateId
from reunite.storage.tables import cases, duplicate_decisions, duplicates


class PostgresDuplicates:
    """Implements ``DuplicateRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def suggest(self, pair: Duplicate) -> DuplicateId | None:
        """Write a new pair; None when it is known already, separated ones included.

        A pair that nobody has decided is given what is known better now.
        """
        offered = insert(duplicates).values(
            first_case_id=pair.first_case_id,
            second_case_id=pair.second_case_id,
            suggested_at=pair.suggested_at,
            bits=float(pair.bits),
            evidence=[asdict(one) for one in pair.evidence],
            source=pair.source.value,
            status=pair.status.value,
        )
        written = self._connection.execute(
            offered.on_conflict_do_update(
                index_elements=["first_case_id", "second_case_id"],
                set_={"bits": offered.excluded.bits, "evidence": offered.excluded.evidence},
                where=and_(
                    duplicates.c.status == DuplicateStatus.SUGGESTED.value,
                    duplicates.c.bits != offered.excluded.bits,
                ),
            ).returning(duplicates.c.id, literal_column("xmax = 0").label("is_new"))
        ).one_or_none()
        if written is None or not written.is_new:
            return None
        pair.id = DuplicateId(written.id)
        self._add_decisions(pair, stored=0)
        return pair.id

    def get(self, duplicate_id: DuplicateId, *, lock: bool = False) -> Duplicate:
        """Raises NotFoundError."""
        wanted = select(duplicates).where(duplicates.c.id == duplicate_id)
        found = self._list(wanted.with_for_update() if lock else wanted)
        if not found:
            raise NotFoundError
        return found[0]

    def save(self, pair: Duplicate) -> None:
        """Write status and new decisions.  Raises NotFoundError."""
        saved = self._connection.execute(
            update(duplicates).where(duplicates.c.id == pair.id).values(status=pair.status.value)
        )
        if saved.rowcount == 0:
            raise NotFoundError
        counted = select(func.count()).where(duplicate_decisions.c.duplicate_id == pair.id)
        self._add_decisions(pair, self._connection.execute(counted).scalar_one())

    def list_with_status(
        self, status: DuplicateStatus, *, limit: int = 50, offset: int = 0
    ) -> list[Duplicate]:
        """Pairs of open cases, the weightiest first."""
        first, second = cases.alias(), cases.alias()
        open_statuses = [one.value for one in OPEN_STATUSES]
        return self._list(
            select(duplicates)
            .join(first, first.c.id == duplicates.c.first_case_id)
            .join(second, second.c.id == duplicates.c.second_case_id)
            .where(first.c.status.in_(open_statuses), second.c.status.in_(open_statuses))
            .where(duplicates.c.status == status.value)
            .order_by(duplicates.c.bits.desc(), duplicates.c.id)
            .limit(limit)
            .offset(offset)
        )

    def list_of_cases(self, case_ids: Sequence[CaseId]) -> list[Duplicate]:
        """Every pair that one of these records belongs to, by id."""
        wanted = set(case_ids)
        return self._list(
            select(duplicates)
            .where(
                or_(
                    duplicates.c.first_case_id.in_(wanted),
                    duplicates.c.second_case_id.in_(wanted),
                )
            )
            .order_by(duplicates.c.id)
        )

    def _list(self, wanted: Select[Any]) -> list[Duplicate]:
        rows = self._connection.execute(wanted).mappings().all()
        decisions = self._decisions_of([row["id"] for row in rows])
        return [
            Duplicate(
                first_case_id=CaseId(row["first_case_id"]),
                second_case_id=CaseId(row["second_case_id"]),
                suggested_at=row["suggested_at"],
                bits=row["bits"],
                evidence=[LeadEvidence(**one) for one in row["evidence"]],
                source=DuplicateSource(row["source"]),
                status=DuplicateStatus(row["status"]),
                decisions=decisions[row["id"]],
                id=DuplicateId(row["id"]),
            )
            for row in rows
        ]

    def _decisions_of(self, ids: Sequence[int]) -> dict[int, list[DuplicateDecision]]:
        listed: dict[int, list[DuplicateDecision]] = {one: [] for one in ids}
        if not listed:
            return listed
        table = duplicate_decisions
        rows = self._connection.execute(
            select(table)
            .where(table.c.duplicate_id.in_(listed))
            .order_by(table.c.duplicate_id, table.c.sequence)
        ).mappings()
        for row in rows:
            listed[row["duplicate_id"]].append(
                DuplicateDecision(
                    AccountId(row["by"]), DuplicateStatus(row["status"]), row["at"], row["note"]
                )
            )
        return listed

    def _add_decisions(self, pair: Duplicate, stored: int) -> None:
        rows = [
            {
                "duplicate_id": pair.id,
                "sequence": sequence,
                "by": one.by,
                "status": one.status.value,
                "at": one.at,
                "note": one.note,
            }
            for sequence, one in enumerate(pair.decisions)
            if sequence >= stored
        ]
        if rows:
            self._connection.execute(insert(duplicate_decisions), rows)
