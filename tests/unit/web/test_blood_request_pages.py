"""Pages of requests for blood."""

import re
from datetime import timedelta

import pytest

from reunite.app.recruit_donors import LOOK_AGAIN
from reunite.blood.waves import Answer
from reunite.cases.case import Outcome, ResolutionCause
from reunite.kernel.ids import BloodCentreId
from reunite.testing.donors import store_donor
from tests.unit.app.blood_desk import Desk
from tests.unit.app.world import NOON
from tests.unit.web.conftest import Reader, Site

WISH = {
    "patient": "O Rh-",
    "component": "red_cells",
    "units": "1",
    "units_per_donation": "1",
    "urgency": "urgent",
    "needed_by": "2026-06-02T12:00",
    "policy": "default",
}


@pytest.fixture
def desk(site: Site) -> Desk:
    return Desk(site.world)


@pytest.fixture
def clerk(site: Site, desk: Desk) -> Reader:
    return site.reader(desk.clerk)


def test_whoever_acts_for_no_centre_is_told_so(site: Site) -> None:
    answer = site.reader(site.world.officer).get("/en/blood/requests")
    assert answer.status_code == 403
    assert "acts for no blood centre" in answer.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"units": "0"}, "between 1 and 60"),
        ({"units": "1000"}, "between 1 and 60"),
        ({"units": ""}, "Please fill this in"),
        ({"patient": "AB anti-A"}, "anti-A"),
        ({"patient": "x y z"}, "as a blood type"),
        ({"needed_by": "2026-05-01T12:00"}, "time"),
        ({"policy": "?"}, "one of the answers"),
        ({"family_code": "nobody"}, "family code"),
        ({"note": "5000 元"}, "not sold"),
        ({"town": "Atlantis"}, "town"),
    ],
)
def test_a_request_that_cannot_be_is_refused_at_its_field(
    desk: Desk, clerk: Reader, changes: dict[str, str], words: str
) -> None:
    answer = clerk.post("/en/blood/requests/new", {**WISH, **changes})
    assert answer.status_code == 422
    assert words in answer.text
    assert desk.world.count_cases() == 0


def test_the_desk_from_request_to_close(site: Site, desk: Desk, clerk: Reader) -> None:
    giver, _ = desk.donor("O Rh-")
    assert "has not asked for blood yet" in clerk.get("/en/blood/requests").text
    opened = clerk.post("/zh/blood/requests/new", {**WISH, "note": "theatre 3"})
    assert opened.status_code == 303
    board = opened.headers["location"].partition("?")[0]
    desk.world.drain()
    page = clerk.get(board).text
    assert "绝不是输血建议" in page
    assert "theatre 3" in page
    assert "尚未回复" in page
    reference = board.rpartition("/")[2]
    donor = site.reader(giver)
    assert "Your blood is needed" in donor.get("/en/inbox").text
    form = donor.get(f"/en/blood/asks/{reference}").text
    assert "湖滨医院" in form
    assert "2026-06-01T20:" in form  # as soon as they could be there
    late = donor.post(
        f"/en/blood/asks/{reference}", {"answer": "coming", "comes_at": "2026-07-01T12:00"}
    )
    assert "within the next 7 days" in late.text
    donor.post(
        f"/en/blood/asks/{reference}",
        {"answer": "coming", "comes_at": "2026-06-01T21:00", "contact": "138"},
    )
    assert "expects you" in donor.get(f"/en/blood/asks/{reference}").text
    assert "138" not in clerk.get(board).text
    [number] = set(re.findall(r'data-ask="(\d+)"', clerk.get(board).text))
    assert "138" in clerk.post(f"{board}/asks/{number}/contact").text
    for answer in ("arrived", "given"):
        clerk.post(f"{board}/asks/{number}", {"answer": answer})
    lie = clerk.post(f"{board}/close", {"outcome": "helped", "cause": "stock"})
    assert lie.status_code == 422
    assert clerk.post(f"{board}/close", {"outcome": "helped", "cause": "donor_asked"}).is_redirect
    desk.world.drain()
    assert "应请求而来的献血者" in clerk.get(board).text
    assert "You have given blood" in donor.get(f"/en/blood/asks/{reference}").text
    assert "Blood was given" in clerk.get("/en/blood/requests").text


def test_a_deferred_donor_reads_why_and_the_desk_sees_it(
    site: Site, desk: Desk, clerk: Reader
) -> None:
    eager, _ = desk.donor("O Rh-")
    reference = desk.ask("O Rh-").reference
    donor = site.reader(eager)
    donor.post(
        f"/en/blood/asks/{reference}",
        {"answer": "coming", "comes_at": "2026-06-01T21:00", "gave_on": "2026-05-20"},
    )
    page = donor.get(f"/en/blood/asks/{reference}").text
    assert "Please stay at home this time" in page
    assert "The interval after the last donation" in page
    assert 'rel="noopener"' in page
    board = clerk.get(f"/en/blood/requests/{reference}").text
    assert "gave too short a time ago" in board


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"answer": "cannot", "reason": "away"}, "Somebody else is asked"),
        ({"answer": "not_me"}, "not asked for blood any more"),
        ({"answer": "coming"}, "Please fill this in"),
        ({"answer": "given"}, "one of the answers"),
    ],
)
def test_other_answers(site: Site, desk: Desk, said: dict[str, str], words: str) -> None:
    somebody, _ = desk.donor("O Rh-")
    reference = desk.ask("O Rh-").reference
    donor = site.reader(somebody)
    answer = donor.post(f"/en/blood/asks/{reference}", said)
    page = donor.get(f"/en/blood/asks/{reference}") if answer.is_redirect else answer
    assert words in page.text
    assert "湖滨医院" in donor.get("/en/blood/asks").text


