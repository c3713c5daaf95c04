"""Where reviewers link two records of one person, and undo it."""

from dataclasses import replace

import pytest

from reunite.app.find_duplicates import suggest_pair, weigh_duplicate
from reunite.cases.case import Person
from reunite.cases.duplicates import DuplicateSource
from reunite.kernel.people import Sex, YearRange
from tests.unit.web.conftest import Reader, Site

LIN = Person(
    name="林小雨", sex=Sex.FEMALE, birth_years=YearRange(1950, 1950), height_cm=158, marks="缺门牙"
)


@pytest.fixture
def reviewer(site: Site) -> Reader:
    return site.reader(site.world.reviewer)


@pytest.fixture
def references(site: Site) -> tuple[str, str]:
    """Two records of one side, one with a photo, that partners call one person."""
    world = site.world
    first = world.open(1, person=LIN)
    second = world.open(person=replace(LIN, name="林晓雨"))
    with world.database.transaction() as transaction:
        cases = [transaction.cases.get_by_reference(one) for one in (first, second)]
        weight = weigh_duplicate(world.services, transaction, cases[0], cases[1])
        suggest_pair(
            world.services, transaction, cases[0], cases[1], weight, DuplicateSource.PARTNER
        )
    return first, second


def test_a_pair_is_compared_linked_and_undone(
    reviewer: Reader, references: tuple[str, str]
) -> None:
    listed = reviewer.get("/en/review/duplicates").text
    assert "林小雨 · 林晓雨" in listed
    assert "Linked by the partners" in listed
    page = reviewer.get("/en/review/duplicates/1").text
    assert "sounds the same, written otherwise" in page
    assert "158 cm" in page
    assert "Undo the link" not in page
    linked = reviewer.post("/en/review/duplicates/1", {"decision": "link", "note": "same papers"})
    assert linked.status_code == 303
    page = reviewer.get("/zh/review/duplicates/1").text
    assert "same papers" in page
    assert "撤销关联" in page
    assert "林小雨" not in reviewer.get("/en/review/duplicates").text
    assert "林小雨" in reviewer.get("/en/review/duplicates?show=linked").text
    for reference, name in zip(references, ("林晓雨", "林小雨"), strict=True):
        case = reviewer.get(f"/en/review/cases/{reference}").text
        assert "/en/review/duplicates/1" in case
        assert name in case
    again = reviewer.post("/en/review/duplicates/1", {"decision": "link"})
    assert again.status_code == 409
    assert "That is how these two records stand already." in again.text
    undone = reviewer.post("/en/review/duplicates/1", {"decision": "separate"})
    assert undone.status_code == 303
    assert "/en/review/duplicates/1" not in reviewer.get(f"/en/review/cases/{references[0]}").text


def test_pages_without_pairs_say_so(reviewer: Reader) -> None:
    assert "No pair is waiting." in reviewer.get("/en/review/duplicates").text
    assert "No records are linked." in reviewer.get("/en/review/duplicates?show=linked").text
    assert reviewer.get("/en/review/duplicates/9").status_code == 404
