"""Volunteers in PostgreSQL."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from reunite.alerts.audience import Positions
from reunite.alerts.volunteers import Volunteer
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.storage.copying import psycopg_connection
from reunite.storage.tables import volunteers

# Packed: ten million positions are two values of the answer instead of ten million rows.
_POSITIONS = b"""
    SELECT string_agg(int8send(account_id), ''), string_agg(int8send(cell), '')
    FROM volunteers WHERE modules & %(module)s <> 0
"""


class PostgresVolunteers:
    """Implements ``VolunteerRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, volunteer: Volunteer) -> None:
        """Join, or change what was said when joining."""
        said = {
            "cell": volunteer.cell,
            "place_label": volunteer.place_label,
            "modules": _bits(volunteer.modules),
            "language": volunteer.language.value,
            "joined_at": volunteer.joined_at,
        }
        self._connection.execute(
            insert(volunteers)
            .values(account_id=volunteer.account_id, **said)
            .on_conflict_do_update(index_elements=["account_id"], set_=said)
        )

    def find(self, account_id: AccountId) -> Volunteer | None:
        row = (
            self._connection.execute(
                select(volunteers).where(volunteers.c.account_id == account_id)
            )
            .mappings()
            .one_or_none()
        )
        if row is None:
            return None
        return Volunteer(
            account_id=AccountId(row["account_id"]),
            cell=row["cell"],
            place_label=row["place_label"],
            modules=frozenset(module for module in Module if row["modules"] & _bits([module])),
            joined_at=row["joined_at"],
            language=Language(row["language"]),
        )

    def delete(self, account_id: AccountId) -> None:
        self._connection.execute(delete(volunteers).where(volunteers.c.account_id == account_id))

    def positions(self, module: Module) -> Positions:
        """Where everyone is who opted in to a module."""
        with psycopg_connection(self._connection).cursor(binary=True) as cursor:
            answer: Any = cursor.execute(_POSITIONS, {"module": _bits([module])}).fetchone()
        account_ids, cells = (
            np.frombuffer(part or b"", dtype=">i8").astype(np.int64) for part in answer
        )
        return Positions(account_ids=account_ids, cells=cells)

    def count(self) -> int:
        """How many volunteers there are."""
        counted = select(func.count()).select_from(volunteers)
        return int(self._connection.execute(counted).scalar_one())


def _bits(modules: Iterable[Module]) -> int:
    return sum(1 << int(module) for module in set(modules))
