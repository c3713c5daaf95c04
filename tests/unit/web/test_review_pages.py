import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from reunite.accounts.account import Actor
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.open_case import add_photo
from reunite.app.report_sighting import SightingReport, report_sighting
from reunite.app.review_lead import decide_lead
from reunite.cases.case import CaseStatus, Person
from reunite.cases.leads import LeadStatus, Verdict
from reunite.kernel.people import Module, Sex, YearRange
from reunite.kernel.places import Point
from reunite.testing.faces import paint_person
from reunite.worker.loop import Worker
from tests.unit.app.world import HANGZHOU, NOON
from tests.unit.web.conftest import Reader, Site

BEYOND = Point(HANGZHOU.latitude + 0.1, HANGZHOU.longitude)  # 11 km north


def reviewer(site: Site, actor: Actor | None = None) -> Reader:
    return site.reader(actor or site.world.reviewer)


def volunteers(site: Site) -> None:
    """One at the place and one 11 km away."""
    for actor, place in ((site.world.volunteer, HANGZHOU), (site.world.family, BEYOND)):
        join_alerts(site.world.services, actor, JoinRequest(frozenset(Module), point=place))


def lead(site: Site) -> int:
    """The lead between a public missing person and a found record."""
    reference = site.world.open_public(1, person=Person(name="林小雨"))
    site.world.verify(site.world.open_found(1, 1))
    site.world.drain()
    return site.world.leads(reference)[0].id


def sighting(site: Site, text: str = "在车站见过") -> str:
    reference = site.world.open_public(1, person=Person(name="林小雨"))
    report_sighting(
        site.world.services,
        site.world.volunteer,
        reference,
        SightingReport(NOON - timedelta(hours=1), BEYOND, "武林广场", text),
    )
    return reference


# Dashboard


def test_the_dashboard_shows_what_waits_the_most_urgent_first(site: Site) -> None:
    site.world.open(3, person=Person(name="Long ago"), seen_at=NOON - timedelta(days=9000))
    site.world.open(4, person=Person(name="Just now"))
    lead(site)
    html = reviewer(site).get("/en/review").text
    assert html.index("Just now") < html.index("Long ago")
    assert "Missing for less than a day" in html
    assert "/en/review/leads/1" in html
    assert "No sighting is waiting." in html


def test_the_dashboard_counts_and_pages(site: Site) -> None:
    for _ in range(25):
        site.world.open(by=site.world.officer)
    first = reviewer(site).get("/en/review").text
    assert "24+" in first
    before = first.split("review?before=")[1].split('"')[0]
    second = reviewer(site).get(f"/en/review?before={before}").text
    assert second.count('class="queue-item"') == 1
    assert "Back to the newest" in second


@pytest.mark.parametrize("language", ["zh", "en"])
def test_empty_queues_say_so(site: Site, language: str) -> None:
    for path in ("/review", "/review/leads", "/review/leads?show=decided", "/review/sightings"):
        answer = reviewer(site).get(f"/{language}{path}")
        assert answer.status_code == 200
        assert 'class="empty"' in answer.text


# One case


def test_a_report_shows_contact_and_what_is_missing(site: Site) -> None:
    reference = site.world.open(1, place=None, consent_publish=False)
    html = reviewer(site).get(f"/en/review/cases/{reference}").text
    assert "138 0000 0000" in html
    assert "The place is not a point on the map" in html
    assert "Has not agreed to publication" in html
    assert "A face to search with" in html


def test_verifying_needs_to_say_how(site: Site) -> None:
    reference = site.world.open(1)
    reader = reviewer(site)
    refused = reader.post(f"/en/review/cases/{reference}/verify", {"note": "  "})
    assert refused.status_code == 422
    assert 'id="error-note"' in refused.text
    accepted = reader.post(f"/en/review/cases/{reference}/verify", {"note": "called 110-7"})
    assert accepted.headers["location"] == f"/en/review/cases/{reference}?done=verified"
    html = reader.get(accepted.headers["location"]).text
    assert "Next step: publish it." in html
    assert "called 110-7" in html
    assert "reviewer 3" in html
    assert site.world.case(reference).status is CaseStatus.VERIFIED


