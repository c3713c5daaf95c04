import re
from dataclasses import replace

import pytest

from reunite.app.close_case import resolve_case
from reunite.app.fill_gallery import add_synthetic_templates
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.search_face import start_search
from reunite.cases.case import Circumstances, Outcome, Person, ResolutionCause
from reunite.faces.quality import Verdict
from reunite.kernel.people import Module, YearRange
from reunite.testing.faces import PaintedPerson, paint_people, paint_person
from tests.unit.app.world import HANGZHOU, a_report
from tests.unit.web.conftest import Site

REPORT = {"module": "1", "name": "林小雨", "contact": "138 0000 0000", "consent_search": "1"}


def photo(tag: int, variant: int = 0) -> dict[str, tuple[str, bytes]]:
    return {"photo": ("photo.jpg", paint_person(tag, variant))}


def several() -> dict[str, tuple[str, bytes]]:
    weak = PaintedPerson(3, verdict=Verdict.UNUSABLE)
    return {"photo": ("photo.jpg", paint_people(PaintedPerson(1), PaintedPerson(2), weak))}


def test_home_and_lists_show_published_cases_only(site: Site) -> None:
    site.world.open(1, person=Person(name="Hidden Lin"))
    site.world.open_public(2, person=Person(name="Shown Lin"))
    for path in ("/en/", "/zh/", "/en/cases", "/en/cases?module=1&side=1"):
        html = site.reader().get(path).text
        assert "Shown Lin" in html
        assert "Hidden Lin" not in html
    assert "Shown Lin" not in site.reader().get("/en/cases?module=2").text


def test_what_people_type_is_text_never_markup(site: Site) -> None:
    script = "<script>alert(1)</script>"
    report = replace(
        a_report(person=Person(name=script, marks=script, clothing=script)),
        circumstances=Circumstances(place=HANGZHOU, place_label=script, story=script),
    )
    reference = site.world.report(site.world.family, report).reference
    site.world.publish(reference)
    for path in ("/en/", f"/en/cases/{reference}", f"/zh/cases/{reference}/poster"):
        html = site.reader().get(path).text
        assert "<script>alert" not in html
        assert "&lt;script&gt;" in html


def test_a_case_that_is_not_public_is_its_reporters_alone(site: Site) -> None:
    reference = site.world.open(1)
    assert site.reader().get(f"/en/cases/{reference}").status_code == 404
    assert site.reader(site.world.volunteer).get(f"/en/cases/{reference}").status_code == 404
    own = site.reader(site.world.family).get(f"/en/cases/{reference.lower()}")
    assert own.status_code == 200
    assert "not public yet" in own.text


def test_contact_data_are_not_for_the_public(site: Site) -> None:
    reference = site.world.open_public(1)
    for path in (f"/en/cases/{reference}", f"/en/cases/{reference}/poster"):
        assert "138 0000 0000" not in site.reader().get(path).text
    assert "138 0000 0000" in site.reader(site.world.family).get(f"/en/cases/{reference}").text


def test_a_case_that_is_over_is_gone_and_names_nobody(site: Site) -> None:
    reference = site.world.open_public(1, person=Person(name="林小雨"))
    reader = site.reader()
    html = reader.get(f"/en/cases/{reference}").text
    picture = re.search(r"/photos/\d+/full\.jpg", html)
    assert picture
    assert reader.get(picture[0]).headers["content-type"] == "image/jpeg"
    resolve_case(
        site.world.services,
        site.world.reviewer,
        reference,
        Outcome.REUNITED,
        ResolutionCause.VOLUNTEER_TIP,
    )
    over = reader.get(f"/en/cases/{reference}")
    assert over.status_code == 410
    assert "林小雨" not in over.text
    assert "This case is over" in over.text
    assert reader.get(picture[0]).status_code == 404
    assert reader.get(f"/en/cases/{reference}/poster").status_code == 410
    assert "A volunteer&#39;s tip" in reader.get("/en/statistics").text


