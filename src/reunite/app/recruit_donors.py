"""Ask donors for a request, wave by wave, and stop at once when enough are coming.

Runs in the worker.  Each look at a request is one transaction that also ends the message of the
outbox that asked for it: what it wrote about who was asked, the notice that tells them, and the
next look, all are there or nothing is.  A worker that is killed repeats no notice and loses none.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from reunite.alerts.notices import Notice, NoticeKind, cut
from reunite.alerts.pushing import QuietHours
from reunite.app.find_donors import find_candidates, known_km
from reunite.app.services import Services
from reunite.blood.appeals import Appeal, DonorAsk
from reunite.blood.donors import RegisteredDonor
from reunite.blood.waves import Candidate, Urgency, Why, plan, to_thank
from reunite.cases.case import Case
from reunite.kernel.ids import CaseId, DonorId
from reunite.kernel.places import nearest_town
from reunite.ports import Transaction

# While everybody who may be asked has been: somebody may have joined, or may be asked again.
LOOK_AGAIN = timedelta(minutes=30)


def recruit_donors(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Look at a request, and do what there is to do now."""
    case = transaction.cases.get(CaseId(int(str(payload["case_id"]))), lock=True)
    appeal = transaction.blood_requests.find_of_case(case.id)
    if appeal is None or _is_outdated(appeal, payload):
        return
    now = services.clock.now()
    asks = transaction.donor_asks.list_of_request(appeal.id)
    if not case.is_open:
        wind_down(transaction, case, appeal, asks, now)
        return
    promised = transaction.blood_stock.count_promised(appeal.id)
    recruitment = appeal.recruitment(asks, promised)
    if recruitment.filled:
        if appeal.filled_at is None:
            wind_down(transaction, case, appeal, asks, now)
        return
    appeal.filled_at = None  # somebody was unsuitable, or did not come
    if appeal.asking_since is None or appeal.is_late(now):
        appeal.next_look_at = None
        transaction.blood_requests.save(appeal)
        return
    morning = _quiet_until(services, appeal, now)
    if morning is not None:
        appeal.why = Why.WAIT
        _look_again(transaction, appeal, morning)
        return
    # Brought up to date first: the first time that takes long among a million donors.
    services.donors.pool()
    # One wave is chosen at a time: two requests would otherwise ask the same donor at once.
    transaction.notices.hold_pushes()
    candidates, donors = find_candidates(services, transaction, appeal)
    decided = plan(recruitment, candidates, now)
    appeal.why = decided.why
    if decided.donor_ids:
        chosen = {one.donor_id: one for one in candidates}
        wave = [chosen[number] for number in decided.donor_ids]
        _ask(services, transaction, appeal, wave, donors)
    _look_again(transaction, appeal, decided.next_look_at or now + LOOK_AGAIN)


def look_now(transaction: Transaction, case_id: CaseId) -> None:
    """Have the worker look at a request as soon as this commits."""
    transaction.outbox.add("recruit_donors", {"case_id": case_id})


def wind_down(
    transaction: Transaction,
    case: Case,
    appeal: Appeal,
    asks: Sequence[DonorAsk],
    now: datetime,
) -> None:
    """Tell nobody else, and thank whoever was asked and did not decline.

    While the request is open, those who are coming are not told that it is over.  Whoever was
    chosen and had not been told yet was never asked.
    """
    sent = transaction.notices.list_of_case(case.id)
    running = [one.id for one, _ in sent if one.kind is NoticeKind.BLOOD_ASK]
    transaction.notices.stop(running, now, None)
    told = set(transaction.notices.recipients_of_case(case.id).tolist())
    donors = transaction.donors.get_many([one.donor_id for one in asks])
    accounts = {one.id: one.account_id for one in donors.values()}
    unheard = [
        one
        for one in asks
        if one.is_silent and not one.by_phone and accounts.get(one.donor_id) not in told
    ]
    transaction.donor_asks.delete(one.id for one in unheard)
    gone = {one.id for one in unheard}
    left = [one for one in asks if one.id not in gone]
    thankworthy = set(to_thank(appeal.recruitment(left, closed=True)))
    thanked = [
        one
        for one in left
        if one.donor_id in thankworthy
        and one.thanked_at is None
        and not one.by_phone
        and (one.is_silent or not case.is_open)
    ]
    _tell(
        transaction,
        case.id,
        NoticeKind.BLOOD_THANKS,
        (accounts.get(one.donor_id) for one in thanked),
        now,
    )
    for one in thanked:
        one.thanked_at = now
        transaction.donor_asks.save(one)
    if case.is_open:
        appeal.why, appeal.filled_at = Why.FILLED, now
    appeal.next_look_at = None
    transaction.blood_requests.save(appeal)


