"""Where stations, what is known beyond looks, and the keys of linkage are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from reunite.cases.background import Background
from reunite.kernel.ids import AccountId, CaseId, StationId
from reunite.kernel.people import Side
from reunite.partners.stations.station import Station


@dataclass(frozen=True, slots=True)
class ResidentRecord:
    """Which case is the record that a station knows under a number of its own."""

    station_id: StationId
    number: str
    case_id: CaseId
    digest: str  # of what the station last said, pictures included


class StationRepository(Protocol):
    """Stations, their clerks, and whom they look after."""

    def add(self, station: Station) -> StationId:
        """Sets ``station.id``.  Raises ConflictError ``station_exists``."""
        ...

    def get(self, station_id: StationId) -> Station:
        """Raises NotFoundError."""
        ...

    def find_by_name(self, name: str) -> Station | None: ...

    def list_all(self) -> list[Station]:
        """By name."""
        ...

    def save(self, station: Station) -> None:
        """Write what is known of it, the columns of its sheets included."""
        ...

    def set_clerk(self, account_id: AccountId, station_id: StationId | None) -> None:
        """Somebody works for this station, and for no other one; None: for none."""
        ...

    def find_of_clerk(self, account_id: AccountId) -> Station | None: ...

    def known(self, station_id: StationId, numbers: Sequence[str]) -> dict[str, ResidentRecord]:
        """Records by the station's numbers, as far as there are any."""
        ...

    def put_residents(self, residents: Sequence[ResidentRecord]) -> None:
        """Write records; one that is there already is given the new digest."""
        ...

    def count_residents(self, station_id: StationId) -> int:
        """Residents whose case is open."""
        ...

    def station_of_case(self, case_id: CaseId) -> Station | None: ...


class BackgroundRepository(Protocol):
    """What is known of people beyond looks."""

    def put(self, backgrounds: Mapping[CaseId, Background]) -> None:
        """Write them, over what was there."""
        ...

    def get_many(self, case_ids: Sequence[CaseId]) -> dict[CaseId, Background]:
        """Those that there are."""
        ...

    def erase(self, case_id: CaseId) -> None: ...


@dataclass(frozen=True, slots=True)
class CaseKeys:
    """The blocking keys of one record."""

    case_id: CaseId
    side: Side
    keys: tuple[int, ...]


class LinkageRepository(Protocol):
    """Blocking keys of open records."""

    def put(self, records: Sequence[CaseKeys]) -> None:
        """Write keys, instead of those that a record had."""
        ...

    def erase(self, case_id: CaseId) -> None: ...

    def claim_night(self, night: date) -> bool:
        """Whether nobody has taken it upon themselves yet to compare everything this night."""
        ...

    def candidates(self, keys: Sequence[int], side: Side, limit: int) -> list[tuple[CaseId, int]]:
        """Records of a side that share keys, and how many; those that share most come first."""
        ...
