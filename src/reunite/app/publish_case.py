"""Verify a case, show it to everyone, and have volunteers told."""

from dataclasses import dataclass
from datetime import timedelta

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.alerts.areas import Circle
from reunite.alerts.audience import Wanted, choose_audience
from reunite.alerts.notices import NoticeKind
from reunite.alerts.radius import Category, child_category, radius_km, require_radius
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Module, age_in_years
from reunite.partners.webhooks import EventName

UNKNOWN_CHILD_AGE_YEARS = 10


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
    services: Services, actor: Actor | None, reference: str, alert_radius_km: float | None
) -> None:
    """Show a verified case to everyone and tell the volunteers within a radius.

    ``alert_radius_km`` None publishes without an alert.  The wish to tell them is written
    in the same transaction: a crash right after it loses no notification.

    Raises ConflictError ``case_transition``, ``consent_missing``; InvalidInputError
    ``radius_out_of_range``, ``alert_needs_place``.
    """
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference, lock=True)
        case.publish(actor.account_id, services.clock.now())
        transaction.cases.save(case)
        told: dict[str, object] = {"case_id": case.id, "event": EventName.CASE_PUBLISHED.value}
        if alert_radius_km is not None:
            told["radius_km"] = require_radius(alert_radius_km)
            if case.circumstances.place is None:
                raise InvalidInputError("alert_needs_place", field="radius_km")
            transaction.outbox.add(
                "notify_audience",
                {
                    "case_id": case.id,
                    "kind": NoticeKind.PUBLISHED.value,
                    "radius_km": alert_radius_km,
                },
            )
        transaction.outbox.add("tell_partners", told)


@dataclass(frozen=True, slots=True)
class AlertPreview:
    """Whom an alert would reach, before anyone presses publish."""

    suggested_radius_km: float
    radius_km: float
    recipients: int


def preview_alert(
    services: Services, actor: Actor | None, reference: str, chosen_radius_km: float | None = None
) -> AlertPreview | None:
    """How many people an alert would tell; None for a case without a place."""
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
        if case.circumstances.place is None:
            return None
        told = transaction.notices.recipients_of_case(case.id)
    suggested = suggest_radius_km(services, case)
    radius = suggested if chosen_radius_km is None else require_radius(chosen_radius_km)
    audience = choose_audience(
        services.audience.index(),
        Circle(case.circumstances.place, radius),
        Wanted(case.module, told=told, at=services.clock.now()),
    )
    return AlertPreview(suggested, radius, len(audience.account_ids()))


def suggest_radius_km(services: Services, case: Case) -> float:
    """The radius that the rules give for this person now."""
    now = services.clock.now()
    seen = case.circumstances.seen_at
    missing_for = now - seen if seen else timedelta(days=3650)
    if case.module is Module.ELDER:
        return radius_km(Category.DEMENTIA, missing_for)
    years = case.person.birth_years
    age = (
        UNKNOWN_CHILD_AGE_YEARS
        if years is None
        else age_in_years((years.first + years.last) // 2, (seen or now).date())
    )
    return radius_km(child_category(age), missing_for)
