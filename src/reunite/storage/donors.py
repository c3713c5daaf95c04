"""Donors in PostgreSQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from reunite.blood.claims import DonorClaim
from reunite.blood.deferral import Donation, DonationKind, DonorFacts, Reason
from reunite.blood.donors import (
    Confirmation,
    ConsentPurpose,
    RegisteredDonor,
    TypingMethod,
    contact_key,
    read_type,
    stored_type,
)
from reunite.blood.waves import History
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, BloodCentreId, DonorClaimId, DonorId
from reunite.kernel.people import Sex
from reunite.ports import DonorChange
from reunite.storage.donor_claims import DonorClaims
from reunite.storage.tables import donor_changes, donors

_BATCH = 5_000  # rows that are held at once while everybody is read or many are written

_POSITION = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
# One statement, hence one snapshot: what it does not see is not yet behind the new position.
_CHANGED = text("""
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS position,
           string_agg(donor_ids, ''::bytea) AS donor_ids
    FROM donor_changes WHERE xact >= :position
""")


class PostgresDonors:
    """Implements ``DonorRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._claims = DonorClaims(connection)

    def add(self, donor: RegisteredDonor) -> DonorId:
        """Sets ``donor.id``.  Raises ConflictError ``donor_exists``, ``donor_reference_taken``."""
        with _uniquely(self._connection):
            added = self._connection.execute(
                insert(donors).values(**_all_columns(donor)).returning(donors.c.id)
            ).scalar_one()
        donor.id = DonorId(added)
        return donor.id

    def add_all(self, new: Sequence[RegisteredDonor]) -> None:
        """As ``add`` for many at once, who have no account."""
        for first in range(0, len(new), _BATCH):
            batch = new[first : first + _BATCH]
            with _uniquely(self._connection):
                ids = self._connection.execute(
                    insert(donors).returning(donors.c.id, sort_by_parameter_order=True),
                    [_all_columns(donor) for donor in batch],
                ).scalars()
                for donor, donor_id in zip(batch, ids, strict=True):
                    donor.id = DonorId(donor_id)

    def get(self, donor_id: DonorId, *, lock: bool = False) -> RegisteredDonor:
        """Raises NotFoundError."""
        found = self._find(select(donors).where(donors.c.id == donor_id), lock=lock)
        if found is None:
            raise NotFoundError
        return found

    def find_of_account(
        self, account_id: AccountId, *, lock: bool = False
    ) -> RegisteredDonor | None:
        return self._find(select(donors).where(donors.c.account_id == account_id), lock=lock)

    def find_by_code(self, code: str, *, lock: bool = False) -> RegisteredDonor | None:
        """The donor who shows this code to a centre."""
        return self._find(select(donors).where(donors.c.code == code), lock=lock)

    def get_many(self, donor_ids: Sequence[DonorId]) -> dict[DonorId, RegisteredDonor]:
        """Those of them that are there."""
        wanted = select(donors).where(donors.c.id == func.any(list(donor_ids)))
        return {one.id: one for one in self._list(wanted)}

    def known(
        self, centre_id: BloodCentreId, references: Sequence[str]
    ) -> dict[str, RegisteredDonor]:
        """Donors by the centre's numbers, as far as there are any."""
        wanted = (
            select(donors)
            .where(donors.c.centre_id == centre_id)
            .where(donors.c.reference == func.any([one for one in references if one]))
        )
        return {one.reference: one for one in self._list(wanted)}

    def list_of_centre(
        self, centre_id: BloodCentreId, *, after: DonorId = DonorId(0), limit: int = 50
    ) -> list[RegisteredDonor]:
        """Donors whom a centre keeps, by id."""
        return self._list(
            select(donors)
            .where(donors.c.centre_id == centre_id)
            .where(donors.c.id > after)
            .order_by(donors.c.id)
            .limit(limit)
        )

    def count_of_centre(self, centre_id: BloodCentreId) -> int:
        return self._count(select(func.count()).where(donors.c.centre_id == centre_id))

    def list_resembling(
        self, contact_keys: Sequence[str], births: Sequence[date]
    ) -> list[RegisteredDonor]:
        """Everybody with one of these contacts or birthdays, by id."""
        keys = [one for one in contact_keys if one]
        # Said twice, so that the partial index is used.
        by_contact = (donors.c.contact_key != "") & (donors.c.contact_key == func.any(keys))
        by_birth = donors.c.born_on == func.any(list(births))
        return self._list(select(donors).where(by_contact | by_birth).order_by(donors.c.id))

    def list_family(self, code: str) -> list[RegisteredDonor]:
        """Donors who joined a family, by id."""
        wanted = select(donors).where(donors.c.family_code == code)
        return self._list(wanted.order_by(donors.c.id))

    def save(self, donor: RegisteredDonor) -> None:
        """Write everything but who was asked when."""
        with _uniquely(self._connection):
            saved = self._connection.execute(
                update(donors).where(donors.c.id == donor.id).values(**_columns(donor))
            )
        if saved.rowcount == 0:
            raise NotFoundError

    def delete(self, donor_id: DonorId) -> None:
        """Forget a donor, and everything that hangs on the record."""
        self._connection.execute(delete(donors).where(donors.c.id == donor_id))

    def mark_asked(self, donor_ids: Sequence[DonorId], at: datetime) -> None:
        """They were asked for blood: when last, and once more."""
        self._connection.execute(
            update(donors)
            .where(donors.c.id == func.any(list(donor_ids)))
            .values(last_asked_at=at, asked=donors.c.asked + 1)
        )

    def mark_willing(self, donor_id: DonorId) -> None:
        """Of the times asked, they said yes once more."""
        self._connection.execute(
            update(donors)
            .where(donors.c.id == donor_id)
            .values(willing=func.least(donors.c.willing + 1, donors.c.asked))
        )

    def iter_all(self) -> Iterator[RegisteredDonor]:
        """Everybody, by id."""
        after = 0
        while True:
            wanted = select(donors).where(donors.c.id > after).order_by(donors.c.id).limit(_BATCH)
            batch = self._list(wanted)
            yield from batch
            if len(batch) < _BATCH:
                return
            after = batch[-1].id

    def count(self) -> int:
        return self._count(select(func.count()).select_from(donors))

    def add_claim(self, claim: DonorClaim) -> bool:
        """Sets ``claim.id``; False where this was claimed before, whatever it came to."""
        return self._claims.add(claim)

    def get_claim(self, claim_id: DonorClaimId, *, lock: bool = False) -> DonorClaim:
        """Raises NotFoundError."""
        return self._claims.get(claim_id, lock=lock)

    def save_claim(self, claim: DonorClaim) -> None:
        """Write what was said and what came of it.  Raises NotFoundError."""
        self._claims.save(claim)

    def list_open_claims(self, centre_id: BloodCentreId) -> list[DonorClaim]:
        """What a centre claims or is asked to give up, the oldest first."""
        return self._claims.list_open(centre_id)

    def list_claims_of_donor(self, donor_id: DonorId) -> list[DonorClaim]:
        """Claims of a donor, settled or not, the oldest first."""
        return self._claims.list_of_donor(donor_id)

    def position(self) -> int:
        """Where the stream of changes stands now; take it before reading everyone."""
        stands: int = self._connection.execute(_POSITION).scalar_one()
        return stands

    def changes_since(self, position: int) -> DonorChange:
        """Who has come, changed or gone; see ``PostgresVolunteers.changes_since``."""
        row = self._connection.execute(_CHANGED, {"position": position}).one()
        if row.donor_ids is None:
            return DonorChange((), (), row.position)
        ids = np.unique(np.frombuffer(row.donor_ids, dtype=">i8")).tolist()
        present = self.get_many([DonorId(one) for one in ids])
        gone = tuple(DonorId(one) for one in ids if one not in present)
        return DonorChange(tuple(present.values()), gone, row.position)

    def forget_changes_before(self, at: datetime) -> int:
        """Shorten the stream of changes; how many entries went."""
        return self._connection.execute(
            delete(donor_changes).where(donor_changes.c.at < at)
        ).rowcount

    def _find(self, wanted: Select[Any], *, lock: bool) -> RegisteredDonor | None:
        rows = self._connection.execute(wanted.with_for_update() if lock else wanted)
        row = rows.mappings().one_or_none()
        return None if row is None else _donor(row)

    def _list(self, wanted: Select[Any]) -> list[RegisteredDonor]:
        return [_donor(row) for row in self._connection.execute(wanted).mappings()]

    def _count(self, wanted: Select[Any]) -> int:
        return int(self._connection.execute(wanted).scalar_one())