def test_public_pictures_are_asked_for_again_each_time(site: Site) -> None:
    reference = site.world.open_public(1)
    reader = site.reader()
    picture = re.search(r"/photos/\d+/full\.jpg", reader.get(f"/en/cases/{reference}").text)
    assert picture
    first = reader.get(picture[0])
    assert first.headers["cache-control"] == "no-cache"
    again = reader.get(picture[0], headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_poster_leads_to_the_case(site: Site) -> None:
    reference = site.world.open_public(1)
    html = site.reader().get(f"/zh/cases/{reference}/poster").text
    assert f"/zh/cases/{reference}" in html
    assert 'class="qr"' in html


def test_a_report_from_form_to_own_case(site: Site) -> None:
    reader = site.reader(site.world.family)
    reader.get("/en/report/missing")
    answer = reader.post(
        "/en/report/missing",
        {**REPORT, "town": "杭州", "seen_at": "2026-03-05T14:30", "age_from": "6", "age_to": "8"},
        files=photo(1),
    )
    assert answer.status_code == 303
    html = reader.get(answer.headers["location"]).text
    assert "Thank you. Your report has arrived." in html
    assert "5 Mar 2026 14:30" in html
    assert "2017\N{EN DASH}2020" in html
    assert "林小雨" in reader.get("/en/my/cases").text


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": ""}, "name", "Please fill this in."),
        ({"contact": ""}, "contact", "Please fill this in."),
        ({"module": ""}, "module", "Please fill this in."),
        ({"module": "3"}, "module", "Please choose one of the answers offered."),
        ({"consent_search": ""}, "consent_search", "only if you agree"),
        ({"birth_year": "2030"}, "birth_year", "lies in the future"),
        ({"birth_year": "last"}, "birth_year", "Please enter a number"),
        ({"birth_year": "9" * 40}, "birth_year", "Please enter a number"),
        ({"birth_year": "1700"}, "birth_year", "nobody born before 1880"),
        ({"birth_year": "2020", "captured_year": "2010"}, "captured_year", "born in 2020"),
        ({"age_from": "9", "age_to": "3"}, "age_from", "must not be larger"),
        ({"age_to": "400"}, "age_to", "between 0 and 130"),
        ({"seen_at": "yesterday"}, "seen_at", "Please enter a day and a time"),
        ({"seen_at": "2090-01-01T10:00"}, "seen_at", "lies in the future"),
        ({"seen_at": "0001-01-01T00:00"}, "seen_at", "Please enter a day and a time"),
        ({"town": "Nowhereville"}, "town", "We do not know this town"),
        ({"latitude": "0", "longitude": "-160"}, "place", "lies at sea"),
        ({"latitude": "100", "longitude": "1"}, "place", "There is no such place"),
        ({"latitude": "nan", "longitude": "1"}, "latitude", "Please enter a number"),
        ({"name": "x" * 100}, "name", "at most 80 characters"),
    ],
)
def test_a_mistake_is_shown_at_its_field_and_the_rest_is_kept(
    site: Site, changes: dict[str, str], field: str, words: str
) -> None:
    reader = site.reader(site.world.family)
    answer = reader.post("/en/report/missing", {**REPORT, "story": "At the market", **changes})
    assert answer.status_code == 422
    message = re.search(rf'id="error-{field}">(.*?)</p>', answer.text, re.DOTALL)
    assert message, answer.text
    assert words in message[1]
    assert "At the market</textarea>" in answer.text
    with site.world.database.transaction() as transaction:
        assert not transaction.cases.count()


def test_a_bad_photo_leaves_nothing_behind(site: Site) -> None:
    reader = site.reader(site.world.family)
    answer = reader.post(
        "/zh/report/missing", REPORT, files={"photo": ("x.jpg", b"not a photo at all")}
    )
    assert answer.status_code == 422
    assert "这个文件不是照片" in answer.text
    assert 'value="林小雨"' in answer.text
    with site.world.database.transaction() as transaction:
        assert not transaction.cases.count()


def test_several_faces_are_asked_about(site: Site) -> None:
    reader = site.reader(site.world.family)
    answer = reader.post("/en/report/missing", REPORT, files=several())
    address = answer.headers["location"]
    page = reader.get(address)
    assert page.text.count('name="face"') == 3
    assert "disabled" in page.text
    assert reader.get(re.findall(r'src="(/photos/[^"]+)"', page.text)[0]).status_code == 200
    for wrong in ({}, {"face": "9"}, {"face": "2"}, {"face": "x"}):
        refused = reader.post(address, wrong)
        assert refused.status_code == 422
        assert 'id="error-face"' in refused.text
    assert reader.post(address, {"face": "1"}).status_code == 303
    assert site.reader(site.world.volunteer).get(address).status_code == 404


