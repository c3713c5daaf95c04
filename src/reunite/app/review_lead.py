"""Review leads: compare side by side, accept with a second pair of eyes, or reject for ever."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.app.compare_faces import compare_faces
from reunite.app.flag_relatives import kin_hints
from reunite.app.services import Services
from reunite.app.weigh_faces import is_alike, weigh_photos
from reunite.cases.case import Case
from reunite.cases.facts import FactComparison, compare
from reunite.cases.kinship import KinHint
from reunite.cases.leads import Lead, LeadStatus, Verdict
from reunite.cases.photos import CasePhoto
from reunite.faces.calibration import Likelihood
from reunite.kernel.errors import ConflictError
from reunite.kernel.ids import CaseId, LeadId, PhotoId
from reunite.kernel.people import YearRange, age_in_years
from reunite.ports import Look, LookPurpose, Transaction

WAITING = frozenset({LeadStatus.OPEN, LeadStatus.SECOND_OPINION})


@dataclass(frozen=True, slots=True)
class LeadSide:
    """One half of a comparison."""

    case: Case
    photo: CasePhoto | None  # None once the photo has been erased
    age_at_photo: YearRange | None


@dataclass(frozen=True, slots=True)
class LeadView:
    """Everything a reviewer weighs."""

    lead: Lead
    missing: LeadSide
    found: LeadSide
    lapse_years: int | None  # between the two photos
    facts: list[FactComparison]
    may_decide: bool  # the first reviewer cannot be the second
    likelihood: Likelihood | None  # None where the templates were never calibrated
    photos: tuple[int, int] = (1, 1)  # of either side, that the likelihood is of
    kin: list[KinHint] = field(default_factory=list)  # reasons to think of a relative


def list_leads(
    services: Services,
    actor: Actor | None,
    statuses: frozenset[LeadStatus] = WAITING,
    *,
    limit: int = 50,
    offset: int = 0,
) -> list[LeadView]:
    """Leads of open cases, the most similar first."""
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        leads = transaction.leads.list_with_status(statuses, limit=limit, offset=offset)
        return _views(services, transaction, actor, leads)


def get_lead(services: Services, actor: Actor | None, lead_id: LeadId) -> LeadView:
    """One lead for comparison; the look at both faces is logged."""
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        lead = transaction.leads.get(lead_id)
        now = services.clock.now()
        transaction.looks.add(
            [
                Look(actor.account_id, case_id, LookPurpose.REVIEW, now)
                for case_id in (lead.missing_case_id, lead.found_case_id)
            ]
        )
        return _views(services, transaction, actor, [lead])[0]


def decide_lead(
    services: Services, actor: Actor | None, lead_id: LeadId, verdict: Verdict, note: str = ""
) -> LeadStatus:
    """Record a reviewer's word; where the lead stands now.

    Raises ConflictError ``same_reviewer``, ``lead_closed``, ``case_closed``, or ``own_case``
    for whoever brought one of the two records.  Even a confirmed lead
    changes no case: somebody has to close it, with its outcome and cause.
    """
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        lead = transaction.leads.get(lead_id, lock=True)
        cases = transaction.cases.get_many([lead.missing_case_id, lead.found_case_id])
        if any(case.opened_by == actor.account_id for case in cases.values()):
            raise ConflictError("own_case")
        if not all(case.is_open for case in cases.values()):
            raise ConflictError("case_closed")
        lead.decide(actor.account_id, verdict, services.clock.now(), note.strip())
        transaction.leads.save(lead)
        if lead.status is LeadStatus.CONFIRMED:
            # Those who brought the two records hear that there is hope, and not where or who.
            for case_id in (lead.missing_case_id, lead.found_case_id):
                transaction.outbox.add("tell_reporter", {"case_id": case_id})
        return lead.status


def _views(
    services: Services, transaction: Transaction, actor: Actor, leads: list[Lead]
) -> list[LeadView]:
    case_ids = [c for lead in leads for c in (lead.missing_case_id, lead.found_case_id)]
    cases = transaction.cases.get_many(case_ids)
    photos = {
        photo.id: photo
        for of_case in transaction.photos.list_of_cases(case_ids).values()
        for photo in of_case
    }
    return [_view(services, transaction, actor, lead, (cases, photos)) for lead in leads]


def _view(
    services: Services,
    transaction: Transaction,
    actor: Actor,
    lead: Lead,
    known: tuple[Mapping[CaseId, Case], Mapping[PhotoId, CasePhoto]],
) -> LeadView:
    cases, photos = known
    missing = _side(cases[lead.missing_case_id], photos.get(lead.missing_photo_id))
    found = _side(cases[lead.found_case_id], photos.get(lead.found_photo_id))
    similarity, counts = _of_all_photos(
        services, transaction, lead, (missing.case, found.case), photos
    )
    likelihood = weigh_photos(
        services,
        similarity,
        (missing.case, missing.photo),
        (found.case, found.photo),
        counts,
    )
    facts = compare(missing.case, found.case)
    alike = lead.is_of_faces and is_alike(services, lead.similarity, likelihood)
    return LeadView(
        lead=lead,
        missing=missing,
        found=found,
        lapse_years=_lapse(missing, found),
        facts=facts,
        may_decide=lead.status in WAITING
        and actor.account_id not in (missing.case.opened_by, found.case.opened_by)
        and all(
            decision.by != actor.account_id or decision.verdict is not Verdict.ACCEPT
            for decision in lead.decisions
        ),
        likelihood=likelihood,
        photos=counts,
        kin=kin_hints(transaction, lead, missing.case, facts, is_alike=alike),
    )


def _of_all_photos(
    services: Services,
    transaction: Transaction,
    lead: Lead,
    sides: tuple[Case, Case],
    photos: Mapping[PhotoId, CasePhoto],
) -> tuple[float, tuple[int, int]]:
    """The mean similarity of all pairs of their photos, and how many there are on either side."""
    counts = [
        sum(photo.case_id == case.id and photo.chosen is not None for photo in photos.values())
        for case in sides
    ]
    if max(counts) > 1:
        faces = compare_faces(services, transaction, *sides)
        if faces.is_known:
            return faces.mean_similarity, faces.photos
    # The templates go when a case closes; what the lead was found by stays.
    return lead.similarity, (1, 1)


def _side(case: Case, photo: CasePhoto | None) -> LeadSide:
    born = case.person.birth_years
    year = None if photo is None else photo.captured_year
    age = None
    if born is not None and year is not None and photo is not None:
        at = photo.added_at.date().replace(year=year, month=1, day=1)
        age = YearRange(max(0, age_in_years(born.last, at)), max(0, age_in_years(born.first, at)))
    return LeadSide(case, photo, age)


def _lapse(missing: LeadSide, found: LeadSide) -> int | None:
    years = [
        side.photo.captured_year if side.photo is not None else None for side in (missing, found)
    ]
    if years[0] is None or years[1] is None:
        return None
    return abs(years[0] - years[1])
