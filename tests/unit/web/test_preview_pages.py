"""Illustrations on the case page and the poster: always called what they are."""

import pytest

from reunite.cases.case import Person
from reunite.faces.progression.marking import is_marked
from reunite.kernel.people import YearRange
from reunite.worker.loop import PREVIEWS_EVERY
from tests.unit.web.conftest import Site

WORDS = {"en": "Computer illustrations, not photos.", "zh": "电脑模拟图，不是照片。"}
SHOWN = "/previews/1.jpg"


@pytest.fixture
def reference(site: Site) -> str:
    """A public case of somebody lost at five and 27 by now, with three previews."""
    person = Person(name="王乐乐", birth_years=YearRange(1999, 1999))
    opened = site.world.open_public(7, person=person, captured_year=2004)
    site.world.clock.advance(PREVIEWS_EVERY)
    site.world.drain()
    return opened


@pytest.mark.parametrize("language", WORDS)
def test_reporter_and_reviewers_see_the_sheet(site: Site, reference: str, language: str) -> None:
    for actor in (site.world.family, site.world.reviewer):
        html = site.reader(actor).get(f"/{language}/cases/{reference}").text
        assert WORDS[language] in html
        for number in (1, 2, 3):
            assert f"/previews/{number}.jpg" in html


def test_strangers_see_no_sheet(site: Site, reference: str) -> None:
    for actor in (None, site.world.volunteer):
        reader = site.reader(actor)
        assert "/previews/" not in reader.get(f"/en/cases/{reference}").text
        assert "/previews/" not in reader.get(f"/en/cases/{reference}/poster").text
        assert reader.get(SHOWN).status_code == 404


@pytest.mark.parametrize("language", WORDS)
def test_a_reviewer_puts_one_on_the_poster_and_takes_it_off(
    site: Site, reference: str, language: str
) -> None:
    reviewer = site.reader(site.world.reviewer)
    address = f"/{language}/review/previews/1"
    answer = reviewer.post(address, {"show": "yes"})
    assert answer.headers["location"] == f"/{language}/cases/{reference}#previews"
    poster = site.reader().get(f"/{language}/cases/{reference}/poster").text
    assert SHOWN in poster
    assert "/previews/2.jpg" not in poster
    assert WORDS[language] in poster
    picture = site.reader().get(SHOWN)
    assert is_marked(picture.content)
    assert picture.headers["cache-control"] == "no-cache"
    # The page of the case shows strangers photos alone.
    assert "/previews/" not in site.reader().get(f"/{language}/cases/{reference}").text
    reviewer.post(address, {"show": "no"})
    assert SHOWN not in site.reader().get(f"/{language}/cases/{reference}/poster").text
    assert site.reader().get(SHOWN).status_code == 404


def test_a_picture_that_is_not_public_stays_in_no_cache(site: Site, reference: str) -> None:
    picture = site.reader(site.world.family).get(SHOWN)
    assert picture.headers["cache-control"] == "no-store"
    assert picture.headers["content-type"] == "image/jpeg"


def test_a_reporter_cannot_put_it_on_the_poster(site: Site, reference: str) -> None:
    reporter = site.reader(site.world.family)
    assert "Put on the poster" not in reporter.get(f"/en/cases/{reference}").text
    assert reporter.post("/en/review/previews/1", {"show": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("language", "words"), [("en", "computer illustration made by"), ("zh", "电脑模拟图")]
)
def test_a_saved_preview_is_refused_as_a_photo(
    site: Site, reference: str, language: str, words: str
) -> None:
    reporter = site.reader(site.world.family)
    saved = reporter.get(SHOWN).content
    reporter.get(f"/{language}/cases/{reference}/photos")
    answer = reporter.post(
        f"/{language}/cases/{reference}/photos", files={"photo": ("saved.jpg", saved)}
    )
    assert answer.status_code == 422
    assert words in answer.text


def test_an_estimated_age_is_called_one(site: Site) -> None:
    reference = site.world.open(7, person=Person(name="王乐乐"), captured_year=2024)
    site.world.clock.advance(PREVIEWS_EVERY)
    site.world.drain()
    html = site.reader(site.world.family).get(f"/en/cases/{reference}").text
    assert "Looks 5 to 12 years old (estimated from the face)" in html
    site.world.publish(reference)
    assert "estimated from the face" not in site.reader().get(f"/en/cases/{reference}").text
