"""Widen an alert as time passes without result; stop widening it.

Each wave is a message of the outbox that is due later, and writes the next one: a crash
repeats none and loses none.  It tells only those who have not heard; ``notify_audience`` sees
to that.  How far each wave reaches was decided when the alert was published, so that a clock
that jumps ahead sends one wave early and not all of them at once, and one that jumps back
(see ``FURTHEST_DUE``) holds none up for long.
"""

from collections.abc import Mapping
from datetime import datetime

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.alerts.notices import NoticeKind
from reunite.alerts.plan import AlertPlan, StopReason, is_saturated
from reunite.app.services import Services
from reunite.cases.sightings import SightingStatus
from reunite.kernel.errors import ConflictError
from reunite.kernel.ids import CaseId
from reunite.ports import Transaction


def widen_alert(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Send the next wave of an alert, unless there is a reason not to."""
    case = transaction.cases.get(CaseId(int(str(payload["case_id"]))), lock=True)
    plan = transaction.alert_plans.find(case.id, lock=True)
    # An alert that was stopped, or a message that has been handled before.
    if plan is None or plan.next_wave() is None or plan.waves_sent + 1 != payload["wave"]:
        return
    now = services.clock.now()
    tips = transaction.sightings.count_of_case(case.id)
    if not case.is_public:
        plan.stop(StopReason.ENDED, now)
    elif is_saturated(tips.get(SightingStatus.NEW, 0), tips.get(SightingStatus.PASSED_ON, 0)):
        plan.stop(StopReason.SATURATED, now)
    else:
        drawing = plan.widen()
        transaction.outbox.add(
            "notify_audience",
            {
                "case_id": case.id,
                "kind": NoticeKind.PUBLISHED.value,
                "radius_km": drawing.radius_km,
            },
        )
        schedule_next_wave(transaction, plan, now)
    transaction.alert_plans.save(plan)


def schedule_next_wave(transaction: Transaction, plan: AlertPlan, now: datetime) -> None:
    """Write the message that will send the next wave, where one is left."""
    wait = plan.wait()
    if wait is not None:
        message = {"case_id": plan.case_id, "wave": plan.waves_sent + 1}
        transaction.outbox.add("widen_alert", message, now + wait)


def stop_widening(services: Services, actor: Actor | None, reference: str) -> None:
    """No further waves; what has been sent stays.

    Raises ConflictError ``alert_not_widening`` where none is left.
    """
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference, lock=True)
        plan = transaction.alert_plans.find(case.id, lock=True)
        if plan is None or plan.next_wave() is None:
            raise ConflictError("alert_not_widening")
        plan.stop(StopReason.REVIEWER, services.clock.now(), actor.account_id)
        transaction.alert_plans.save(plan)


def find_plan(services: Services, actor: Actor | None, reference: str) -> AlertPlan | None:
    """How the alert of a case was decided; None for a case without one."""
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
        return transaction.alert_plans.find(case.id)
