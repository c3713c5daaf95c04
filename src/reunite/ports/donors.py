"""Where blood centres, families and donors are kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from reunite.blood.centres import BloodCentre, BloodFamily
from reunite.blood.claims import DonorClaim
from reunite.blood.donors import RegisteredDonor
from reunite.kernel.ids import AccountId, BloodCentreId, DonorClaimId, DonorId


class BloodCentreRepository(Protocol):
    """Blood centres and hospitals, who acts for them, and the families they have named."""

    def add(self, centre: BloodCentre) -> BloodCentreId:
        """Sets ``centre.id``.  Raises ConflictError ``centre_exists``."""
        ...

    def get(self, centre_id: BloodCentreId) -> BloodCentre:
        """Raises NotFoundError."""
        ...

    def find_by_name(self, name: str) -> BloodCentre | None: ...

    def list_all(self) -> list[BloodCentre]:
        """By name."""
        ...

    def save(self, centre: BloodCentre) -> None:
        """Write what is known of it.  Raises NotFoundError."""
        ...

    def set_member(self, account_id: AccountId, centre_id: BloodCentreId | None) -> None:
        """Somebody acts for this centre, and for no other one; None: for none."""
        ...

    def find_of_member(self, account_id: AccountId) -> BloodCentre | None: ...

    def list_members(self, centre_id: BloodCentreId) -> list[AccountId]:
        """Who acts for it, by id."""
        ...

    def add_family(self, family: BloodFamily) -> None: ...

    def find_family(self, code: str) -> BloodFamily | None: ...


@dataclass(frozen=True, slots=True)
class DonorChange:
    """What has changed about donors since some position in the stream."""

    present: Sequence[RegisteredDonor]
    gone: Sequence[DonorId]
    position: int


class DonorRepository(Protocol):
    """Donors, with an account or without."""

    def add(self, donor: RegisteredDonor) -> DonorId:
        """Sets ``donor.id``.

        Raises ConflictError ``donor_exists`` (the account has one) or ``donor_reference_taken``
        (the centre has one of this number).
        """
        ...

    def add_all(self, donors: Sequence[RegisteredDonor]) -> None:
        """As ``add`` for many at once, who have no account."""
        ...

    def get(self, donor_id: DonorId, *, lock: bool = False) -> RegisteredDonor:
        """Raises NotFoundError.  ``lock`` holds it until the transaction ends."""
        ...

    def find_of_account(
        self, account_id: AccountId, *, lock: bool = False
    ) -> RegisteredDonor | None: ...

    def find_by_code(self, code: str, *, lock: bool = False) -> RegisteredDonor | None:
        """The donor who shows this code to a centre."""
        ...

    def get_many(self, donor_ids: Sequence[DonorId]) -> dict[DonorId, RegisteredDonor]:
        """Those of them that are there."""
        ...

    def known(
        self, centre_id: BloodCentreId, references: Sequence[str]
    ) -> dict[str, RegisteredDonor]:
        """Donors by the centre's numbers, as far as there are any."""
        ...

    def list_of_centre(
        self, centre_id: BloodCentreId, *, after: DonorId = DonorId(0), limit: int = 50
    ) -> list[RegisteredDonor]:
        """Donors whom a centre keeps, by id."""
        ...

    def count_of_centre(self, centre_id: BloodCentreId) -> int: ...

    def list_resembling(
        self, contact_keys: Sequence[str], births: Sequence[date]
    ) -> list[RegisteredDonor]:
        """Everybody with one of these contacts or birthdays, by id."""
        ...

    def list_family(self, code: str) -> list[RegisteredDonor]:
        """Donors who joined a family, by id."""
        ...

    def save(self, donor: RegisteredDonor) -> None:
        """Write everything but who was asked when.

        Raises NotFoundError; ConflictError as ``add``.
        """
        ...

    def delete(self, donor_id: DonorId) -> None:
        """Forget a donor, and everything that hangs on the record."""
        ...

    def mark_asked(self, donor_ids: Sequence[DonorId], at: datetime) -> None:
        """They were asked for blood: when last, and once more."""
        ...

    def mark_willing(self, donor_id: DonorId) -> None:
        """Of the times asked, they said yes once more."""
        ...

    def iter_all(self) -> Iterator[RegisteredDonor]:
        """Everybody, by id."""
        ...

    def count(self) -> int: ...

    def add_claim(self, claim: DonorClaim) -> bool:
        """Sets ``claim.id``; False where this was claimed before, whatever it came to."""
        ...

    def get_claim(self, claim_id: DonorClaimId, *, lock: bool = False) -> DonorClaim:
        """Raises NotFoundError."""
        ...

    def save_claim(self, claim: DonorClaim) -> None:
        """Write what was said and what came of it.  Raises NotFoundError."""
        ...

    def list_open_claims(self, centre_id: BloodCentreId) -> list[DonorClaim]:
        """What a centre claims or is asked to give up, the oldest first."""
        ...

    def list_claims_of_donor(self, donor_id: DonorId) -> list[DonorClaim]:
        """Claims of a donor, settled or not, the oldest first."""
        ...

    def position(self) -> int:
        """Where the stream of changes stands now; take it before reading everyone."""
        ...

    def changes_since(self, position: int) -> DonorChange:
        """Who has come, changed or gone.

        May repeat changes around ``position``, never misses one.
        """
        ...

    def forget_changes_before(self, at: datetime) -> int:
        """Shorten the stream of changes; how many entries went.

        A reader that stands further back misses what has gone, and must read everyone anew.
        """
        ...