@contextmanager
def _uniquely(connection: Connection) -> Iterator[None]:
    """Turn a unique value that is taken into a conflict; the transaction may go on."""
    try:
        with connection.begin_nested():
            yield
    except IntegrityError as error:
        told = str(error.orig)
        if "uq_donors_account_id" in told:
            raise ConflictError("donor_exists") from error
        if "uq_donors_centre_id_reference" in told:
            raise ConflictError("donor_reference_taken", field="reference") from error
        raise


def _all_columns(donor: RegisteredDonor) -> dict[str, Any]:
    return {
        **_columns(donor),
        "registered_at": donor.registered_at,
        "last_asked_at": donor.last_asked_at,
        "asked": donor.history.asked,
        "willing": donor.history.yes,
    }


def _columns(donor: RegisteredDonor) -> dict[str, Any]:
    facts, found = donor.facts, donor.confirmation
    return {
        "account_id": donor.account_id,
        "centre_id": donor.centre_id,
        "reference": donor.reference,
        "declared": None if donor.declared is None else stored_type(donor.declared),
        "confirmed": None if found is None else stored_type(found.phenotype),
        "confirmed_by": None if found is None else found.centre_id,
        "confirmed_at": None if found is None else found.at,
        "method": None if found is None else found.method.value,
        "cell": donor.cell,
        "place_label": donor.place_label,
        "born_on": facts.born_on,
        "sex": int(facts.sex),
        "weight_kg": facts.weight_kg,
        "donations": [[one.kind.value, one.on.isoformat()] for one in facts.donations],
        "reasons": [
            [one.code, None if one.over_on is None else one.over_on.isoformat()]
            for one in facts.reasons
        ],
        "rules": donor.rules,
        "consents": sorted(donor.consents),
        "kinds": sorted(donor.kinds),
        "travel_km": donor.travel_km,
        "asleep": donor.asleep,
        "away_until": donor.away_until,
        "family_code": donor.family_code or None,
        "contact": donor.contact,
        "contact_key": contact_key(donor.contact),
        "code": donor.code,
    }


