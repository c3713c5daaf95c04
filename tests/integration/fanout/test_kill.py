"""kill -9 of workers, server, PostgreSQL and NATS, again and again, while people are told.

Nobody is missed.  Nobody has two notices in an inbox.  Outside deliveries are repeated only
within the stated window, one batch for each sender that a kill can interrupt, and collapse by
their ids.  ``REUNITE_KILLS=100`` asks for as many kills while all 100,000 are told outside as
well; without it there are fewer, and one in twenty has an address outside.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from reunite.alerts.fanout import BATCH_DELIVERIES
from reunite.broker.outbox import PostgresOutbox
from reunite.cases.case import CaseStatus
from reunite.kernel.ids import AccountId
from reunite.kernel.places import Point, cell_of
from reunite.storage.database import PostgresDatabase
from reunite.storage.migrate import upgrade
from reunite.storage.server import PostgresServer
from reunite.storage.server.postmaster import ProcessWatch, processes_in
from reunite.testing.factories import HANGZHOU, store_case
from tests.nats import NatsServer
from tests.servers import free_port, wait_until

ASKED = int(os.environ.get("REUNITE_KILLS", "0"))
KILLS = ASKED or 10
RECIPIENTS = 100_000 if ASKED else 10_000
ONE_IN = 1 if ASKED else 5  # with an address outside
PAUSE_SECONDS = 0.001 if ASKED else 0.003
PATIENCE_SECONDS = 4.0  # then somebody is killed although nothing has moved
WORKERS = 2

_PEOPLE = """
    INSERT INTO accounts (email, display_name, password_hash, role, language, organisation,
                          disabled, created_at)
    SELECT 'v' || n, '', '!', 'volunteer', 'zh', '', false, now()
    FROM generate_series(1, %(people)s) AS n;
"""
_ZONE = "INSERT INTO time_zones (name) VALUES ('Asia/Shanghai') ON CONFLICT DO NOTHING"
_VOLUNTEERS = """
    INSERT INTO volunteers (account_id, modules, language, joined_at, weekly_pushes, quiet_from,
                            quiet_until, time_zone_id)
    SELECT accounts.id, 14, 'zh', now(), 15, 0, 0, time_zones.id FROM accounts, time_zones
    WHERE email LIKE 'v%%'
"""
_PLACES = """
    INSERT INTO volunteer_places (account_id, kind, cell, place_label, said_at, expires_at)
    SELECT id, 'here', (%(cells)s::bigint[])[1 + id %% %(n)s], '1808926', now(),
        now() + interval '2 days'
    FROM accounts WHERE email LIKE 'v%%'
"""
_ADDRESSES = """
    INSERT INTO channel_addresses (account_id, channel, address, identity, created_at, confirmed_at,
                                   digest, failed_count)
    SELECT id, 'email', id || '@example.org', sha256(int8send(id)), now(), now(), 'at_once', 0
    FROM accounts WHERE email LIKE 'v%%' AND id %% %(one_in)s = 0
"""
_WAITING = """
    SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM chunk_deliveries
        WHERE state = 'waiting') + (SELECT count(*) FROM delivery_failures)
