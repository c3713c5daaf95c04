"""A million-recipient alert published by a double click tells everybody once."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import cast

from reunite.accounts.account import Role
from reunite.app.audience_sync import LiveAudience
from reunite.app.handlers import HANDLERS
from reunite.app.metrics import Metrics
from reunite.app.publish_case import publish_case
from reunite.app.services import Services, Settings
from reunite.cases.case import CaseStatus
from reunite.kernel.clock import SystemClock
from reunite.kernel.errors import ConflictError
from reunite.storage.database import PostgresDatabase
from reunite.testing.factories import make_account, make_actor, make_volunteer, store_case


def test_two_clicks_at_once_make_one_notice(postgres_database: PostgresDatabase) -> None:
    services = cast(
        "Services",
        SimpleNamespace(
            database=postgres_database,
            audience=LiveAudience(postgres_database),
            clock=SystemClock(),
            settings=Settings(),
            metrics=Metrics(),
            channels={},
            queue=None,
        ),
    )
    case, _ = store_case(postgres_database, status=CaseStatus.VERIFIED)
    reviewer = make_account(Role.REVIEWER)
    with postgres_database.transaction() as transaction:
        reviewer.id = transaction.accounts.add(reviewer)
        people = [transaction.accounts.add(make_account()) for _ in range(5)]
        for person in people:
            transaction.volunteers.save(make_volunteer(person))
    actor = make_actor(reviewer)

    def click(_: int) -> str:
        try:
            publish_case(services, actor, case.reference, 30.0)
        except ConflictError as error:
            return error.code
        return "published"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(click, range(4)))
    assert answers == ["case_transition"] * 3 + ["published"]
    while True:
        with postgres_database.transaction() as transaction:
            message = transaction.outbox.claim(services.clock.now())
            if message is None:
                break
            HANDLERS[message.topic](services, transaction, message.payload)
            transaction.outbox.finish(message)
    with postgres_database.transaction() as transaction:
        transaction.notices.deliver_to_inboxes(services.clock.now(), 99)
        ((notice, progress),) = transaction.notices.list_of_case(case.id)
        assert (notice.recipients, progress.delivered) == (5, 5)
        assert [len(transaction.notices.list_inbox(person)) for person in people] == [1] * 5
