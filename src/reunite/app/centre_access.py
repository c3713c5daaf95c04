"""Who acts for a hospital or blood centre."""

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.blood.appeals import Appeal
from reunite.blood.centres import BloodCentre
from reunite.cases.case import Case
from reunite.kernel.errors import ForbiddenError, NotFoundError
from reunite.ports import Transaction


def require_centre(transaction: Transaction, actor: Actor | None) -> BloodCentre:
    """The verified centre that somebody acts for.

    Raises ForbiddenError ``centre_required`` or ``centre_unverified``.
    """
    actor = require_role(actor, EVERYONE)
    centre = transaction.blood_centres.find_of_member(actor.account_id)
    if centre is None:
        raise ForbiddenError("centre_required")
    if not centre.is_verified:
        raise ForbiddenError("centre_unverified")
    return centre


def own_request(
    transaction: Transaction, actor: Actor | None, reference: str, *, lock: bool = False
) -> tuple[BloodCentre, Case, Appeal]:
    """A request of the actor's own centre, with its case.

    Raises NotFoundError for another centre's: nobody learns that it exists.
    """
    centre = require_centre(transaction, actor)
    case = transaction.cases.get_by_reference(reference, lock=lock)
    appeal = transaction.blood_requests.find_of_case(case.id)
    if appeal is None or appeal.request.centre_id != centre.id:
        raise NotFoundError
    return centre, case, appeal
