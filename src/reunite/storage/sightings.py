"""Sightings in PostgreSQL."""

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select, update
from sqlalchemy.dialects.postgresql import insert

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
            .values(photo_key=None, text="", place_label="", **columns_of_point(None))
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
    }


def _sighting(row: RowMapping) -> Sighting:
    decided_by = row["decided_by"]
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
        id=SightingId(row["id"]),
    )
