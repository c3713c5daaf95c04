"""Units in stock at partner centres: asked for before any donor is.

A centre sends its inventory as a table; a unit suits a patient by the same rules as a donor.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from reunite.blood.compatibility import Need, Verdict, judge
from reunite.blood.notation import parse_phenotype
from reunite.blood.phenotype import Phenotype
from reunite.blood.rules import Component
from reunite.blood.spreadsheet import Row, RowFault, iter_rows
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.places import Point, distance_km

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "unit": ("unit", "unit id", "donation number", "血袋号", "献血码"),
    "type": ("type", "blood type", "blood group", "phenotype", "血型", "表型"),
    "component": ("component", "product", "品种", "血液品种"),
    "expires_on": ("expires on", "expires", "expiry", "失效日期", "有效期至"),
    "centre": ("centre", "center", "blood centre", "血站", "血液中心"),
    "latitude": ("latitude", "lat", "纬度"),
    "longitude": ("longitude", "lon", "lng", "经度"),
}
REQUIRED: Final = ("unit", "type", "expires_on")
_COMPONENTS: Final = {
    **dict.fromkeys(
        ("", "red cells", "red_cells", "rbc", "红细胞", "悬浮红细胞"), Component.RED_CELLS
    ),
    **dict.fromkeys(("plasma", "ffp", "血浆", "新鲜冰冻血浆"), Component.PLASMA),
    **dict.fromkeys(("platelets", "血小板", "单采血小板"), Component.PLATELETS),
}


@dataclass(frozen=True, slots=True)
class StockUnit:
    """One unit on a shelf."""

    number: str
    phenotype: Phenotype
    component: Component
    expires_on: date  # the last day on which it may be given
    centre: str = ""
    point: Point | None = None


@dataclass(frozen=True, slots=True)
class StockFile:
    """An inventory read whole."""

    units: tuple[StockUnit, ...]
    faults: tuple[RowFault, ...]


def read_stock(data: bytes) -> StockFile:
    """Every row of an inventory.  Raises as ``spreadsheet.iter_rows`` does."""
    units: list[StockUnit] = []
    faults: list[RowFault] = []
    first_row: dict[str, int] = {}
    for row in iter_rows(data, COLUMNS, REQUIRED):
        unit = _read_row(row, first_row)
        if unit is None:
            faults += row.faults
        else:
            units.append(unit)
    return StockFile(tuple(units), tuple(faults))


def _read_row(row: Row, first_row: dict[str, int]) -> StockUnit | None:
    number = row.text("unit")
    if not number:
        row.fault("unit", InvalidInputError("required", field="unit"))
    elif first_row.setdefault(number, row.number) != row.number:
        error = InvalidInputError("unit_twice", field="unit", first_row=first_row[number])
        row.fault("unit", error)
    phenotype = Phenotype()
    try:
        phenotype = parse_phenotype(row.text("type"))
    except InvalidInputError as error:
        row.fault("type", error)
    component = row.chosen("component", _COMPONENTS)
    expires_on = row.day("expires_on")
    if expires_on is None and not row.text("expires_on"):
        row.fault("expires_on", InvalidInputError("required", field="expires_on"))
    point = row.point()
    if row.faults or expires_on is None or not isinstance(component, Component):
        return None
    return StockUnit(number, phenotype, component, expires_on, row.text("centre"), point)


def units_for(
    need: Need, stock: Iterable[StockUnit], here: Point | None, on: date
) -> list[tuple[StockUnit, Verdict]]:
    """Units that suit the patient ``on`` that day: by grade, nearest, then soonest to expire."""
    found = []
    verdicts: dict[Phenotype, Verdict] = {}  # ten thousand units are of a few dozen types
    for unit in stock:
        if unit.component is not need.component or unit.expires_on < on:
            continue
        if unit.phenotype not in verdicts:
            verdicts[unit.phenotype] = judge(unit.phenotype, need)
        verdict = verdicts[unit.phenotype]
        if verdict.usable:
            far = (
                float("inf")
                if here is None or unit.point is None
                else distance_km(here, unit.point)
            )
            found.append(((verdict.grade, far, unit.expires_on, unit.number), unit, verdict))
    found.sort(key=lambda entry: entry[0])
    return [(unit, verdict) for _, unit, verdict in found]