def test_nobody_else_reads_an_ask(site: Site, desk: Desk) -> None:
    desk.donor("O Rh-")
    reference = desk.ask("O Rh-").reference
    for actor in (site.world.volunteer, site.world.reviewer, desk.clerk):
        assert site.reader(actor).get(f"/en/blood/asks/{reference}").status_code == 404
    assert site.reader(desk.clerk).get(f"/en/cases/{reference}").status_code == 404
    assert "Nobody has asked you yet" in site.reader(site.world.family).get("/en/blood/asks").text


def test_whoever_comes_too_late_is_thanked(site: Site, desk: Desk) -> None:
    first, _ = desk.donor("Bombay Rh+")
    second, _ = desk.donor("Bombay Rh+")
    reference = desk.ask().reference
    desk.answer(first, reference, Answer.COMING)
    late = site.reader(second)
    assert "Enough donors are on their way" in late.get(f"/en/blood/asks/{reference}").text
    refused = late.post(
        f"/en/blood/asks/{reference}", {"answer": "coming", "comes_at": "2026-06-01T21:00"}
    )
    assert refused.status_code == 409
    expected = site.reader(first)
    assert "expects you" in expected.get(f"/en/blood/asks/{reference}").text
    desk.close(reference, Outcome.NOT_NEEDED, ResolutionCause.UNRELATED)
    assert "expects you" not in expected.get(f"/en/blood/asks/{reference}").text
    assert "nobody is needed any more" in late.get(f"/en/blood/asks/{reference}").text


def test_states_of_the_board(desk: Desk, clerk: Reader) -> None:
    reference = desk.ask("O Rh-", needed_by=NOON + timedelta(hours=2)).reference
    board = f"/en/blood/requests/{reference}"
    assert "Everybody who may be asked has been asked" in clerk.get(board).text
    desk.donor("O Rh-")
    desk.world.pass_time(minutes=LOOK_AGAIN / timedelta(minutes=1) + 1)
    desk.world.drain()
    assert "the next ones are asked at" in clerk.get(board).text
    again = desk.ask("O Rh-", note="")  # of the same centre without a code: looks the same
    waiting = clerk.get(f"/en/blood/requests/{again.reference}").text
    assert "Another open request looks like this one" in waiting
    assert f"/en/blood/requests/{reference}" in waiting
    assert clerk.post(f"/en/blood/requests/{again.reference}/start").is_redirect
    desk.world.pass_time(hours=2)
    desk.world.drain()
    assert "nobody is asked any more" in clerk.get(board).text
    assert "Its time has passed" in clerk.get("/en/blood/requests").text


def test_donors_in_order_with_reasons_and_sources(desk: Desk, clerk: Reader) -> None:
    desk.donor("O Rh-")
    desk.donor("A Rh+")
    reference = desk.ask("O Rh-", units=2).reference
    page = clerk.get(f"/en/blood/requests/{reference}/donors").text
    assert "Asked already" in page
    assert "ABO incompatible" in page
    assert page.count('rel="noopener"') >= 4


def test_a_unit_is_set_aside_and_let_go(site: Site, desk: Desk, clerk: Reader) -> None:
    sheet = "血袋号,血型,失效日期\nA1,O型 Rh阴性,2026-07-01\n"
    files = {"sheet": ("库存.csv", sheet.encode("gbk"), "text/csv")}
    tried = clerk.post("/en/blood/stock", {"action": "try"}, files=files)
    assert "a trial run" in tried.text
    brought = clerk.post("/en/blood/stock", {"action": "import"}, files=files)
    assert "Your inventory has been replaced" in brought.text
    faulty = {"sheet": ("x.csv", (sheet + "A1,O,x\n").encode(), "text/csv")}
    refused = clerk.post("/en/blood/stock", {"action": "import"}, files=faulty)
    assert "some rows are faulty" in refused.text
    assert "Please choose a file" in clerk.post("/en/blood/stock", {"action": "try"}).text
    reference = desk.ask("O Rh-").reference
    board = f"/en/blood/requests/{reference}"
    assert "Partner centres may have enough in stock" in clerk.get(board).text
    unit = {"centre": str(desk.centre.id), "number": "A1"}
    clerk.post(f"{board}/units", {**unit, "action": "promise"})
    assert "set aside" in clerk.get(board).text
    clerk.post(f"{board}/units", {**unit, "action": "release"})
    assert "They gave their word" in clerk.get(board).text
    nobodys = {"centre": str(BloodCentreId(99)), "number": "A1"}
    assert clerk.post(f"{board}/units", {**nobodys, "action": "promise"}).status_code == 404


def test_a_donor_without_an_account_is_on_the_call_list(desk: Desk, clerk: Reader) -> None:
    store_donor(
        desk.world.database,
        written="O Rh-",
        centre_id=desk.centre.id,
        reference="D-7",
        contact="0571-1",
    )
    reference = desk.ask("O Rh-").reference
    board = f"/en/blood/requests/{reference}"
    page = clerk.get(board).text
    assert "Please call" in page
    assert "number D-7" in page
    [number] = set(re.findall(r'data-ask="(\d+)"', page))
    assert "0571-1" in clerk.post(f"{board}/asks/{number}/contact").text
    clerk.post(f"{board}/asks/{number}", {"answer": "cannot", "reason": "other"})
    assert "Cannot come" in clerk.get(board).text
    assert desk.world.clock.now() == NOON