def test_one_more_photo_of_an_own_case(site: Site) -> None:
    reference = site.world.open(1)
    reader = site.reader(site.world.family)
    address = f"/en/cases/{reference}/photos"
    assert reader.get(address).status_code == 200
    assert reader.post(address).status_code == 422
    assert reader.post(address, {"captured_year": "2015"}, files=photo(1, 4)).status_code == 303
    assert reader.post(address, files=photo(1, 4)).status_code == 409
    assert site.reader(site.world.volunteer).get(address).status_code == 404


def test_taking_a_case_back(site: Site) -> None:
    reference = site.world.open_public(1)
    reader = site.reader(site.world.family)
    address = f"/en/cases/{reference}/withdraw"
    assert "cannot be undone" in reader.get(address).text
    assert reader.post(address, {"note": "a mistake"}).status_code == 303
    assert reader.post(address).status_code == 409
    assert site.reader().get(f"/en/cases/{reference}").status_code == 410


def test_face_find_ranks_and_never_says_match(site: Site) -> None:
    site.world.open_public(1, 1, person=Person(name="Right One", birth_years=YearRange(2000, 2000)))
    site.world.open_public(2, 1, person=Person(name="Other One"))
    reader = site.reader(site.world.volunteer)
    reader.get("/en/find")
    started = reader.post("/en/find", {"captured_year": "2003"}, files=photo(1, 2))
    assert started.status_code == 303
    page = reader.get(started.headers["location"])
    html = page.text
    assert html.index("Right One") < html.index("Other One")
    assert "2 faces searched in" in html
    assert "Below six years of age" in html
    assert "would be 3 here" in html
    assert "match" not in html.lower()
    assert "/sighting?probe=" in html
    assert "Right One" not in reader.get(started.headers["location"] + "?module=2").text
    narrow = reader.get(started.headers["location"] + "?born_from=2010&born_to=2000")
    assert narrow.status_code == 422
    token = started.headers["location"].rsplit("/", 1)[1]
    assert reader.get(f"/find/{token}/face.jpg").headers["cache-control"] == "no-store"
    other = site.reader(site.world.family)
    assert other.get(started.headers["location"]).status_code == 404
    assert other.get(f"/find/{token}/face.jpg").status_code == 404


def test_face_find_asks_which_face(site: Site) -> None:
    site.world.open_public(2, 1, person=Person(name="Right One"))
    reader = site.reader(site.world.volunteer)
    started = reader.post("/en/find", files=several())
    address = started.headers["location"]
    assert "Which face is it?" in reader.get(address).text
    for wrong in ({}, {"face": "2"}):
        assert reader.post(address, wrong).status_code == 422
    assert reader.post(address, {"face": "1"}).status_code == 303
    assert "Right One" in reader.get(address).text
    assert "Which face is it?" in reader.get(address + "/face").text


def test_face_find_with_several_photos(site: Site) -> None:
    site.world.open_public(1, 1, person=Person(name="Right One"))
    site.world.open_public(2, 1, person=Person(name="Other One"))
    reader = site.reader(site.world.volunteer)
    address = reader.post("/en/find", files=photo(2, 2)).headers["location"]
    assert "Searched with" not in reader.get(address).text
    assert "Add a photo of the same person" in reader.get(address).text
    wrong = reader.post(address + "/photos", files={"photo": ("x.jpg", b"hello")})
    assert wrong.status_code == 422
    assert "This file is not a photo." in wrong.text
    for variant in (2, 3):
        added = reader.post(address + "/photos", {"captured_year": "2010"}, files=photo(1, variant))
        assert added.headers["location"] == address
    html = reader.get(address).text
    assert "Searched with 3 photos together" in html
    assert html.index(">Right One<") < html.index(">Other One<")
    assert reader.get(address[3:] + "/face.jpg?number=2").status_code == 200
    assert reader.get(address[3:] + "/face.jpg?number=3").status_code == 404
    reader.post(address + "/photos/drop", {"number": "1"})
    reader.post(address + "/photos/drop", {"number": "1"})
    assert reader.post(address + "/photos/drop", {"number": "1"}).status_code == 404
    html = reader.get(address).text
    assert html.index(">Other One<") < html.index(">Right One<")


