"""kill -9 between publishing and notifying loses no notification and repeats none."""

from typing import Any

import httpx

from tests.servers import Server, wait_until

HANGZHOU = {"latitude": 30.2741, "longitude": 120.1551}
CASE = {
    "module": "child",
    "side": "missing",
    "person": {"name": "乐乐", "birth_years": {"first": 2019, "last": 2019}},
    "circumstances": {"seen_at": "2026-01-05T16:30:00+08:00", "place": HANGZHOU},
    "consent_search": True,
    "consent_publish": True,
    "contact": "139 0000 0000",
}


def inbox(client: httpx.Client) -> list[dict[str, Any]]:
    answer = client.get("/inbox")
    assert answer.status_code == httpx.codes.OK, answer.text
    return list(answer.json()["items"])


def test_a_killed_server_loses_no_notification(server: Server) -> None:
    family = server.add_account("family", "family")
    volunteer = server.add_account("volunteer", "volunteer")
    reviewer = server.add_account("reviewer", "reviewer")
    server.start("--no-worker")
    near = server.client(volunteer)
    joined = near.put("/volunteer", json={"modules": ["child"], "position": HANGZHOU})
    assert joined.status_code == httpx.codes.OK, joined.text
    opened = server.client(family).post("/cases", json=CASE)
    assert opened.status_code == httpx.codes.CREATED, opened.text
    reference = opened.json()["reference"]
    staff = server.client(reviewer)
    verified = staff.post(f"/cases/{reference}/verification", json={"note": "checked"})
    assert verified.is_success, verified.text
    published = staff.post(
        f"/cases/{reference}/publication", json={"alert_radius_km": 5, "reason": "a trial"}
    )
    assert published.is_success, published.text
    server.kill()

    server.start()
    wait_until(lambda: inbox(near))
    server.kill()
    server.start()
    items = inbox(near)
    assert [(item["kind"], item["case"]["reference"]) for item in items] == [
        ("published", reference)
    ]

    thanked = server.client(reviewer).post(
        f"/cases/{reference}/resolution", json={"outcome": "reunited", "cause": "volunteer_tip"}
    )
    assert thanked.is_success, thanked.text
    server.kill()
    server.start()
    wait_until(lambda: len(inbox(near)) == 2)
    assert [item["kind"] for item in inbox(near)] == ["resolved", "published"]
    assert all("乐乐" not in str(item) for item in inbox(near))
