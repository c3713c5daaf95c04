"""Inventories of partner centres, and the units that suit a patient."""

from datetime import date

import pytest

from reunite.blood.compatibility import Need
from reunite.blood.notation import parse_phenotype
from reunite.blood.rules import Component, Grade
from reunite.blood.stock import read_stock, units_for
from reunite.kernel.places import Point

TODAY = date(2026, 3, 15)
HERE = Point(30.27, 120.15)
INVENTORY = """血袋号,血型,品种,失效日期,血站,纬度,经度
U1,孟买型 Rh阳性,悬浮红细胞,2026-03-20,远方,39.9,116.4
U2,孟买型 Rh阳性,,2026/03/18,近处,30.3,120.2
U3,孟买型 Rh阳性,红细胞,2026-03-14,近处,30.3,120.2
U4,O型 Rh阳性,红细胞,2026-03-20,近处,30.3,120.2
U5,孟买型 Rh阳性,血浆,2026-12-01,近处,30.3,120.2
U6,孟买型 Rh阳性,红细胞,2026-03-17,,,
U7,孟买型 Rh阳性,红细胞,2026-03-16,近处,30.3,120.2
"""


def test_units_for_a_patient() -> None:
    stock = read_stock(INVENTORY.encode("gbk"))
    assert stock.faults == ()
    need = Need(parse_phenotype("Oh RhD+"))
    found = units_for(need, stock.units, HERE, TODAY)
    assert [unit.number for unit, _ in found] == ["U7", "U2", "U1", "U6"]
    assert all(verdict.grade is Grade.EXACT for _, verdict in found)
    assert found[0][0].centre == "近处"
    unplaced = units_for(need, stock.units, None, date(2026, 3, 18))
    assert [unit.number for unit, _ in unplaced] == ["U2", "U1"]
    plasma = units_for(Need(need.patient, Component.PLASMA), stock.units, HERE, TODAY)
    assert [unit.number for unit, _ in plasma] == ["U5"]


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        (",O+,2026-03-20,", "unit", "required"),
        ("U1,O+,2026-03-20,", "unit", "unit_twice"),
        ("U2,Bomby,2026-03-20,", "type", "blood_notation_misspelt"),
        ("U2,O+,,", "expires_on", "required"),
        ("U2,O+,soon,", "expires_on", "date_invalid"),
        ("U2,O+,2026-03-20,marrow", "component", "choice_unknown"),
    ],
)
def test_faults(row: str, column: str, code: str) -> None:
    text = f"unit,type,expires on,component\nU1,O+,2026-03-20,\n{row}\n"
    stock = read_stock(text.encode())
    assert [unit.number for unit in stock.units] == ["U1"]
    assert [(f.row, f.column, f.error.code) for f in stock.faults] == [(3, column, code)]
