"""API keys and the log of their use in PostgreSQL."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, ApiKeyId
from reunite.partners.keys import ApiKey, KeyUse, Scope
from reunite.storage.tables import api_key_uses, api_keys


class PostgresApiKeys:
    """Implements ``ApiKeyRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: ApiKey) -> ApiKeyId:
        """Sets ``key.id``.  Raises NotFoundError without its account."""
        added = self._connection.execute(
            insert(api_keys)
            .values(
                name=key.name,
                digest=key.digest,
                hint=key.hint,
                scopes=sorted(key.scopes),
                account_id=key.account_id,
                created_at=key.created_at,
                domain=key.domain,
                publication_agreed=key.publication_agreed,
                photos_agreed=key.photos_agreed,
                requests_per_minute=key.requests_per_minute,
                expires_at=key.expires_at,
                revoked_at=key.revoked_at,
                last_used_at=key.last_used_at,
            )
            .returning(api_keys.c.id)
        ).scalar_one()
        key.id = ApiKeyId(added)
        return key.id

    def get(self, key_id: ApiKeyId) -> ApiKey:
        """Raises NotFoundError."""
        row = (
            self._connection.execute(select(api_keys).where(api_keys.c.id == key_id))
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise NotFoundError
        return _key(row)

    def find_by_digest(self, digest: bytes) -> ApiKey | None:
        row = (
            self._connection.execute(select(api_keys).where(api_keys.c.digest == digest))
            .mappings()
            .one_or_none()
        )
        return None if row is None else _key(row)

    def list_all(self) -> list[ApiKey]:
        """By id."""
        rows = self._connection.execute(select(api_keys).order_by(api_keys.c.id)).mappings()
        return [_key(row) for row in rows]

    def save(self, key: ApiKey) -> None:
        """Write when it ends, was revoked and was last used."""
        self._connection.execute(
            update(api_keys)
            .where(api_keys.c.id == key.id)
            .values(
                expires_at=key.expires_at, revoked_at=key.revoked_at, last_used_at=key.last_used_at
            )
        )

    def add_use(self, use: KeyUse) -> None:
        """Log a request; the key has been used then."""
        self._connection.execute(
            insert(api_key_uses).values(
                key_id=use.key_id,
                at=use.at,
                operation=use.operation,
                records=use.records,
                outcome=use.outcome,
            )
        )
        self._connection.execute(
            update(api_keys).where(api_keys.c.id == use.key_id).values(last_used_at=use.at)
        )

    def list_uses(self, key_id: ApiKeyId, *, limit: int = 100) -> list[KeyUse]:
        """The newest first."""
        rows = self._connection.execute(
            select(api_key_uses)
            .where(api_key_uses.c.key_id == key_id)
            .order_by(api_key_uses.c.at.desc(), api_key_uses.c.id.desc())
            .limit(limit)
        )
        return [
            KeyUse(ApiKeyId(row.key_id), row.at, row.operation, row.records, row.outcome)
            for row in rows
        ]

    def count_uses(self) -> Mapping[ApiKeyId, int]:
        """How many requests each key has made, as far as the log goes back."""
        rows = self._connection.execute(
            select(api_key_uses.c.key_id, func.count().label("number")).group_by(
                api_key_uses.c.key_id
            )
        )
        return {ApiKeyId(row.key_id): row.number for row in rows}

    def delete_uses_before(self, at: datetime) -> int:
        return self._connection.execute(delete(api_key_uses).where(api_key_uses.c.at < at)).rowcount


def _key(row: RowMapping) -> ApiKey:
    return ApiKey(
        name=row["name"],
        digest=bytes(row["digest"]),
        hint=row["hint"],
        scopes=frozenset(Scope(one) for one in row["scopes"]),
        account_id=AccountId(row["account_id"]),
        created_at=row["created_at"],
        domain=row["domain"],
        publication_agreed=row["publication_agreed"],
        photos_agreed=row["photos_agreed"],
        requests_per_minute=row["requests_per_minute"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
        id=ApiKeyId(row["id"]),
    )
