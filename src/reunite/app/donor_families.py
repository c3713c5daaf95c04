"""Families that may share a rare type: siblings are asked first.

A centre gives a family its code; whoever joins by it says so themselves.  No member sees another.
"""

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.app.blood_centres import require_centre
from reunite.app.services import Services
from reunite.blood.centres import BloodFamily
from reunite.blood.donors import ConsentPurpose, RegisteredDonor
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.ids import DonorId, new_reference, read_reference
from reunite.ports import Transaction


def make_family(
    services: Services, actor: Actor | None, donor_id: DonorId | None = None
) -> BloodFamily:
    """A code for a family, and for a donor of the actor's centre to be its first member.

    A donor who has a family keeps it.  Raises ForbiddenError as ``require_centre``,
    NotFoundError for another centre's donor.
    """
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
        family = BloodFamily(new_reference(), centre.id, services.clock.now())
        if donor_id is None:
            transaction.blood_centres.add_family(family)
            return family
        donor = transaction.donors.get(donor_id, lock=True)
        if donor.centre_id != centre.id:
            raise NotFoundError
        known = transaction.blood_centres.find_family(donor.family_code)
        if known is not None:
            return known
        transaction.blood_centres.add_family(family)
        donor.family_code = family.code
        transaction.donors.save(donor)
    return family


def join_family(services: Services, actor: Actor | None, code: str) -> RegisteredDonor:
    """Be asked first when somebody of this family needs blood; that is the consent to it.

    Raises InvalidInputError ``family_code_unknown``, NotFoundError for somebody who is no donor.
    """
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        donor = _get(transaction, actor)
        donor.family_code = require_family(transaction, code).code
        donor.consents |= {ConsentPurpose.FAMILY}
        transaction.donors.save(donor)
    return donor


def leave_family(services: Services, actor: Actor | None) -> RegisteredDonor:
    """Belong to no family any more.  Raises NotFoundError."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        donor = _get(transaction, actor)
        donor.family_code = ""
        donor.consents -= {ConsentPurpose.FAMILY}
        transaction.donors.save(donor)
    return donor


def require_family(transaction: Transaction, code: str) -> BloodFamily:
    """The family of a code, as it may have been read out by telephone.

    Raises InvalidInputError ``family_code_unknown``.
    """
    read = read_reference(code).replace("-", "").replace(" ", "")
    family = transaction.blood_centres.find_family(read)
    if family is None:
        raise InvalidInputError("family_code_unknown", field="family_code")
    return family


def _get(transaction: Transaction, actor: Actor) -> RegisteredDonor:
    donor = transaction.donors.find_of_account(actor.account_id, lock=True)
    if donor is None:
        raise NotFoundError
    return donor
