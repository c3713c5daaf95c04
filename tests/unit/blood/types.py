"""Strategies for types, patients and antibodies."""

from dataclasses import replace

from hypothesis import strategies as st

from reunite.blood.antigens import ANTIGENS, DERIVED
from reunite.blood.demands import Need
from reunite.blood.phenotype import SUBGROUPS, Abo, HType, Phenotype, RhD
from reunite.blood.rules import POLICIES, Component
from reunite.kernel.errors import InvalidInputError

NAMES = sorted((set(ANTIGENS) - DERIVED) | {"AnWj", "HPA-1a"})
ANTIBODIES = sorted(set(ANTIGENS) | {"AnWj", "HPA-1a"})


@st.composite
def phenotypes(draw: st.DrawFn, antibodies: int = 4) -> Phenotype:
    """Types that can be, common and rare, with up to so many antibodies."""
    subgroup = draw(st.sampled_from(["", "", "", *SUBGROUPS]))
    abo = SUBGROUPS[subgroup] if subgroup else draw(st.sampled_from(Abo))
    h = draw(st.sampled_from([HType.ORDINARY] * 4 + list(HType)))
    if h is not HType.ORDINARY:
        subgroup = ""
        abo = Abo.UNKNOWN if h is HType.BOMBAY else abo
    positive = draw(st.frozensets(st.sampled_from(NAMES), max_size=12))
    negative = draw(st.frozensets(st.sampled_from(NAMES), max_size=12)) - positive
    found = Phenotype(abo, subgroup, h)
    for facts in (
        {"d": draw(st.sampled_from(RhD))},
        {"positive": positive},
        {"negative": negative},
    ):
        try:
            found = replace(found, **facts)
        except InvalidInputError:
            continue
    for name in draw(st.lists(st.sampled_from(ANTIBODIES), max_size=antibodies, unique=True)):
        try:
            found = found.with_antibodies(name)
        except InvalidInputError:
            continue
    return found


@st.composite
def needs(draw: st.DrawFn) -> Need:
    return Need(
        draw(phenotypes()),
        draw(st.sampled_from(Component)),
        childbearing=draw(st.booleans()),
        policy=POLICIES[draw(st.sampled_from(sorted(POLICIES)))],
    )
