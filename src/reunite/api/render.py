"""From the domain to bodies: what of a case each reader is shown."""

from reunite.accounts.account import Account, Actor
from reunite.alerts.volunteers import Volunteer
from reunite.api.schemas.alerts import (
    InboxEntryBody,
    ModuleCountBody,
    SightingBody,
    StatisticsBody,
    VolunteerBody,
)
from reunite.api.schemas.basics import (
    AccountEntry,
    CallerAccount,
    ModuleName,
    Position,
    SexName,
    SideName,
    TownEntry,
)
from reunite.api.schemas.cases import (
    CaseDetail,
    CaseFile,
    CaseSummary,
    FaceBody,
    LeadReference,
    NoticeProgressBody,
    PhotoBody,
    TransitionBody,
    Years,
)
from reunite.api.schemas.matching import (
    DecisionBody,
    FactBody,
    KinBody,
    LeadDetail,
    LeadSideBody,
    ResemblanceBody,
    SearchPhotoBody,
    SearchResultBody,
)
from reunite.app.count_outcomes import Statistics
from reunite.app.read_inbox import InboxItem
from reunite.app.review_lead import LeadSide, LeadView
from reunite.app.search_face import SearchResult
from reunite.app.triage_sighting import SightingView
from reunite.app.view_case import CaseCard, CaseView
from reunite.cases.case import Case
from reunite.cases.photos import CasePhoto, PhotoFace
from reunite.cases.whereabouts import place_words
from reunite.kernel.languages import DEFAULT_LANGUAGE
from reunite.kernel.people import Module, Sex, Side, YearRange
from reunite.kernel.places import Point, Town, find_town

MODULES = {module: ModuleName(module.name.lower()) for module in Module}
SIDES = {side: SideName(side.name.lower()) for side in Side}
SEXES = {sex: SexName(sex.name.lower()) for sex in Sex}
MODULE_OF = {name: module for module, name in MODULES.items()}
SIDE_OF = {name: side for side, name in SIDES.items()}
SEX_OF = {name: sex for sex, name in SEXES.items()}


def caller_account(actor: Actor) -> CallerAccount:
    """Who is signed in."""
    return CallerAccount(
        id=actor.account_id,
        role=actor.role,
        display_name=actor.display_name,
        language=actor.language,
        organisation=actor.organisation,
    )


def account_entry(account: Account) -> AccountEntry:
    """An account for administrators."""
    return AccountEntry(
        id=account.id,
        role=account.role,
        display_name=account.display_name,
        language=account.language,
        organisation=account.organisation,
        email=account.email,
        disabled=account.disabled,
        created_at=account.created_at,
    )


def position(point: Point | None) -> Position | None:
    """A point as a body."""
    return None if point is None else Position(latitude=point.latitude, longitude=point.longitude)


def years(value: YearRange | None) -> Years | None:
    """A range of years as a body."""
    return None if value is None else Years(first=value.first, last=value.last)


def town_entry(town: Town) -> TownEntry:
    """A town to choose."""
    return TownEntry(
        id=town.geonames_id,
        name_zh=town.name_zh,
        name_en=town.name_en,
        position=Position(latitude=town.point.latitude, longitude=town.point.longitude),
        population=town.population,
    )


def public_place(case: Case, country: str) -> str:
    """The place as everybody may read it, in the language in which labels are made."""
    return place_words(case, DEFAULT_LANGUAGE, country, sees_all=False)


def case_summary(case: Case, place_label: str, photo: CasePhoto | None = None) -> CaseSummary:
    """A case in a list of somebody who may see it; ``place_label`` is what they may read."""
    return CaseSummary(
        reference=case.reference,
        module=MODULES[case.module],
        side=SIDES[case.side],
        status=case.status,
        name=case.person.name,
        sex=SEXES[case.person.sex],
        birth_years=years(case.person.birth_years),
        seen_at=case.circumstances.seen_at,
        place_label=place_label,
        opened_at=case.opened_at,
        photo_id=None if photo is None else photo.id,
    )


