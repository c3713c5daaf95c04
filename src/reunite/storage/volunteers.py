"""Volunteers in PostgreSQL."""

from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from reunite.alerts.positions import (
    NOBODY,
    Positions,
    language_bits,
    last_entries,
    module_bits,
    no_positions,
)
from reunite.alerts.volunteers import Volunteer
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.ports import VolunteerChange
from reunite.storage.copying import psycopg_connection
from reunite.storage.tables import volunteer_changes, volunteers

Int64 = npt.NDArray[np.int64]

# Packed: ten million positions are three values of the answer instead of ten million rows.
_PACKED = """
    string_agg(int8send(account_id), ''::bytea), string_agg(int8send(cell), ''::bytea),
    string_agg(
        int2send((modules | (%(first_language)s << (array_position(%(languages)s, language) - 1))
        )::smallint),
        ''::bytea
    )
"""
_EVERYONE = f"SELECT {_PACKED} FROM volunteers".encode()  # noqa: S608  (no value is in it)
_THESE = (
    f"SELECT {_PACKED} FROM volunteers"  # noqa: S608
    " WHERE account_id = ANY(%(account_ids)s::bigint[])"
).encode()

# Locked in one order, so that two batches that share people do not wait for one another.
_MOVE = b"""
    WITH moved AS (
        SELECT account_id, wanted.cell
        FROM volunteers
        JOIN unnest(%(account_ids)s::bigint[], %(cells)s::bigint[]) AS wanted (account_id, cell)
            USING (account_id)
        WHERE volunteers.cell <> wanted.cell
        ORDER BY account_id FOR UPDATE OF volunteers
    )
    UPDATE volunteers SET cell = moved.cell FROM moved
    WHERE volunteers.account_id = moved.account_id
"""

_POSITION = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
# One statement, hence one snapshot: what it does not see is not yet behind the new position.
_CHANGED = text("""
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS position,
           string_agg(account_ids, ''::bytea) AS account_ids
    FROM volunteer_changes WHERE xact >= :position
""")


class PostgresVolunteers:
    """Implements ``VolunteerRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, volunteer: Volunteer) -> None:
        """Join, or change what was said when joining."""
        said = {
            "cell": volunteer.cell,
            "place_label": volunteer.place_label,
            "modules": module_bits(volunteer.modules),
            "language": volunteer.language.value,
            "joined_at": volunteer.joined_at,
        }
        self._connection.execute(
            insert(volunteers)
            .values(account_id=volunteer.account_id, **said)
            .on_conflict_do_update(index_elements=["account_id"], set_=said)
        )

    def move(self, account_ids: Int64, cells: Int64) -> int:
        """Put volunteers into other cells, thousands at a time; how many were in another one."""
        last = last_entries(account_ids)
        with psycopg_connection(self._connection).cursor(binary=True) as cursor:
            wanted = {"account_ids": account_ids[last].tolist(), "cells": cells[last].tolist()}
            return cursor.execute(_MOVE, wanted).rowcount

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
            modules=frozenset(
                module for module in Module if row["modules"] & module_bits([module])
            ),
            joined_at=row["joined_at"],
            language=Language(row["language"]),
        )

    def delete(self, account_id: AccountId) -> None:
        self._connection.execute(delete(volunteers).where(volunteers.c.account_id == account_id))

    def positions(self) -> Positions:
        """Where everyone is."""
        return self._read(_EVERYONE, {})

    def position(self) -> int:
        """Where the stream of changes stands now; take it before reading everyone."""
        stands: int = self._connection.execute(_POSITION).scalar_one()
        return stands

    def changes_since(self, position: int) -> VolunteerChange:
        """Who has come, moved or gone, and where they are now.

        The new position is the oldest transaction that is still open: one that commits late
        is then read again.  Positions are read after the ids: they may be newer than the
        stream, which tells of them again.
        """
        row = self._connection.execute(_CHANGED, {"position": position}).one()
        if row.account_ids is None:
            return VolunteerChange(no_positions(), row.position)
        changed = np.unique(np.frombuffer(row.account_ids, dtype=">i8").astype(np.int64))
        present = self._read(_THESE, {"account_ids": changed.tolist()})
        gone = np.setdiff1d(changed, present.account_ids)
        positions = Positions(
            np.concatenate([present.account_ids, gone]),
            np.concatenate([present.cells, np.zeros(len(gone), dtype=np.int64)]),
            np.concatenate([present.opt_ins, np.full(len(gone), NOBODY, dtype=np.uint8)]),
        )
        return VolunteerChange(positions, row.position)

    def forget_changes_before(self, at: datetime) -> int:
        """Shorten the stream of changes; how many entries went."""
        return self._connection.execute(
            delete(volunteer_changes).where(volunteer_changes.c.at < at)
        ).rowcount

    def count(self) -> int:
        """How many volunteers there are."""
        counted = select(func.count()).select_from(volunteers)
        return int(self._connection.execute(counted).scalar_one())

    def _read(self, query: bytes, parameters: dict[str, object]) -> Positions:
        parameters |= {
            "languages": [language.value for language in Language],
            "first_language": language_bits(list(Language)[:1]),
        }
        with psycopg_connection(self._connection).cursor(binary=True) as cursor:
            answer: Any = cursor.execute(query, parameters).fetchone()
        account_ids, cells, opt_ins = (part or b"" for part in answer)
        return Positions(
            np.frombuffer(account_ids, dtype=">i8").astype(np.int64),
            np.frombuffer(cells, dtype=">i8").astype(np.int64),
            np.frombuffer(opt_ins, dtype=">i2").astype(np.uint8),
        )
