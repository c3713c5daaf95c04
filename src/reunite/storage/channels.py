"""Where people wish to be told, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, RowMapping, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from reunite.kernel.ids import AccountId
from reunite.ports import ChannelAddress, ChannelAddressId, ChannelName, DigestOption
from reunite.ports.channels import identity_of
from reunite.storage.tables import channel_addresses

Int64 = npt.NDArray[np.int64]

_table = channel_addresses

# The old time goes out with the new one in place: what has come since is what the digest tells.
_CLAIM_DIGEST = text("""
    WITH due AS (
        SELECT * FROM channel_addresses
        WHERE digest = 'daily' AND confirmed_at IS NOT NULL
          AND coalesce(digested_at, confirmed_at) < :due_before
        ORDER BY coalesce(digested_at, confirmed_at), id
        LIMIT 1 FOR UPDATE SKIP LOCKED
    ), marked AS (
        UPDATE channel_addresses SET digested_at = :now
        FROM due WHERE channel_addresses.id = due.id
    )
    SELECT * FROM due
""")


class PostgresChannelAddresses:
    """Implements ``ChannelAddressRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, address: ChannelAddress) -> ChannelAddressId:
        """Keep an address; the same one of the same account is replaced and keeps its id."""
        identity = identity_of(address.channel, address.address)
        if address.channel is ChannelName.WEB_PUSH:
            self._connection.execute(
                delete(_table)
                .where(_table.c.channel == address.channel.value)
                .where(_table.c.identity == identity)
                .where(_table.c.account_id != address.account_id)
            )
        said = {
            "address": address.address,
            "created_at": address.created_at,
            "confirmed_at": address.confirmed_at,
            "digest": address.digest.value,
            "digested_at": address.digested_at,
            "failed_count": address.failed_count,
        }
        added = self._connection.execute(
            insert(_table)
            .values(
                account_id=address.account_id,
                channel=address.channel.value,
                identity=identity,
                **said,
            )
            .on_conflict_do_update(index_elements=["account_id", "channel", "identity"], set_=said)
            .returning(_table.c.id)
        ).scalar_one()
        return ChannelAddressId(added)

    def find(self, address_id: ChannelAddressId) -> ChannelAddress | None:
        row = (
            self._connection.execute(select(_table).where(_table.c.id == address_id))
            .mappings()
            .one_or_none()
        )
        return None if row is None else _address(row)

    def list_of(self, account_id: AccountId) -> list[ChannelAddress]:
        """All of somebody's, by id."""
        rows = self._connection.execute(
            select(_table).where(_table.c.account_id == account_id).order_by(_table.c.id)
        ).mappings()
        return [_address(row) for row in rows]

    def list_for(self, account_ids: Int64, channels: Sequence[ChannelName]) -> list[ChannelAddress]:
        """Confirmed addresses that wish to hear at once, by account and id."""
        rows = self._connection.execute(
            select(_table)
            .where(_table.c.account_id == func.any(account_ids.tolist()))
            .where(_table.c.channel.in_([channel.value for channel in channels]))
            .where(_table.c.confirmed_at.is_not(None))
            .where(_table.c.digest == DigestOption.AT_ONCE.value)
            .order_by(_table.c.account_id, _table.c.id)
        ).mappings()
        return [_address(row) for row in rows]

    def list_after(
        self, channel: ChannelName, after: ChannelAddressId, limit: int
    ) -> list[ChannelAddress]:
        """Confirmed addresses of a channel, by id, from the one behind ``after`` on."""
        rows = self._connection.execute(
            select(_table)
            .where(_table.c.channel == channel.value)
            .where(_table.c.id > after)
            .where(_table.c.confirmed_at.is_not(None))
            .order_by(_table.c.id)
            .limit(limit)
        ).mappings()
        return [_address(row) for row in rows]

    def find_account(self, channel: ChannelName, address: str) -> AccountId | None:
        """Whose confirmed address that is; the earliest where several have it."""
        return self._connection.execute(
            select(_table.c.account_id)
            .where(_table.c.channel == channel.value)
            .where(_table.c.identity == identity_of(channel, address))
            .where(_table.c.confirmed_at.is_not(None))
            .order_by(_table.c.id)
            .limit(1)
        ).scalar()

    def confirm(self, address_id: ChannelAddressId, at: datetime) -> None:
        """Its owner has agreed; the first time counts."""
        self._connection.execute(
            update(_table)
            .where(_table.c.id == address_id)
            .where(_table.c.confirmed_at.is_(None))
            .values(confirmed_at=at)
        )

    def count_failures(self, address_ids: Sequence[ChannelAddressId]) -> None:
        """One more failure in a row for each."""
        self._connection.execute(
            update(_table)
            .where(_table.c.id.in_(list(address_ids)))
            .values(failed_count=_table.c.failed_count + 1)
        )

    def clear_failures(self, address_ids: Sequence[ChannelAddressId]) -> None:
        """They work."""
        self._connection.execute(
            update(_table)
            .where(_table.c.id.in_(list(address_ids)))
            .where(_table.c.failed_count > 0)
            .values(failed_count=0)
        )

    def remove(self, address_ids: Sequence[ChannelAddressId]) -> int:
        """Forget addresses; how many there were."""
        return self._connection.execute(
            delete(_table).where(_table.c.id.in_(list(address_ids)))
        ).rowcount

    def remove_unconfirmed_before(self, at: datetime) -> int:
        """Forget addresses whose owner never agreed; how many there were."""
        return self._connection.execute(
            delete(_table).where(_table.c.confirmed_at.is_(None)).where(_table.c.created_at < at)
        ).rowcount

    def claim_digest(self, due_before: datetime, now: datetime) -> ChannelAddress | None:
        """A confirmed daily address whose last digest (or joining) is older than that."""
        row = (
            self._connection.execute(_CLAIM_DIGEST, {"due_before": due_before, "now": now})
            .mappings()
            .one_or_none()
        )
        return None if row is None else _address(row)


def _address(row: RowMapping) -> ChannelAddress:
    return ChannelAddress(
        account_id=AccountId(row["account_id"]),
        channel=ChannelName(row["channel"]),
        address=row["address"],
        created_at=row["created_at"],
        confirmed_at=row["confirmed_at"],
        digest=DigestOption(row["digest"]),
        digested_at=row["digested_at"],
        failed_count=row["failed_count"],
        id=ChannelAddressId(row["id"]),
    )
