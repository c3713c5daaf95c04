"""What waits for reviewers, the most urgent first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.alerts.radius import ON_FOOT_FOR
from reunite.app.review_lead import LeadView, list_leads
from reunite.app.services import Services
from reunite.app.triage_sighting import SightingView, list_sightings
from reunite.app.view_case import CaseCard, list_cases_to_review
from reunite.cases.case import Case
from reunite.cases.photos import CasePhoto
from reunite.cases.sightings import SightingStatus
from reunite.kernel.ids import CaseId
from reunite.kernel.people import Side

# Of lost elders 95 % found within a day live, 77 % of those found later.
FIRST_HOURS = timedelta(hours=24)


class Urgency(StrEnum):
    """How much an hour matters; the values sort from the most urgent."""

    FIRST_HOURS = "1_first_hours"  # missing for less than a day
    FIRST_DAYS = "2_first_days"  # perhaps still on foot
    LATER = "3_later"


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A case to verify or to publish."""

    card: CaseCard
    since: datetime  # of its last step
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class WaitingLead:
    """A lead to decide."""

    view: LeadView
    since: datetime
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class WaitingSighting:
    """A sighting to weigh, with the photo of the person who is looked for."""

    view: SightingView
    case_photo: CasePhoto | None
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class CaseQueue:
    """One page of the queue; ``next_before`` asks for the next one."""

    items: list[WaitingCase]
    next_before: CaseId | None


def list_waiting_cases(
    services: Services, actor: Actor | None, before: CaseId | None = None
) -> CaseQueue:
    """Reports to verify and verified cases to publish; urgent ones first, then who waits longest.

    Ordered within a page; pages go from the newest cases to older ones.
    """
    page = list_cases_to_review(services, actor, before=before)
    now = services.clock.now()
    items = [
        WaitingCase(card, card.case.transitions[-1].at, urgency_of(card.case, now))
        for card in page.cards
    ]
    items.sort(key=lambda item: (item.urgency, item.since))
    return CaseQueue(items, page.next_before)


def list_waiting_leads(
    services: Services, actor: Actor | None, *, limit: int = 50, offset: int = 0
) -> list[WaitingLead]:
    """Leads to decide; urgent ones first, then the most similar."""
    now = services.clock.now()
    items = [
        WaitingLead(view, view.lead.found_at, urgency_of(view.missing.case, now))
        for view in list_leads(services, actor, limit=limit, offset=offset)
    ]
    items.sort(key=lambda item: (item.urgency, -item.view.lead.similarity))
    return items


def list_waiting_sightings(
    services: Services,
    actor: Actor | None,
    status: SightingStatus = SightingStatus.NEW,
    *,
    limit: int = 50,
    offset: int = 0,
) -> list[WaitingSighting]:
    """Sightings; urgent ones first, then the most plausible."""
    actor = require_role(actor, STAFF)
    views = list_sightings(services, actor, status, limit=limit, offset=offset)
    with services.database.transaction() as transaction:
        photos = transaction.photos.list_of_cases(sorted({view.case.id for view in views}))
    now = services.clock.now()
    items = [
        WaitingSighting(
            view,
            next((p for p in photos.get(view.case.id, []) if p.chosen is not None), None),
            urgency_of(view.case, now),
        )
        for view in views
    ]
    items.sort(key=lambda item: item.urgency)
    return items


def urgency_of(case: Case, now: datetime) -> Urgency:
    """How much an hour matters for this case; somebody who is found is safe already."""
    seen = case.circumstances.seen_at
    if not case.is_open or case.side is Side.FOUND:
        return Urgency.LATER
    if seen is None or now - seen >= ON_FOOT_FOR:
        return Urgency.LATER
    return Urgency.FIRST_HOURS if now - seen < FIRST_HOURS else Urgency.FIRST_DAYS