def _donor(row: RowMapping) -> RegisteredDonor:
    confirmation = None
    if row["confirmed"] is not None:
        confirmation = Confirmation(
            read_type(row["confirmed"]),
            BloodCentreId(row["confirmed_by"]),
            row["confirmed_at"],
            TypingMethod(row["method"]),
        )
    return RegisteredDonor(
        registered_at=row["registered_at"],
        account_id=row["account_id"],
        centre_id=row["centre_id"],
        reference=row["reference"],
        declared=None if row["declared"] is None else read_type(row["declared"]),
        confirmation=confirmation,
        cell=row["cell"],
        place_label=row["place_label"],
        facts=DonorFacts(
            row["born_on"],
            Sex(row["sex"]),
            row["weight_kg"],
            tuple(
                Donation(DonationKind(kind), date.fromisoformat(on))
                for kind, on in row["donations"]
            ),
            tuple(
                Reason(code, None if over is None else date.fromisoformat(over))
                for code, over in row["reasons"]
            ),
        ),
        rules=row["rules"],
        consents=frozenset(map(ConsentPurpose, row["consents"])),
        kinds=frozenset(map(DonationKind, row["kinds"])),
        travel_km=row["travel_km"],
        asleep=row["asleep"],
        away_until=row["away_until"],
        family_code=row["family_code"] or "",
        contact=row["contact"],
        code=row["code"],
        last_asked_at=row["last_asked_at"],
        history=History(row["asked"], row["willing"]),
        id=DonorId(row["id"]),
    )