def test_nobody_verifies_their_own_report(site: Site) -> None:
    reference = site.world.open(1, by=site.world.reviewer)
    reader = reviewer(site)
    assert "Somebody else must verify it" in reader.get(f"/en/review/cases/{reference}").text
    refused = reader.post(f"/en/review/cases/{reference}/verify", {"note": "it is true"})
    assert refused.status_code == 409
    assert "You reported this case yourself." in refused.text


def test_the_audience_is_counted_before_anybody_is_told(site: Site) -> None:
    volunteers(site)
    reference = site.world.open(1)
    site.world.verify(reference)
    reader = reviewer(site)
    assert "Publish and tell 1 volunteer<" in reader.get(f"/en/review/cases/{reference}").text
    address = f"/en/review/cases/{reference}/audience?radius_km=20"
    whole = reader.get(address).text
    assert "Publish and tell 2 volunteers" in whole
    assert "<html" in whole
    part = reader.get(address, headers={"HX-Request": "true"}).text
    assert "Publish and tell 2 volunteers" in part
    assert "<html" not in part
    assert 'name="counted" value="' in part
    assert "please say why" in part
    assert site.world.case(reference).status is CaseStatus.VERIFIED


@pytest.mark.parametrize("radius", ["0", "-3", "501", "nan", "inf", "abc", "9" * 30])
def test_an_impossible_radius_is_explained(site: Site, radius: str) -> None:
    reference = site.world.open(1)
    site.world.verify(reference)
    reader = reviewer(site)
    for headers in ({}, {"HX-Request": "true"}):
        part = reader.get(
            f"/en/review/cases/{reference}/audience?radius_km={radius}", headers=headers
        )
        assert part.status_code == 200
        assert "Please enter" in part.text
    refused = reader.post(
        f"/en/review/cases/{reference}/publish", {"alert": "1", "radius_km": radius}
    )
    assert refused.status_code == 422
    assert site.world.case(reference).status is CaseStatus.VERIFIED


def test_publishing_tells_whom_the_button_said(site: Site) -> None:
    volunteers(site)
    reference = site.world.open(1)
    site.world.verify(reference)
    reader = reviewer(site)
    done = reader.post(
        f"/en/review/cases/{reference}/publish",
        {"alert": "1", "radius_km": "20", "reason": "took a bus"},
    )
    address = done.headers["location"]
    assert "on their way" in reader.get(address).text
    site.world.drain()
    html = reader.get(address).text
    assert "Within 20.0 km." in html
    assert html.count("<strong>2</strong>") == 2  # recipients and delivered
    part = reader.get(f"/en/review/cases/{reference}/notices").text
    assert "hx-trigger" not in part  # everything has been delivered
    assert "<html" not in part


def test_publishing_without_alert_tells_nobody(site: Site) -> None:
    volunteers(site)
    reference = site.world.open(1, place=None)
    site.world.verify(reference)
    reader = reviewer(site)
    html = reader.get(f"/en/review/cases/{reference}").text
    assert "nobody can be alerted" in html
    assert 'name="alert" value="1"' not in html
    refused = reader.post(
        f"/en/review/cases/{reference}/publish", {"alert": "1", "radius_km": "5", "reason": "fled"}
    )
    assert refused.status_code == 422
    assert "Without a place nobody can be alerted" in refused.text
    reader.post(f"/en/review/cases/{reference}/publish", {"alert": ""})
    site.world.drain()
    assert site.world.case(reference).is_public
    assert "Nobody has been told." in reader.get(f"/en/review/cases/{reference}").text


