"""The family's pages for people who may get lost, and the page behind the card's code."""

import re

from tests.unit.web.conftest import Site

PERSON = {
    "name": "王秀珍",
    "sex": "1",
    "birth_year": "1948",
    "condition": "认知症",
    "home_places": "达州",
    "town": "杭州",
    "contact": "138 0000 0000",
    "consent_search": "yes",
}


def test_register_print_be_found_and_raise_the_alarm(site: Site) -> None:
    family = site.reader(site.world.family)
    assert "Register somebody" in family.get("/en/my/people").text
    sent = family.post("/en/my/people", PERSON)
    assert sent.status_code == 303
    path = sent.headers["location"]
    token = path.rsplit("/", 1)[1]
    card = family.get(f"{path}/card").text
    assert "<svg" in card
    assert f"/en/card/{token}" in card
    assert "王秀珍" not in card

    finder = site.reader()
    page = finder.get(f"/zh/card/{token}")
    assert page.status_code == 200
    for secret in ("王秀珍", "达州", "138 0000 0000", "认知症", "杭州市"):
        assert secret not in page.text
    refused = finder.post(f"/en/card/{token}", {"text": ""})
    assert "Please fill this in" in refused.text
    told = finder.post(f"/zh/card/{token}", {"text": "在汽车站", "contact": "139"})
    assert "已经告诉家人" in told.text
    assert "王秀珍" not in told.text
    site.world.worker.drain()
    inbox = family.get("/en/inbox").text
    assert "Somebody is with 王秀珍" in inbox
    mine = family.get(path).text
    assert "在汽车站" in mine
    assert "The alarm is on" in mine
    case = re.search(r"/en/cases/(\w{10})", mine)
    assert case is not None
    own = family.get(f"/en/cases/{case[1]}").text
    assert "认知症" in own
    assert "达州" in own


def test_a_report_may_say_what_helps_to_find_an_elder(site: Site) -> None:
    family = site.reader(site.world.family)
    form = family.get("/en/report/missing").text
    assert "Places of earlier life" in form
    assert "Places of earlier life" not in family.get("/en/report/found").text
    sent = family.post(
        "/en/report/missing",
        {
            "module": "2",
            "name": "王",
            "contact": "1",
            "consent_search": "yes",
            "habits": "往车站走",
        },
    )
    assert "往车站走" in family.get(sent.headers["location"]).text


def test_one_tap_and_delete(site: Site) -> None:
    family = site.reader(site.world.family)
    path = family.post("/en/my/people", PERSON).headers["location"]
    alarm = family.post(f"{path}/alarm")
    assert alarm.headers["location"].endswith("?thanks=1")
    assert family.post(f"{path}/delete").headers["location"] == "/en/my/people"
    assert family.get(path).status_code == 404
    assert site.reader().get(f"/en/card/{path.rsplit('/', 1)[1]}").status_code == 404
    refused = family.post("/en/my/people", {**PERSON, "consent_search": ""})
    assert refused.status_code == 422
