"""Blood centres, families and donors in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from reunite.blood.centres import BloodCentre, BloodFamily
from reunite.blood.claims import DonorClaim
from reunite.blood.donors import RegisteredDonor, contact_key
from reunite.blood.waves import History
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, BloodCentreId, DonorClaimId, DonorId
from reunite.ports import DonorChange
from reunite.testing.memory_accounts import UNCOMMITTED, require_account
from reunite.testing.memory_tables import MemorySession, Table


@dataclass(frozen=True, slots=True)
class _Member:
    account_id: AccountId
    centre_id: BloodCentreId


class MemoryBloodCentres:
    """Implements ``BloodCentreRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._centres: Table[BloodCentreId, BloodCentre] = session.table("blood_centres")
        self._members: Table[AccountId, _Member] = session.table("blood_centre_members")
        self._families: Table[str, BloodFamily] = session.table("blood_families")

    def add(self, centre: BloodCentre) -> BloodCentreId:
        self._session.hold("blood_centres.name", centre.name)
        if self.find_by_name(centre.name) is not None:
            raise ConflictError("centre_exists", field="name")
        centre.id = BloodCentreId(self._session.store.next_id("blood_centres"))
        self._centres.put(centre.id, centre)
        return centre.id

    def get(self, centre_id: BloodCentreId) -> BloodCentre:
        centre = self._centres.get(centre_id)
        if centre is None:
            raise NotFoundError
        return centre

    def find_by_name(self, name: str) -> BloodCentre | None:
        return next(iter(self._centres.values(lambda one: one.name == name)), None)

    def list_all(self) -> list[BloodCentre]:
        return sorted(self._centres.values(), key=lambda one: one.name)

    def save(self, centre: BloodCentre) -> None:
        stored = self.get(centre.id)
        self._centres.put(centre.id, replace(centre, created_at=stored.created_at))

    def set_member(self, account_id: AccountId, centre_id: BloodCentreId | None) -> None:
        if centre_id is None:
            self._members.delete(account_id)
            return
        self.get(centre_id)
        require_account(self._session, account_id)
        self._members.put(account_id, _Member(account_id, centre_id))

    def find_of_member(self, account_id: AccountId) -> BloodCentre | None:
        member = self._members.get(account_id)
        return None if member is None else self.get(member.centre_id)

    def list_members(self, centre_id: BloodCentreId) -> list[AccountId]:
        found = self._members.values(lambda one: one.centre_id == centre_id)
        return sorted(one.account_id for one in found)

    def add_family(self, family: BloodFamily) -> None:
        self.get(family.centre_id)
        self._families.put(family.code, family)

    def find_family(self, code: str) -> BloodFamily | None:
        return self._families.get(code)


@dataclass(frozen=True, slots=True)
class _Change:
    donor_id: DonorId
    at: datetime
    commit: int


