"""Blood centres and hospitals: who they are, and who may act for them."""

from dataclasses import dataclass

from reunite.accounts.account import STAFF, Account, Actor, Role, require_role
from reunite.app.services import Services
from reunite.blood.centres import BloodCentre, CentreKind
from reunite.blood.deferral import shipped_rules
from reunite.kernel.errors import ForbiddenError, InvalidInputError
from reunite.kernel.ids import AccountId, BloodCentreId
from reunite.kernel.places import find_town
from reunite.ports import Transaction

ADMINS = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class CentreRequest:
    """A centre as an administrator enters it; its town is one of GeoNames."""

    name: str
    kind: CentreKind = CentreKind.BLOOD_CENTRE
    town_id: int | None = None
    contact: str = ""
    rules: str = "china"


@dataclass(frozen=True, slots=True)
class CentreView:
    """A centre, who acts for it, and how many donors it keeps."""

    centre: BloodCentre
    members: list[Account]
    donors: int


def add_centre(services: Services, actor: Actor | None, request: CentreRequest) -> BloodCentre:
    """Write a centre; nobody acts for it before it is verified.

    Raises InvalidInputError ``required``, ``text_too_long``, ``town_unknown``,
    ``choice_unknown``; ConflictError ``centre_exists``.
    """
    require_role(actor, ADMINS)
    if request.rules not in shipped_rules():
        raise InvalidInputError("choice_unknown", field="rules")
    town = None
    if request.town_id is not None:
        town = find_town(request.town_id, services.settings.country)
        if town is None:
            raise InvalidInputError("town_unknown", field="town")
    centre = BloodCentre(
        name=request.name.strip(),
        created_at=services.clock.now(),
        kind=request.kind,
        place=None if town is None else town.point,
        place_label="" if town is None else str(town.geonames_id),
        contact=request.contact.strip(),
        rules=request.rules,
    ).check()
    with services.database.transaction() as transaction:
        transaction.blood_centres.add(centre)
    return centre


def verify_centre(
    services: Services, actor: Actor | None, centre_id: BloodCentreId, *, verified: bool = True
) -> BloodCentre:
    """The centre is who it says, and may ask for blood and keep donors; or no longer."""
    require_role(actor, ADMINS)
    with services.database.transaction() as transaction:
        centre = transaction.blood_centres.get(centre_id)
        centre.verified_at = services.clock.now() if verified else None
        transaction.blood_centres.save(centre)
    return centre


def set_centre_member(
    services: Services, actor: Actor | None, email: str, centre_id: BloodCentreId | None
) -> None:
    """Have an officer act for a centre, and for no other one; None: for none.

    Raises InvalidInputError ``email_unknown`` or ``account_not_staff``, NotFoundError.
    """
    require_role(actor, ADMINS)
    with services.database.transaction() as transaction:
        account = transaction.accounts.find_by_email(email.strip().lower())
        if account is None:
            raise InvalidInputError("email_unknown", field="email")
        if account.role not in STAFF:
            raise InvalidInputError("account_not_staff", field="email", email=account.email)
        transaction.blood_centres.set_member(account.id, centre_id)


def list_centres(services: Services, actor: Actor | None) -> list[CentreView]:
    """Every centre; by name."""
    require_role(actor, ADMINS)
    with services.database.transaction() as transaction:
        return [
            CentreView(
                one,
                [
                    transaction.accounts.get(AccountId(member))
                    for member in transaction.blood_centres.list_members(one.id)
                ],
                transaction.donors.count_of_centre(one.id),
            )
            for one in transaction.blood_centres.list_all()
        ]


def find_own_centre(services: Services, actor: Actor | None) -> BloodCentre | None:
    """The centre that somebody acts for, verified or not."""
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        return transaction.blood_centres.find_of_member(actor.account_id)


def require_centre(transaction: Transaction, actor: Actor | None) -> tuple[Actor, BloodCentre]:
    """The actor and the verified centre that they act for.

    Raises ForbiddenError ``sign_in_required``, ``role_required``, ``centre_required`` or
    ``centre_not_verified``.
    """
    actor = require_role(actor, STAFF)
    centre = transaction.blood_centres.find_of_member(actor.account_id)
    if centre is None:
        raise ForbiddenError("centre_required")
    if not centre.is_verified:
        raise ForbiddenError("centre_not_verified")
    return actor, centre
