"""Volunteers in PostgreSQL."""

from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from reunite.alerts.positions import (
    EXPIRES,
    Positions,
    language_bits,
    last_entries,
    mark_several,
    module_bits,
    no_positions,
    nowhere,
)
from reunite.alerts.pushing import QuietHours
from reunite.alerts.volunteers import (
    POSITION_RENEWED_AFTER,
    POSITION_TTL,
    PlaceKind,
    Volunteer,
    VolunteerPlace,
)
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.ports import VolunteerChange
from reunite.storage.copying import psycopg_connection
from reunite.storage.tables import time_zones, volunteer_changes, volunteer_places, volunteers

Int64 = npt.NDArray[np.int64]

# Packed: ten million places are five values of the answer instead of ten million rows.
_PACKED = """
    SELECT string_agg(int8send(account_id), ''::bytea), string_agg(int8send(cell), ''::bytea),
    string_agg(
        int2send((modules | (%(first_language)s << (array_position(%(languages)s, language) - 1))
            | CASE WHEN expires_at IS NULL THEN 0 ELSE %(expires)s END)::smallint),
        ''::bytea
    ),
    string_agg(int8send(coalesce(ceil(extract(epoch FROM expires_at))::bigint, 0)), ''::bytea),
    string_agg(
        int4send(weekly_pushes | (quiet_from::int << 4) | (quiet_until::int << 9)
            | (time_zone_id::int << 14)),
        ''::bytea
    )
    FROM volunteer_places JOIN volunteers USING (account_id)
"""
_EVERYONE = _PACKED.encode()
_THESE = f"{_PACKED} WHERE account_id = ANY(%(account_ids)s::bigint[])".encode()

# Locked in one order, so that two batches that share people do not wait for one another.
# Within a cell a place is only written when that keeps it from expiring.
_MOVE = b"""
    WITH moved AS (
        SELECT account_id, wanted.cell
        FROM volunteer_places AS place
        JOIN unnest(%(account_ids)s::bigint[], %(cells)s::bigint[]) AS wanted (account_id, cell)
            USING (account_id)
        WHERE kind = 'here' AND (place.cell <> wanted.cell OR expires_at < %(renewed_before)s)
        ORDER BY account_id FOR UPDATE OF place
    )
    UPDATE volunteer_places AS place
    SET cell = moved.cell, said_at = %(now)s, expires_at = %(expires_at)s
    FROM moved WHERE place.account_id = moved.account_id AND kind = 'here'
"""