def test_without_consent_nothing_is_published(site: Site) -> None:
    reference = site.world.open(1, consent_publish=False)
    site.world.verify(reference)
    reader = reviewer(site)
    html = reader.get(f"/en/review/cases/{reference}").text
    assert "has not agreed to publication" in html
    assert "/publish" not in html
    refused = reader.post(f"/en/review/cases/{reference}/publish", {"alert": ""})
    assert refused.status_code == 409


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"cause": "police"}, "outcome"),
        ({"outcome": "reunited"}, "cause"),
        ({"outcome": "eaten", "cause": "police"}, "outcome"),
        ({"outcome": "reunited", "cause": "magic"}, "cause"),
    ],
)
def test_closing_needs_outcome_and_cause(site: Site, form: dict[str, str], fault: str) -> None:
    reference = site.world.open_public(1)
    refused = reviewer(site).post(f"/en/review/cases/{reference}/resolve", form)
    assert refused.status_code == 422
    assert f'id="error-{fault}"' in refused.text
    assert site.world.case(reference).is_public


def test_closing_keeps_what_was_chosen_and_ends_the_search(site: Site) -> None:
    reference = site.world.open_public(1)
    reader = reviewer(site)
    refused = reader.post(
        f"/en/review/cases/{reference}/resolve", {"outcome": "located", "resolve_note": "in Ningbo"}
    )
    assert 'value="located" checked' in refused.text
    assert "in Ningbo" in refused.text
    done = reader.post(
        f"/en/review/cases/{reference}/resolve",
        {"outcome": "located", "cause": "police", "resolve_note": "in Ningbo"},
    )
    html = reader.get(done.headers["location"]).text
    assert "Located, not returned" in html
    assert "will be erased on" in html
    assert site.world.case(reference).status is CaseStatus.RESOLVED
    again = reader.post(
        f"/en/review/cases/{reference}/resolve", {"outcome": "located", "cause": "police"}
    )
    assert again.status_code == 409


def test_withdrawing_needs_no_outcome(site: Site) -> None:
    reference = site.world.open(1)
    reader = reviewer(site)
    done = reader.post(f"/en/review/cases/{reference}/withdraw", {"withdraw_note": "sent twice"})
    assert "withdrawn" in reader.get(done.headers["location"]).text
    assert site.world.case(reference).status is CaseStatus.WITHDRAWN
    refused = reader.post(f"/en/review/cases/{reference}/withdraw")
    assert refused.status_code == 409


def test_who_looked_at_the_faces_is_shown(site: Site) -> None:
    reference = site.world.open_public(1)
    site.reader(site.world.volunteer).get(f"/en/cases/{reference}")
    html = reviewer(site).get(f"/en/review/cases/{reference}").text
    assert "volunteer 2" in html


@pytest.mark.parametrize("reference", ["7K3M9QX2TB", "%00", "a%2Fb", "测试"])
def test_a_case_that_does_not_exist(site: Site, reference: str) -> None:
    for path in ("", "/audience", "/notices"):
        assert reviewer(site).get(f"/en/review/cases/{reference}{path}").status_code == 404
    for step in ("verify", "publish", "resolve", "withdraw"):
        form = {"note": "x", "outcome": "reunited", "cause": "police"}
        answer = reviewer(site).post(f"/en/review/cases/{reference}/{step}", form)
        assert answer.status_code == 404


def test_an_address_cannot_make_the_page_say_things(site: Site) -> None:
    reference = site.world.open(1)
    html = reviewer(site).get(f"/en/review/cases/{reference}?done=resolved2&outcome=<b>").text
    assert "notice-success" not in html
    assert "<b>" not in html


def test_what_was_typed_is_text_never_markup(site: Site) -> None:
    script = "<script>alert(1)</script>"
    site.world.open(1, person=Person(name=script, marks=script))
    reference = sighting(site, script)
    number = lead(site)
    for path in (
        "/review",
        "/review/sightings",
        f"/review/cases/{reference}",
        f"/review/leads/{number}",
    ):
        html = reviewer(site).get(f"/en{path}").text
        assert "<script>alert" not in html


# Leads


