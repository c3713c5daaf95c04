from datetime import timedelta
from urllib.parse import urlencode

import pytest

from reunite.alerts.volunteers import PlaceKind, Volunteer
from reunite.app.close_case import resolve_case, withdraw_case
from reunite.app.join_alerts import JoinRequest, find_volunteer, join_alerts
from reunite.app.search_face import start_search
from reunite.cases.case import Outcome, Person, ResolutionCause
from reunite.cases.sightings import Sighting
from reunite.kernel.people import Module
from reunite.kernel.places import Point, cell_of, find_town
from reunite.testing.faces import paint_person
from tests.unit.app.world import HANGZHOU, NOON, cut_off
from tests.unit.web.conftest import Reader, Site

CHINA_NOW = "2026-06-01T20:00"  # NOON in Asia/Shanghai


def volunteer(site: Site) -> Reader:
    return site.reader(site.world.volunteer)


def kept(site: Site) -> Volunteer | None:
    return find_volunteer(site.world.services, site.world.volunteer)


# Opting in


def test_a_volunteer_joins_with_a_town_in_either_language(site: Site) -> None:
    for language, town in (("zh", "杭州"), ("zh", "杭州市"), ("en", "hangzhou")):
        done = volunteer(site).post(f"/{language}/volunteer", {"module": "2", "town": town})
        assert done.headers["location"] == f"/{language}/volunteer?done=saved"
        one = kept(site)
        assert one is not None
        home = one.places[0]
        found = find_town(int(home.place_label))
        assert found is not None
        assert found.name_en == "Hangzhou"
        assert home.cell == cell_of(found.point)
        assert one.modules == {Module.ELDER}
    html = volunteer(site).get("/en/volunteer?done=saved").text
    assert "You will be told when somebody near you is lost." in html
    assert 'value="Hangzhou"' in html


def test_of_a_position_only_the_cell_is_kept(site: Site) -> None:
    form = {"module": ["1", "3"], "town": "", "latitude": "30.27412", "longitude": "120.15511"}
    volunteer(site).post("/en/volunteer", form)
    one = kept(site)
    assert one is not None
    assert one.places[0].cell == cell_of(Point(30.27412, 120.15511))
    assert one.modules == {Module.CHILD, Module.BLOOD}
    html = volunteer(site).get("/en/volunteer").text
    assert "Your place came from your device." in html
    assert "30.27" not in html


def test_changing_the_kinds_keeps_the_place(site: Site) -> None:
    place = Point(30.30, 120.10)
    join_alerts(
        site.world.services, site.world.volunteer, JoinRequest(frozenset(Module), point=place)
    )
    html = volunteer(site).get("/en/volunteer").text
    town = html.split('id="field-town"')[1].split('value="')[1].split('"')[0]
    volunteer(site).post("/en/volunteer", {"module": "1", "town": town})
    one = kept(site)
    assert one is not None
    assert one.places[0].cell == cell_of(place)
    assert one.modules == {Module.CHILD}


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"town": "杭州"}, "module"),
        ({"module": "1"}, "town"),
        ({"module": "1", "town": "Atlantis"}, "town"),
        ({"module": "9", "town": "杭州"}, "module"),
        ({"module": "1", "latitude": "0", "longitude": "-160"}, "place"),
        ({"module": "1", "latitude": "95", "longitude": "0"}, "place"),
    ],
)
def test_mistakes_are_shown_where_they_are(site: Site, form: dict[str, str], fault: str) -> None:
    refused = volunteer(site).post("/en/volunteer", form)
    assert refused.status_code == 422
    assert f'href="#field-{fault}"' in refused.text
    assert f'id="field-{fault}"' in refused.text
    assert "field-error" in refused.text
    assert kept(site) is None


def test_leaving_forgets_the_place(site: Site) -> None:
    reader = volunteer(site)
    reader.post("/en/volunteer", {"module": "1", "town": "杭州"})
    done = reader.post("/en/volunteer/leave")
    assert "Your places have been forgotten." in reader.get(done.headers["location"]).text
    assert kept(site) is None


# Inbox


def told(site: Site, **person: str) -> str:
    """A case that the volunteer has been told of."""
    join_alerts(
        site.world.services, site.world.volunteer, JoinRequest(frozenset(Module), point=HANGZHOU)
    )
    reference = site.world.open(1, person=Person(name="林小雨"), place_label="西湖区断桥")
    site.world.publish(reference, 5.0)
    site.world.drain()
    return reference


def test_a_notice_leads_to_the_case_and_counts_as_read(site: Site) -> None:
    reference = told(site)
    reader = volunteer(site)
    assert "<span data-unread-number>1</span>" in reader.get("/en/about").text
    html = reader.get("/en/inbox").text
    assert "Missing: 林小雨" in html
    assert f"/en/cases/{reference}/sighting" in html
    assert 'class="inbox-item inbox-published is-new"' in html
    again = reader.get("/en/inbox").text
    assert "is-new" not in again
    assert "data-unread hidden" in again


