"""Pages about partners, the frame for other sites, and what machines read on a case page."""

import re

import pytest

from reunite.app.api_keys import KeyRequest, add_key
from reunite.app.close_case import withdraw_case
from reunite.app.take_records import Terms, take_document
from reunite.app.use_key import KeyGate, admit, log_use
from reunite.cases.case import Person
from reunite.kernel.people import Sex, YearRange
from reunite.partners.keys import Scope
from tests.unit.web.conftest import Reader, Site

WANG = Person(name="王乐乐", sex=Sex.FEMALE, birth_years=YearRange(2018, 2018))
SCOPE = frozenset({Scope.READ_PUBLIC})


def admin(site: Site) -> Reader:
    return site.reader(site.world.admin)


def secret_in(html: str) -> str:
    found = re.search(r"<code>(rk_[^<…]{30,})</code>", html)
    assert found is not None
    return found[1]


def test_an_administrator_makes_a_key_and_sees_its_secret_once(site: Site) -> None:
    reader, world = admin(site), site.world
    form = {
        "name": "登记处", "scopes": "read_public", "account": str(world.officer.account_id),
        "requests_per_minute": "5",
    }  # fmt: skip
    made = reader.post("/en/admin/partners/keys", form)
    assert made.status_code == 200
    key = admit(world.services, KeyGate(world.clock), secret_in(made.text), SCOPE, "")
    assert (key.name, key.requests_per_minute) == ("登记处", 5)
    listed = reader.get("/en/admin/partners").text
    assert "登记处" in listed
    assert secret_in(made.text) not in listed


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"scopes": "search"}, "Please fill this in."),
        ({"name": "x"}, "Please fill this in."),
        ({"name": "x", "scopes": "write_own"}, "Please fill this in."),
        ({"name": "x", "scopes": "everything"}, "Please choose one of the answers offered."),
        ({"name": "x", "scopes": "search", "account": "99999"}, ""),
    ],
)
def test_a_key_that_cannot_be_right_is_refused(
    site: Site, form: dict[str, str], message: str
) -> None:
    answer = admin(site).post("/en/admin/partners/keys", form)
    assert answer.status_code in (404, 422)
    assert message in answer.text


def test_keys_are_rotated_and_revoked_and_their_uses_seen(site: Site) -> None:
    reader, world = admin(site), site.world
    wanted = KeyRequest("City", SCOPE, world.officer.account_id)
    made = add_key(world.services, world.admin, wanted)
    log_use(world.services, made.key, "persons", 1234, "xml_unreadable")
    uses = reader.get(f"/en/admin/partners/keys/{made.key.id}").text
    assert "1,234" in uses
    assert "xml_unreadable" in uses
    rotated = reader.post(f"/en/admin/partners/keys/{made.key.id}/rotate", {})
    assert secret_in(rotated.text) != made.secret
    assert reader.post(f"/en/admin/partners/keys/{made.key.id}/revoke", {}).status_code == 303
    refused = reader.post(f"/en/admin/partners/keys/{made.key.id}/rotate", {})
    assert "This key has ended" in refused.text


def test_a_case_says_where_its_fields_come_from(site: Site) -> None:
    world = site.world
    document = """<p:pfif xmlns:p="http://zesty.ca/pfif/1.4"><p:person>
    <p:person_record_id>registry.example/1</p:person_record_id>
    <p:source_date>2026-05-30T08:00:00Z</p:source_date><p:full_name>李小红</p:full_name>
    <p:note><p:note_record_id>registry.example/n</p:note_record_id>
    <p:author_name>赵敏</p:author_name><p:source_date>2026-05-30T09:00:00Z</p:source_date>
    <p:text>穿蓝裙 &lt;b&gt;</p:text></p:note></p:person></p:pfif>"""
    terms = Terms(world.officer, "push", frozenset({"registry.example"}))
    take_document(world.services, terms, [document.encode()])
    with world.database.transaction() as transaction:
        record = transaction.partners.find_record("registry.example/1")
        assert record is not None
        assert record.case_id is not None
        reference = transaction.cases.get(record.case_id).reference
    html = site.reader(world.reviewer).get(f"/en/review/cases/{reference}").text
    assert "Where this comes from" in html
    assert "registry.example/1" in html
    assert "穿蓝裙 &lt;b&gt;" in html
    plain = world.open(1)
    html = site.reader(world.reviewer).get(f"/en/review/cases/{plain}").text
    assert "Where this comes from" not in html


def test_a_frame_shows_a_case_and_is_gone_with_it(site: Site) -> None:
    world = site.world
    reference = world.open_public(1, person=WANG)
    answer = site.reader().get(f"/en/widget/{reference}")
    assert answer.status_code == 200
    assert "王乐乐" in answer.text
    assert f"/en/cases/{reference}" in answer.text
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers
    assert "<script" not in answer.text
    assert answer.headers["Cache-Control"] == "max-age=60"
    withdraw_case(world.services, world.family, reference)
    gone = site.reader().get(f"/en/widget/{reference}")
    assert gone.status_code == 410
    assert "王乐乐" not in gone.text
    assert "over" in gone.text


def test_every_other_page_still_stands_in_no_frame(site: Site) -> None:
    answer = site.reader().get("/en/cases")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_frame_shows_nobody_who_is_not_public(site: Site) -> None:
    reference = site.world.open(1, person=WANG)
    for reader in (site.reader(), site.reader(site.world.reviewer)):
        answer = reader.get(f"/en/widget/{reference}")
        assert answer.status_code == 404
        assert "王乐乐" not in answer.text


def test_pages_that_are_not_found_show_somebody_who_is_missing(site: Site) -> None:
    assert site.reader().get("/en/widget").status_code == 404
    site.world.publish(site.world.open_found(2))
    assert site.reader().get("/en/widget").status_code == 404
    reference = site.world.open_public(1, person=WANG)
    answer = site.reader().get("/en/widget")
    assert f"/en/cases/{reference}" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_machines_read_whom_a_public_page_is_about(site: Site) -> None:
    reference = site.world.open_public(1, person=WANG)
    html = site.reader().get(f"/en/cases/{reference}").text
    assert 'itemtype="https://schema.org/SpecialAnnouncement"' in html
    assert 'itemtype="https://schema.org/Person"' in html
    assert '<meta itemprop="gender" content="Female">' in html
    assert '<meta itemprop="birthDate" content="2018">' in html
    assert re.search(r'property="og:image" content="http[^"]+/photos/\d+/full.jpg"', html)
    own = site.world.open(2, person=WANG)
    html = site.reader(site.world.family).get(f"/en/cases/{own}").text
    assert "schema.org" not in html
    assert "og:image" not in html


def test_no_face_of_a_found_person_is_handed_to_other_sites(site: Site) -> None:
    reference = site.world.open_found(2)
    site.world.publish(reference)
    html = site.reader().get(f"/en/cases/{reference}").text
    assert "schema.org/Person" in html
    assert "og:image" not in html


def test_a_case_without_a_photo_has_its_page_and_its_frame(site: Site) -> None:
    reference = site.world.open_public(None, person=WANG)
    assert "og:image" not in site.reader().get(f"/en/cases/{reference}").text
    frame = site.reader().get(f"/en/widget/{reference}")
    assert (frame.status_code, "<img" in frame.text) == (200, False)
