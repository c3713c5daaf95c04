"""What people write is read, what cannot be read is named, and types survive being written."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.blood.antigens import ANTIGENS, DERIVED, Status
from reunite.blood.names import EXAMPLES, UNLISTED, by_number
from reunite.blood.notation import MAX_LENGTH, parse_phenotype
from reunite.blood.phenotype import SUBGROUPS, Abo, HType, Phenotype, RhD
from reunite.blood.spelling import format_phenotype, wiener_name
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language

GIVEN = sorted((set(ANTIGENS) - DERIVED) | set(UNLISTED) | {"XYZ9"})
antigens = st.frozensets(st.sampled_from(GIVEN), max_size=9)


@st.composite
def phenotypes(draw: st.DrawFn) -> Phenotype:
    """Types that can be, of any kind."""
    subgroup = draw(st.sampled_from(["", "", *SUBGROUPS]))
    abo = SUBGROUPS[subgroup] if subgroup else draw(st.sampled_from(Abo))
    h = draw(st.sampled_from([HType.ORDINARY, HType.ORDINARY, *HType]))
    if h is not HType.ORDINARY:
        subgroup = ""
        abo = Abo.UNKNOWN if h is HType.BOMBAY else abo
    positive = draw(antigens)
    negative = draw(antigens) - positive
    try:
        type_ = Phenotype(abo, subgroup, h, draw(st.sampled_from(RhD)), positive, negative)
        return type_.with_antibodies(*draw(antigens))
    except InvalidInputError:
        return Phenotype(abo, subgroup, h)


@settings(deadline=None)
@given(phenotype=phenotypes(), language=st.sampled_from(Language))
def test_what_is_written_is_read_back(phenotype: Phenotype, language: Language) -> None:
    written = format_phenotype(phenotype, language)
    if not written:
        assert phenotype == Phenotype()
        return
    assert parse_phenotype(written) == phenotype


@pytest.mark.parametrize(
    ("written", "english", "chinese"),
    [
        ("O Rh-", "O RhD-", "O型 Rh阴性"),
        ("ORh-", "O RhD-", "O型 Rh阴性"),
        ("0 neg", "O RhD-", "O型 Rh阴性"),
        ("o型阴性", "O RhD-", "O型 Rh阴性"),
        ("RhD阴性O型", "O RhD-", "O型 Rh阴性"),
        ("Rh-D positive, AB", "AB RhD+", "AB型 Rh阳性"),
        ("A 型 Rh（D）阳性", "A RhD+", "A型 Rh阳性"),
        ("ab rh(-)", "AB RhD-", "AB型 Rh阴性"),
        ("孟买型", "Bombay (Oh)", "孟买型(Oh)"),
        ("Bombay blood group, D+", "Bombay (Oh) RhD+", "孟买型(Oh) Rh阳性"),
        ("hh", "Bombay (Oh)", "孟买型(Oh)"),
        ("类孟买A型", "A para-Bombay", "A型 类孟买"),
        ("Bh", "B para-Bombay", "B型 类孟买"),
        ("A₂B", "A2B", "A2B型"),
        ("顺式AB", "cis-AB", "顺式AB型"),
        ("Jk（a−b−）", "Jk(a-b-)", "Jk(a-b-)"),
        ("Kidd(a-b-)", "Jk(a-b-)", "Jk(a-b-)"),
        ("Jka阴性", "Jk(a-)", "Jk(a-)"),
        ("R1R1", "RhD+ C+ E- c- e+", "Rh阳性 C+ E- c- e+"),
        ("CDe/CDe", "RhD+ C+ E- c- e+", "Rh阳性 C+ E- c- e+"),
        ("CCDee", "RhD+ C+ E- c- e+", "Rh阳性 C+ E- c- e+"),
        ("r″r", "RhD- C- E+ c+ e+", "Rh阴性 C- E+ c+ e+"),
        ("D--/D--", "D--", "D--"),
        ("黄金血", "Rhnull", "Rhnull"),
        ("熊猫血", "RhD-", "Rh阴性"),
        ("Rh阴性（DEL型）", "DEL", "DEL型"),
        ("A 弱D阴性", "A RhD-", "A型 Rh阴性"),
        ("Du", "weak D", "弱D"),
        ("KEL:-1,2", "K- k+", "K- k+"),
        ("RH:-1", "RhD-", "Rh阴性"),
        ("kk MNss", "K- k+ M+ N+ S- s+", "K- k+ M+ N+ S- s+"),
        ("GP.Mur+", "Mi(a+) Mur+", "Mi(a+) Mur+"),
        ("p 抗-PP1Pk", "p anti-P1 anti-Pk anti-P", "p 抗-P1 抗-Pk 抗-P"),
        ("LW(a-)", "LW(a-)", "LW(a-)"),
        ("other:Jk(a)-", "Jk(a-)", "Jk(a-)"),
        ("anti-other:XYZ", "anti-other:XYZ", "抗-other:XYZ"),
        ("B 抗-E、抗-c", "B anti-E anti-c", "B型 抗-E 抗-c"),
        ("B anti-c+E", "B anti-E anti-c", "B型 抗-E 抗-c"),
        ("O+ 抗体筛查阴性", "O RhD+", "O型 Rh阳性"),
    ],
)
def test_what_people_write(written: str, english: str, chinese: str) -> None:
    phenotype = parse_phenotype(written)
    assert format_phenotype(phenotype, Language.EN) == english
    assert format_phenotype(phenotype, Language.ZH) == chinese


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_suggestion_can_be_read(example: str) -> None:
    assert parse_phenotype(example) != Phenotype()


@pytest.mark.parametrize(
    ("written", "part", "suggestion"),
    [
        ("O Bomby", "Bomby", "Bombay"),
        ("A+ Jkx(a-)", "Jkx(a-)", "Jk(a-)"),
        ("A+ anti-Jk4", "anti-Jk4", "anti-Jk3"),
        ("Jk(a-) b-", "b-", ""),
        ("KEL:-99", "KEL:-99", "KEL:-1,2"),
        ("Xg(b-)", "Xg(b-)", "Kp(b-)"),
        ("other:A+", "other:A+", ""),
        ("blood", "blood", ""),
        ("\N{PILE OF POO}", "\N{PILE OF POO}", ""),
    ],
)
def test_what_cannot_be_read_is_named(written: str, part: str, suggestion: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_phenotype(written)
    kind = "misspelt" if suggestion else "unreadable"
    assert caught.value.code == f"blood_notation_{kind}"
    assert caught.value.details["part"] == part
    assert caught.value.details.get("suggestion", "") == suggestion


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "required"),
        (" ，", "required"),
        ("O" * (MAX_LENGTH + 1), "text_too_long"),
        ("O A", "blood_type_impossible"),
        ("A1 A2", "blood_type_impossible"),
        ("Rh+ Rh-", "blood_type_impossible"),
        ("DEL weak D", "blood_type_impossible"),
        ("Bombay para-Bombay", "blood_type_impossible"),
        ("AB Bombay", "blood_type_impossible"),
        ("K+ kk", "blood_type_impossible"),
        ("AB anti-A", "blood_antibody_contradicts"),
        ("Jk(a+) anti-Jk3", "blood_antibody_contradicts"),
    ],
)
def test_impossible_and_empty_declarations(written: str, code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_phenotype(written)
    assert caught.value.code == code


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_a_code(text: str) -> None:
    with suppress(InvalidInputError):
        assert isinstance(parse_phenotype(text), Phenotype)


def test_wiener_names() -> None:
    assert wiener_name(parse_phenotype("R1r")) == "R1r"
    assert wiener_name(parse_phenotype("ccddee")) == "rr"
    assert wiener_name(parse_phenotype("O Rh-")) is None
    assert wiener_name(parse_phenotype("Rhnull")) is None


def test_numbers_are_those_of_the_table() -> None:
    assert by_number("JK", "3") == "Jk3"
    assert by_number("JK", "9") is None
    assert parse_phenotype("JK:-3").status("Jka") is Status.NEGATIVE