def test_a_lead_is_compared_side_by_side(site: Site) -> None:
    person = Person(name="林小雨", sex=Sex.FEMALE, birth_years=YearRange(2000, 2000))
    reference = site.world.open(1, captured_year=2012, person=person)
    site.world.publish(reference)
    found = site.world.open(
        1,
        1,
        by=site.world.officer,
        side=site.world.case(reference).side.FOUND,
        person=Person(sex=Sex.MALE, birth_years=YearRange(1999, 2003)),
        captured_year=2024,
    )
    site.world.verify(found)
    site.world.drain()
    html = reviewer(site).get("/en/review/leads/1").text
    assert "12 years between the photos" in html
    assert "12 years old in this photo" in html
    assert "21–25 years old in this photo" in html
    assert "contradicts" in html
    assert "agrees" in html
    assert "Brothers, sisters" in html
    assert "Nobody has measured" in html  # the painted people's reader is not calibrated
    assert "match" not in html.lower().replace("matches", "")
    assert html.count("/face.jpg") == 2
    listed = reviewer(site).get("/en/review/leads").text
    assert "Contradicts: Sex" in listed
    # Alike, and yet of another sex.
    assert "perhaps a brother, a sister or a parent" in html
    assert "Perhaps a relative" in reviewer(site).get("/en/review/leads").text
    assert "可能是亲属" in reviewer(site).get("/zh/review/leads").text


def test_a_lead_of_a_family_that_misses_two_names_the_other(site: Site) -> None:
    site.world.settings = replace(site.world.settings, lead_similarity=-1.0)
    site.world.services = replace(site.world.services, settings=site.world.settings)
    site.world.worker = Worker(site.world.services)
    lost, other = (site.world.open(tag, person=Person(name=name)) for tag, name in NAMES)
    site.world.open_found(1, 1)
    site.world.drain()
    html = reviewer(site).get(f"/en/review/leads/{lead_of(site, lost)}").text
    assert "the same family misses" in html
    assert f"/en/review/cases/{other}" in html
    assert "Looks 5 to 12 years old" in html  # no year is known of either photo
    assert "Weighed over all photos" not in html
    add_photo(site.world.services, site.world.family, lost, paint_person(1, 2))
    site.world.drain()
    html = reviewer(site).get(f"/en/review/leads/{lead_of(site, lost)}").text
    assert "Weighed over all photos: 2 of the missing, 1 of the found person." in html


NAMES = ((1, "王乐乐"), (2, "王欢欢"))


def lead_of(site: Site, reference: str) -> int:
    [lead] = site.world.leads(reference)
    return lead.id


def test_small_children_are_weak_evidence(site: Site) -> None:
    person = Person(name="林小雨", birth_years=YearRange(2022, 2022))
    reference = site.world.open(1, captured_year=2024, person=person)
    site.world.publish(reference)
    site.world.verify(site.world.open_found(1, 1))
    site.world.drain()
    html = reviewer(site).get("/en/review/leads/1").text
    assert "Below six years of age" in html
    assert "Resemblance says little at this age" in html
    assert "strong resemblance" not in html.lower()


def test_it_takes_two_reviewers(site: Site) -> None:
    number = lead(site)
    address = f"/en/review/leads/{number}"
    first, second = reviewer(site), reviewer(site, site.world.second_reviewer)
    assert first.post(address, {"verdict": "accept", "note": "the ear"}).status_code == 303
    html = first.get(address).text
    assert "A second person must confirm it" in html
    assert "disabled" in html.split('value="accept"')[1].split(">")[0]
    assert first.post(address, {"verdict": "accept"}).status_code == 409
    seen = second.get(address).text
    assert "One reviewer has accepted this lead." in seen
    assert "the ear" in seen
    second.post(address, {"verdict": "accept"})
    confirmed = second.get(address).text
    assert "Two reviewers have confirmed this lead." in confirmed
    link = confirmed.split('class="button button-primary" href="')[1].split('"')[0]
    closing = second.get(link.replace("&amp;", "&").split("#")[0]).text
    assert 'value="reunited" checked' in closing
    assert 'value="face_lead" checked' in closing
    assert 'name="with_confirmed_partners" value="1" checked' in closing
    assert "A lead" not in first.get("/en/review/leads").text
    assert "Confirmed by two reviewers" in first.get("/en/review/leads?show=decided").text


