"""A centre and its donors: see them, take one on by the code, confirm types, let go."""

from dataclasses import dataclass, replace
from datetime import date

from reunite.accounts.account import Actor
from reunite.app.blood_centres import require_centre
from reunite.app.register_donor import forget_donor
from reunite.app.services import Services
from reunite.blood.centres import BloodCentre
from reunite.blood.claims import ClaimReason, DonorClaim
from reunite.blood.deferral import Donation, Reason
from reunite.blood.donors import Confirmation, ConsentPurpose, RegisteredDonor, TypingMethod
from reunite.blood.phenotype import Phenotype
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.ids import DonorId, read_reference
from reunite.ports import Transaction

PAGE = 50


@dataclass(frozen=True, slots=True)
class KeptDonor:
    """A donor as the centre that keeps them sees them.

    ``name`` and ``email`` are those of the account, empty without one or without the consent
    that centres see them.
    """

    donor: RegisteredDonor
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Roll:
    """The donors of a centre, a part of them at a time."""

    centre: BloodCentre
    donors: list[KeptDonor]
    total: int
    claims: int  # open ones
    next: DonorId | None


def list_own_donors(
    services: Services, actor: Actor | None, *, after: DonorId = DonorId(0), limit: int = PAGE
) -> Roll:
    """Donors whom the actor's centre keeps.  Raises ForbiddenError as ``require_centre``."""
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
        found = transaction.donors.list_of_centre(centre.id, after=after, limit=limit + 1)
        return Roll(
            centre,
            [_kept(transaction, one) for one in found[:limit]],
            transaction.donors.count_of_centre(centre.id),
            len(transaction.donors.list_open_claims(centre.id)),
            found[limit - 1].id if len(found) > limit else None,
        )


def get_kept_donor(services: Services, actor: Actor | None, donor_id: DonorId) -> KeptDonor:
    """One of them.  Raises NotFoundError for another centre's."""
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
        return _kept(transaction, _own(transaction, centre, donor_id))


def take_on_donor(
    services: Services, actor: Actor | None, code: str, reference: str = ""
) -> RegisteredDonor | DonorClaim:
    """Keep the donor who showed this code, or, where another centre does, claim them.

    Raises InvalidInputError ``donor_code_unknown``, ConflictError ``donor_reference_taken`` or
    ``claim_made_before``.
    """
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
        donor = transaction.donors.find_by_code(read_reference(code), lock=True)
        if donor is None or ConsentPurpose.CENTRE not in donor.consents:
            raise InvalidInputError("donor_code_unknown", field="code")
        if donor.centre_id is None:
            donor.centre_id, donor.reference = centre.id, reference.strip()
            donor.check(services.clock.now().date())
            transaction.donors.save(donor)
            return donor
        if donor.centre_id == centre.id:
            return donor
        claim = DonorClaim(
            donor.id,
            donor.centre_id,
            centre.id,
            ClaimReason.CODE,
            services.clock.now(),
            reference=reference.strip(),
        )
        if not transaction.donors.add_claim(claim):
            raise InvalidInputError("claim_made_before", field="code")
        return claim


def confirm_type(
    services: Services,
    actor: Actor | None,
    donor_id: DonorId,
    found: Phenotype,
    method: TypingMethod = TypingMethod.SEROLOGY,
) -> RegisteredDonor:
    """Write down what the laboratory found; it goes before the donor's own word.

    Raises NotFoundError for another centre's donor.
    """
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
        donor = _own(transaction, centre, donor_id, lock=True)
        donor.confirmation = Confirmation(found, centre.id, services.clock.now(), method)
        transaction.donors.save(donor)
    return donor


def record_donation(
    services: Services, actor: Actor | None, donor_id: DonorId, donation: Donation
) -> RegisteredDonor:
    """A donor of the centre has given.  Raises as ``RegisteredDonor.check``."""
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
        donor = _own(transaction, centre, donor_id, lock=True)
        donor.has_given(donation)
        donor.check(services.clock.now().date())
        transaction.donors.save(donor)
    return donor


def record_deferral(
    services: Services, actor: Actor | None, donor_id: DonorId, code: str, over_on: date | None
) -> RegisteredDonor:
    """The centre's doctor defers a donor.  Raises as ``RegisteredDonor.check``."""
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
        donor = _own(transaction, centre, donor_id, lock=True)
        donor.is_deferred_for(Reason(code, over_on))
        donor.check(services.clock.now().date())
        transaction.donors.save(donor)
    return donor


def release_donor(services: Services, actor: Actor | None, donor_id: DonorId) -> None:
    """Keep a donor no longer; a record without an account is erased by it.

    Raises NotFoundError for another centre's donor.
    """
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
        donor = _own(transaction, centre, donor_id, lock=True)
        if donor.account_id is None:
            forget_donor(transaction, donor.id)
        else:
            transaction.donors.save(replace(donor, centre_id=None, reference=""))


def _own(
    transaction: Transaction, centre: BloodCentre, donor_id: DonorId, *, lock: bool = False
) -> RegisteredDonor:
    donor = transaction.donors.get(donor_id, lock=lock)
    if donor.centre_id != centre.id:
        raise NotFoundError
    return donor


def _kept(transaction: Transaction, donor: RegisteredDonor) -> KeptDonor:
    if donor.account_id is None or ConsentPurpose.CENTRE not in donor.consents:
        return KeptDonor(donor)
    account = transaction.accounts.get(donor.account_id)
    return KeptDonor(donor, account.display_name, account.email)
