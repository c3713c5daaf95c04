"""Who may give to whom: the published tables whole, the rules one by one, and what never is."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reunite.blood.antigens import DERIVED, FAMILIES, Status
from reunite.blood.compatibility import Need, judge
from reunite.blood.notation import parse_phenotype
from reunite.blood.phenotype import Abo, HType, Phenotype, RhD
from reunite.blood.rules import (
    DEFAULT_POLICY,
    POLICIES,
    RULES,
    SOURCES,
    Component,
    Grade,
    policy_of,
)
from reunite.kernel.errors import InvalidInputError
from tests.unit.blood.types import ANTIBODIES, NAMES, needs, phenotypes

GOLDEN = Path(__file__).parent / "golden"
EMERGENCY = policy_of("emergency", {"d_positive_for_d_negative": "last_resort"})


def table(name: str) -> list[tuple[str, str, str]]:
    """Recipient, donor and what the published table says of them."""
    lines = (GOLDEN / name).read_text().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    return [(row["recipient"], d, row[d]) for row in rows for d in row if d != "recipient"]


def grade(patient: str, donor: str, **need: object) -> Grade:
    asked = Need(parse_phenotype(patient), **need)  # type: ignore[arg-type]
    return judge(parse_phenotype(donor), asked).grade


def codes(patient: str, donor: str, **need: object) -> dict[str, tuple[str, ...]]:
    asked = Need(parse_phenotype(patient), **need)  # type: ignore[arg-type]
    return {f.code: f.antigens for f in judge(parse_phenotype(donor), asked).findings}


@pytest.mark.parametrize(("recipient", "donor", "said"), table("red_cells.csv"))
def test_red_cells_as_published(recipient: str, donor: str, said: str) -> None:
    usable = grade(recipient, donor).usable
    assert usable is (said == "y")
    by_default_never = grade(recipient, donor, childbearing=True, policy=EMERGENCY)
    assert by_default_never is Grade.EXCLUDED or said == "y"
    if said == "a":
        assert grade(recipient, donor, policy=EMERGENCY) is Grade.LAST_RESORT
    assert (grade(recipient, donor) is Grade.EXACT) is (recipient == donor)


@pytest.mark.parametrize(("recipient", "donor", "said"), table("plasma.csv"))
def test_plasma_as_published(recipient: str, donor: str, said: str) -> None:
    found = grade(recipient, donor, component=Component.PLASMA)
    assert found.usable is (said == "y")
    assert (found is Grade.EXACT) is (recipient == donor)


@pytest.mark.parametrize(("recipient", "donor", "said"), table("platelets.csv"))
def test_platelets_as_published(recipient: str, donor: str, said: str) -> None:
    choice = {"1": Grade.EXACT, "2": Grade.COMPATIBLE, "3": Grade.LAST_RESORT}
    assert grade(f"{recipient} Rh+", donor, component=Component.PLATELETS) is choice[said]


def test_the_tables_are_whole() -> None:
    assert len(table("red_cells.csv")) == 64
    assert len(table("plasma.csv")) == len(table("platelets.csv")) == 16


@settings(deadline=None)
@given(donor=phenotypes(), antibodies=st.lists(st.sampled_from(ANTIBODIES), max_size=3))
def test_an_oh_patient_gets_only_oh(donor: Phenotype, antibodies: list[str]) -> None:
    patient = Phenotype(h=HType.BOMBAY)
    for name in antibodies:
        patient = patient.with_antibodies(name)
    for component in (Component.RED_CELLS, Component.PLATELETS):
        for policy in POLICIES.values():
            verdict = judge(donor, Need(patient, component, policy=policy))
            assert not verdict.usable or donor.h is HType.BOMBAY


@settings(deadline=None)
@given(donor=phenotypes(), need=needs(), antibody=st.sampled_from(ANTIBODIES))
def test_an_antibody_never_enlarges_the_set(donor: Phenotype, need: Need, antibody: str) -> None:
    try:
        more = replace(need, patient=need.patient.with_antibodies(antibody))
    except InvalidInputError:
        return
    assert judge(donor, need).usable or not judge(donor, more).usable
    try:
        carrier = donor.with_antibodies(antibody)
    except InvalidInputError:
        return
    assert judge(donor, need).grade <= judge(carrier, need).grade


@settings(deadline=None)
@given(donor=phenotypes(), need=needs(), antigen=st.sampled_from(NAMES))
def test_unknown_never_beats_negative(donor: Phenotype, need: Need, antigen: str) -> None:
    assume(donor.status(antigen) is Status.UNKNOWN)
    try:
        proven = replace(donor, negative=donor.negative | {antigen})
    except InvalidInputError:
        return
    assert judge(proven, need).usable or not judge(donor, need).usable
    # Nor in grade, but for those whom their rarity keeps for others.
    plain = replace(need, policy=replace(need.policy, reserve_lacking=frozenset()))
    if proven.d is donor.d:
        assert judge(proven, plain).grade <= judge(donor, plain).grade


@settings(deadline=None)
@given(donor=phenotypes(), need=needs())
def test_an_untested_rhd_is_never_better_than_every_result(donor: Phenotype, need: Need) -> None:
    tested = []
    for d in (RhD.POSITIVE, RhD.NEGATIVE):
        try:
            tested.append(judge(replace(donor, d=d), need))
        except InvalidInputError:  # such as RhD positive and Rhnull
            return
    untested = judge(replace(donor, d=RhD.UNKNOWN), need)
    assert not untested.usable or any(verdict.usable for verdict in tested)


@settings(deadline=None)
@given(donor=phenotypes(), need=needs())
def test_every_verdict_has_reasons_with_sources(donor: Phenotype, need: Need) -> None:
    verdict = judge(donor, need)
    assert verdict.deciding
    assert verdict.grade == max(finding.grade for finding in verdict.findings)
    for finding in verdict.findings:
        assert finding.sources
        assert finding.code


@settings(deadline=None)
@given(need=needs())
def test_patients_own_blood_would_do(need: Need) -> None:
    """Whoever is fully typed and has no antibody could give to a patient just like them."""
    patient = replace(need.patient, antibodies=frozenset())
    groups_known = patient.abo is not Abo.UNKNOWN and patient.d in {RhD.NEGATIVE, RhD.POSITIVE}
    k_known = not need.childbearing or patient.status("K") is not Status.UNKNOWN
    if groups_known and k_known:
        assert judge(patient, replace(need, patient=patient)).usable


@pytest.mark.parametrize(
    ("patient", "donor", "expected"),
    [
        # Bombay and para-Bombay
        ("Oh RhD+", "Oh RhD+", Grade.EXACT),
        ("Oh", "Oh", Grade.NEEDS_TYPING),
        ("Oh", "O-", Grade.EXCLUDED),
        ("Oh", "A para-Bombay", Grade.EXCLUDED),
        ("Oh RhD-", "Oh RhD+", Grade.EXCLUDED),
        ("O+", "Oh RhD+", Grade.LAST_RESORT),
        ("A para-Bombay RhD+", "A+", Grade.LAST_RESORT),
        ("A para-Bombay RhD+", "A para-Bombay RhD+", Grade.COMPATIBLE),
        ("A para-Bombay RhD+ anti-H", "A+", Grade.EXCLUDED),
        ("A para-Bombay RhD+ anti-H", "A para-Bombay RhD+", Grade.NEEDS_TYPING),
        ("A para-Bombay RhD+ anti-H", "Oh RhD+", Grade.COMPATIBLE),
        # RhD and its variants
        ("A-", "A DEL", Grade.EXCLUDED),
        ("A DEL", "A+", Grade.EXCLUDED),
        ("A DEL", "A-", Grade.EXACT),
        ("A weak D", "A-", Grade.EXACT),
        ("A-", "A weak D", Grade.EXCLUDED),
        ("A+", "A", Grade.COMPATIBLE),
        ("A-", "A", Grade.NEEDS_TYPING),
        ("A", "A-", Grade.COMPATIBLE),
        ("A", "A+", Grade.NEEDS_TYPING),
        # ABO unknown
        ("Rh-", "O-", Grade.COMPATIBLE),
        ("Rh-", "A-", Grade.NEEDS_TYPING),
        ("A+", "Rh-", Grade.NEEDS_TYPING),
        # antibodies
        ("B+ anti-Jk(a)", "B+ Jk(a-b+)", Grade.EXACT),
        ("B+ anti-Jk(a)", "B+", Grade.NEEDS_TYPING),
        ("B+ anti-Jk(a)", "B+ Jk(a+)", Grade.EXCLUDED),
        ("B+ Jk(a-b-) anti-Jk3", "B+ Jk(a-b+)", Grade.EXCLUDED),
        ("B+ Jk(a-b-) anti-Jk3", "O+ Jk(a-b-)", Grade.COMPATIBLE),
        ("B+ anti-Jk(a) anti-Jk(b)", "B+ Jk(a-b-)", Grade.EXACT),
        ("B+", "B+ Jk(a-b-)", Grade.LAST_RESORT),
        ("B+ anti-Wr(a)", "B+", Grade.COMPATIBLE),
        ("B+ anti-Wr(a)", "B+ Wr(a+)", Grade.EXCLUDED),
        ("B+ anti-M", "B+ M+", Grade.LAST_RESORT),
        ("B+ anti-M", "B+", Grade.COMPATIBLE),
        ("A2 RhD+ anti-A1", "A1 RhD+", Grade.LAST_RESORT),
        ("A2 RhD+ anti-A1", "O+", Grade.COMPATIBLE),
        ("B+ anti-other:New", "B+", Grade.NEEDS_TYPING),
        ("B+ anti-other:New", "B+ other:New-", Grade.EXACT),
        ("p RhD+ O anti-PP1Pk", "O RhD+ p", Grade.EXACT),
        ("Rhnull O anti-Rh29", "O RhD-", Grade.NEEDS_TYPING),
        ("Rhnull O anti-Rh29", "O RhD- e+", Grade.EXCLUDED),
        ("Rhnull O anti-Rh29", "O Rhnull", Grade.EXACT),
        ("O D-- anti-Rh17", "O Rhnull", Grade.LAST_RESORT),
        ("O D-- anti-Rh17", "O D--", Grade.EXACT),
        # Rh antibodies
        ("O+ CCee anti-c", "O+ CCDee", Grade.EXACT),
        ("O+ CCDee anti-c", "O+ C+c-E+e+", Grade.LAST_RESORT),
        ("O rr K- anti-D", "O rr K+", Grade.LAST_RESORT),
        ("O rr K- anti-D", "O rr K-", Grade.EXACT),
    ],
)
def test_rules_one_by_one(patient: str, donor: str, expected: Grade) -> None:
    assert grade(patient, donor) is expected


def test_what_is_missing_is_named() -> None:
    told = codes("B+ anti-Jk3", "B+ Jk(b-)")
    assert told["antibody_unknown"] == ("Jk3", "Jka")
    assert told["abo_identical"] == ()


def test_k_for_those_who_may_bear_children() -> None:
    assert grade("A+ K-", "A+ K+", childbearing=True) is Grade.EXCLUDED
    assert grade("A+ K-", "A+", childbearing=True) is Grade.LAST_RESORT
    assert grade("A+ K-", "A+ K-", childbearing=True) is Grade.EXACT
    assert grade("A+ K+", "A+ K+", childbearing=True) is Grade.EXACT
    assert grade("A+ K-", "A+ K+", childbearing=True, policy=POLICIES["china"]) is Grade.EXACT


def test_local_policies() -> None:
    del_positive = POLICIES["china_del_positive"]
    assert grade("A DEL", "A+", policy=del_positive) is Grade.EXACT
    assert grade("A DEL", "A+", policy=POLICIES["china"]) is Grade.EXCLUDED
    assert grade("A+", "A-", policy=POLICIES["china"]) is Grade.LAST_RESORT
    del_as_negative = policy_of("local", {"del_donor": "negative"})
    assert grade("A-", "A DEL", policy=del_as_negative) is Grade.EXACT
    assert grade("A- anti-D", "A DEL", policy=del_as_negative) is Grade.EXCLUDED
    assert policy_of("x", {}) == replace(DEFAULT_POLICY, name="x")


def test_platelets_and_plasma_beyond_the_table() -> None:
    platelets = {"component": Component.PLATELETS}
    assert grade("A-", "A+", **platelets) is Grade.COMPATIBLE
    assert grade("A-", "A+", childbearing=True, **platelets) is Grade.LAST_RESORT
    assert grade("A+ anti-other:HPA-1a", "A+", **platelets) is Grade.NEEDS_TYPING
    assert grade("A+", "Oh RhD+", **platelets) is Grade.EXCLUDED
    plasma = {"component": Component.PLASMA}
    assert grade("Oh", "AB", **plasma) is Grade.COMPATIBLE
    assert grade("O", "Oh", **plasma) is Grade.EXCLUDED
    assert grade("O", "B para-Bombay", **plasma) is Grade.LAST_RESORT
    assert grade("A K+", "A anti-K", **plasma) is Grade.EXCLUDED
    assert grade("A", "A anti-K", **plasma) is Grade.NEEDS_TYPING
    assert grade("A K-", "A anti-K", **plasma) is Grade.EXACT
    assert grade("A", "A anti-M", **plasma) is Grade.LAST_RESORT


def test_every_rule_has_a_source_that_exists() -> None:
    assert all(RULES.values())
    assert {source.key for sources in RULES.values() for source in sources} == set(SOURCES)
    for source in SOURCES.values():
        assert source.title
        assert source.url.startswith("https://") or source.key == "proposal"


def test_the_reserve_names_antigens_that_can_be_lacking() -> None:
    for policy in POLICIES.values():
        assert not policy.reserve_lacking & DERIVED
        assert policy.reserve_lacking <= set(NAMES) | set(FAMILIES)
