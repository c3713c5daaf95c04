"""Verify a case, show it to everyone, and have volunteers told."""

from dataclasses import dataclass
from datetime import timedelta

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.alerts.audience import Recipients, Wanted, choose_audience
from reunite.alerts.drawing import Drawing, draw
from reunite.alerts.notices import NoticeKind
from reunite.alerts.plan import AlertPlan, Suggestion, decide, suggest
from reunite.alerts.pushing import WEEK, Pushing
from reunite.alerts.radius import Category, TravelMode, child_category
from reunite.app.services import Services
from reunite.app.widen_alert import schedule_next_wave
from reunite.cases.case import Case
from reunite.kernel.datum import Datum
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Module, age_in_years
from reunite.kernel.places import Point
from reunite.partners.webhooks import EventName
from reunite.ports import Transaction

UNKNOWN_CHILD_AGE_YEARS = 10
UNKNOWN_TIME = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class AlertWish:
    """What a reviewer wants of an alert; what is None or empty follows the rules.

    ``area`` and ``without`` are GeoJSON texts in ``datum``: polygons, or lines that the radius
    lies around.
    """

    radius_km: float | None = None
    category: Category | None = None
    mode: TravelMode = TravelMode.FOOT
    area: str = ""
    without: str = ""
    datum: Datum = Datum.WGS84
    reason: str = ""
    is_imminent: bool = False


def verify_case(services: Services, actor: Actor | None, reference: str, note: str) -> None:
    """A reviewer has checked the report, e.g. by telephone with the police file number.

    Raises ConflictError ``own_case``, ``case_transition``; InvalidInputError ``required``
    without a note, because a verification that nobody can retrace is none.
    """
    actor = require_role(actor, STAFF)
    if not note.strip():
        raise InvalidInputError("required", field="note")
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference, lock=True)
        case.verify(actor.account_id, services.clock.now(), note.strip())
        transaction.cases.save(case)


def publish_case(
    services: Services,
    actor: Actor | None,
    reference: str,
    alert_radius_km: float | None,
    wish: AlertWish | None = None,
) -> None:
    """Show a verified case to everyone and tell the volunteers within an area.

    Without ``wish`` the radius alone decides, and is not widened; None for both publishes
    without an alert.  The wish to tell them, and the first of its later waves, are written in
    the same transaction: a crash right after it loses no notification.

    Raises ConflictError ``case_transition``, ``consent_missing``; InvalidInputError
    ``radius_out_of_range``, ``alert_needs_place``, ``override_reason_required`` for an area
    other than the suggested one without a reason, and as ``drawing.draw``.
    """
    actor = require_role(actor, STAFF)
    now = services.clock.now()
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference, lock=True)
        case.publish(actor.account_id, now)
        transaction.cases.save(case)
        told: dict[str, object] = {"case_id": case.id, "event": EventName.CASE_PUBLISHED.value}
        if wish is not None or alert_radius_km is not None:
            chosen = wish or AlertWish(alert_radius_km, reason=NO_REASON_ASKED)
            plan = _decide(services, actor, case, chosen)
            if wish is None:
                # A trial or a demonstration that hands in a radius means that radius.
                plan.schedule = ()
            told["radius_km"] = plan.drawing.radius_km
            transaction.alert_plans.save(plan)
            transaction.outbox.add(
                "notify_audience",
                {
                    "case_id": case.id,
                    "kind": NoticeKind.PUBLISHED.value,
                    "radius_km": plan.drawing.radius_km,
                },
            )
            schedule_next_wave(transaction, plan, now)
        transaction.outbox.add("tell_partners", told)


def _decide(services: Services, actor: Actor, case: Case, wish: AlertWish) -> AlertPlan:
    if case.circumstances.place is None:
        raise InvalidInputError("alert_needs_place", field="radius_km")
    suggestion = suggestion_of(services, case, wish)
    return decide(
        case.id,
        actor.account_id,
        services.clock.now(),
        suggestion,
        _drawn(case.circumstances.place, wish, suggestion),
        reason=wish.reason,
        is_imminent=wish.is_imminent,
    )


NO_REASON_ASKED = "-"  # a program that hands in a radius alone is not asked why


@dataclass(frozen=True, slots=True)
class AlertPreview:
    """Whom an alert would reach, before anyone presses publish.

    ``may_push`` of the ``recipients`` would be disturbed; the others find it in their inbox.
    ``waves`` are when it would be widened, and how far, counted from now.
    """

    suggested_radius_km: float
    radius_km: float
    recipients: int
    suggestion: Suggestion
    may_push: int
    plan: AlertPlan


def preview_alert(
    services: Services,
    actor: Actor | None,
    reference: str,
    chosen_radius_km: float | None = None,
    wish: AlertWish | None = None,
) -> AlertPreview | None:
    """How many people an alert would tell; None for a case without a place.

    Raises InvalidInputError as ``publish_case``, but asks for no reason.
    """
    actor = require_role(actor, STAFF)
    chosen = wish or AlertWish(chosen_radius_km)
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
        if case.circumstances.place is None:
            return None
        suggestion = suggestion_of(services, case, chosen)
        drawing = _drawn(case.circumstances.place, chosen, suggestion)
        plan = decide(
            case.id,
            actor.account_id,
            services.clock.now(),
            suggestion,
            drawing,
            reason=chosen.reason or NO_REASON_ASKED,
            is_imminent=chosen.is_imminent,
        )
        recipients = choose_recipients(services, transaction, case, drawing, plan)
    return AlertPreview(
        suggested_radius_km=suggestion.radius_km,
        radius_km=drawing.radius_km,
        recipients=len(recipients),
        suggestion=suggestion,
        may_push=int(recipients.may_push.sum()),
        plan=plan,
    )


def choose_recipients(
    services: Services, transaction: Transaction, case: Case, drawing: Drawing, plan: AlertPlan
) -> Recipients:
    """Whom this alert tells now, and whom it may disturb."""
    now = services.clock.now()
    place = case.circumstances.place
    if place is None:
        raise InvalidInputError("alert_needs_place", field="radius_km")
    told = transaction.notices.recipients_of_case(case.id)
    audience = choose_audience(
        services.audience.index(),
        drawing.area_around(place),
        Wanted(case.module, told=told, at=now),
    )
    spent = transaction.notices.count_pushes(now - WEEK)
    return audience.recipients(
        Pushing(now, services.audience.time_zones, spent, is_imminent=plan.is_imminent)
    )


def suggest_radius_km(services: Services, case: Case) -> float:
    """The radius that the rules give for this person now."""
    return suggestion_of(services, case, AlertWish()).radius_km


def suggestion_of(services: Services, case: Case, wish: AlertWish) -> Suggestion:
    """What the rules say for this person now, as the category and mode that were chosen."""
    now = services.clock.now()
    seen = case.circumstances.seen_at
    missing_for = now - seen if seen else UNKNOWN_TIME
    return suggest(wish.category or category_of(services, case), missing_for, wish.mode)


def category_of(services: Services, case: Case) -> Category:
    """What the report says of somebody; reviewers may know better."""
    if case.module is Module.ELDER:
        return Category.DEMENTIA
    years = case.person.birth_years
    at = (case.circumstances.seen_at or services.clock.now()).date()
    if years is None:
        return child_category(UNKNOWN_CHILD_AGE_YEARS)
    return child_category(age_in_years((years.first + years.last) // 2, at))


def _drawn(place: Point, wish: AlertWish, suggestion: Suggestion) -> Drawing:
    radius_km = suggestion.radius_km if wish.radius_km is None else wish.radius_km
    return draw(place, radius_km, wish.area, wish.without, wish.datum)
