"""Stations, their clerks and residents in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from reunite.cases.case import OPEN_STATUSES
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, CaseId, StationId
from reunite.partners.stations.station import Station
from reunite.ports import ResidentRecord
from reunite.storage.rows import columns_of_point, point_of
from reunite.storage.tables import cases, residents, station_clerks, stations


class PostgresStations:
    """Implements ``StationRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, station: Station) -> StationId:
        """Sets ``station.id``.  Raises ConflictError ``station_exists``."""
        added = self._connection.execute(
            insert(stations)
            .values(created_at=station.created_at, **_columns(station))
            .on_conflict_do_nothing(index_elements=["name"])
            .returning(stations.c.id)
        ).scalar()
        if added is None:
            raise ConflictError("station_exists")
        station.id = StationId(added)
        return station.id

    def get(self, station_id: StationId) -> Station:
        """Raises NotFoundError."""
        found = self._find(select(stations).where(stations.c.id == station_id))
        if found is None:
            raise NotFoundError
        return found

    def find_by_name(self, name: str) -> Station | None:
        return self._find(select(stations).where(stations.c.name == name))

    def list_all(self) -> list[Station]:
        """By name."""
        rows = self._connection.execute(select(stations).order_by(stations.c.name.collate("C")))
        return [_station(row) for row in rows.mappings()]

    def save(self, station: Station) -> None:
        """Raises NotFoundError."""
        saved = self._connection.execute(
            update(stations).where(stations.c.id == station.id).values(**_columns(station))
        )
        if saved.rowcount == 0:
            raise NotFoundError

    def set_clerk(self, account_id: AccountId, station_id: StationId | None) -> None:
        """Somebody works for this station, and for no other one; None: for none."""
        self._connection.execute(
            delete(station_clerks).where(station_clerks.c.account_id == account_id)
        )
        if station_id is not None:
            self.get(station_id)
            self._connection.execute(
                insert(station_clerks).values(account_id=account_id, station_id=station_id)
            )

    def find_of_clerk(self, account_id: AccountId) -> Station | None:
        return self._find(
            select(stations)
            .join(station_clerks, station_clerks.c.station_id == stations.c.id)
            .where(station_clerks.c.account_id == account_id)
        )

    def known(self, station_id: StationId, numbers: Sequence[str]) -> dict[str, ResidentRecord]:
        """Records by the station's numbers, as far as there are any."""
        rows = self._connection.execute(
            select(residents)
            .where(residents.c.station_id == station_id)
            .where(residents.c.number == func.any(list(numbers)))
        )
        return {
            row.number: ResidentRecord(station_id, row.number, CaseId(row.case_id), row.digest)
            for row in rows
        }

    def put_residents(self, written: Sequence[ResidentRecord]) -> None:
        """Write records; one that is there already is given the new digest."""
        if not written:
            return
        offered = insert(residents)
        self._connection.execute(
            offered.on_conflict_do_update(
                index_elements=["station_id", "number"], set_={"digest": offered.excluded.digest}
            ),
            [
                {
                    "station_id": one.station_id,
                    "number": one.number,
                    "case_id": one.case_id,
                    "digest": one.digest,
                }
                for one in written
            ],
        )

    def count_residents(self, station_id: StationId) -> int:
        """Residents whose case is open."""
        return self._connection.execute(
            select(func.count())
            .select_from(residents.join(cases, cases.c.id == residents.c.case_id))
            .where(residents.c.station_id == station_id)
            .where(cases.c.status.in_([status.value for status in OPEN_STATUSES]))
        ).scalar_one()

    def station_of_case(self, case_id: CaseId) -> Station | None:
        return self._find(
            select(stations)
            .join(residents, residents.c.station_id == stations.c.id)
            .where(residents.c.case_id == case_id)
        )

    def _find(self, wanted: Select[Any]) -> Station | None:
        row = self._connection.execute(wanted).mappings().one_or_none()
        return None if row is None else _station(row)


def _columns(station: Station) -> dict[str, Any]:
    return {
        "name": station.name,
        "region": station.region,
        "place_label": station.place_label,
        **columns_of_point(station.place),
        "capacity": station.capacity,
        "contact": station.contact,
        "columns": dict(station.columns),
    }


def _station(row: RowMapping) -> Station:
    return Station(
        name=row["name"],
        created_at=row["created_at"],
        region=row["region"],
        place_label=row["place_label"],
        place=point_of(row["latitude"], row["longitude"]),
        capacity=row["capacity"],
        contact=row["contact"],
        columns=dict(row["columns"]),
        id=StationId(row["id"]),
    )
