"""Tell people, first half: choose the audience and keep it, durably, in chunks.

Runs in the worker, in one transaction that also ends the message of the outbox: a crash
repeats nothing and loses nothing.  ``deliver_chunks`` is the second half.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

from reunite.alerts.audience import Recipients, Wanted, choose_audience
from reunite.alerts.drawing import Drawing
from reunite.alerts.notices import CHUNK_RECIPIENTS, Chunk, Notice, NoticeKind
from reunite.alerts.pushing import WEEK, Pushing
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.kernel.ids import CaseId, NoticeId
from reunite.ports import Transaction


def notify_audience(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Queue a notice for everyone whom it concerns.

    A new case goes to the volunteers around its place; what comes after it goes to exactly the
    people who heard of its beginning, wherever they are now.  The last notice stops what is
    still going out: nobody is asked to look for somebody who is at home.
    """
    # Locked: were the case closed between here and the commit, another worker could thank
    # nobody before these people are told, and they would never hear that it is over.
    case = transaction.cases.get(CaseId(int(str(payload["case_id"]))), lock=True)
    kind = NoticeKind(str(payload["kind"]))
    radius = float(str(payload.get("radius_km", 0)))
    now = services.clock.now()
    # Withdrawn or closed before the worker came to it: there is nothing to look for.
    if not kind.is_last and not case.is_public:
        return
    if kind.is_last:
        earlier = [notice.id for notice, _ in transaction.notices.list_of_case(case.id)]
        transaction.notices.stop(earlier, now, None)
    chunks = _audience(services, transaction, case, kind, radius)
    first = next(chunks, None)
    if first is None:
        return
    notice = Notice(case.id, kind, now, radius, 0)
    transaction.notices.add(notice)
    recipients = transaction.notices.add_chunks(_chunks(notice.id, first, chunks, kind))
    transaction.notices.set_recipients(notice.id, recipients)
    transaction.outbox.add("open_inboxes", {"notice_id": notice.id})
    services.metrics.notices.labels(kind.value).inc()
    services.metrics.recipients.inc(recipients)


def open_inboxes(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Make the notice's chunks ready for delivery: from here on workers take them."""
    transaction.notices.open_inboxes(NoticeId(int(str(payload["notice_id"]))), services.clock.now())


def _audience(
    services: Services, transaction: Transaction, case: Case, kind: NoticeKind, radius_km: float
) -> Iterator[Recipients]:
    """Whom to tell, nearest first, in parts that make a chunk each."""
    told = transaction.notices.recipients_of_case(case.id)
    if kind is not NoticeKind.PUBLISHED:
        starts = range(0, len(told), CHUNK_RECIPIENTS)
        return (Recipients.of(told[start : start + CHUNK_RECIPIENTS]) for start in starts)
    place = case.circumstances.place
    if place is None:
        return iter(())
    now = services.clock.now()
    plan = transaction.alert_plans.find(case.id)
    drawing = Drawing(radius_km) if plan is None else plan.drawing.widened(radius_km)
    audience = choose_audience(
        services.audience.index(),
        drawing.area_around(place),
        Wanted(case.module, told=told, at=now),
    )
    # After the index was brought up to date, which may take a second for the first alert.
    transaction.notices.hold_pushes()
    pushing = Pushing(
        now,
        services.audience.time_zones,
        transaction.notices.count_pushes(now - WEEK),
        is_imminent=plan is not None and plan.is_imminent,
    )
    return audience.iter_recipients(CHUNK_RECIPIENTS, pushing)


def _chunks(
    notice_id: NoticeId, first: Recipients, others: Iterator[Recipients], kind: NoticeKind
) -> Iterator[Chunk]:
    for sequence, part in enumerate(chain([first], others)):
        # What comes later replaces the first notice on the device, without a sound.
        may_push = part.may_push if kind is NoticeKind.PUBLISHED else None
        yield Chunk(notice_id, sequence, part.account_ids, may_push)