def card(one: CaseCard, country: str, *, sees_all: bool) -> CaseSummary:
    """A case in a list."""
    place = place_words(one.case, DEFAULT_LANGUAGE, country, sees_all=sees_all)
    return case_summary(one.case, place, one.photo)


def case_over(case: Case) -> CaseSummary:
    """A case that has left the public side: that it was there, and nothing of whom."""
    return CaseSummary(
        reference=case.reference,
        module=MODULES[case.module],
        side=SIDES[case.side],
        status=case.status,
        name="",
        sex=SexName.UNKNOWN,
        birth_years=None,
        seen_at=None,
        place_label="",
        opened_at=case.opened_at,
        photo_id=None,
    )


def face(index: int, one: PhotoFace) -> FaceBody:
    """A face in a photo."""
    return FaceBody(
        index=index,
        box=one.box,
        quality_score=one.quality_score,
        verdict=one.verdict,
        reasons=list(one.reasons),
    )


def faces(all_of_them: list[PhotoFace]) -> list[FaceBody]:
    """The faces of a photo, in their order."""
    return [face(index, one) for index, one in enumerate(all_of_them)]


def photo_body(photo: CasePhoto) -> PhotoBody:
    """A photo without its pixels."""
    return PhotoBody(
        id=photo.id,
        width=photo.width,
        height=photo.height,
        captured_year=photo.captured_year,
        faces=faces(photo.faces),
        chosen=photo.chosen,
    )


def case_detail(view: CaseView, country: str) -> CaseDetail:
    """A case as this reader may see it."""
    case = view.case
    person, circumstances = case.person, case.circumstances
    standing_for_it = next((photo for photo in view.photos if photo.chosen is not None), None)
    # Where somebody was found may be where somebody else must not find them.
    shows_place = view.sees_all or case.side is Side.MISSING
    place = place_words(case, DEFAULT_LANGUAGE, country, sees_all=view.sees_all)
    return CaseDetail(
        **case_summary(case, place, standing_for_it).model_dump(),
        height_cm=person.height_cm,
        marks=person.marks,
        clothing=person.clothing,
        dialect=person.dialect,
        blood_group=person.blood_group,
        story=circumstances.story,
        place=position(circumstances.place) if shows_place else None,
        photos=[photo_body(photo) for photo in view.photos],
        file=_file(view) if view.sees_all else None,
    )


def _file(view: CaseView) -> CaseFile:
    case = view.case
    return CaseFile(
        contact=case.contact,
        organisation=case.organisation,
        private_note=case.circumstances.private_note,
        consent_search=case.consent_search,
        consent_publish=case.consent_publish,
        outcome=case.outcome,
        cause=case.cause,
        closed_at=case.closed_at,
        transitions=[
            TransitionBody(
                status=step.status,
                by=step.by,
                at=step.at,
                # What a reviewer wrote of a report is not for whoever made it.
                note=step.note if view.is_staff else "",
            )
            for step in case.transitions
        ],
        leads=[
            LeadReference(id=lead.id, status=lead.status, similarity=lead.similarity)
            for lead in view.leads
        ],
        sightings=[sighting.id for sighting in view.sightings],
        notices=[
            NoticeProgressBody(
                kind=notice.kind,
                created_at=notice.created_at,
                radius_km=notice.radius_km,
                recipients=progress.recipients,
                delivered=progress.delivered,
                read=progress.read,
            )
            for notice, progress in view.notices
        ],
    )


def lead_detail(view: LeadView) -> LeadDetail:
    """A comparison."""
    lead = view.lead
    return LeadDetail(
        id=lead.id,
        status=lead.status,
        similarity=lead.similarity,
        found_at=lead.found_at,
        missing=_lead_side(view.missing),
        found=_lead_side(view.found),
        lapse_years=view.lapse_years,
        false_match_rate=None if view.likelihood is None else view.likelihood.false_match_rate,
        kin=[
            KinBody(reason=hint.reason, rival=None if hint.rival is None else hint.rival.reference)
            for hint in view.kin
        ],
        facts=[
            FactBody(
                fact=one.fact,
                agreement=one.agreement,
                missing_value=one.missing_value,
                found_value=one.found_value,
            )
            for one in view.facts
        ],
        decisions=[
            DecisionBody(by=one.by, verdict=one.verdict, at=one.at, note=one.note)
            for one in lead.decisions
        ],
        may_decide=view.may_decide,
    )


