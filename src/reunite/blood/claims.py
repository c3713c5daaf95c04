"""Two centres, one donor: noticed here, settled by people, never merged in silence.

A centre claims a donor whom another one keeps (the donor gave it the code of the register), or
brings a record that looks like another centre's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from reunite.blood.donors import RegisteredDonor, contact_key, contradicts
from reunite.blood.phenotype import Abo, HType, Phenotype, RhD
from reunite.kernel.errors import ConflictError, InvalidInputError
from reunite.kernel.ids import AccountId, BloodCentreId, DonorClaimId, DonorId
from reunite.kernel.places import distance_km

NEAR_KM: Final = 30.0  # a person's record at two centres of one town and its surroundings


class ClaimReason(StrEnum):
    """Why it is thought that two centres have one donor."""

    CODE = "code"  # the donor gave the code to a second centre
    SAME_CONTACT = "same_contact"
    SAME_PERSON = "same_person"  # birthday, sex, place and a rare type agree


class Party(StrEnum):
    """Who says something of a claim."""

    CLAIMANT = "claimant"
    KEEPER = "keeper"
    DONOR = "donor"


class Verdict(StrEnum):
    """What a claim comes to."""

    MOVE = "move"  # the donor is the claimant's from now on
    STAY = "stay"
    SAME = "same"  # two records of one person: the keeper's goes on, with what both knew
    DIFFERENT = "different"


_MAY_SAY: Final[Mapping[tuple[bool, Party], frozenset[Verdict]]] = {
    (True, Party.KEEPER): frozenset({Verdict.MOVE, Verdict.STAY}),
    (True, Party.DONOR): frozenset({Verdict.MOVE, Verdict.STAY}),
    (True, Party.CLAIMANT): frozenset({Verdict.STAY}),
    (False, Party.KEEPER): frozenset({Verdict.SAME, Verdict.DIFFERENT}),
    (False, Party.CLAIMANT): frozenset({Verdict.SAME, Verdict.DIFFERENT}),
    (False, Party.DONOR): frozenset({Verdict.SAME, Verdict.DIFFERENT}),
}


@dataclass(slots=True)
class DonorClaim:
    """``centre_id`` says that ``donor_id``, kept by ``keeper_id``, is its own.

    ``own_donor_id`` : the claimant's record that looks like the same person; None where it
    claims by the donor's code.
    """

    donor_id: DonorId
    keeper_id: BloodCentreId | None
    centre_id: BloodCentreId
    why: ClaimReason
    made_at: datetime
    reference: str = ""  # the claimant's own number for the donor
    own_donor_id: DonorId | None = None
    claimant_says: Verdict | None = None
    keeper_says: Verdict | None = None  # or the donor
    outcome: Verdict | None = None
    settled_at: datetime | None = None
    settled_by: AccountId | None = None
    id: DonorClaimId = DonorClaimId(0)

    @property
    def is_open(self) -> bool:
        return self.outcome is None

    def may_say(self, party: Party) -> frozenset[Verdict]:
        """What is left for this party to say."""
        if not self.is_open:
            return frozenset()
        return _MAY_SAY[self.own_donor_id is None, party]

    def say(self, party: Party, verdict: Verdict, by: AccountId, at: datetime) -> bool:
        """Somebody decides; whether the claim is settled by it.

        That two records are one person needs the claimant, and the keeper or the donor;
        anything else needs one party.

        Raises ConflictError ``claim_settled``, InvalidInputError ``choice_unknown``.
        """
        if not self.is_open:
            raise ConflictError("claim_settled")
        if verdict not in self.may_say(party):
            raise InvalidInputError("choice_unknown", field="verdict")
        if party is Party.CLAIMANT:
            self.claimant_says = verdict
        else:
            self.keeper_says = verdict
        if verdict is Verdict.SAME and self.claimant_says is not self.keeper_says:
            return False
        self.outcome, self.settled_at, self.settled_by = verdict, at, by
        return True


def likeness(one: RegisteredDonor, other: RegisteredDonor) -> ClaimReason | None:
    """Why two records may be of one person; None where nothing says so."""
    if contradicts(one.phenotype, other.phenotype) or _born_apart(one, other):
        return None
    key = contact_key(one.contact)
    if key and key == contact_key(other.contact):
        return ClaimReason.SAME_CONTACT
    facts, others = one.facts, other.facts
    if facts.born_on is None or facts.born_on != others.born_on or facts.sex is not others.sex:
        return None
    here, there = one.point, other.point
    near = here is not None and there is not None and distance_km(here, there) <= NEAR_KM
    # Of a common type a birthday says little: a large centre has several such donors a day.
    return ClaimReason.SAME_PERSON if near and _is_uncommon(one, other) else None


def _born_apart(one: RegisteredDonor, other: RegisteredDonor) -> bool:
    days = {donor.facts.born_on for donor in (one, other)} - {None}
    return len(days) > 1


def _is_uncommon(one: RegisteredDonor, other: RegisteredDonor) -> bool:
    return all(is_uncommon(donor.phenotype) for donor in (one, other))


def is_uncommon(phenotype: Phenotype) -> bool:
    """Whether the type is more than a group and RhD positive."""
    return (
        phenotype.h is not HType.ORDINARY
        or phenotype.d not in {RhD.UNKNOWN, RhD.POSITIVE}
        or bool(phenotype.subgroup or phenotype.negative or phenotype.antibodies)
        or phenotype.abo is Abo.UNKNOWN
    )