def test_closing_takes_the_confirmed_records_with_it(site: Site) -> None:
    number = lead(site)
    for actor in (site.world.reviewer, site.world.second_reviewer):
        decide_lead(site.world.services, actor, number, Verdict.ACCEPT)  # type: ignore[arg-type]
    with site.world.database.transaction() as transaction:
        one = transaction.leads.get(number)  # type: ignore[arg-type]
        missing = transaction.cases.get(one.missing_case_id)
        found = transaction.cases.get(one.found_case_id)
    reviewer(site).post(
        f"/en/review/cases/{missing.reference}/resolve",
        {"outcome": "reunited", "cause": "face_lead", "with_confirmed_partners": "1"},
    )
    assert site.world.case(missing.reference).status is CaseStatus.RESOLVED
    assert site.world.case(found.reference).status is CaseStatus.RESOLVED


def test_a_rejection_needs_a_reason_and_is_final(site: Site) -> None:
    address = f"/en/review/leads/{lead(site)}"
    reader = reviewer(site)
    refused = reader.post(address, {"verdict": "reject"})
    assert refused.status_code == 422
    assert 'id="error-note"' in refused.text
    reader.post(address, {"verdict": "reject", "note": "the mole"})
    assert "never compared again" in reader.get(address).text
    assert reader.post(address, {"verdict": "accept"}).status_code == 409


@pytest.mark.parametrize("form", [{}, {"verdict": ""}, {"verdict": "maybe"}])
def test_a_decision_is_one_of_two(site: Site, form: dict[str, str]) -> None:
    number = lead(site)
    assert reviewer(site).post(f"/en/review/leads/{number}", form).status_code == 422
    with site.world.database.transaction() as transaction:
        assert transaction.leads.get(number).status is LeadStatus.OPEN  # type: ignore[arg-type]


@pytest.mark.parametrize("number", ["99", "9" * 30])
def test_a_lead_that_does_not_exist(site: Site, number: str) -> None:
    assert reviewer(site).get(f"/en/review/leads/{number}").status_code == 404
    answer = reviewer(site).post(f"/en/review/leads/{number}", {"verdict": "accept"})
    assert answer.status_code == 404


# Sightings


def test_triage_shows_what_helps_to_judge(site: Site) -> None:
    sighting(site)
    html = reviewer(site).get("/en/review/sightings").text
    assert "在车站见过" in html
    assert "武林广场" in html
    assert "11.1 km from where the person was last seen" in html
    assert "2 hours after the person was last seen" in html
    assert "60 minutes ago" in html
    assert "volunteer2@example.org" in html


def test_a_sighting_is_passed_on_once(site: Site) -> None:
    sighting(site)
    reader = reviewer(site)
    done = reader.post("/en/review/sightings/1", {"status": "passed_on"})
    html = reader.get(done.headers["location"]).text
    assert "was passed on" in html
    assert "No sighting is waiting." in html
    assert "在车站见过" in reader.get("/en/review/sightings?status=passed_on").text
    again = reader.post("/en/review/sightings/1", {"status": "unlikely"})
    assert again.status_code == 409
    assert "has been dealt with already" in again.text


@pytest.mark.parametrize("status", ["", "new", "perhaps"])
def test_a_sighting_is_decided_one_way_or_the_other(site: Site, status: str) -> None:
    sighting(site)
    refused = reviewer(site).post("/en/review/sightings/1", {"status": status})
    assert refused.status_code == 422
    assert "在车站见过" in refused.text


@pytest.mark.parametrize("number", ["99", "9" * 30])
def test_a_sighting_that_does_not_exist(site: Site, number: str) -> None:
    answer = reviewer(site).post(f"/en/review/sightings/{number}", {"status": "unlikely"})
    assert answer.status_code == 404


