"""The log of looks at faces in PostgreSQL."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from reunite.kernel.ids import AccountId, CaseId
from reunite.ports import Look, LookPurpose
from reunite.storage.tables import looks


class PostgresLooks:
    """Implements ``LookRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, new: Sequence[Look]) -> None:
        if new:
            self._connection.execute(
                insert(looks),
                [
                    {
                        "account_id": look.account_id,
                        "case_id": look.case_id,
                        "purpose": look.purpose.value,
                        "at": look.at,
                    }
                    for look in new
                ],
            )

    def list_of_case(self, case_id: CaseId, *, limit: int = 100) -> list[Look]:
        """The newest first."""
        rows = self._connection.execute(
            select(looks)
            .where(looks.c.case_id == case_id)
            .order_by(looks.c.at.desc(), looks.c.id.desc())
            .limit(limit)
        )
        return [
            Look(
                account_id=None if row.account_id is None else AccountId(row.account_id),
                case_id=CaseId(row.case_id),
                purpose=LookPurpose(row.purpose),
                at=row.at,
            )
            for row in rows
        ]
