"""Where requests for blood, those who were asked, and units in stock are kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from reunite.blood.appeals import Appeal, DonorAsk
from reunite.blood.stock import StockUnit
from reunite.kernel.ids import BloodCentreId, BloodRequestId, CaseId, DonorAskId, DonorId


class BloodRequestRepository(Protocol):
    """Requests for blood.  Each belongs to a case, which says whether it is open.

    Whoever changes one, or its asks, holds the case: there is no lock here.
    """

    def add(self, appeal: Appeal) -> BloodRequestId:
        """Sets ``appeal.id``."""
        ...

    def find_of_case(self, case_id: CaseId) -> Appeal | None: ...

    def get(self, request_id: BloodRequestId) -> Appeal:
        """Raises NotFoundError."""
        ...

    def save(self, appeal: Appeal) -> None:
        """Write everything.  Raises NotFoundError."""
        ...

    def list_of_centre(self, centre_id: BloodCentreId, *, limit: int = 50) -> list[Appeal]:
        """The newest first."""
        ...

    def list_open(self) -> list[Appeal]:
        """Those whose case is open, the oldest first."""
        ...


class DonorAskRepository(Protocol):
    """Who was asked for which request."""

    def add_many(self, asks: Sequence[DonorAsk]) -> None:
        """Sets their ``id``.  Raises ConflictError ``asked_already``."""
        ...

    def get(self, ask_id: DonorAskId) -> DonorAsk:
        """Raises NotFoundError.  Of a donor who has left, ``donor_id`` is 0."""
        ...

    def find(self, request_id: BloodRequestId, donor_id: DonorId) -> DonorAsk | None: ...

    def list_of_request(self, request_id: BloodRequestId) -> list[DonorAsk]:
        """In the order in which they were asked."""
        ...

    def list_of_donor(self, donor_id: DonorId, *, limit: int = 20) -> list[DonorAsk]:
        """The newest first."""
        ...

    def list_to_call(self, centre_id: BloodCentreId) -> list[DonorAsk]:
        """Silent donors without an account whom a centre keeps, of open requests; oldest first."""
        ...

    def save(self, ask: DonorAsk) -> None:
        """Write the answer and what followed.  Raises NotFoundError."""
        ...

    def delete(self, ask_ids: Iterable[DonorAskId]) -> None:
        """As if they had never been asked: for those whom the notice did not reach."""
        ...


@dataclass(frozen=True, slots=True)
class ShelvedUnit:
    """A unit of a centre; ``promised_to`` is the request that it was set aside for."""

    centre_id: BloodCentreId
    unit: StockUnit
    promised_to: BloodRequestId | None = None


class BloodStockRepository(Protocol):
    """Units in stock at partner centres, as they last reported them."""

    def replace(self, centre_id: BloodCentreId, units: Sequence[StockUnit], at: datetime) -> None:
        """The whole inventory of a centre; units that were promised stay so."""
        ...

    def list_units(self, on: date) -> list[ShelvedUnit]:
        """Units of every centre that may still be given on that day; by centre and number.

        ``unit.centre`` is the centre's name, ``unit.point`` its place where the unit has none.
        """
        ...

    def last_report(self, centre_id: BloodCentreId) -> tuple[int, datetime] | None:
        """How many units a centre reported, and when; None before the first time."""
        ...

    def promise(
        self, centre_id: BloodCentreId, number: str, request_id: BloodRequestId | None
    ) -> None:
        """Set a unit aside for a request; None: for nobody.

        Raises NotFoundError, ConflictError ``unit_promised`` where another request has it.
        """
        ...

    def count_promised(self, request_id: BloodRequestId) -> int: ...
