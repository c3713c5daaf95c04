"""What follows from a blood type, and which types cannot be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.blood.antigens import ANTIGENS, DERIVED, FAMILIES, Status
from reunite.blood.phenotype import SUBGROUPS, Abo, HType, Phenotype, RhD
from reunite.kernel.errors import InvalidInputError

GIVEN = sorted(set(ANTIGENS) - DERIVED)
names = st.frozensets(st.sampled_from(GIVEN), max_size=8)


def code_of(**facts: object) -> str:
    with pytest.raises(InvalidInputError) as caught:
        Phenotype(**facts)  # type: ignore[arg-type]
    return caught.value.code


def test_every_antigen_has_its_own_bit_of_a_mask() -> None:
    bits = [antigen.bit for antigen in ANTIGENS.values()]
    assert sorted(bits) == list(range(len(ANTIGENS)))
    assert len(ANTIGENS) <= 64
    assert {m for members in FAMILIES.values() for m in members} <= set(ANTIGENS)


@pytest.mark.parametrize(
    ("abo", "lacking"),
    [(Abo.O, {"A", "B"}), (Abo.A, {"B"}), (Abo.B, {"A"}), (Abo.AB, set()), (Abo.UNKNOWN, set())],
)
def test_natural_antibodies_are_against_what_is_lacking(abo: Abo, lacking: set[str]) -> None:
    assert Phenotype(abo).natural_antibodies == lacking


def test_bombay_lacks_a_b_and_h() -> None:
    bombay = Phenotype(h=HType.BOMBAY)
    assert bombay.abo is Abo.O
    assert bombay.natural_antibodies == {"A", "B", "H"}
    assert {bombay.status(a) for a in "ABH"} == {Status.NEGATIVE}


def test_para_bombay_is_not_proven_to_lack_h() -> None:
    assert Phenotype(Abo.A, h=HType.PARA_BOMBAY).status("H") is Status.UNKNOWN


@pytest.mark.parametrize(
    ("subgroup", "status"),
    [
        ("A1", Status.POSITIVE),
        ("A1B", Status.POSITIVE),
        ("A2", Status.NEGATIVE),
        ("Ael", Status.NEGATIVE),
        ("A2B", Status.NEGATIVE),
        ("", Status.UNKNOWN),
        ("cisAB", Status.UNKNOWN),
    ],
)
def test_a1_follows_from_the_subgroup(subgroup: str, status: Status) -> None:
    abo = SUBGROUPS.get(subgroup, Abo.A)
    assert Phenotype(abo, subgroup).status("A1") is status


def test_null_types_are_worked_out() -> None:
    assert Phenotype(negative=frozenset({"Jka", "Jkb"})).status("Jk3") is Status.NEGATIVE
    assert Phenotype(negative=frozenset({"Jk3"})).status("Jka") is Status.NEGATIVE
    assert Phenotype(positive=frozenset({"Jkb"})).status("Jk3") is Status.POSITIVE
    rh_null = Phenotype(negative=frozenset({"Rh29"}))
    assert rh_null.d is RhD.NEGATIVE
    assert {rh_null.status(a) for a in ("C", "c", "E", "e", "Rh17")} == {Status.NEGATIVE}
    d_only = Phenotype(d=RhD.POSITIVE, negative=frozenset({"Rh17"}))
    assert d_only.status("Rh29") is Status.POSITIVE
    assert d_only.status("e") is Status.NEGATIVE


@pytest.mark.parametrize("pair", [{"S", "s"}, {"K", "k"}])
def test_lacking_both_does_not_always_prove_the_null_type(pair: set[str]) -> None:
    parent = "U" if "S" in pair else "Ku"
    assert Phenotype(negative=frozenset(pair)).status(parent) is Status.UNKNOWN


@pytest.mark.parametrize(
    "facts",
    [
        {"abo": Abo.AB, "h": HType.BOMBAY},
        {"abo": Abo.B, "subgroup": "A2"},
        {"subgroup": "A9"},
        {"abo": Abo.A, "subgroup": "A2", "h": HType.PARA_BOMBAY},
        {"positive": frozenset({"k"}), "negative": frozenset({"k"})},
        {"positive": frozenset({"Jka"}), "negative": frozenset({"Jk3"})},
        {"d": RhD.POSITIVE, "negative": frozenset({"Rh29"})},
        {"d": RhD.DEL, "negative": frozenset({"Rh29"})},
        {"positive": frozenset(f"x{n}" for n in range(200))},
    ],
)
def test_impossible_types_are_refused(facts: dict[str, object]) -> None:
    assert code_of(**facts) == "blood_type_impossible"


@pytest.mark.parametrize(
    ("facts", "antibody"),
    [
        ({"abo": Abo.AB}, "A"),
        ({"abo": Abo.O}, "H"),
        ({"subgroup": "A1"}, "A1"),
        ({"d": RhD.POSITIVE}, "D"),
        ({"positive": frozenset({"Jka"})}, "Jk3"),
    ],
)
def test_nobody_has_an_antibody_against_their_own_cells(
    facts: dict[str, object], antibody: str
) -> None:
    code = code_of(**facts, antibodies=frozenset({antibody}))
    assert code == "blood_antibody_contradicts"


@pytest.mark.parametrize(
    ("facts", "antibody"),
    [
        ({"subgroup": "A2"}, "A1"),
        ({"subgroup": "cisAB"}, "B"),
        ({"d": RhD.PARTIAL}, "D"),
        ({"d": RhD.NEGATIVE}, "D"),
        ({"h": HType.BOMBAY}, "H"),
        ({}, "AnWj"),
    ],
)
def test_these_antibodies_occur(facts: dict[str, object], antibody: str) -> None:
    assert antibody in Phenotype(**facts).with_antibodies(antibody).antibodies  # type: ignore[arg-type]


@settings(deadline=None)
@given(positive=names, negative=names, d=st.sampled_from(RhD))
def test_what_is_worked_out_is_complete(
    positive: frozenset[str], negative: frozenset[str], d: RhD
) -> None:
    try:
        first = Phenotype(d=d, positive=positive, negative=negative)
    except InvalidInputError:
        return
    again = Phenotype(d=first.d, positive=first.positive, negative=first.negative)
    assert again == first
    assert positive <= first.positive
    assert negative <= first.negative
