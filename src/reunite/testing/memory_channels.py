"""Where people wish to be told, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from reunite.kernel.ids import AccountId
from reunite.ports import ChannelAddress, ChannelAddressId, ChannelName, DigestOption
from reunite.ports.channels import identity_of
from reunite.testing.memory_accounts import require_account
from reunite.testing.memory_tables import MemorySession, Table

Int64 = npt.NDArray[np.int64]


class MemoryChannelAddresses:
    """Implements ``ChannelAddressRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._addresses: Table[ChannelAddressId, ChannelAddress] = session.table(
            "channel_addresses"
        )

    def add(self, address: ChannelAddress) -> ChannelAddressId:
        require_account(self._session, address.account_id)
        identity = identity_of(address.channel, address.address)
        self._session.hold("channel_addresses.identity", (address.channel, identity))
        same = self._addresses.values(
            lambda a: a.channel is address.channel and identity_of(a.channel, a.address) == identity
        )
        own = [one for one in same if one.account_id == address.account_id]
        if address.channel is ChannelName.WEB_PUSH:
            self.remove([one.id for one in same if one not in own])
        number = own[0].id if own else self._session.store.next_id("channel_addresses")
        kept = replace(address, id=ChannelAddressId(number))
        self._addresses.put(kept.id, kept)
        return kept.id

    def find(self, address_id: ChannelAddressId) -> ChannelAddress | None:
        return self._addresses.get(address_id)

    def list_of(self, account_id: AccountId) -> list[ChannelAddress]:
        return self._addresses.values(lambda a: a.account_id == account_id)

    def list_for(self, account_ids: Int64, channels: Sequence[ChannelName]) -> list[ChannelAddress]:
        wanted = set(account_ids.tolist())
        listed = self._addresses.values(
            lambda a: (
                a.account_id in wanted
                and a.channel in channels
                and a.confirmed_at is not None
                and a.digest is DigestOption.AT_ONCE
            )
        )
        return sorted(listed, key=lambda a: (a.account_id, a.id))

    def list_after(
        self, channel: ChannelName, after: ChannelAddressId, limit: int
    ) -> list[ChannelAddress]:
        return self._addresses.values(
            lambda a: a.channel is channel and a.id > after and a.confirmed_at is not None
        )[:limit]

    def find_account(self, channel: ChannelName, address: str) -> AccountId | None:
        identity = identity_of(channel, address)
        same = self._addresses.values(
            lambda a: (
                a.channel is channel
                and identity_of(a.channel, a.address) == identity
                and a.confirmed_at is not None
            )
        )
        return same[0].account_id if same else None

    def confirm(self, address_id: ChannelAddressId, at: datetime) -> None:
        address = self._addresses.get(address_id)
        if address is not None and address.confirmed_at is None:
            self._addresses.put(address_id, replace(address, confirmed_at=at))

    def count_failures(self, address_ids: Sequence[ChannelAddressId]) -> None:
        for address in self._those(address_ids):
            self._addresses.put(address.id, replace(address, failed_count=address.failed_count + 1))

    def clear_failures(self, address_ids: Sequence[ChannelAddressId]) -> None:
        for address in self._those(address_ids):
            if address.failed_count:
                self._addresses.put(address.id, replace(address, failed_count=0))

    def remove(self, address_ids: Sequence[ChannelAddressId]) -> int:
        there = self._those(address_ids)
        for address in there:
            self._addresses.delete(address.id)
        return len(there)

    def remove_unconfirmed_before(self, at: datetime) -> int:
        old = self._addresses.values(lambda a: a.confirmed_at is None and a.created_at < at)
        return self.remove([address.id for address in old])

    def claim_digest(self, due_before: datetime, now: datetime) -> ChannelAddress | None:
        due = []
        for address in self._addresses.values(lambda a: a.digest is DigestOption.DAILY):
            since = address.digested_at or address.confirmed_at
            if address.confirmed_at is not None and since is not None and since < due_before:
                due.append((since, address.id, address))
        for _, _, address in sorted(due, key=lambda one: one[:2]):
            if self._session.try_hold("channel_addresses", address.id):
                self._addresses.put(address.id, replace(address, digested_at=now))
                return address
        return None

    def _those(self, address_ids: Sequence[ChannelAddressId]) -> list[ChannelAddress]:
        wanted = set(address_ids)
        return self._addresses.values(lambda a: a.id in wanted)
