"""Stations, backgrounds and linkage keys in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from reunite.cases.background import Background
from reunite.cases.case import Case
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, CaseId, StationId
from reunite.kernel.people import Side
from reunite.partners.stations.station import Station
from reunite.ports import CaseKeys, ResidentRecord
from reunite.testing.memory_accounts import require_account
from reunite.testing.memory_cases import require_case
from reunite.testing.memory_tables import MemorySession, Table


@dataclass(frozen=True, slots=True)
class _Clerk:
    station_id: StationId


class MemoryStations:
    """Implements ``StationRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._stations: Table[StationId, Station] = session.table("stations")
        self._clerks: Table[AccountId, _Clerk] = session.table("station_clerks")
        self._residents: Table[tuple[StationId, str], ResidentRecord] = session.table("residents")

    def add(self, station: Station) -> StationId:
        self._session.hold("stations.name", station.name)
        if self.find_by_name(station.name) is not None:
            raise ConflictError("station_exists")
        station.id = StationId(self._session.store.next_id("stations"))
        self._stations.put(station.id, _copy(station))
        return station.id

    def get(self, station_id: StationId) -> Station:
        station = self._stations.get(station_id)
        if station is None:
            raise NotFoundError
        return _copy(station)

    def find_by_name(self, name: str) -> Station | None:
        found = self._stations.values(lambda one: one.name == name)
        return _copy(found[0]) if found else None

    def list_all(self) -> list[Station]:
        return sorted(map(_copy, self._stations.values()), key=lambda one: one.name)

    def save(self, station: Station) -> None:
        stored = self.get(station.id)
        self._stations.put(station.id, replace(_copy(station), created_at=stored.created_at))

    def set_clerk(self, account_id: AccountId, station_id: StationId | None) -> None:
        if station_id is None:
            self._clerks.delete(account_id)
            return
        require_account(self._session, account_id)
        self.get(station_id)
        self._clerks.put(account_id, _Clerk(station_id))

    def find_of_clerk(self, account_id: AccountId) -> Station | None:
        clerk = self._clerks.get(account_id)
        return None if clerk is None else self.get(clerk.station_id)

    def known(self, station_id: StationId, numbers: Sequence[str]) -> dict[str, ResidentRecord]:
        found = {number: self._residents.get((station_id, number)) for number in numbers}
        return {number: one for number, one in found.items() if one is not None}

    def put_residents(self, written: Sequence[ResidentRecord]) -> None:
        for one in written:
            require_case(self._session, one.case_id)
            self.get(one.station_id)
            before = self._residents.get((one.station_id, one.number))
            kept = one if before is None else replace(before, digest=one.digest)
            self._residents.put((one.station_id, one.number), kept)

    def count_residents(self, station_id: StationId) -> int:
        cases: Table[CaseId, Case] = self._session.table("cases")
        mine = self._residents.values(lambda one: one.station_id == station_id)
        return sum((case := cases.get(one.case_id)) is not None and case.is_open for one in mine)

    def station_of_case(self, case_id: CaseId) -> Station | None:
        found = self._residents.values(lambda one: one.case_id == case_id)
        return self.get(found[0].station_id) if found else None


def _copy(station: Station) -> Station:
    return replace(station, columns=dict(station.columns))


class MemoryBackgrounds:
    """Implements ``BackgroundRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._backgrounds: Table[CaseId, Background] = session.table("backgrounds")

    def put(self, written: Mapping[CaseId, Background]) -> None:
        for case_id, one in written.items():
            require_case(self._session, case_id)
            self._backgrounds.put(case_id, one)

    def get_many(self, case_ids: Sequence[CaseId]) -> dict[CaseId, Background]:
        found = {case_id: self._backgrounds.get(case_id) for case_id in case_ids}
        return {case_id: one for case_id, one in found.items() if one is not None}

    def erase(self, case_id: CaseId) -> None:
        self._backgrounds.delete(case_id)


@dataclass(frozen=True, slots=True)
class _Night:
    day: date


class MemoryLinkage:
    """Implements ``LinkageRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._keys: Table[CaseId, CaseKeys] = session.table("linkage_keys")
        self._nights: Table[date, _Night] = session.table("linkage_nights")

    def put(self, records: Sequence[CaseKeys]) -> None:
        for one in records:
            require_case(self._session, one.case_id)
            self._keys.put(one.case_id, one)

    def erase(self, case_id: CaseId) -> None:
        self._keys.delete(case_id)

    def claim_night(self, night: date) -> bool:
        self._session.hold("linkage_nights", night)
        if night in self._nights:
            return False
        self._nights.put(night, _Night(night))
        return True

    def candidates(self, keys: Sequence[int], side: Side, limit: int) -> list[tuple[CaseId, int]]:
        wanted = set(keys)
        hits = Counter(
            {
                one.case_id: len(wanted & set(one.keys))
                for one in self._keys.values(lambda one: one.side is side)
            }
        )
        shared = [(case_id, count) for case_id, count in hits.items() if count]
        return sorted(shared, key=lambda one: (-one[1], -one[0]))[:limit]
