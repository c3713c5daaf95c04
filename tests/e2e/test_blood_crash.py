"""kill -9 while donors are asked for blood: nobody is asked twice, nobody is missed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.blood_register import FAMILY, fill_register
from tests.servers import Server, wait_until


def kinds(client: httpx.Client) -> list[str]:
    items: list[dict[str, Any]] = client.get("/inbox").raise_for_status().json()["items"]
    return [item["kind"] for item in items][::-1]


def test_a_killed_worker_asks_and_thanks_everybody_once(server: Server) -> None:
    server.start()
    accounts = fill_register(server)
    clerk, far, sibling = (server.client(accounts[name]) for name in ("clerk", "far", "sibling"))
    needed_by = datetime.now(UTC) + timedelta(hours=12)
    wish = {"patient": "Oh Rh+", "units": 1, "needed_by": needed_by.isoformat()}
    opened = clerk.post("/blood/requests", json={**wish, "family_code": FAMILY})
    assert opened.status_code == httpx.codes.CREATED, opened.text
    board = f"/blood/requests/{opened.json()['reference']}"
    # As soon as the first look has been written, and perhaps before anybody has heard.
    wait_until(lambda: clerk.get(board).json()["counts"]["asked"] == 2)
    server.kill()
    server.start()
    wait_until(lambda: kinds(far) and kinds(sibling))
    asked = f"/blood/asks/{opened.json()['reference']}"
    coming = far.post(f"{asked}/answer", json={"answer": "coming"})
    assert coming.is_success, coming.text
    server.kill()

    server.start()
    wait_until(lambda: len(kinds(sibling)) == 2)
    counts = clerk.get(board).json()["counts"]
    assert (counts["asked"], counts["coming"], counts["thanked"]) == (2, 1, 1)
    assert kinds(sibling) == ["blood_ask", "blood_thanks"]
    assert kinds(far) == ["blood_ask"]