class MemoryDonors:
    """Implements ``DonorRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._donors: Table[DonorId, RegisteredDonor] = session.table("donors")
        self._claims: Table[DonorClaimId, DonorClaim] = session.table("donor_claims")
        self._changes: Table[int, _Change] = session.table("donor_changes")

    def add(self, donor: RegisteredDonor) -> DonorId:
        self._check(donor)
        donor.id = DonorId(self._session.store.next_id("donors"))
        self._put(donor)
        return donor.id

    def add_all(self, donors: Sequence[RegisteredDonor]) -> None:
        for donor in donors:
            self.add(donor)

    def get(self, donor_id: DonorId, *, lock: bool = False) -> RegisteredDonor:
        if lock:
            self._session.hold("donors", donor_id)
        donor = self._donors.get(donor_id)
        if donor is None:
            raise NotFoundError
        return donor

    def find_of_account(
        self, account_id: AccountId, *, lock: bool = False
    ) -> RegisteredDonor | None:
        found = self._donors.values(lambda one: one.account_id == account_id)
        return self.get(found[0].id, lock=lock) if found else None

    def find_by_code(self, code: str, *, lock: bool = False) -> RegisteredDonor | None:
        found = self._donors.values(lambda one: one.code == code)
        return self.get(found[0].id, lock=lock) if found else None

    def get_many(self, donor_ids: Sequence[DonorId]) -> dict[DonorId, RegisteredDonor]:
        found = {one: self._donors.get(one) for one in donor_ids}
        return {key: one for key, one in found.items() if one is not None}

    def known(
        self, centre_id: BloodCentreId, references: Sequence[str]
    ) -> dict[str, RegisteredDonor]:
        wanted = {one for one in references if one}
        found = self._donors.values(
            lambda one: one.centre_id == centre_id and one.reference in wanted
        )
        return {one.reference: one for one in found}

    def list_of_centre(
        self, centre_id: BloodCentreId, *, after: DonorId = DonorId(0), limit: int = 50
    ) -> list[RegisteredDonor]:
        found = self._donors.values(lambda one: one.centre_id == centre_id and one.id > after)
        return found[:limit]

    def count_of_centre(self, centre_id: BloodCentreId) -> int:
        return len(self._donors.values(lambda one: one.centre_id == centre_id))

    def list_resembling(
        self, contact_keys: Sequence[str], births: Sequence[date]
    ) -> list[RegisteredDonor]:
        keys, days = {one for one in contact_keys if one}, set(births)
        return self._donors.values(
            lambda one: contact_key(one.contact) in keys or one.facts.born_on in days
        )

    def list_family(self, code: str) -> list[RegisteredDonor]:
        return self._donors.values(lambda one: bool(code) and one.family_code == code)

    def save(self, donor: RegisteredDonor) -> None:
        stored = self.get(donor.id)
        self._check(donor)
        self._put(
            replace(
                donor,
                registered_at=stored.registered_at,
                last_asked_at=stored.last_asked_at,
                history=stored.history,
            )
        )

    def delete(self, donor_id: DonorId) -> None:
        if donor_id in self._donors:
            self._donors.delete(donor_id)
            for key, claim in self._claims.items():
                if donor_id in {claim.donor_id, claim.own_donor_id}:
                    self._claims.delete(key)
            self._note_change(donor_id)

    def mark_asked(self, donor_ids: Sequence[DonorId], at: datetime) -> None:
        for donor in self.get_many(donor_ids).values():
            history = History(donor.history.asked + 1, donor.history.yes)
            self._put(replace(donor, last_asked_at=at, history=history))

    def mark_willing(self, donor_id: DonorId) -> None:
        donor = self._donors.get(donor_id)
        if donor is not None:
            asked, yes = donor.history.asked, donor.history.yes
            self._put(replace(donor, history=History(asked, min(yes + 1, asked))))

    def iter_all(self) -> Iterator[RegisteredDonor]:
        return iter(self._donors.values())

    def count(self) -> int:
        return len(self._donors.values())

    def add_claim(self, claim: DonorClaim) -> bool:
        self.get(claim.donor_id)
        key = (claim.donor_id, claim.centre_id, claim.own_donor_id)
        self._session.hold("donor_claims.key", key)
        for one in self._claims.values():
            if (one.donor_id, one.centre_id, one.own_donor_id) == key:
                return False
        claim.id = DonorClaimId(self._session.store.next_id("donor_claims"))
        self._claims.put(claim.id, claim)
        return True

    def get_claim(self, claim_id: DonorClaimId, *, lock: bool = False) -> DonorClaim:
        if lock:
            self._session.hold("donor_claims", claim_id)
        claim = self._claims.get(claim_id)
        if claim is None:
            raise NotFoundError
        return claim

    def save_claim(self, claim: DonorClaim) -> None:
        self.get_claim(claim.id)
        self._claims.put(claim.id, claim)

    def list_open_claims(self, centre_id: BloodCentreId) -> list[DonorClaim]:
        return self._claims.values(
            lambda one: one.is_open and centre_id in {one.centre_id, one.keeper_id}
        )

    def list_claims_of_donor(self, donor_id: DonorId) -> list[DonorClaim]:
        return self._claims.values(lambda one: donor_id in {one.donor_id, one.own_donor_id})

    def position(self) -> int:
        return self._session.store.commits

    def changes_since(self, position: int) -> DonorChange:
        now = self.position()
        ids = sorted({one.donor_id for one in self._changes.values(lambda c: c.commit >= position)})
        present = self.get_many(ids)
        gone = tuple(one for one in ids if one not in present)
        return DonorChange(tuple(present.values()), gone, now)

    def forget_changes_before(self, at: datetime) -> int:
        old = self._changes.items(lambda change: change.at < at)
        for key, _ in old:
            self._changes.delete(key)
        return len(old)

    def _check(self, donor: RegisteredDonor) -> None:
        """What constraints of the table refuse."""
        require_account(self._session, donor.account_id)
        for centre_id in (
            donor.centre_id,
            None if donor.confirmation is None else donor.confirmation.centre_id,
        ):
            if centre_id is not None and centre_id not in self._session.table("blood_centres"):
                raise NotFoundError
        if donor.family_code and donor.family_code not in self._session.table("blood_families"):
            raise NotFoundError
        others = self._donors.values(lambda one: one.id != donor.id)
        if donor.account_id is not None:
            self._session.hold("donors.account_id", donor.account_id)
            if any(one.account_id == donor.account_id for one in others):
                raise ConflictError("donor_exists")
        if donor.centre_id is not None and donor.reference:
            key = (donor.centre_id, donor.reference)
            self._session.hold("donors.reference", key)
            if any((one.centre_id, one.reference) == key for one in others):
                raise ConflictError("donor_reference_taken", field="reference")

    def _put(self, donor: RegisteredDonor) -> None:
        self._donors.put(donor.id, donor)
        self._note_change(donor.id)

    def _note_change(self, donor_id: DonorId) -> None:
        key = self._session.store.next_id("donor_changes")
        at = datetime.now(UTC)
        self._changes.put(key, _Change(donor_id, at, UNCOMMITTED))
        self._session.at_commit(
            lambda commit: self._changes.put(key, _Change(donor_id, at, commit))
        )
