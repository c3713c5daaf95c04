"""Photos of face-find in PostgreSQL, until they are forgotten."""

from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from reunite.kernel.ids import AccountId, CaseId
from reunite.ports import Probe
from reunite.storage.rows import faces_from_json, faces_to_json
from reunite.storage.tables import probes


class PostgresProbes:
    """Implements ``ProbeRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, probe: Probe) -> None:
        self._connection.execute(
            insert(probes).values(
                token_digest=probe.token_digest,
                account_id=probe.account_id,
                storage_key=probe.storage_key,
                faces=faces_to_json(probe.faces),
                chosen=probe.chosen,
                captured_year=probe.captured_year,
                created_at=probe.created_at,
                expires_at=probe.expires_at,
                beside=probe.beside,
                set_aside=sorted(probe.set_aside),
            )
        )

    def find(self, token_digest: bytes, now: datetime) -> Probe | None:
        """The probe, unless it has expired."""
        row = (
            self._connection.execute(
                select(probes)
                .where(probes.c.token_digest == token_digest)
                .where(probes.c.expires_at > now)
            )
            .mappings()
            .one_or_none()
        )
        return None if row is None else _probe(row)

    def list_beside(self, token_digest: bytes, now: datetime) -> list[Probe]:
        """The other photos of a search, in the order in which they came."""
        rows = self._connection.execute(
            select(probes)
            .where(probes.c.beside == token_digest, probes.c.expires_at > now)
            .order_by(probes.c.created_at, probes.c.token_digest)
        ).mappings()
        return [_probe(row) for row in rows]

    def save(self, probe: Probe) -> None:
        """Write the chosen face, and who was set aside."""
        self._connection.execute(
            update(probes)
            .where(probes.c.token_digest == probe.token_digest)
            .values(
                chosen=probe.chosen,
                captured_year=probe.captured_year,
                set_aside=sorted(probe.set_aside),
            )
        )

    def delete(self, token_digest: bytes) -> list[str]:
        """Forget one photo, and those beside it; the storage keys."""
        concerned = (probes.c.token_digest == token_digest) | (probes.c.beside == token_digest)
        return list(
            self._connection.scalars(
                delete(probes).where(concerned).returning(probes.c.storage_key)
            )
        )

    def count_since(self, account_id: AccountId, since: datetime) -> int:
        """How many this person has searched with since then."""
        counted = (
            select(func.count())
            .select_from(probes)
            .where(probes.c.account_id == account_id, probes.c.created_at >= since)
        )
        return int(self._connection.execute(counted).scalar_one())

    def delete_expired(self, now: datetime) -> list[str]:
        """Forget what has expired; the storage keys."""
        return list(
            self._connection.scalars(
                delete(probes).where(probes.c.expires_at <= now).returning(probes.c.storage_key)
            )
        )


def _probe(row: RowMapping) -> Probe:
    return Probe(
        token_digest=row["token_digest"],
        account_id=AccountId(row["account_id"]),
        storage_key=row["storage_key"],
        faces=faces_from_json(row["faces"]),
        chosen=row["chosen"],
        captured_year=row["captured_year"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        beside=row["beside"],
        set_aside=frozenset(CaseId(one) for one in row["set_aside"]),
    )