def _lead_side(side: LeadSide) -> LeadSideBody:
    age = side.age_at_photo
    return LeadSideBody(
        case=case_summary(side.case, side.case.circumstances.place_label, side.photo),
        photo=None if side.photo is None else photo_body(side.photo),
        age_at_photo=None if age is None else (age.first, age.last),
    )


def search_result(result: SearchResult, country: str) -> SearchResultBody:
    """The likeliest people."""
    return SearchResultBody(
        token=result.token,
        faces=faces(result.faces),
        chosen=result.chosen,
        captured_year=result.captured_year,
        photos=[
            SearchPhotoBody(
                number=photo.number,
                faces=faces(photo.faces),
                chosen=photo.chosen,
                captured_year=photo.captured_year,
            )
            for photo in result.photos
        ],
        set_aside=[case.reference for case in result.set_aside],
        resemblances=[
            ResemblanceBody(
                case=case_summary(one.case, public_place(one.case, country)).model_copy(
                    update={"photo_id": one.photo_id}
                ),
                photo_id=one.photo_id,
                similarity=one.similarity,
                captured_year=one.captured_year,
            )
            for one in result.resemblances
        ],
        searched=result.searched,
        synthetic=result.synthetic,
        elapsed_ms=result.elapsed_seconds * 1000,
        incomplete=result.incomplete,
    )


def volunteer_body(volunteer: Volunteer, country: str) -> VolunteerBody:
    """What somebody has opted in to."""
    place = volunteer.main_place
    label = "" if place is None else place.place_label
    town = find_town(int(label), country) if label.isdigit() else None
    return VolunteerBody(
        modules=sorted(MODULES[module] for module in volunteer.modules),
        town=None if town is None else town_entry(town),
        joined_at=volunteer.joined_at,
        language=volunteer.language,
    )


def inbox_entry(item: InboxItem, country: str) -> InboxEntryBody:
    """A notice; without the person once the case has left the public side."""
    still_sought = item.case.is_public and not item.kind.is_last
    return InboxEntryBody(
        id=item.notice_id,
        kind=item.kind,
        case=case_summary(item.case, public_place(item.case, country))
        if still_sought
        else case_over(item.case),
        delivered_at=item.delivered_at,
        is_new=item.is_new,
    )


def sighting_body(view: SightingView) -> SightingBody:
    """A sighting for reviewers."""
    sighting = view.sighting
    return SightingBody(
        id=sighting.id,
        case=case_summary(view.case, view.case.circumstances.place_label),
        reporter=view.reporter.display_name,
        reported_at=sighting.reported_at,
        seen_at=sighting.seen_at,
        place=position(sighting.place),
        place_label=sighting.place_label,
        text=sighting.text,
        has_photo=sighting.photo_key is not None,
        similarity=sighting.similarity,
        status=sighting.status,
        distance_km=view.distance_km,
    )


def statistics_body(counted: Statistics) -> StatisticsBody:
    """Results, module by module."""
    return StatisticsBody(
        modules=[
            ModuleCountBody(
                module=MODULES[one.module],
                reported=one.reported,
                open=one.open,
                resolved=one.resolved,
                unmet=one.unmet,
                mistaken=one.mistaken,
                withdrawn=one.withdrawn,
                by_cause=dict(one.by_cause),
                by_outcome=dict(one.by_outcome),
                found_records=one.found_records,
            )
            for one in counted.modules
        ],
        volunteers=counted.volunteers,
        templates=counted.templates,
        synthetic_templates=counted.synthetic_templates,
    )
