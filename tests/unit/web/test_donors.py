"""Pages for donors: register, look, sleep, join a family, leave."""

import re
from datetime import date

import pytest

from reunite.accounts.account import Actor, Role
from reunite.app.donor_families import make_family
from reunite.app.keep_donors import confirm_type, take_on_donor
from reunite.app.register_donor import find_own_donor
from reunite.blood.donors import RegisteredDonor
from reunite.blood.notation import parse_phenotype
from tests.unit.app.test_donors import a_centre
from tests.unit.web.conftest import Reader, Site

FORM = {
    "type": "O型 熊猫血",
    "town": "杭州",
    "born_on": "1990-05-01",
    "sex": "1",
    "weight_kg": "58",
    "consents": ["ask", "centre"],
    "kinds": ["whole_blood", "platelets"],
    "rules": "china",
    "contact": "138 0000 1234",
}


@pytest.fixture
def somebody(site: Site) -> Actor:
    return site.world.actor(Role.VOLUNTEER)


def donor_of(site: Site, actor: Actor) -> RegisteredDonor | None:
    view = find_own_donor(site.world.services, actor)
    return None if view is None else view.donor


def register(reader: Reader, **changes: object) -> None:
    answer = reader.post("/zh/blood/donor", {**FORM, **changes, "action": "save"})
    assert answer.headers["location"] == "/zh/blood/donor?done=saved", answer.text


def test_the_type_is_shown_back_before_anything_is_kept(site: Site, somebody: Actor) -> None:
    reader = site.reader(somebody)
    assert "登记为献血者" in reader.get("/zh/blood/donor").text
    shown = reader.post("/zh/blood/donor", FORM).text
    assert "data-read>O型 Rh阴性<" in shown
    assert "绝不是输血建议" in shown
    assert donor_of(site, somebody) is None
    again = reader.post("/zh/blood/donor", {**FORM, "action": "change"}).text
    assert 'value="O型 熊猫血"' in again
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', shown)
    sent: dict[str, list[str]] = {}
    for name, value in hidden:
        sent.setdefault(name, []).append(value)
    saved = reader.post("/zh/blood/donor", {**sent, "action": "save"})
    assert saved.headers["location"] == "/zh/blood/donor?done=saved"
    donor = donor_of(site, somebody)
    assert donor is not None
    assert donor.declared == parse_phenotype("O Rh-")
    assert donor.place_label == "1808926"
    assert [kind.value for kind in sorted(donor.kinds)] == ["platelets", "whole_blood"]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"type": "AB 抗-A"}, "type", "抗-A"),
        ({"type": "O A"}, "type", "互相矛盾"),
        ({"type": "zebra"}, "type", "zebra"),
        ({"type": ""}, "type", ""),
        ({"town": "亚特兰蒂斯"}, "town", ""),
        ({"town": ""}, "town", ""),
        ({"born_on": "1990-13-01"}, "born_on", ""),
        ({"consents": []}, "consents", "同意"),
        ({"weight_kg": "heavy"}, "weight_kg", ""),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    site: Site, somebody: Actor, changes: dict[str, object], field: str, words: str
) -> None:
    reader = site.reader(somebody)
    answer = reader.post("/zh/blood/donor", {**FORM, **changes})
    assert answer.status_code == 422
    assert f'href="#field-{field}"' in answer.text
    assert words in answer.text
    assert donor_of(site, somebody) is None


def test_whoever_is_too_young_hears_it_before_registering(site: Site, somebody: Actor) -> None:
    sent = {**FORM, "born_on": "2010-02-03", "weight_kg": "40"}
    shown = site.reader(somebody).post("/en/blood/donor", sent).text
    assert "Too young until 3 Feb 2028" in shown
    assert "Below the least weight, 45 kg" in shown
    assert "No day can be told." in shown


@pytest.mark.parametrize("action", ["", "save"])
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"born_on": "2050-01-01"}, "born_on"),
        ({"last_on": "2050-01-01"}, "last_on"),
        ({"weight_kg": "3"}, "weight_kg"),
        ({"travel_km": "0"}, "travel_km"),
    ],
)
def test_facts_that_cannot_be_are_said_at_their_field(
    site: Site, somebody: Actor, changes: dict[str, object], field: str, action: str
) -> None:
    answer = site.reader(somebody).post("/zh/blood/donor", {**FORM, **changes, "action": action})
    assert answer.status_code == 422
    assert f'href="#field-{field}"' in answer.text
    assert donor_of(site, somebody) is None


def test_the_page_tells_when_one_may_give_again_and_why(site: Site, somebody: Actor) -> None:
    reader = site.reader(somebody)
    register(reader, last_on="2026-05-01")
    page = reader.get("/en/blood/donor").text
    assert "1 Nov 2026" in page
    assert '">GB 18467-2011</a>' in page
    assert "Your own word" in page
    answer = reader.post("/en/blood/donor/deferral", {"reason": "malaria"})
    assert answer.headers["location"] == "/en/blood/donor?done=deferral"
    assert "Malaria: while it lasts" in reader.get("/en/blood/donor").text
    reader.post("/en/blood/donor/deferral/forget", {"reason": "malaria"})
    assert "Malaria: while it lasts" not in reader.get("/en/blood/donor").text
    for sent, field in (
        ({}, "reason"),
        ({"reason": "bad_luck"}, "reason"),
        ({"reason": "malaria", "reason_over_on": "2050-01-01"}, "reason_over_on"),
    ):
        refused = reader.post("/en/blood/donor/deferral", sent)
        assert refused.status_code == 422
        assert f'href="#field-{field}"' in refused.text


