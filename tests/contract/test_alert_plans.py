"""AlertPlanRepository and the ledger of pushes, in memory and on PostgreSQL."""

from datetime import timedelta

import numpy as np

from reunite.alerts.drawing import Drawing
from reunite.alerts.notices import Chunk
from reunite.alerts.plan import StopReason, decide, suggest
from reunite.alerts.radius import Category, TravelMode
from reunite.ports import FURTHEST_DUE, Database
from reunite.testing.factories import NOW, make_notice, store_account, store_case


def test_a_plan_comes_back_as_it_was_written(database: Database) -> None:
    case, _ = store_case(database)
    other, _ = store_case(database)
    reviewer = store_account(database)
    suggestion = suggest(Category.AUTISM, timedelta(hours=1), TravelMode.FOOT)
    plan = decide(case.id, reviewer.id, NOW, suggestion, Drawing(3.2), is_imminent=True)
    drawn = Drawing(4.0, area='{"type": "Polygon"}', without="x")
    odd = decide(other.id, reviewer.id, NOW, suggestion, drawn, reason="seen on a bus")
    with database.transaction() as transaction:
        transaction.alert_plans.save(plan)
        transaction.alert_plans.save(odd)
    with database.transaction() as transaction:
        kept = transaction.alert_plans.find(case.id, lock=True)
        assert kept == plan
        assert transaction.alert_plans.find(other.id) == odd
        assert transaction.alert_plans.list_imminent([case.id, other.id]) == {case.id}
        assert transaction.alert_plans.list_imminent([]) == frozenset()
        assert kept is not None
        kept.widen()
        kept.stop(StopReason.REVIEWER, NOW, reviewer.id)
        transaction.alert_plans.save(kept)
    with database.transaction() as transaction:
        assert transaction.alert_plans.find(case.id) == kept
    assert kept != plan
    assert kept.schedule == plan.schedule[1:]


def test_pushes_of_a_week_are_counted_for_each_person(database: Database) -> None:
    case, _ = store_case(database)
    first, second, third = (store_account(database).id for _ in range(3))
    ids = np.array([first, second, third], dtype=np.int64)
    with database.transaction() as transaction:
        for days, may_push in ((1, [True, False, True]), (6, [True, True, False])):
            notice = make_notice(case.id)
            notice.created_at = NOW - timedelta(days=days)
            transaction.notices.add(notice)
            transaction.notices.add_chunks([Chunk(notice.id, 0, ids, np.array(may_push))])
        # Nobody decided about pushes of this one.
        notice = make_notice(case.id)
        transaction.notices.add(notice)
        transaction.notices.add_chunks([Chunk(notice.id, 0, ids)])
    with database.transaction() as transaction:
        transaction.notices.hold_pushes()
        week = transaction.notices.count_pushes(NOW - timedelta(days=7))
        yesterday = transaction.notices.count_pushes(NOW - timedelta(days=2))
        nothing = transaction.notices.count_pushes(NOW)
        chunk = transaction.notices.get_chunk(notice.id, 0)
    assert [int(week[i]) for i in ids] == [2, 1, 1]
    assert [int(yesterday[i]) if i < len(yesterday) else 0 for i in ids] == [1, 0, 1]
    assert week.dtype == np.uint8
    assert len(nothing) == 0
    assert chunk.may_push is None


def test_messages_are_due_when_they_say_or_when_a_clock_was_wrong(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.outbox.add("match_record", {"n": 1}, NOW + timedelta(hours=1))
    with database.transaction() as transaction:
        assert transaction.outbox.claim(NOW) is None
        assert transaction.outbox.claim(NOW + timedelta(hours=1) - FURTHEST_DUE) is None
        # The clock stood a year ahead when this was written.
        late = transaction.outbox.claim(NOW - timedelta(days=365))
        assert late is not None
    with database.transaction() as transaction:
        message = transaction.outbox.claim(NOW + timedelta(hours=1))
        assert message is not None
        assert message.payload == {"n": 1}
