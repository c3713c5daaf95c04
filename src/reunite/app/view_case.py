"""Look at cases: one, or a list of them."""

from dataclasses import dataclass

from reunite.accounts.account import EVERYONE, STAFF, Actor, require_role
from reunite.alerts.notices import Notice
from reunite.app.describe_case import NO_BACKGROUND
from reunite.app.services import Services
from reunite.cases.background import Background
from reunite.cases.case import Case, CaseStatus
from reunite.cases.leads import Lead
from reunite.cases.photos import CasePhoto
from reunite.cases.previews import AgePreview
from reunite.cases.sightings import Sighting
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import CaseId
from reunite.kernel.people import Module, Side
from reunite.ports import CaseQuery, Look, LookPurpose, NoticeProgress

# Requests for blood are no cases of people who are sought.
OF_PEOPLE = frozenset({Module.CHILD, Module.ELDER})


class CaseClosedError(NotFoundError):
    """The case was public and is over: a page that is gone, not one that never was."""

    code = "case_over"


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as this reader may see it."""

    case: Case
    photos: list[CasePhoto]
    previews: list[AgePreview]  # for everyone else those that a reviewer approved
    is_own: bool
    is_staff: bool
    sees_all: bool  # the reporter or staff: contact, transitions, photos still to be chosen
    leads: list[Lead]  # staff only
    sightings: list[Sighting]  # staff only
    notices: list[tuple[Notice, NoticeProgress]]  # staff only
    background: Background = NO_BACKGROUND  # the reporter and staff


def get_case(services: Services, actor: Actor | None, reference: str) -> CaseView:
    """One case.

    Everyone sees a published one; its reporter and staff see it at every stage, and their
    look is logged.  Raises NotFoundError, or CaseClosedError for one that is over.
    """
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
        is_own = actor is not None and actor.account_id == case.opened_by
        is_staff = actor is not None and actor.is_staff
        sees_all = is_own or is_staff
        # A request for blood has pages of its own, for its centre and for those who are asked.
        if transaction.blood_requests.find_of_case(case.id) is not None:
            raise NotFoundError
        if not (case.is_public or sees_all):
            if was_public(case):
                raise CaseClosedError
            raise NotFoundError
        photos = transaction.photos.list_of_case(case.id)
        previews = transaction.previews.list_of_case(case.id)
        if actor is not None and photos:
            transaction.looks.add(
                [Look(actor.account_id, case.id, LookPurpose.VIEW, services.clock.now())]
            )
        return CaseView(
            case=case,
            photos=photos if sees_all else [p for p in photos if p.chosen is not None],
            previews=[p for p in previews if sees_all or p.is_approved],
            is_own=is_own,
            is_staff=is_staff,
            sees_all=sees_all,
            leads=transaction.leads.list_of_case(case.id) if is_staff else [],
            sightings=transaction.sightings.list_of_case(case.id) if is_staff else [],
            notices=transaction.notices.list_of_case(case.id) if is_staff else [],
            background=transaction.backgrounds.get_many([case.id] if sees_all else []).get(
                case.id, NO_BACKGROUND
            ),
        )


def was_public(case: Case) -> bool:
    """Whether the case has ever been shown to everyone."""
    return any(step.status is CaseStatus.PUBLISHED for step in case.transitions)


@dataclass(frozen=True, slots=True)
class CaseCard:
    """A case in a list, with the photo that stands for it."""

    case: Case
    photo: CasePhoto | None


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of cases; ``next_before`` asks for the next one, None where there is none."""

    cards: list[CaseCard]
    next_before: CaseId | None


def list_public_cases(
    services: Services,
    *,
    modules: frozenset[Module] = frozenset(),
    sides: frozenset[Side] = frozenset(),
    before: CaseId | None = None,
    limit: int = 24,
) -> CasePage:
    """Published cases, the newest first."""
    return _page(
        services,
        CaseQuery(
            statuses=frozenset({CaseStatus.PUBLISHED}),
            modules=modules,
            sides=sides,
            before=before,
            limit=limit,
        ),
    )


def list_own_cases(
    services: Services, actor: Actor | None, before: CaseId | None = None
) -> CasePage:
    """What the actor has reported, at every stage."""
    actor = require_role(actor, EVERYONE)
    return _page(services, CaseQuery(opened_by=actor.account_id, modules=OF_PEOPLE, before=before))


def list_cases_to_review(
    services: Services,
    actor: Actor | None,
    statuses: frozenset[CaseStatus] = frozenset({CaseStatus.REPORTED, CaseStatus.VERIFIED}),
    before: CaseId | None = None,
) -> CasePage:
    """Cases that wait for verification or publication, the newest first."""
    require_role(actor, STAFF)
    return _page(services, CaseQuery(statuses=statuses, modules=OF_PEOPLE, before=before))


def _page(services: Services, query: CaseQuery) -> CasePage:
    with services.database.transaction() as transaction:
        cases = transaction.cases.list_matching(query)
        photos = transaction.photos.list_of_cases([case.id for case in cases])
    cards = [
        CaseCard(case, next((p for p in photos.get(case.id, []) if p.chosen is not None), None))
        for case in cases
    ]
    return CasePage(cards, cases[-1].id if len(cases) == query.limit else None)
