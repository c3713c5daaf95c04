"""Open a case: somebody is missing, or somebody has been found."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from reunite.accounts.account import EVERYONE, STAFF, Actor, require_role
from reunite.app.describe_case import NO_BACKGROUND, enter_for_matching
from reunite.app.intake import ReadPhoto, enrol, kept, photo_of, read_photo, view_stored
from reunite.app.services import Services
from reunite.cases.background import Background
from reunite.cases.case import (
    Case,
    Circumstances,
    Person,
    check_photo_year,
)
from reunite.cases.case import (
    open_case as new_case,
)
from reunite.cases.photos import CasePhoto
from reunite.kernel.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    TooManyRequestsError,
)
from reunite.kernel.ids import PhotoId, new_reference
from reunite.kernel.people import Module, Side
from reunite.kernel.places import nearest_town, require_on_land
from reunite.ports import Transaction


@dataclass(frozen=True, slots=True)
class CaseReport:
    """What a reporter says."""

    module: Module
    side: Side
    person: Person
    circumstances: Circumstances
    consent_search: bool
    consent_publish: bool
    contact: str = ""
    photo: bytes | None = None
    captured_year: int | None = None
    background: Background = NO_BACKGROUND


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that has been written.  ``choose_photo`` is a photo with several faces."""

    reference: str
    choose_photo: PhotoId | None = None


def open_case(
    services: Services,
    actor: Actor | None,
    report: CaseReport,
    beside: Callable[[Transaction, Case], None] = lambda *_: None,
) -> Opened:
    """Write a case with its first photo; ``beside`` writes what belongs to it, or undoes it all.

    Raises InvalidInputError naming the field at fault, and then nothing has been written;
    ForbiddenError ``centre_required`` for a request for blood; TooManyRequestsError
    ``too_many_reports``.
    """
    actor = require_role(actor, EVERYONE)
    now = services.clock.now()
    if report.module is Module.BLOOD:
        # Only verified hospitals and blood centres ask for blood: ``open_blood_request``.
        raise ForbiddenError("centre_required")
    report.background.check()
    _require_few(services, actor)
    case = new_case(
        reference=new_reference(),
        module=report.module,
        side=report.side,
        person=report.person,
        circumstances=located(services, report.circumstances),
        opened_by=actor.account_id,
        at=now,
        consent_search=report.consent_search,
        consent_publish=report.consent_publish,
        contact=report.contact,
        organisation=actor.organisation,
    )
    check_photo_year(report.person, report.captured_year, now.date(), "captured_year")
    if report.photo is None:
        with services.database.transaction() as transaction:
            transaction.cases.add(case)
            beside(transaction, case)
            _enter(transaction, case, report.background)
        return Opened(case.reference)
    read = read_photo(services, report.photo)
    _check_camera_year(services, case, report.captured_year, read)
    with kept(services, read.jpeg) as key, services.database.transaction() as transaction:
        transaction.cases.add(case)
        beside(transaction, case)
        _enter(transaction, case, report.background)
        photo = photo_of(services, read, key, report.captured_year)
        photo.case_id = case.id
        transaction.photos.add(photo)
        if photo.chosen is not None:
            enrol(services, transaction, case, photo, read.views[photo.chosen])
    return Opened(case.reference, photo.id if photo.needs_choice else None)


def _enter(transaction: Transaction, case: Case, background: Background) -> None:
    backgrounds = {} if background.is_empty else {case.id: background}
    transaction.backgrounds.put(backgrounds)
    enter_for_matching(transaction, [case], backgrounds)


def _require_few(services: Services, actor: Actor) -> None:
    # Stations open cases by the hundred; anybody else who does has something else in mind.
    limit = services.settings.reports_per_day
    if actor.is_staff:
        return
    since = services.clock.now() - timedelta(days=1)
    with services.database.transaction() as transaction:
        recent = transaction.cases.count_opened_since(actor.account_id, since)
    if recent >= limit:
        raise TooManyRequestsError("too_many_reports", limit=limit, retry_after_seconds=86_400)


def add_photo(
    services: Services,
    actor: Actor | None,
    reference: str,
    data: bytes,
    captured_year: int | None = None,
) -> Opened:
    """Add a photo to an open case; several ages of one person find more.

    Raises ConflictError ``photo_already_there`` or ``case_closed``.
    """
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        case = _get_own(transaction, actor, reference)
    check_photo_year(case.person, captured_year, services.clock.now().date(), "captured_year")
    read = read_photo(services, data)
    _check_camera_year(services, case, captured_year, read)
    with kept(services, read.jpeg) as key, services.database.transaction() as transaction:
        case = _get_own(transaction, actor, reference, lock=True)
        photo = photo_of(services, read, key, captured_year)
        photo.case_id = case.id
        transaction.photos.add(photo)
        if photo.chosen is not None:
            enrol(services, transaction, case, photo, read.views[photo.chosen])
    return Opened(reference, photo.id if photo.needs_choice else None)


def choose_face(services: Services, actor: Actor | None, photo_id: PhotoId, index: int) -> str:
    """Say which face of a photo is the person; the reference of its case.

    Raises InvalidInputError ``no_such_face`` or why that face cannot be used.
    """
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        photo = transaction.photos.get(photo_id)
        case = transaction.cases.get(photo.case_id, lock=True)
        require_own(actor, case)
        _require_open(case)
        photo.choose(index)
        _, views = view_stored(services, photo.storage_key)
        transaction.photos.save(photo)
        enrol(services, transaction, case, photo, views[index])
        return case.reference


def get_choosable(services: Services, actor: Actor | None, photo_id: PhotoId) -> CasePhoto:
    """A photo whose person is to be pointed at, for its page."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        photo = transaction.photos.get(photo_id)
        require_own(actor, transaction.cases.get(photo.case_id))
        return photo


def require_own(actor: Actor, case: Case) -> None:
    """Raise NotFoundError unless the case is the actor's or the actor is staff."""
    if case.opened_by != actor.account_id and actor.role not in STAFF:
        raise NotFoundError


def located(services: Services, circumstances: Circumstances) -> Circumstances:
    """The same with its province and, where none was given, a label.

    Raises InvalidInputError ``place_at_sea``.
    """
    point = circumstances.place
    if point is None:
        return circumstances
    require_on_land(point, "place")
    town = nearest_town(point, services.settings.country)
    code = town.admin1_code
    return replace(
        circumstances,
        region=int(code) if code.isdigit() else 0,
        place_label=circumstances.place_label or town.name_zh,
    )


def _check_camera_year(
    services: Services, case: Case, captured_year: int | None, read: ReadPhoto
) -> None:
    # Cameras with a flat battery say 2000; whoever names the year knows better.
    if captured_year is None:
        today = services.clock.now().date()
        check_photo_year(case.person, read.captured_year, today, "captured_year")


def _get_own(transaction: Transaction, actor: Actor, reference: str, *, lock: bool = False) -> Case:
    case = transaction.cases.get_by_reference(reference, lock=lock)
    require_own(actor, case)
    _require_open(case)
    return case


def _require_open(case: Case) -> None:
    if not case.is_open:
        raise ConflictError("case_closed", status=case.status.value)