def _look_again(transaction: Transaction, appeal: Appeal, at: datetime) -> None:
    """Plan the next look, at the latest when the time of the request is over."""
    at = min(at, appeal.request.needed_by)
    if at != appeal.next_look_at:
        appeal.next_look_at = at
        message = {"case_id": appeal.case_id, "look_at": at.isoformat()}
        transaction.outbox.add("recruit_donors", message, at)
    transaction.blood_requests.save(appeal)


def _quiet_until(services: Services, appeal: Appeal, now: datetime) -> datetime | None:
    """When people may be woken for a routine need; None: now.

    By the clock of the place where blood is needed, and only where the morning is early enough.
    """
    if appeal.request.urgency is not Urgency.ROUTINE:
        return None
    town = nearest_town(appeal.request.place, services.settings.country)
    local, quiet = now.astimezone(ZoneInfo(town.time_zone)), QuietHours()
    hours = (quiet.until_hour - quiet.from_hour) % 24
    if (local.hour - quiet.from_hour) % 24 >= hours:
        return None
    morning = local.replace(hour=quiet.until_hour, minute=0, second=0, microsecond=0)
    if morning <= local:
        morning += timedelta(days=1)
    return morning.astimezone(UTC) if morning < appeal.request.needed_by else None


def _is_outdated(appeal: Appeal, payload: Mapping[str, object]) -> bool:
    """Whether a later look has been planned since this one was."""
    planned = payload.get("look_at")
    if planned is None:
        return False
    return appeal.next_look_at is None or appeal.next_look_at.isoformat() != planned


def _ask(
    services: Services,
    transaction: Transaction,
    appeal: Appeal,
    wave: Sequence[Candidate],
    donors: Mapping[DonorId, RegisteredDonor],
) -> None:
    now = services.clock.now()
    appeal.waves += 1
    asks = [
        DonorAsk(
            request_id=appeal.id,
            donor_id=DonorId(one.donor_id),
            asked_at=now,
            wave=appeal.waves,
            grade=one.grade,
            distance_km=known_km(one.distance_km),
            probability=one.probability,
            sibling=one.sibling,
            by_phone=donors[DonorId(one.donor_id)].account_id is None,
        )
        for one in wave
    ]
    transaction.donor_asks.add_many(asks)
    transaction.donors.mark_asked([one.donor_id for one in asks], now)
    accounts = (donors[one.donor_id].account_id for one in asks)
    _tell(transaction, appeal.case_id, NoticeKind.BLOOD_ASK, accounts, now)
    services.metrics.notices.labels(NoticeKind.BLOOD_ASK.value).inc()
    services.metrics.recipients.inc(len(asks))


def _tell(
    transaction: Transaction,
    case_id: CaseId,
    kind: NoticeKind,
    account_ids: Iterable[int | None],
    now: datetime,
) -> None:
    ids = np.array([one for one in account_ids if one is not None], dtype=np.int64)
    if not len(ids):
        return
    notice = Notice(case_id, kind, now, 0.0, len(ids))
    transaction.notices.add(notice)
    transaction.notices.add_chunks(cut(notice.id, ids))
    transaction.outbox.add("open_inboxes", {"notice_id": notice.id})