@pytest.mark.parametrize("query", ["offset=-5", "offset=x", "status=perhaps", "before=x"])
def test_odd_addresses_break_nothing(site: Site, query: str) -> None:
    for path in ("/review", "/review/leads", "/review/sightings"):
        assert reviewer(site).get(f"/en{path}?{query}").status_code in {200, 422}


# The box on the case page


def test_the_case_page_leads_staff_to_the_review(site: Site) -> None:
    reference = site.world.open(1)
    assert f"/en/review/cases/{reference}" in reviewer(site).get(f"/en/cases/{reference}").text
    own = site.reader(site.world.family).get(f"/en/cases/{reference}").text
    assert "/review/" not in own


def test_who_comes_second_is_told_so(site: Site) -> None:
    reference = site.world.open_public(1)
    refused = reviewer(site).post(f"/en/review/cases/{reference}/publish", {"alert": ""})
    assert refused.status_code == 409
    assert "somebody may have changed the case" in refused.text


def fields_of(html: str) -> dict[str, str]:
    """What a browser sends of the alert's form, untouched."""
    form = html.split('id="alert-form"')[1].split("</form>", maxsplit=1)[0]
    fields = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', form))
    fields |= dict(re.findall(r'<input[^>]*name="(counted)" value="([^"]*)"', form))
    for select in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.findall(r'value="(\w+)" selected', select[1])
        fields[select[0]] = chosen[0] if chosen else re.findall(r'value="(\w+)"', select[1])[0]
    return {name: value for name, value in fields.items() if name not in {"csrf", "imminent"}}


def test_the_suggested_alert_is_published_as_it_was_counted(site: Site) -> None:
    volunteers(site)
    reference = site.world.open(1, module=Module.ELDER)
    site.world.verify(reference)
    reader = reviewer(site)
    fields: dict[str, str] = {}
    for path in ("", "/audience?radius_km=9.6"):
        fields = fields_of(reader.get(f"/en/review/cases/{reference}{path}").text)
        chosen = fields["category"], fields["mode"], fields["datum"]
        assert chosen == ("dementia", "foot", "wgs84")
    changed = reader.post(
        f"/en/review/cases/{reference}/publish",
        {**fields, "alert": "1", "radius_km": "20", "reason": "took a bus"},
    )
    assert changed.status_code == 409
    assert "after it was counted" in changed.text
    done = reader.post(f"/en/review/cases/{reference}/publish", {**fields, "alert": "1"})
    html = reader.get(done.headers["location"]).text
    assert "Koester" in html
    assert "Still to come" in html
    reader.post(f"/en/review/cases/{reference}/stop-widening")
    assert "Stopped by a reviewer" in reader.get(f"/en/review/cases/{reference}").text


def test_an_area_that_was_drawn_is_counted_and_published(site: Site) -> None:
    volunteers(site)
    reference = site.world.open(1)
    site.world.verify(reference)
    reader = reviewer(site)
    ring = [[120.1, 30.2], [120.2, 30.2], [120.2, 30.3], [120.1, 30.3], [120.1, 30.2]]
    area = json.dumps({"type": "Polygon", "coordinates": [ring]})
    address = f"/en/review/cases/{reference}"
    part = reader.post(
        f"{address}/audience",
        {"radius_km": "3", "area": area},
        headers={"HX-Request": "true"},
    ).text
    assert "in the area that was drawn" in part
    assert "is not widened" in part
    bow = json.dumps({"type": "Polygon", "coordinates": [[ring[0], ring[2], ring[1], ring[3]]]})
    assert "crosses itself" in reader.post(f"{address}/audience", {"area": bow}).text
    refused = reader.post(f"{address}/publish", {"alert": "1", "radius_km": "3", "area": area})
    assert refused.status_code == 422
    assert "not what the rules suggest" in refused.text
    reader.post(
        f"{address}/publish",
        {"alert": "1", "radius_km": "3", "area": area, "reason": "only this island"},
    )
    html = reader.get(address).text
    assert "only this island" in html
    assert "the area that was drawn" in html
