"""A request for blood of one's own centre."""

from reunite.accounts.account import Actor
from reunite.app.blood_centres import require_centre
from reunite.blood.appeals import Appeal
from reunite.blood.centres import BloodCentre
from reunite.cases.case import Case
from reunite.kernel.errors import NotFoundError
from reunite.ports import Transaction


def own_request(
    transaction: Transaction, actor: Actor | None, reference: str, *, lock: bool = False
) -> tuple[Actor, BloodCentre, Case, Appeal]:
    """Who asks, their centre, the case of the request and the request itself.

    ``lock`` holds the case, and with it everything about the request.  Raises ForbiddenError as
    ``require_centre``; NotFoundError for another centre's: nobody learns that it exists.
    """
    actor, centre = require_centre(transaction, actor)
    case = transaction.cases.get_by_reference(reference, lock=lock)
    appeal = transaction.blood_requests.find_of_case(case.id)
    if appeal is None or appeal.request.centre_id != centre.id:
        raise NotFoundError
    return actor, centre, case, appeal
