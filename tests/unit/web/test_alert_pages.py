"""The page of an alert on its way, and the page of what was given up."""

import asyncio
import re
from dataclasses import replace

import httpx
import pytest

from reunite.accounts.account import Role
from reunite.alerts.fanout import ChunkTask, FailedDelivery
from reunite.alerts.notices import NoticeKind
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.list_notices import get_alert, list_notices
from reunite.kernel.ids import NoticeId
from reunite.kernel.people import Module
from reunite.ports import ChannelName
from reunite.testing.channels import FakeChannel
from reunite.web.pages import review_alerts
from reunite.worker.loop import Worker
from tests.unit.app.world import HANGZHOU
from tests.unit.web.conftest import Site


def alerted(site: Site, people: int = 3) -> tuple[str, NoticeId]:
    """A case of which people are told; nothing has been delivered yet."""
    world = site.world
    for _ in range(people):
        actor = world.actor(Role.VOLUNTEER)
        join_alerts(world.services, actor, JoinRequest(frozenset(Module), point=HANGZHOU))
    reference = world.open()
    world.publish(reference, 5.0)
    worker = Worker(world.services)
    worker._handle_next()
    ((notice, _),) = list_notices(world.services, world.reviewer, reference)
    return reference, notice.id


def figures(answer: httpx.Response) -> list[int]:
    return [int(value) for value in re.findall(r'<progress max="\d+" value="(\d+)"', answer.text)]


def test_the_figures_are_there_without_a_script(site: Site) -> None:
    reference, notice_id = alerted(site)
    reviewer = site.reader(site.world.reviewer)
    page = reviewer.get(f"/en/review/alerts/{notice_id}")
    assert figures(page) == [3, 0, 0]
    assert "Still going out" in page.text
    site.world.drain()
    page = reviewer.get(f"/zh/review/alerts/{notice_id}")
    assert figures(page) == [0, 3, 0]
    assert "所有人都已轮到" in page.text
    assert "/stop" not in page.text
    case = reviewer.get(f"/en/review/cases/{reference}")
    assert f'href="/en/review/alerts/{notice_id}"' in case.text
    assert reviewer.get("/en/review/alerts/999").status_code == 404


def test_an_alert_is_stopped_by_a_button(site: Site) -> None:
    _, notice_id = alerted(site)
    reviewer = site.reader(site.world.reviewer)
    assert "Stop this alert" in reviewer.get(f"/en/review/alerts/{notice_id}").text
    answer = reviewer.post(f"/en/review/alerts/{notice_id}/stop")
    assert answer.headers["location"] == f"/en/review/alerts/{notice_id}?done=stopped"
    site.world.drain()
    page = reviewer.get(answer.headers["location"])
    assert figures(page) == [3, 0, 0]
    assert "The alert is stopped" in page.text
    assert "Stopped on" in page.text


def test_news_is_told_by_a_button(site: Site) -> None:
    reference, notice_id = alerted(site)
    site.world.drain()
    reviewer = site.reader(site.world.reviewer)
    answer = reviewer.post(f"/en/review/alerts/{notice_id}/news")
    assert answer.headers["location"] == f"/en/review/cases/{reference}?done=news#told"
    page = reviewer.get(f"/en/review/cases/{reference}?done=news")
    assert "hears that there is news" in page.text
    site.world.drain()
    notices = list_notices(site.world.services, site.world.reviewer, reference)
    assert [notice.kind for notice, _ in notices] == [NoticeKind.PUBLISHED, NoticeKind.UPDATED]
    assert [progress.delivered for _, progress in notices] == [3, 3]
    with site.world.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
        case.withdraw(site.world.family.account_id, site.world.clock.now(), "")
        transaction.cases.save(case)
    answer = reviewer.post(f"/en/review/alerts/{notice_id}/news")
    assert answer.status_code == 409
    assert "or it is over" in answer.text


def test_the_figures_come_live(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_alerts, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(review_alerts, "QUIET_LOOKS", 2)
    monkeypatch.setattr(review_alerts, "LONGEST_STREAM_LOOKS", 8)
    _, notice_id = alerted(site)
    reader = site.reader(site.world.reviewer)
    looks = iter(range(100))

    def look_and_deliver(*arguments: object) -> object:
        view = real(*arguments)  # type: ignore[arg-type]
        if next(looks) == 0:
            site.world.drain()
        return view

    real = review_alerts._look
    monkeypatch.setattr(review_alerts, "_look", look_and_deliver)
    answer = reader.client.get(f"/review/alerts/{notice_id}/stream?language=zh")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [part for part in answer.text.split("\n\n") if part.startswith("event: progress")]
    assert len(events) == 2
    assert "仍在发送" in events[0]
    assert "所有人都已轮到" in events[1]
    assert ": still here" in answer.text
    assert reader.client.get("/review/alerts/999/stream").status_code == 404
    head = asyncio.run(reader.client._answer("HEAD", f"/review/alerts/{notice_id}/stream"))
    assert (head.status_code, head.text) == (200, "")


def test_the_stream_ends_with_the_session(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_alerts, "LOOK_SECONDS", 0.01)
    _, notice_id = alerted(site)
    reader = site.reader(site.world.reviewer)
    real = review_alerts._look

    def sign_out(*arguments: object) -> object:
        view = real(*arguments)  # type: ignore[arg-type]
        with site.world.database.transaction() as transaction:
            transaction.accounts.delete_sessions_of(site.world.reviewer.account_id)
        return view

    monkeypatch.setattr(review_alerts, "_look", sign_out)
    answer = reader.client.get(f"/review/alerts/{notice_id}/stream")
    assert answer.text.count("event: progress") == 1


def test_what_was_given_up_is_tried_again_or_dropped(site: Site) -> None:
    admin = site.reader(site.world.admin)
    assert "Nothing was given up" in admin.get("/en/admin/dead-letters").text
    world = site.world
    world.services = replace(world.services, channels={ChannelName.EMAIL: FakeChannel()})
    world.worker = Worker(world.services)
    _, notice_id = alerted(site)
    world.drain()
    task = ChunkTask(notice_id, 0, "email")
    with world.database.transaction() as transaction:
        transaction.ledger.add_failures(
            [
                FailedDelivery(
                    task, at, world.volunteer.account_id, at, 3, None, reason, world.clock.now()
                )
                for at, reason in enumerate(("refused", "bad_address"))
            ]
        )
        newest, other = (one.failure_id for one in transaction.ledger.list_dead())
    page = admin.get("/en/admin/dead-letters")
    assert "refused" in page.text
    assert "bad_address" in page.text
    assert "By e-mail" in page.text
    assert "example.org" not in page.text.split("<main")[1]
    fields = {"notice_id": str(notice_id), "sequence": "0", "channel": "email"}
    for failure_id, act, done in (
        (newest, "retry", "retry"),
        (newest, "retry", "late"),
        (other, "drop", "drop"),
    ):
        answer = admin.post(
            "/en/admin/dead-letters", {**fields, "failure_id": str(failure_id), "act": act}
        )
        assert answer.headers["location"] == f"/en/admin/dead-letters?done={done}"
        assert admin.get(answer.headers["location"]).status_code == 200
    assert "没有未送达的通知" in admin.get("/zh/admin/dead-letters").text
    answer = admin.post("/en/admin/dead-letters", {**fields, "act": "burn"})
    assert answer.status_code == 422
    assert get_alert(world.services, world.reviewer, notice_id).progress.channels[0].failed == 0