def test_face_find_asks_for_the_face_of_an_added_photo(site: Site) -> None:
    site.world.open_public(2, 1, person=Person(name="Right One"))
    reader = site.reader(site.world.volunteer)
    address = reader.post("/en/find", files=photo(2, 2)).headers["location"]
    reader.post(address + "/photos", files=several())
    html = reader.get(address).text
    assert "Which face is it?" in html
    assert "/face.jpg?number=1&amp;face=1" in html
    assert reader.post(address, {"face": "1", "number": "1"}).status_code == 303
    assert "Searched with 2 photos together" in reader.get(address).text


def test_somebody_who_is_not_the_person_is_set_aside(site: Site) -> None:
    site.world.open_public(1, 1, person=Person(name="Right One"))
    wrong = site.world.open_public(2, 1, person=Person(name="Other One"))
    reader = site.reader(site.world.volunteer)
    address = reader.post("/en/find", files=photo(1, 2)).headers["location"]
    assert reader.post(address + "/aside", {"reference": wrong}).status_code == 303
    html = reader.get(address).text
    assert "1 person set aside" in html
    assert "Other One is not this person" not in html
    assert "Right One is not this person" in html
    reader.post(address + "/aside", {"reference": wrong, "put_back": "1"})
    assert "Other One is not this person" in reader.get(address).text
    assert reader.post(address + "/aside", {"reference": "0000000000"}).status_code == 404


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "Please choose a photo."),
        ({"photo": ("x.jpg", b"hello")}, "This file is not a photo."),
        ({"photo": ("x.jpg", b"")}, "The file is empty."),
    ],
)
def test_a_photo_that_cannot_be_searched_with(
    site: Site, files: dict[str, tuple[str, bytes]], words: str
) -> None:
    reader = site.reader(site.world.volunteer)
    answer = reader.post("/en/find", {"captured_year": "1999"}, files=files or None)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="1999"' in answer.text


def test_towns_are_completed(site: Site) -> None:
    assert site.reader().get("/zh/towns?q=杭").json()[0].startswith("杭州")
    assert "Hangzhou" in site.reader().get("/en/towns?q=hang").json()
    assert site.reader().get("/en/towns?q=").json() == []


def test_where_a_found_person_is_stays_inside(site: Site) -> None:
    world = site.world
    join_alerts(world.services, world.volunteer, JoinRequest(frozenset(Module), point=HANGZHOU))
    reference = world.open_found(1, place_label="南山路 27 号")
    world.publish(reference, 5.0)
    world.drain()
    volunteer = site.reader(world.volunteer)
    search = start_search(world.services, world.volunteer, paint_person(1, 1)).token
    for path in (
        f"/zh/cases/{reference}",
        f"/zh/cases/{reference}/poster",
        f"/zh/cases/{reference}/sighting",
        "/zh/cases",
        f"/zh/find/{search}",
        "/zh/inbox",
    ):
        html = volunteer.get(path).text
        assert f"/cases/{reference}" in html
        assert "杭州" in html
        for secret in ("南山路", "湖滨救助站", "30.2741"):
            assert secret not in html, path
    for insider in (world.officer, world.reviewer):
        html = site.reader(insider).get(f"/zh/cases/{reference}").text
        assert "南山路 27 号" in html
        assert "湖滨救助站" in html


def test_what_other_sites_copy_names_nobody(site: Site) -> None:
    reference = site.world.open_public(1, person=Person(name="林小雨"))
    html = site.reader().get(f"/zh/cases/{reference}").text
    copied = re.findall(r'<meta property="og:[^>]+>', html)
    assert len(copied) == 5
    assert not [line for line in copied if "林小雨" in line]


def test_results_say_how_many_faces_are_nobodys(site: Site) -> None:
    site.world.open_public(1)
    token = start_search(site.world.services, site.world.volunteer, paint_person(1, 1)).token
    reader = site.reader(site.world.volunteer)
    assert "synthetic" not in reader.get(f"/en/find/{token}").text
    add_synthetic_templates(site.world.services, 1200)
    assert "1,200 synthetic faces of nobody" in reader.get(f"/en/find/{token}").text
    assert "1,200 张不属于任何人的合成人脸" in reader.get(f"/zh/find/{token}").text
