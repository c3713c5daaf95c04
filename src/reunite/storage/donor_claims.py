"""Claims of donors in PostgreSQL; a part of ``PostgresDonors``."""

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select, update
from sqlalchemy.dialects.postgresql import insert

from reunite.blood.claims import ClaimReason, DonorClaim, Verdict
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import BloodCentreId, DonorClaimId, DonorId
from reunite.storage.tables import donor_claims


class DonorClaims:
    """What ``DonorRepository`` says of claims."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, claim: DonorClaim) -> bool:
        added = self._connection.execute(
            insert(donor_claims)
            .values(
                donor_id=claim.donor_id,
                keeper_id=claim.keeper_id,
                centre_id=claim.centre_id,
                own_donor_id=claim.own_donor_id,
                why=claim.why.value,
                made_at=claim.made_at,
                reference=claim.reference,
                **_said(claim),
            )
            .on_conflict_do_nothing()
            .returning(donor_claims.c.id)
        ).scalar()
        if added is not None:
            claim.id = DonorClaimId(added)
        return added is not None

    def get(self, claim_id: DonorClaimId, *, lock: bool) -> DonorClaim:
        wanted = select(donor_claims).where(donor_claims.c.id == claim_id)
        found = self._list(wanted.with_for_update() if lock else wanted)
        if not found:
            raise NotFoundError
        return found[0]

    def save(self, claim: DonorClaim) -> None:
        saved = self._connection.execute(
            update(donor_claims).where(donor_claims.c.id == claim.id).values(**_said(claim))
        )
        if saved.rowcount == 0:
            raise NotFoundError

    def list_open(self, centre_id: BloodCentreId) -> list[DonorClaim]:
        concerned = donor_claims.c.centre_id == centre_id
        return self._list(
            select(donor_claims)
            .where(concerned | (donor_claims.c.keeper_id == centre_id))
            .where(donor_claims.c.outcome.is_(None))
            .order_by(donor_claims.c.id)
        )

    def list_of_donor(self, donor_id: DonorId) -> list[DonorClaim]:
        concerned = donor_claims.c.donor_id == donor_id
        return self._list(
            select(donor_claims)
            .where(concerned | (donor_claims.c.own_donor_id == donor_id))
            .order_by(donor_claims.c.id)
        )

    def _list(self, wanted: Select[Any]) -> list[DonorClaim]:
        return [_claim(row) for row in self._connection.execute(wanted).mappings()]


def _said(claim: DonorClaim) -> dict[str, Any]:
    return {
        "claimant_says": claim.claimant_says,
        "keeper_says": claim.keeper_says,
        "outcome": claim.outcome,
        "settled_at": claim.settled_at,
        "settled_by": claim.settled_by,
    }


def _claim(row: RowMapping) -> DonorClaim:
    return DonorClaim(
        donor_id=DonorId(row["donor_id"]),
        keeper_id=row["keeper_id"],
        centre_id=BloodCentreId(row["centre_id"]),
        why=ClaimReason(row["why"]),
        made_at=row["made_at"],
        reference=row["reference"],
        own_donor_id=row["own_donor_id"],
        claimant_says=_verdict(row["claimant_says"]),
        keeper_says=_verdict(row["keeper_says"]),
        outcome=_verdict(row["outcome"]),
        settled_at=row["settled_at"],
        settled_by=row["settled_by"],
        id=DonorClaimId(row["id"]),
    )


def _verdict(stored: str | None) -> Verdict | None:
    return None if stored is None else Verdict(stored)
