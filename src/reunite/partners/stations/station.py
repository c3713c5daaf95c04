"""A relief station: who looks after people that nobody has come for."""

from dataclasses import dataclass, field
from datetime import datetime

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import StationId
from reunite.kernel.places import Point

MAX_NAME_LENGTH, MAX_CAPACITY = 120, 100_000


@dataclass(slots=True)
class Station:
    """An organisation whose clerks bring records of people it has taken in."""

    name: str  # unique
    created_at: datetime
    region: int = 0  # province, GeoNames admin1 as a number; 0 unknown
    place_label: str = ""
    place: Point | None = None
    capacity: int | None = None  # beds
    contact: str = ""
    # Head of a column → what it holds, as clerks have confirmed it; grows with every import.
    columns: dict[str, str] = field(default_factory=dict)
    id: StationId = StationId(0)

    def check(self) -> "Station":
        """Itself.  Raises InvalidInputError naming the field."""
        if not self.name.strip():
            raise InvalidInputError("required", field="name")
        if len(self.name) > MAX_NAME_LENGTH:
            raise InvalidInputError("text_too_long", field="name", maximum=MAX_NAME_LENGTH)
        if self.capacity is not None and not 0 <= self.capacity <= MAX_CAPACITY:
            raise InvalidInputError(
                "number_out_of_range", field="capacity", least=0, most=MAX_CAPACITY
            )
        return self
