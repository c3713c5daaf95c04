"""Register somebody who may wander, and raise the alarm with one tap when they are gone."""

from dataclasses import dataclass, replace
from datetime import datetime

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.app.intake import kept, read_photo
from reunite.app.open_case import CaseReport, Opened, located, open_case
from reunite.app.services import Services
from reunite.cases.background import Background
from reunite.cases.case import Case, Circumstances, Person
from reunite.cases.registration import CardMessage, Registration
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.ids import new_reference
from reunite.kernel.people import Module, Side
from reunite.kernel.places import Point
from reunite.ports import Transaction


@dataclass(frozen=True, slots=True)
class RegistrationForm:
    """What a family lays down."""

    person: Person
    background: Background
    contact: str
    consent_search: bool
    consent_publish: bool
    place: Point | None = None
    place_label: str = ""
    photo: bytes | None = None


@dataclass(frozen=True, slots=True)
class RegistrationView:
    """A registration with its history, and what finders wrote."""

    registration: Registration
    episodes: list[Case]  # the newest first
    messages: list[CardMessage]

    @property
    def open_case(self) -> Case | None:
        """The alarm that is on."""
        return next((case for case in self.episodes if case.is_open), None)


def register_person(
    services: Services, actor: Actor | None, form: RegistrationForm
) -> Registration:
    """Keep it for the day on which it is needed; nothing is compared or shown before.

    Raises InvalidInputError naming the field at fault.
    """
    actor = require_role(actor, EVERYONE)
    if not form.consent_search:
        raise InvalidInputError("consent_search_required", field="consent_search")
    where = located(services, Circumstances(place=form.place, place_label=form.place_label))
    registration = Registration(
        token=new_reference(),
        owner=actor.account_id,
        created_at=services.clock.now(),
        person=form.person,
        background=form.background,
        contact=form.contact,
        consent_publish=form.consent_publish,
        place=form.place,
        place_label=where.place_label,
    ).check()
    if form.photo is None:
        with services.database.transaction() as transaction:
            transaction.registrations.add(registration)
        return registration
    read = read_photo(services, form.photo)
    if read.only_face is None:
        raise InvalidInputError("photo_several_faces", field="photo", count=len(read.faces))
    with kept(services, read.jpeg) as key, services.database.transaction() as transaction:
        registration.photo_key = key
        transaction.registrations.add(registration)
    return registration


def list_registrations(services: Services, actor: Actor | None) -> list[RegistrationView]:
    """Everybody that the actor has registered."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        return _views(transaction, transaction.registrations.list_of_owner(actor.account_id))


def get_registration(services: Services, actor: Actor | None, token: str) -> RegistrationView:
    """One of the actor's own.  Raises NotFoundError."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        return _views(transaction, [_own(transaction, actor, token)])[0]


def delete_registration(services: Services, actor: Actor | None, token: str) -> None:
    """Forget it; the card leads nowhere from now on.  Cases that came of it stay."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        registration = _own(transaction, actor, token)
        transaction.registrations.delete(registration.id)
    if registration.photo_key is not None:
        services.photos.delete([registration.photo_key])


def raise_alarm(
    services: Services, actor: Actor | None, token: str, seen_at: datetime | None = None
) -> Opened:
    """Open the case of somebody who is gone.  A second tap leads to the case that is open."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        view = _views(transaction, [_own(transaction, actor, token)])[0]
    if view.open_case is not None:
        return Opened(view.open_case.reference)
    return open_episode(services, actor, view.registration, seen_at)


def open_episode(
    services: Services, owner: Actor, registration: Registration, seen_at: datetime | None
) -> Opened:
    """The case of one episode, with everything that was laid down.

    Of two that begin it at the same moment, the later one is led to the case of the first.
    """

    def begin(transaction: Transaction, case: Case) -> None:
        transaction.registrations.get_by_token(registration.token, lock=True)
        ids = transaction.registrations.list_episodes([registration.id])[registration.id]
        for other in transaction.cases.get_many(ids).values():
            if other.is_open:
                raise _UnderWayError(other.reference)
        transaction.registrations.add_episode(registration.id, case.id)

    photo = None if registration.photo_key is None else services.photos.get(registration.photo_key)
    report = CaseReport(
        module=Module.ELDER,
        side=Side.MISSING,
        person=registration.person,
        circumstances=Circumstances(
            seen_at=seen_at or services.clock.now(),
            place=registration.place,
            place_label=registration.place_label,
        ),
        consent_search=True,
        consent_publish=registration.consent_publish,
        contact=registration.contact,
        photo=photo,
        background=registration.background,
    )
    try:
        return open_case(services, owner, report, begin)
    except _UnderWayError as error:
        return Opened(error.reference)


class _UnderWayError(Exception):
    """Somebody else has just begun this episode."""

    def __init__(self, reference: str) -> None:
        super().__init__()
        self.reference = reference


def _own(transaction: Transaction, actor: Actor, token: str) -> Registration:
    registration = transaction.registrations.get_by_token(token.upper())
    if registration.owner != actor.account_id:
        raise NotFoundError
    return registration


def _views(transaction: Transaction, registrations: list[Registration]) -> list[RegistrationView]:
    episodes = transaction.registrations.list_episodes([one.id for one in registrations])
    cases = transaction.cases.get_many([case_id for ids in episodes.values() for case_id in ids])
    return [
        RegistrationView(
            replace(one),
            [cases[case_id] for case_id in episodes[one.id] if case_id in cases],
            transaction.registrations.list_messages(one.id),
        )
        for one in registrations
    ]
