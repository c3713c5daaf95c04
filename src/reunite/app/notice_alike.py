"""Notice that a new record may be of a donor who is there already: a claim, never one record."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from reunite.blood.claims import ClaimReason, DonorClaim, likeness
from reunite.blood.donors import RegisteredDonor, contact_key
from reunite.ports import Transaction

_MOST_CLAIMS: Final = 2  # of one record; more neighbours than that are chance


def claim_alike(
    transaction: Transaction, records: Iterable[RegisteredDonor], at: datetime
) -> dict[str, ClaimReason]:
    """Claims of the centre that has just brought ``records``: why, by their numbers.

    Donors of other centres, and donors whom no centre keeps, are looked through.
    """
    brought = list(records)
    keys = {contact_key(one.contact) for one in brought} - {""}
    births = {one.facts.born_on for one in brought if one.facts.born_on is not None}
    by_contact: dict[str, list[RegisteredDonor]] = {}
    by_birth: dict[object, list[RegisteredDonor]] = {}
    for other in transaction.donors.list_resembling(sorted(keys), sorted(births)):
        by_contact.setdefault(contact_key(other.contact), []).append(other)
        by_birth.setdefault(other.facts.born_on, []).append(other)
    claimed: dict[str, ClaimReason] = {}
    for own in brought:
        key, born_on = contact_key(own.contact), own.facts.born_on
        others = {one.id: one for one in by_contact.get(key, ()) if key}
        others |= {one.id: one for one in by_birth.get(born_on, ()) if born_on is not None}
        found = _claim(transaction, own, others.values(), at)
        if found is not None:
            claimed[own.reference] = found
    return claimed


def claim_for_keepers(transaction: Transaction, donor: RegisteredDonor, at: datetime) -> None:
    """Somebody has registered of whom a centre may have a record without an account."""
    births = [] if donor.facts.born_on is None else [donor.facts.born_on]
    keys = [contact_key(donor.contact)]
    for record in transaction.donors.list_resembling(keys, births):
        if record.account_id is None:
            _claim(transaction, record, [donor], at)


def _claim(
    transaction: Transaction,
    own: RegisteredDonor,
    others: Iterable[RegisteredDonor],
    at: datetime,
) -> ClaimReason | None:
    """Claims of ``own``'s centre to what looks like it, the best reason first; that reason."""
    if own.centre_id is None:
        return None
    alike = [
        (why, other)
        for other in others
        if other.centre_id != own.centre_id and (why := likeness(own, other)) is not None
    ]
    # One contact says more than a birthday.
    alike.sort(key=lambda found: found[0] is not ClaimReason.SAME_CONTACT)
    for why, other in alike[:_MOST_CLAIMS]:
        transaction.donors.add_claim(
            DonorClaim(
                other.id,
                other.centre_id,
                own.centre_id,
                why,
                at,
                reference=own.reference,
                own_donor_id=own.id,
            )
        )
    return alike[0][0] if alike else None