def test_changing_what_was_said(site: Site, somebody: Actor) -> None:
    reader = site.reader(somebody)
    assert reader.get("/zh/blood/donor/edit").headers["location"] == "/zh/blood/donor"
    register(reader)
    before = donor_of(site, somebody)
    page = reader.get("/zh/blood/donor/edit").text
    assert 'value="O型 Rh阴性"' in page
    assert "杭州" in page
    register(reader, type="O Rh- K-", consents=["ask"], born_on="")
    after = donor_of(site, somebody)
    assert before is not None
    assert after is not None
    assert (after.id, after.cell) == (before.id, before.cell)
    assert sorted(after.consents) == ["ask"]
    assert after.facts.born_on is None


def test_sleeping_waking_and_being_away(site: Site, somebody: Actor) -> None:
    reader = site.reader(somebody)
    register(reader)
    for sent, done, asleep, away in (
        ({"action": "sleep"}, "asleep", True, None),
        ({"action": "wake"}, "awake", False, None),
        ({"action": "away", "away_until": "2026-09-01"}, "away", False, date(2026, 9, 1)),
    ):
        answer = reader.post("/zh/blood/donor/sleep", sent)
        assert answer.headers["location"] == f"/zh/blood/donor?done={done}"
        donor = donor_of(site, somebody)
        assert donor is not None
        assert (donor.asleep, donor.away_until) == (asleep, away)
    refused = reader.post("/zh/blood/donor/sleep", {"action": "away", "away_until": "2020-01-01"})
    assert refused.status_code == 422


def test_a_sibling_comes_by_the_invitation(site: Site, somebody: Actor) -> None:
    _, officer = a_centre(site.world)
    family = make_family(site.world.services, officer)
    first = site.reader(somebody)
    register(first)
    refused = first.post("/zh/blood/donor/family", {"family_code": "WRONG"})
    assert refused.status_code == 422
    first.post("/zh/blood/donor/family", {"family_code": family.code})
    shown = first.get("/zh/blood/donor").text
    [link] = re.findall(r'class="invitation" href="[^"]*(/zh/blood/donor\?family=\w+)"', shown)
    sibling = site.world.actor(Role.FAMILY)
    second = site.reader(sibling)
    assert f'value="{family.code}"' in second.get(link).text
    register(second, family_code=family.code)
    joined = donor_of(site, sibling)
    assert joined is not None
    assert joined.family_code == family.code
    second.post("/zh/blood/donor/family", {"action": "leave"})
    left = donor_of(site, sibling)
    assert left is not None
    assert left.family_code == ""


def test_a_wrong_family_code_registers_nobody(site: Site, somebody: Actor) -> None:
    answer = site.reader(somebody).post(
        "/zh/blood/donor", {**FORM, "family_code": "WRONG", "action": "save"}
    )
    assert answer.status_code == 422
    assert 'href="#field-family_code"' in answer.text
    assert donor_of(site, somebody) is None


def test_what_a_laboratory_found_is_shown(site: Site, somebody: Actor) -> None:
    reader = site.reader(somebody)
    register(reader)
    donor = donor_of(site, somebody)
    assert donor is not None
    centre, officer = a_centre(site.world)
    take_on_donor(site.world.services, officer, donor.code, "HZ-1")
    confirm_type(site.world.services, officer, donor.id, parse_phenotype("B Rh+"))
    page = reader.get("/en/blood/donor").text
    assert "Confirmed by a laboratory" in page
    assert centre.name in page
    assert "The laboratory found something else than you said (O RhD-)" in page
    _, other = a_centre(site.world)
    take_on_donor(site.world.services, other, donor.code, "B-1")
    page = reader.get("/en/blood/donor").text
    [claim] = re.findall(r'action="/en(/blood/donor/claims/\d+)"', page)
    answer = reader.post(f"/en{claim}", {"verdict": "move"})
    assert answer.headers["location"] == "/en/blood/donor?done=claim"
    moved = donor_of(site, somebody)
    assert moved is not None
    assert moved.reference == "B-1"


def test_leaving_takes_everything(site: Site, somebody: Actor) -> None:
    reader = site.reader(somebody)
    register(reader)
    kept = reader.get("/zh/blood/donor/export")
    assert kept.json()["declared_type"] == "O RhD-"
    assert "attachment" in kept.headers["content-disposition"]
    assert "删除" in reader.get("/zh/blood/donor/leave").text
    answer = reader.post("/zh/blood/donor/leave")
    assert answer.headers["location"] == "/zh/blood/donor?done=left"
    assert "相关信息已全部删除" in reader.get("/zh/blood/donor?done=left").text
    assert donor_of(site, somebody) is None


def test_everybody_may_look_up_rules_and_sources(site: Site) -> None:
    reader = site.reader()
    assert "/en/blood/donor" in reader.get("/en/blood").text
    page = reader.get("/en/blood/sources").text
    for name in ("GB 18467-2011", "Malaria", "transfusion advice", "36 months"):
        assert name in page
    for path in ("/en/blood/compatibility", "/en/blood/again"):
        assert "/en/blood/sources" in reader.get(path).text
        assert "never transfusion advice" in reader.get(path).text
