"""Two centres and one donor: people say whose it is, and whether two records are one person."""

from dataclasses import dataclass, replace

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.app.blood_centres import require_centre
from reunite.app.register_donor import forget_donor
from reunite.app.services import Services
from reunite.blood.centres import BloodCentre
from reunite.blood.claims import DonorClaim, Party, Verdict
from reunite.blood.donors import RegisteredDonor
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, DonorClaimId
from reunite.ports import Transaction


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim with what either side may know of it.

    ``own`` is the reader's record and ``other`` the other centre's, of which a centre sees no
    more than the type, the year of birth and the town.
    """

    claim: DonorClaim
    party: Party
    other_centre: BloodCentre | None
    own: RegisteredDonor | None
    other: RegisteredDonor | None

    @property
    def answers(self) -> frozenset[Verdict]:
        """What the reader may say."""
        return self.claim.may_say(self.party)


def list_claims(services: Services, actor: Actor | None) -> list[ClaimView]:
    """Open claims of the actor's centre, and on it.  Raises as ``require_centre``."""
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
        claims = transaction.donors.list_open_claims(centre.id)
        return [_view(transaction, claim, centre) for claim in claims]


def settle_claim(
    services: Services, actor: Actor | None, claim_id: DonorClaimId, verdict: Verdict
) -> DonorClaim:
    """A centre says what is so.  Raises NotFoundError for a claim of others, and as ``say``."""
    with services.database.transaction() as transaction:
        actor, centre = require_centre(transaction, actor)
        claim = transaction.donors.get_claim(claim_id, lock=True)
        if centre.id not in {claim.centre_id, claim.keeper_id}:
            raise NotFoundError
        party = Party.CLAIMANT if claim.centre_id == centre.id else Party.KEEPER
        _say(services, transaction, claim, party, verdict, actor.account_id)
    return claim


def settle_own_claim(
    services: Services, actor: Actor | None, claim_id: DonorClaimId, verdict: Verdict
) -> DonorClaim:
    """The donor says which centre is theirs, or whether a record is of them."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        claim = transaction.donors.get_claim(claim_id, lock=True)
        if transaction.donors.get(claim.donor_id).account_id != actor.account_id:
            raise NotFoundError
        _say(services, transaction, claim, Party.DONOR, verdict, actor.account_id)
    return claim


def _say(
    services: Services,
    transaction: Transaction,
    claim: DonorClaim,
    party: Party,
    verdict: Verdict,
    by: AccountId,
) -> None:
    settled = claim.say(party, verdict, by, services.clock.now())
    transaction.donors.save_claim(claim)
    if not settled:
        return
    donor = transaction.donors.get(claim.donor_id, lock=True)
    if verdict is Verdict.MOVE:
        transaction.donors.save(
            replace(donor, centre_id=claim.centre_id, reference=claim.reference)
        )
    elif verdict is Verdict.SAME and claim.own_donor_id is not None:
        own = transaction.donors.get(claim.own_donor_id, lock=True)
        # The number of the record that goes may be needed by the one that stays.
        forget_donor(transaction, own.id)
        transaction.donors.save(joined(donor, own))
        if own.last_asked_at is not None and (
            donor.last_asked_at is None or donor.last_asked_at < own.last_asked_at
        ):
            # One person is not asked twice within 30 days because of two records.
            transaction.donors.mark_asked([donor.id], own.last_asked_at)


def joined(donor: RegisteredDonor, own: RegisteredDonor) -> RegisteredDonor:
    """The keeper's record with what only the claimant knew; the newer laboratory result counts.

    Where the claimant's is the one with an account, the account and what its owner said and
    agreed to go on: no centre's record stands above the person's own word.
    """
    one = replace(donor)
    if donor.account_id is None and own.account_id is not None:
        one.account_id, one.code = own.account_id, own.code
        one.declared = own.declared or donor.declared
        one.consents, one.kinds, one.travel_km = own.consents, own.kinds, own.travel_km
        one.asleep, one.away_until = own.asleep, own.away_until
    found = [record.confirmation for record in (donor, own) if record.confirmation is not None]
    one.confirmation = max(found, key=lambda result: result.at, default=None)
    if one.centre_id is None:
        one.centre_id, one.reference = own.centre_id, own.reference
    for donation in own.facts.donations:
        one.has_given(donation)
    known = {reason.code for reason in one.facts.reasons}
    for reason in own.facts.reasons:
        if reason.code not in known:
            one.is_deferred_for(reason)
    one.facts = replace(
        one.facts,
        born_on=one.facts.born_on or own.facts.born_on,
        sex=one.facts.sex or own.facts.sex,
        weight_kg=one.facts.weight_kg or own.facts.weight_kg,
    )
    one.family_code = one.family_code or own.family_code
    one.contact = one.contact or own.contact
    if one.cell is None:
        one.cell, one.place_label = own.cell, own.place_label
    return one


def _view(transaction: Transaction, claim: DonorClaim, centre: BloodCentre) -> ClaimView:
    is_claimant = claim.centre_id == centre.id
    donor = transaction.donors.get(claim.donor_id)
    claimed = None if claim.own_donor_id is None else transaction.donors.get(claim.own_donor_id)
    other_id = claim.keeper_id if is_claimant else claim.centre_id
    return ClaimView(
        claim,
        Party.CLAIMANT if is_claimant else Party.KEEPER,
        None if other_id is None else transaction.blood_centres.get(other_id),
        claimed if is_claimant else donor,
        donor if is_claimant else claimed,
    )