"""


@dataclass
class Town:
    """Everything that runs, and what has been killed of it."""

    folder: Path
    postgres: PostgresServer
    nats: NatsServer | None
    random: random.Random
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    port: int = field(default_factory=free_port)

    @property
    def delivered(self) -> Path:
        return self.folder / "delivered"

    def names(self) -> list[str]:
        return [*(f"worker-{number}" for number in range(WORKERS)), "server"]

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [
                    *(sys.executable, str(Path(__file__).with_name("process.py"))),
                    *(name.partition("-")[0], self.postgres.dsn),
                    *(self.nats.url if self.nats else "-", str(self.folder)),
                    *(str(self.port), str(PAUSE_SECONDS)),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )

    def kill_somebody(self) -> None:
        """One kill -9, and whatever it hit is started again."""
        choices = [*self.names(), *self.names(), "postgres", *(["nats"] if self.nats else [])]
        name = self.random.choice(choices)
        self.killed[name.partition("-")[0]] += 1
        if name == "postgres":
            # All of its processes, as a power switch does.
            for number in processes_in(self.folder / "database" / "cluster"):
                watch = ProcessWatch(number)
                watch.send(signal.SIGKILL)
                assert watch.wait(10)
                watch.close()
            self.postgres.close()
            self.postgres = PostgresServer(self.folder / "database").attach_or_start()
        elif name == "nats" and self.nats:
            self.nats.kill()
            self.nats.start()
        else:
            self.processes[name].kill()
            self.processes[name].wait(10)
            self.start(name)

    def arrived(self) -> list[str]:
        return self.delivered.read_text().split() if self.delivered.exists() else []

    def waiting(self) -> int:
        with psycopg.connect(self.postgres.dsn) as connection:
            row = connection.execute(_WAITING).fetchone()
        assert row is not None
        return int(row[0])

    def logs(self) -> str:
        tails = [path.read_text()[-1500:] for path in sorted(self.folder.glob("*.log"))]
        return "\n---\n".join(tails)

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait(10)
        self.postgres.stop()


@pytest.fixture(params=["postgres", "jetstream"])
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    """People around one place, and a case that has just been published."""
    nats = request.getfixturevalue("nats_server") if request.param == "jetstream" else None
    with tempfile.TemporaryDirectory(prefix="reunite-kill-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        postgres = PostgresServer(folder / "database").attach_or_start()
        seed = int(os.environ.get("REUNITE_KILL_SEED", "0")) or random.SystemRandom().getrandbits(
            32
        )
        made = Town(folder, postgres, nats, random.Random(seed))  # noqa: S311  (repeatable)
        print(f"seed {seed}")  # noqa: T201  (shown when the test fails)
        yield made
        made.close()


def publish(town: Town) -> dict[int, int]:
    """Have everybody told; account ids by address id, of those who have one."""
    upgrade(town.postgres.dsn)
    database = PostgresDatabase(town.postgres.dsn, PostgresOutbox)
    case, _ = store_case(database, status=CaseStatus.PUBLISHED)
    cells = [
        cell_of(Point(HANGZHOU.latitude + step / 2000, HANGZHOU.longitude)) for step in range(60)
    ]
    with psycopg.connect(town.postgres.dsn, autocommit=True) as connection:
        connection.execute(_PEOPLE, {"people": RECIPIENTS})
        connection.execute(_ZONE)
        connection.execute(_VOLUNTEERS.replace("%%", "%"))
        connection.execute(_PLACES, {"cells": cells, "n": len(cells)})
        connection.execute(_ADDRESSES, {"one_in": ONE_IN})
        rows = connection.execute("SELECT id, account_id FROM channel_addresses").fetchall()
    with database.transaction() as transaction:
        payload = {"case_id": case.id, "kind": "published", "radius_km": 30.0}
        transaction.outbox.add("notify_audience", payload)
    database.dispose()
    return dict(rows)


def test_nobody_is_missed_and_nobody_is_told_twice_that_notices(town: Town) -> None:
    addresses = publish(town)
    for name in town.names():
        town.start(name)
    waited_since = time.monotonic()
    for kill in range(KILLS):
        goal = (kill + town.random.random()) * len(addresses) / KILLS
        while len(town.arrived()) < goal and time.monotonic() - waited_since < PATIENCE_SECONDS:
            time.sleep(0.05)
        town.kill_somebody()
        waited_since = time.monotonic()
    deadline = time.monotonic() + 120 + RECIPIENTS / ONE_IN * PAUSE_SECONDS
    while town.waiting():
        assert time.monotonic() < deadline, town.logs()
        time.sleep(0.2)

    again = Counter(town.arrived())
    expected = {f"1-{address_id}" for address_id in addresses}
    repeated = sum(again.values()) - len(again)
    report = {
        "recipients": RECIPIENTS,
        "outside": len(expected),
        "kills": dict(town.killed),
        "missing": len(expected - set(again)),
        "repeated": repeated,
    }
    print(json.dumps(report))  # noqa: T201  (with -s, or when the test fails)
    assert set(again) == expected
    # Those who send when a kill comes: the one that is hit, or all when the ledger goes.
    window = sum(
        count * {"postgres": WORKERS + 1, "nats": 0}.get(name, 1)
        for name, count in town.killed.items()
    )
    assert repeated <= window * BATCH_DELIVERIES
    database = PostgresDatabase(town.postgres.dsn, PostgresOutbox)
    people = town.random.sample(range(1, RECIPIENTS + 1), 200)
    with database.transaction() as transaction:
        assert transaction.ledger.count_dead() == 0
        (channel,) = transaction.notices.get_progress(1).channels  # type: ignore[arg-type]
        assert (channel.sent, channel.failed, channel.waiting) == (len(expected), 0, 0)
        ids = transaction.notices.recipients_of_case(1)  # type: ignore[arg-type]
        assert len(ids) == RECIPIENTS
        for person in people:
            entries = transaction.notices.list_inbox(AccountId(int(ids[person - 1])))
            assert [entry.notice_id for entry in entries] == [1]
    database.dispose()
    wait_until(lambda: answers(town), 60)  # the last kill may have been the server's


def answers(town: Town) -> bool:
    try:
        page = httpx.get(f"http://127.0.0.1:{town.port}/en/sign-in", timeout=30)
    except httpx.TransportError:
        return False
    return page.status_code == httpx.codes.OK
