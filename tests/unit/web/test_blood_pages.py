"""Who may give to whom, and when one may give again: pages that keep nothing."""

from urllib.parse import urlencode

import pytest

from reunite.blood.deferral import Hindrance, load_rules, shipped_rules
from reunite.kernel.languages import Language
from reunite.web.blood_words import _HINDRANCES, DEFERRAL_REASONS, hindrance_words
from reunite.web.i18n import Formats, load_translations
from reunite.web.settings import WebSettings
from tests.unit.web.conftest import Site

NOTES = {
    "en": "A recruitment suggestion for a blood centre, never transfusion advice.",
    "zh": "这是给血液中心的招募建议，绝不是输血建议。",
}


def judged(site: Site, language: str = "en", **asked: str) -> str:
    answer = site.reader().get(f"/{language}/blood/compatibility?{urlencode(asked)}")
    assert NOTES[language] in answer.text
    return answer.text


def test_the_empty_page(site: Site) -> None:
    assert "data-grade" not in judged(site)


@pytest.mark.parametrize(
    ("patient", "donor", "grade", "said"),
    [
        ("Oh Rh+", "孟买型 Rh阳性", "exact", "Donor and patient are both Bombay (Oh)."),
        ("Oh Rh+", "O Rh+", "excluded", "nothing but Oh"),
        ("B+ anti-Jk3", "B+ Jk(b-)", "needs_typing", "not known of the donor: Jk(a)."),
        ("O+", "Oh Rh+", "last_resort", "kept for patients who lack it"),
    ],
)
def test_verdicts_with_reasons_and_sources(
    site: Site, patient: str, donor: str, grade: str, said: str
) -> None:
    page = judged(site, patient=patient, donor=donor)
    assert f'data-grade="{grade}"' in page
    assert said in page
    assert 'href="https://www.lifeblood.com.au/' in page


def test_in_chinese(site: Site) -> None:
    page = judged(site, "zh", patient="Oh Rh+", donor="Oh Rh+")
    assert "孟买型(Oh) Rh阳性" in page
    assert "同型" in page


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"patient": "Bomby", "donor": "O+"}, "Did you mean Bombay?"),
        ({"patient": "O+", "donor": "AB anti-A"}, "their own red cells carry this"),
        ({"patient": "O+"}, "Please fill this in."),
        ({"patient": "O+", "donor": "O+", "component": "bile"}, "one of the answers offered"),
        ({"patient": "O+", "donor": "O+", "policy": "mars"}, "one of the answers offered"),
    ],
)
def test_what_cannot_be_judged(site: Site, asked: dict[str, str], said: str) -> None:
    page = judged(site, **asked)
    assert said in page
    assert "data-grade" not in page


def test_when_one_may_give_again(site: Site) -> None:
    reader = site.reader()
    assert NOTES["en"] in reader.get("/en/blood/again").text
    told = {"rules": "china", "kind": "whole_blood", "last_on": "2026-05-01"}
    page = reader.post("/en/blood/again", told).text
    assert "From 1 Nov 2026" in page
    assert "(Whole blood) ends on 1 Nov 2026" in page
    assert "GB 18467-2011" in page
    assert "Today." in reader.post("/en/blood/again", {"rules": "uk", "kind": "plasma"}).text
    hiv = reader.post("/en/blood/again", {"rules": "us", "reason": "hiv"}).text
    assert "No day can be told." in hiv
    lasting = {"rules": "china", "reason": "pregnancy", "weight_kg": "60", "sex": "1"}
    assert "while it lasts" in reader.post("/en/blood/again", lasting).text


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"last_on": "soon"}, "This is not a date."),
        ({"last_on": "2030-01-01"}, "This lies in the future."),
        ({"rules": "mars"}, "one of the answers offered"),
        ({"reason": "boredom"}, "one of the answers offered"),
        ({"weight_kg": "nan"}, "Please enter a number"),
    ],
)
def test_what_cannot_be_told(site: Site, told: dict[str, str], said: str) -> None:
    reader = site.reader()
    reader.get("/en/blood/again")
    assert said in reader.post("/en/blood/again", {"rules": "china", **told}).text


def test_every_reason_of_the_rule_sets_has_words() -> None:
    for name in shipped_rules():
        assert set(load_rules(name).reasons) <= set(DEFERRAL_REASONS)
    formats = Formats(Language.EN, WebSettings().zone)
    for code in _HINDRANCES:
        about = "platelets" if code == "interval" else "hiv"
        words = hindrance_words(
            Hindrance(code, None, about), load_translations(Language.EN), formats
        )
        assert "%(" not in words