def test_the_end_of_a_search_names_nobody(site: Site) -> None:
    reference = told(site)
    resolve_case(
        site.world.services,
        site.world.reviewer,
        reference,
        Outcome.REUNITED,
        ResolutionCause.VOLUNTEER_TIP,
    )
    site.world.drain()
    for language, thanks in (("en", "Thank you for looking"), ("zh", "谢谢您的留意")):
        html = volunteer(site).get(f"/{language}/inbox").text
        assert thanks in html
        assert "林小雨" not in html
        assert "断桥" not in html
        assert reference not in html


def test_a_search_that_was_called_off(site: Site) -> None:
    reference = told(site)
    withdraw_case(site.world.services, site.world.reviewer, reference)
    site.world.drain()
    html = volunteer(site).get("/en/inbox").text
    assert "Please stop sharing it." in html
    assert "林小雨" not in html


def test_an_empty_inbox_says_what_to_do(site: Site) -> None:
    assert "You have not asked to be told yet." in volunteer(site).get("/en/inbox").text


def test_nobody_reads_anothers_inbox(site: Site) -> None:
    told(site)
    assert "林小雨" not in site.reader(site.world.family).get("/en/inbox").text


# Sightings


def sightings(site: Site, reference: str) -> list[Sighting]:
    with site.world.database.transaction() as transaction:
        return transaction.sightings.list_of_case(site.world.case(reference).id)


def send(site: Site, reference: str, form: dict[str, str], photo: bytes | None = None) -> object:
    files = {} if photo is None else {"files": {"photo": ("photo.jpg", photo)}}
    return volunteer(site).post(f"/en/cases/{reference}/sighting", form, **files)


def test_the_form_starts_with_now(site: Site) -> None:
    reference = site.world.open_public(1)
    html = volunteer(site).get(f"/en/cases/{reference}/sighting").text
    assert f'value="{CHINA_NOW}"' in html


def test_a_sighting_arrives_with_its_photo(site: Site) -> None:
    reference = site.world.open_public(1)
    reader = volunteer(site)
    done = reader.post(
        f"/en/cases/{reference}/sighting",
        {"seen_at": "2026-06-01T19:00", "town": "Hangzhou", "place_label": "station", "text": "x"},
        files={"photo": ("photo.jpg", paint_person(1, 1))},
    )
    assert done.headers["location"] == f"/en/cases/{reference}/sighting/thanks"
    assert "Thank you for looking" in reader.get(done.headers["location"]).text
    (one,) = sightings(site, reference)
    assert one.seen_at == NOON - timedelta(hours=1)
    assert one.place_label == "Hangzhou station"
    assert one.similarity is not None
    assert one.similarity > 0.5


def test_a_sighting_without_a_time_is_of_now(site: Site) -> None:
    reference = site.world.open_public(1)
    volunteer(site).post(f"/en/cases/{reference}/sighting", {"text": "just now"})
    assert sightings(site, reference)[0].seen_at == NOON


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({}, "text"),
        ({"text": "x" * 2001}, "text"),
        ({"text": "x", "seen_at": "2026-06-02T12:00"}, "seen_at"),
        ({"text": "x", "seen_at": "2020-01-01T12:00"}, "seen_at"),
        ({"text": "x", "seen_at": "yesterday"}, "seen_at"),
        ({"text": "x", "town": "Atlantis"}, "town"),
        ({"text": "x", "latitude": "0", "longitude": "-160"}, "place"),
        ({"text": "x", "latitude": "here", "longitude": "-160"}, "latitude"),
        ({"text": "x", "latitude": "100", "longitude": "20"}, "place"),
    ],
)
def test_mistakes_keep_what_was_typed(site: Site, form: dict[str, str], fault: str) -> None:
    reference = site.world.open_public(1)
    refused = volunteer(site).post(f"/en/cases/{reference}/sighting", form)
    assert refused.status_code == 422
    assert f'href="#field-{fault}"' in refused.text
    assert f'id="field-{fault}"' in refused.text
    if form.get("town"):
        assert f'value="{form["town"]}"' in refused.text
    assert not sightings(site, reference)


@pytest.mark.parametrize("photo", [b"not a photo", cut_off(paint_person(1)), b""])
def test_a_photo_that_is_none_is_explained(site: Site, photo: bytes) -> None:
    reference = site.world.open_public(1)
    before = site.world.files()
    refused = volunteer(site).post(
        f"/en/cases/{reference}/sighting", {"text": "x"}, files={"photo": ("photo.jpg", photo)}
    )
    assert refused.status_code == 422
    assert 'id="error-photo"' in refused.text
    assert "has to be chosen again" in refused.text
    assert site.world.files() == before
    assert not sightings(site, reference)


def test_a_photo_of_face_find_is_sent_along(site: Site) -> None:
    reference = site.world.open_public(1)
    token = start_search(site.world.services, site.world.volunteer, paint_person(1, 1)).token
    reader = volunteer(site)
    html = reader.get(f"/en/cases/{reference}/sighting?{urlencode({'probe': token})}").text
    assert f"/find/{token}/thumbnail.jpg" in html
    assert 'type="file"' not in html
    reader.post(f"/en/cases/{reference}/sighting", {"text": "look", "probe": token})
    assert sightings(site, reference)[0].photo_key


