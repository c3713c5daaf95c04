"""Where two records agree, and where they cannot both be right."""

from datetime import UTC, datetime

import pytest

from reunite.cases.case import Case, Circumstances, Person
from reunite.cases.facts import Agreement, FactComparison, compare, contradictions
from reunite.kernel.people import Sex, Side
from reunite.kernel.places import Point
from tests.unit.cases.builders import a_case, a_person

AGREES, CONTRADICTS, UNKNOWN = Agreement
HANGZHOU, SHANGHAI = Point(30.2741, 120.1551), Point(31.2304, 121.4737)
SUBURB = Point(30.5, 120.4)


def records(missing: Person | Circumstances, found: Person | Circumstances) -> tuple[Case, Case]:
    def record(side: Side, known: Person | Circumstances) -> Case:
        if isinstance(known, Person):
            return a_case(side=side, person=known)
        return a_case(side=side, circumstances=known)

    return record(Side.MISSING, missing), record(Side.FOUND, found)


def only(
    fact: str, missing: Person | Circumstances, found: Person | Circumstances
) -> FactComparison:
    comparisons = compare(*records(missing, found))
    assert [c.fact for c in comparisons] == [fact]
    return comparisons[0]


def test_records_that_know_nothing_have_nothing_to_compare() -> None:
    assert compare(*records(a_person(), a_person())) == []


@pytest.mark.parametrize(
    ("a", "b", "agreement"),
    [
        (Sex.FEMALE, Sex.FEMALE, AGREES),
        (Sex.MALE, Sex.FEMALE, CONTRADICTS),
        (Sex.MALE, Sex.UNKNOWN, UNKNOWN),
        (Sex.UNKNOWN, Sex.FEMALE, UNKNOWN),
    ],
)
def test_sex(a: Sex, b: Sex, agreement: Agreement) -> None:
    comparison = only("sex", a_person(sex=a), a_person(sex=b))
    assert comparison.agreement is agreement
    names = {Sex.UNKNOWN: "", Sex.FEMALE: "female", Sex.MALE: "male"}
    assert (comparison.missing_value, comparison.found_value) == (names[a], names[b])


@pytest.mark.parametrize(
    ("a", "b", "agreement", "texts"),
    [
        ((1980, 1980), (1980, 1980), AGREES, ("1980", "1980")),
        ((1980, 1980), (1985, 1990), AGREES, ("1980", "1985-1990")),
        ((1980, 1980), (1986, 1990), CONTRADICTS, ("1980", "1986-1990")),
        ((1986, 1986), (1980, 1981), AGREES, ("1986", "1980-1981")),
        ((1987, 1988), (1980, 1981), CONTRADICTS, ("1987-1988", "1980-1981")),
        ((1980, 1980), None, UNKNOWN, ("1980", "")),
        (None, (1980, 1982), UNKNOWN, ("", "1980-1982")),
    ],
)
def test_birth_years(
    a: tuple[int, int] | None,
    b: tuple[int, int] | None,
    agreement: Agreement,
    texts: tuple[str, str],
) -> None:
    comparison = only("birth_year", a_person(born=a), a_person(born=b))
    assert comparison.agreement is agreement
    assert (comparison.missing_value, comparison.found_value) == texts


@pytest.mark.parametrize(
    ("a", "b", "agreement"),
    [
        (HANGZHOU, SUBURB, AGREES),
        (HANGZHOU, SHANGHAI, UNKNOWN),
        (HANGZHOU, None, UNKNOWN),
        (None, HANGZHOU, UNKNOWN),
        (None, None, UNKNOWN),
    ],
)
def test_distance_may_agree_and_never_contradicts(
    a: Point | None, b: Point | None, agreement: Agreement
) -> None:
    comparison = only(
        "place",
        Circumstances(place=a, place_label="杭州市"),
        Circumstances(place=b, place_label="湖滨救助站"),
    )
    assert comparison == FactComparison("place", agreement, "杭州市", "湖滨救助站")


@pytest.mark.parametrize(
    ("a", "b", "agreement"),
    [
        ("2001-05-01T10:00", "2020-01-01T09:00", AGREES),
        ("2020-05-01T23:00", "2020-05-01T01:00", AGREES),
        ("2020-05-02T01:00", "2020-05-01T23:00", CONTRADICTS),
        ("2020-05-02T01:00", "", UNKNOWN),
        ("", "2020-05-02T01:00", UNKNOWN),
    ],
)
def test_nobody_is_found_before_they_are_lost(a: str, b: str, agreement: Agreement) -> None:
    def seen(text: str) -> Circumstances:
        at = datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
        return Circumstances(seen_at=at)

    assert only("time", seen(a), seen(b)) == FactComparison("time", agreement, a[:10], b[:10])


@pytest.mark.parametrize(
    ("a", "b", "agreement"),
    [
        ("O", "O", AGREES),
        ("o", " O ", AGREES),
        ("O", "A", CONTRADICTS),
        ("AB", "B", CONTRADICTS),
        ("A+", "A", AGREES),
        ("A", "A-", AGREES),
        ("A+", "A-", CONTRADICTS),
        ("A+", "B+", CONTRADICTS),
        ("O型", "O", AGREES),
        ("Ｏ型", "o+", AGREES),
        ("Rh阴性B型", "B-", AGREES),
        ("RhD阳性 B", "B−", CONTRADICTS),
        ("A Rh(D)+", "A", AGREES),
        ("O", "", UNKNOWN),
        ("", "O", UNKNOWN),
        ("不详", "O", UNKNOWN),
        ("不详", "不清楚", UNKNOWN),
        ("p型", "p型", AGREES),
    ],
)
def test_blood_groups_as_people_write_them(a: str, b: str, agreement: Agreement) -> None:
    comparison = only("blood_group", a_person(blood_group=a), a_person(blood_group=b))
    assert comparison == FactComparison("blood_group", agreement, a.strip(), b.strip())


def test_facts_come_in_a_fixed_order_and_contradictions_alone_on_request() -> None:
    missing = a_case(
        person=Person("王", Sex.MALE, blood_group="O"),
        circumstances=Circumstances(place=HANGZHOU, place_label="杭州"),
    )
    found = a_case(side=Side.FOUND, person=Person(sex=Sex.FEMALE, blood_group="A"))
    assert [c.fact for c in compare(missing, found)] == ["sex", "place", "blood_group"]
    assert [c.fact for c in contradictions(missing, found)] == ["sex", "blood_group"]
