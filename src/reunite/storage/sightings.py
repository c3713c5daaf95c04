"""Sightings in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert

from reunite.cases.plausibility import History
from reunite.cases.sightings import Sighting, SightingStatus
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, CaseId, SightingId
from reunite.storage.rows import columns_of_point, point_of
from reunite.storage.tables import sightings


class PostgresSightings:
    """Implements ``SightingRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, sighting: Sighting) -> SightingId:
        """Sets ``sighting.id``."""
        sighting.id = SightingId(
            self._connection.execute(
                insert(sightings).values(**_columns(sighting)).returning(sightings.c.id)
            ).scalar_one()
        )
        return sighting.id

    def get(self, sighting_id: SightingId, *, lock: bool = False) -> Sighting:
        """Raises NotFoundError."""
        wanted = select(sightings).where(sightings.c.id == sighting_id)
        found = self._list(wanted.with_for_update() if lock else wanted)
        if not found:
            raise NotFoundError
        return found[0]

    def save(self, sighting: Sighting) -> None:
        """Write everything about it.  Raises NotFoundError."""
        saved = self._connection.execute(
            update(sightings).where(sightings.c.id == sighting.id).values(**_columns(sighting))
        )
        if saved.rowcount == 0:
            raise NotFoundError

    def list_with_status(
        self, status: SightingStatus, *, limit: int = 50, offset: int = 0
    ) -> list[Sighting]:
        """The newest first."""
        return self._list(
            _newest_first().where(sightings.c.status == status.value).limit(limit).offset(offset)
        )

    def list_of_case(self, case_id: CaseId) -> list[Sighting]:
        """The newest first."""
        return self._list(_newest_first().where(sightings.c.case_id == case_id))

    def list_of_reporter(self, account_id: AccountId, *, limit: int = 50) -> list[Sighting]:
        """The newest first."""
        return self._list(_newest_first().where(sightings.c.reported_by == account_id).limit(limit))

    def find_sent(self, account_id: AccountId, case_id: CaseId, client_key: str) -> Sighting | None:
        """What a device has sent about a case under a key of its own."""
        found = self._list(
            select(sightings)
            .where(sightings.c.reported_by == account_id, sightings.c.case_id == case_id)
            .where(sightings.c.client_key == client_key)
        )
        return found[0] if found else None

    def count_since(self, account_id: AccountId, at: datetime) -> int:
        """How many somebody has sent since then."""
        counted = (
            select(func.count())
            .select_from(sightings)
            .where(sightings.c.reported_by == account_id, sightings.c.reported_at > at)
        )
        return int(self._connection.execute(counted).scalar_one())

    def count_of_case(self, case_id: CaseId) -> dict[SightingStatus, int]:
        """How many sightings of a case there are of each status."""
        rows = self._connection.execute(
            select(sightings.c.status, func.count().label("count"))
            .where(sightings.c.case_id == case_id)
            .group_by(sightings.c.status)
        )
        return {SightingStatus(row.status): int(row[1]) for row in rows}

    def histories(self, account_ids: Sequence[AccountId]) -> dict[AccountId, History]:
        """What reviewers made of the earlier sightings of these people."""
        decided = (
            select(
                sightings.c.reported_by,
                func.count().filter(sightings.c.status == "passed_on").label("passed_on"),
                func.count().filter(sightings.c.status == "unlikely").label("unlikely"),
            )
            .where(sightings.c.reported_by.in_(list(account_ids)))
            .group_by(sightings.c.reported_by)
        )
        return {
            AccountId(row.reported_by): History(row.passed_on, row.unlikely)
            for row in self._connection.execute(decided)
        }

    def erase_of_case(self, case_id: CaseId) -> list[str]:
        """Forget the words, places and photos sent for a case; the storage keys."""
        of_case = (
            select(sightings.c.id, sightings.c.photo_key)
            .where(sightings.c.case_id == case_id)
            .order_by(sightings.c.id)
            .with_for_update()
        )
        rows = self._connection.execute(of_case).all()
        self._connection.execute(
            update(sightings)
            .where(sightings.c.id.in_([row.id for row in rows]))
            .values(photo_key=None, text="", reply="", place_label="", **columns_of_point(None))
        )
        return [row.photo_key for row in rows if row.photo_key is not None]

    def _list(self, wanted: Select[Any]) -> list[Sighting]:
        return [_sighting(row) for row in self._connection.execute(wanted).mappings()]


def _newest_first() -> Select[Any]:
    return select(sightings).order_by(sightings.c.reported_at.desc(), sightings.c.id.desc())


def _columns(sighting: Sighting) -> dict[str, Any]:
    return {
        "case_id": sighting.case_id,
        "reported_by": sighting.reported_by,
        "reported_at": sighting.reported_at,
        "seen_at": sighting.seen_at,
        **columns_of_point(sighting.place),
        "place_label": sighting.place_label,
        "text": sighting.text,
        "photo_key": sighting.photo_key,
        "similarity": None if sighting.similarity is None else float(sighting.similarity),
        "status": sighting.status.value,
        "decided_by": sighting.decided_by,
        "decided_at": sighting.decided_at,
        "client_key": sighting.client_key,
        "reply": sighting.reply,
        "replied_by": sighting.replied_by,
        "replied_at": sighting.replied_at,
    }


def _sighting(row: RowMapping) -> Sighting:
    decided_by, replied_by = row["decided_by"], row["replied_by"]
    return Sighting(
        case_id=CaseId(row["case_id"]),
        reported_by=AccountId(row["reported_by"]),
        reported_at=row["reported_at"],
        seen_at=row["seen_at"],
        place=point_of(row["latitude"], row["longitude"]),
        place_label=row["place_label"],
        text=row["text"],
        photo_key=row["photo_key"],
        similarity=row["similarity"],
        status=SightingStatus(row["status"]),
        decided_by=None if decided_by is None else AccountId(decided_by),
        decided_at=row["decided_at"],
        client_key=row["client_key"],
        reply=row["reply"],
        replied_by=None if replied_by is None else AccountId(replied_by),
        replied_at=row["replied_at"],
        id=SightingId(row["id"]),
    )