def test_a_photo_of_face_find_that_has_expired(site: Site) -> None:
    reference = site.world.open_public(1)
    token = start_search(site.world.services, site.world.volunteer, paint_person(1, 1)).token
    stranger = site.reader(site.world.family)
    refused = stranger.post(f"/en/cases/{reference}/sighting", {"text": "look", "probe": token})
    assert refused.status_code == 404
    assert "This search is over" in refused.text
    assert 'type="file"' in refused.text
    assert "look" in refused.text


def test_nobody_reports_a_sighting_of_a_case_that_is_not_public(site: Site) -> None:
    hidden = site.world.open(1)
    for actor in (site.world.volunteer, site.world.family, site.world.reviewer):
        reader = site.reader(actor)
        assert reader.get(f"/en/cases/{hidden}/sighting").status_code == 404
        assert reader.post(f"/en/cases/{hidden}/sighting", {"text": "x"}).status_code == 404


def test_a_sighting_of_a_case_that_is_over_is_too_late(site: Site) -> None:
    reference = site.world.open_public(1)
    withdraw_case(site.world.services, site.world.reviewer, reference)
    assert volunteer(site).get(f"/en/cases/{reference}/sighting").status_code == 410
    assert site.reader(site.world.reviewer).get(f"/en/cases/{reference}/sighting").status_code in {
        409,
        410,
    }


# More places, and how loudly


def joined(site: Site) -> Reader:
    reader = volunteer(site)
    reader.post("/en/volunteer", {"module": "1", "town": "杭州"})
    return reader


def test_quiet_hours_budget_and_coarseness_are_kept(site: Site) -> None:
    form = {
        "module": "1",
        "town": "杭州",
        "coarse": "1",
        "quiet_from": "23",
        "quiet_until": "6",
        "weekly_pushes": "5",
    }
    reader = volunteer(site)
    reader.post("/en/volunteer", form)
    one = kept(site)
    assert one is not None
    assert (one.quiet.from_hour, one.quiet.until_hour, one.weekly_pushes) == (23, 6, 5)
    html = reader.get("/en/volunteer").text
    assert '<option value="23" selected>' in html
    assert '<option value="5" selected>' in html
    again = reader.post("/en/volunteer", {"module": "1", "town": "Hangzhou", "weekly_pushes": "99"})
    assert again.status_code == 422
    assert 'id="error-weekly_pushes"' in again.text
    assert (
        'id="error-quiet_from"' in reader.post("/en/volunteer", {**form, "quiet_from": "24"}).text
    )


def test_another_place_is_kept_and_erased(site: Site) -> None:
    reader = joined(site)
    done = reader.post("/en/volunteer/places", {"kind": "work", "other_town": "北京"})
    assert done.headers["location"] == "/en/volunteer?done=place"
    html = reader.get("/en/volunteer").text
    assert "Work or school" in html
    assert "near Beijing" in html
    refused = reader.post("/en/volunteer/places", {"kind": "work", "other_town": "Atlantis"})
    assert refused.status_code == 422
    assert 'id="error-other_town"' in refused.text
    done = reader.post(f"/en/volunteer/places/{PlaceKind.WORK}/forget")
    assert "The place has been erased." in reader.get(done.headers["location"]).text
    assert "near Beijing" not in reader.get("/en/volunteer").text
    assert reader.post("/en/volunteer/places/castle/forget").status_code == 404


def test_only_those_who_opted_in_have_other_places(site: Site) -> None:
    done = volunteer(site).post("/en/volunteer/places", {"kind": "work", "other_town": "北京"})
    assert done.headers["location"] == "/en/volunteer"
    assert kept(site) is None


def test_a_device_is_told_the_outline_of_its_cell(site: Site) -> None:
    reader = joined(site)
    position = {"latitude": "30.30", "longitude": "120.10"}
    assert reader.post("/en/volunteer/position", position).status_code == 404
    reader.post("/en/volunteer/places", {"kind": "here", **position})
    there = {"latitude": "39.9042", "longitude": "116.4074"}
    outline = reader.post("/en/volunteer/position", there).json()["cell"]
    assert len(outline) == 6
    assert all(abs(y - 39.9) < 0.02 and abs(x - 116.4) < 0.02 for y, x in outline)
    one = kept(site)
    assert one is not None
    assert one.places[1].cell == cell_of(Point(39.9042, 116.4074))
    assert reader.post("/en/volunteer/position", {"latitude": "1"}).status_code == 422


def test_places_are_asked_about_after_half_a_year(site: Site) -> None:
    reader = joined(site)
    assert "Are they still true?" not in reader.get("/en/volunteer").text
    site.world.pass_time(days=181)
    reader = volunteer(site)
    assert "Are they still true?" in reader.get("/en/volunteer").text
    reader.post("/en/volunteer/confirm")
    assert "Are they still true?" not in reader.get("/en/volunteer").text


def test_a_volunteer_takes_everything_away(site: Site) -> None:
    answer = joined(site).get("/en/volunteer/export")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.json()["places"][0]["kind"] == "home"