_HERE = b"""
    SELECT account_id, cell, place_label, said_at, expires_at FROM volunteer_places
    WHERE kind = 'here' AND account_id = ANY(%(account_ids)s::bigint[])
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
            "modules": module_bits(volunteer.modules),
            "language": volunteer.language.value,
            "joined_at": volunteer.joined_at,
            "weekly_pushes": volunteer.weekly_pushes,
            "quiet_from": volunteer.quiet.from_hour,
            "quiet_until": volunteer.quiet.until_hour,
            "time_zone_id": self._time_zone_id(volunteer.time_zone),
        }
        self._connection.execute(
            insert(volunteers)
            .values(account_id=volunteer.account_id, **said)
            .on_conflict_do_update(index_elements=["account_id"], set_=said)
        )
        places = volunteer_places
        self._connection.execute(
            delete(places)
            .where(places.c.account_id == volunteer.account_id)
            .where(places.c.kind.not_in([place.kind.value for place in volunteer.places]))
        )
        for place in volunteer.places:
            columns = {
                "cell": place.cell,
                "place_label": place.place_label,
                "said_at": place.said_at,
                "expires_at": place.expires_at,
            }
            self._connection.execute(
                insert(places)
                .values(account_id=volunteer.account_id, kind=place.kind.value, **columns)
                .on_conflict_do_update(index_elements=["account_id", "kind"], set_=columns)
            )

    def move(self, account_ids: Int64, cells: Int64, now: datetime) -> int:
        """Put the devices of volunteers into other cells; how many places were written."""
        last = last_entries(account_ids)
        with psycopg_connection(self._connection).cursor(binary=True) as cursor:
            wanted = {
                "account_ids": account_ids[last].tolist(),
                "cells": cells[last].tolist(),
                "now": now,
                "expires_at": now + POSITION_TTL,
                "renewed_before": now + POSITION_TTL - POSITION_RENEWED_AFTER,
            }
            return cursor.execute(_MOVE, wanted).rowcount

    def find_here(self, account_ids: Int64) -> dict[AccountId, VolunteerPlace]:
        """Where the devices of those of them are who share it."""
        with psycopg_connection(self._connection).cursor(binary=True) as cursor:
            rows: list[Any] = cursor.execute(
                _HERE, {"account_ids": account_ids.tolist()}
            ).fetchall()
        return {
            AccountId(account_id): VolunteerPlace(PlaceKind.HERE, cell, label, said_at, expires_at)
            for account_id, cell, label, said_at, expires_at in rows
        }

    def find(self, account_id: AccountId, *, lock: bool = False) -> Volunteer | None:
        """What somebody said, with their places in the order of kinds."""
        wanted = (
            select(volunteers, time_zones.c.name)
            .join(time_zones, time_zones.c.id == volunteers.c.time_zone_id)
            .where(volunteers.c.account_id == account_id)
        )
        if lock:
            wanted = wanted.with_for_update(of=volunteers)
        row = self._connection.execute(wanted).mappings().one_or_none()
        if row is None:
            return None
        volunteer = Volunteer(
            account_id=AccountId(row["account_id"]),
            places=(),
            modules=frozenset(
                module for module in Module if row["modules"] & module_bits([module])
            ),
            joined_at=row["joined_at"],
            language=Language(row["language"]),
            weekly_pushes=row["weekly_pushes"],
            quiet=QuietHours(row["quiet_from"], row["quiet_until"]),
            time_zone=row["name"],
        )
        of_account = select(volunteer_places).where(volunteer_places.c.account_id == account_id)
        for place in self._connection.execute(of_account):
            volunteer.set_place(
                VolunteerPlace(
                    kind=PlaceKind(place.kind),
                    cell=place.cell,
                    place_label=place.place_label,
                    said_at=place.said_at,
                    expires_at=place.expires_at,
                )
            )
        return volunteer

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
        return VolunteerChange(Positions.together(present, nowhere(gone)), row.position)

    def forget_changes_before(self, at: datetime) -> int:
        """Shorten the stream of changes; how many entries went."""
        return self._connection.execute(
            delete(volunteer_changes).where(volunteer_changes.c.at < at)
        ).rowcount

    def time_zones(self) -> dict[int, str]:
        """Names of the time zones by the numbers that rules of pushes hold."""
        rows = self._connection.execute(select(time_zones.c.id, time_zones.c.name))
        return {row.id: row.name for row in rows}

    def count(self) -> int:
        """How many volunteers there are."""
        counted = select(func.count()).select_from(volunteers)
        return int(self._connection.execute(counted).scalar_one())

    def _time_zone_id(self, name: str) -> int:
        known = select(time_zones.c.id).where(time_zones.c.name == name)
        found = self._connection.execute(known).scalar_one_or_none()
        if found is None:
            # Somebody else may be first: then theirs is read.
            self._connection.execute(insert(time_zones).values(name=name).on_conflict_do_nothing())
            found = self._connection.execute(known).scalar_one()
        return int(found)

    def _read(self, query: bytes, parameters: dict[str, object]) -> Positions:
        parameters |= {
            "languages": [language.value for language in Language],
            "first_language": language_bits(list(Language)[:1]),
            "expires": EXPIRES,
        }
        with psycopg_connection(self._connection).cursor(binary=True) as cursor:
            answer: Any = cursor.execute(query, parameters).fetchone()
        account_ids, cells, opt_ins, expires_at, push_rules = (part or b"" for part in answer)
        return mark_several(
            Positions(
                np.frombuffer(account_ids, dtype=">i8").astype(np.int64),
                np.frombuffer(cells, dtype=">i8").astype(np.int64),
                np.frombuffer(opt_ins, dtype=">i2").astype(np.uint8),
                np.frombuffer(expires_at, dtype=">i8").astype(np.uint32),
                np.frombuffer(push_rules, dtype=">i4").astype(np.int32),
            )
        )
