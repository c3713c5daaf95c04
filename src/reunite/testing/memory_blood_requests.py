"""Requests for blood, those who were asked, and units in stock, in memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from reunite.blood.appeals import Appeal, DonorAsk
from reunite.blood.centres import BloodCentre
from reunite.blood.donors import RegisteredDonor
from reunite.blood.stock import StockUnit
from reunite.cases.case import Case
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import BloodCentreId, BloodRequestId, CaseId, DonorAskId, DonorId
from reunite.ports import ShelvedUnit
from reunite.testing.memory_cases import require_case
from reunite.testing.memory_tables import MemorySession, Table


class MemoryBloodRequests:
    """Implements ``BloodRequestRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._appeals: Table[BloodRequestId, Appeal] = session.table("blood_requests")

    def add(self, appeal: Appeal) -> BloodRequestId:
        require_case(self._session, appeal.case_id)
        appeal.id = BloodRequestId(self._session.store.next_id("blood_requests"))
        self._appeals.put(appeal.id, appeal)
        return appeal.id

    def find_of_case(self, case_id: CaseId) -> Appeal | None:
        found = self._appeals.values(lambda one: one.case_id == case_id)
        return found[0] if found else None

    def get(self, request_id: BloodRequestId) -> Appeal:
        found = self._appeals.get(request_id)
        if found is None:
            raise NotFoundError
        return found

    def save(self, appeal: Appeal) -> None:
        self.get(appeal.id)
        self._appeals.put(appeal.id, appeal)

    def list_of_centre(self, centre_id: BloodCentreId, *, limit: int = 50) -> list[Appeal]:
        found = self._appeals.values(lambda one: one.request.centre_id == centre_id)
        return found[::-1][:limit]

    def list_open(self) -> list[Appeal]:
        cases: Table[CaseId, Case] = self._session.table("cases")
        return [
            one
            for one in self._appeals.values()
            if (case := cases.get(one.case_id)) is not None and case.is_open
        ]


class MemoryDonorAsks:
    """Implements ``DonorAskRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._asks: Table[DonorAskId, DonorAsk] = session.table("donor_asks")
        self._donors: Table[DonorId, RegisteredDonor] = session.table("donors")

    def add_many(self, asks: Sequence[DonorAsk]) -> None:
        for ask in asks:
            self._session.hold("donor_asks.donor", (ask.request_id, ask.donor_id))
            if self.find(ask.request_id, ask.donor_id) is not None:
                raise ConflictError("asked_already")
            ask.id = DonorAskId(self._session.store.next_id("donor_asks"))
            self._asks.put(ask.id, ask)

    def get(self, ask_id: DonorAskId) -> DonorAsk:
        found = self._asks.get(ask_id)
        if found is None:
            raise NotFoundError
        return self._read(found)

    def find(self, request_id: BloodRequestId, donor_id: DonorId) -> DonorAsk | None:
        found = self._list(lambda one: one.request_id == request_id and one.donor_id == donor_id)
        return found[0] if found and donor_id else None

    def list_of_request(self, request_id: BloodRequestId) -> list[DonorAsk]:
        return self._list(lambda one: one.request_id == request_id)

    def list_of_donor(self, donor_id: DonorId, *, limit: int = 20) -> list[DonorAsk]:
        return self._list(lambda one: one.donor_id == donor_id)[::-1][:limit]

    def list_to_call(self, centre_id: BloodCentreId) -> list[DonorAsk]:
        open_ids = {one.id for one in MemoryBloodRequests(self._session).list_open()}
        return self._list(
            lambda one: (
                one.by_phone
                and one.is_silent
                and one.request_id in open_ids
                and (donor := self._donors.get(one.donor_id)) is not None
                and donor.centre_id == centre_id
            )
        )

    def save(self, ask: DonorAsk) -> None:
        stored = self.get(ask.id)
        self._asks.put(ask.id, replace(ask, request_id=stored.request_id, donor_id=stored.donor_id))

    def delete(self, ask_ids: Iterable[DonorAskId]) -> None:
        for ask_id in ask_ids:
            self._asks.delete(ask_id)

    def _list(self, admits: Callable[[DonorAsk], bool]) -> list[DonorAsk]:
        return [one for one in map(self._read, self._asks.values()) if admits(one)]

    def _read(self, ask: DonorAsk) -> DonorAsk:
        return ask if ask.donor_id in self._donors else replace(ask, donor_id=DonorId(0))


@dataclass(frozen=True, slots=True)
class _Shelved:
    unit: StockUnit
    reported_at: datetime
    promised_to: BloodRequestId | None


class MemoryBloodStock:
    """Implements ``BloodStockRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._units: Table[tuple[BloodCentreId, str], _Shelved] = session.table("blood_stock")
        self._centres: Table[BloodCentreId, BloodCentre] = session.table("blood_centres")

    def replace(self, centre_id: BloodCentreId, units: Sequence[StockUnit], at: datetime) -> None:
        before = dict(self._units.items())
        for key in before:
            if key[0] == centre_id:
                self._units.delete(key)
        for unit in units:
            key = (centre_id, unit.number)
            promised_to = before[key].promised_to if key in before else None
            self._units.put(key, _Shelved(unit, at, promised_to))

    def list_units(self, on: date) -> list[ShelvedUnit]:
        listed = []
        for (centre_id, _), one in self._units.items():
            centre = self._centres.get(centre_id)
            if one.unit.expires_on >= on and centre is not None:
                point = one.unit.point or centre.place
                unit = replace(one.unit, centre=centre.name, point=point)
                listed.append(ShelvedUnit(centre_id, unit, one.promised_to))
        return listed

    def last_report(self, centre_id: BloodCentreId) -> tuple[int, datetime] | None:
        times = [one.reported_at for key, one in self._units.items() if key[0] == centre_id]
        return (len(times), max(times)) if times else None

    def promise(
        self, centre_id: BloodCentreId, number: str, request_id: BloodRequestId | None
    ) -> None:
        self._session.hold("blood_stock", (centre_id, number))
        found = self._units.get((centre_id, number))
        if found is None:
            raise NotFoundError
        if request_id is not None and found.promised_to not in {None, request_id}:
            raise ConflictError("unit_promised")
        self._units.put((centre_id, number), replace(found, promised_to=request_id))

    def count_promised(self, request_id: BloodRequestId) -> int:
        return len(self._units.values(lambda one: one.promised_to == request_id))
