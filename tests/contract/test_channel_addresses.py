"""ChannelAddressRepository in memory and on PostgreSQL."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId
from reunite.ports import ChannelAddress, ChannelAddressId, ChannelName, Database, DigestOption
from reunite.testing.factories import NOW, store_account
from tests.contract.undoing import undone

DAY = timedelta(days=1)


def subscription(number: int, key: str = "BPk") -> str:
    return json.dumps(
        {
            "endpoint": f"https://push.example/{number}",
            "keys": {"p256dh": key, "auth": "x"},
        }
    )


def make_address(
    account_id: AccountId,
    address: str = "ann@example.org",
    channel: ChannelName = ChannelName.EMAIL,
    *,
    confirmed: bool = True,
    digest: DigestOption = DigestOption.AT_ONCE,
) -> ChannelAddress:
    at = NOW if confirmed else None
    return ChannelAddress(account_id, channel, address, NOW, confirmed_at=at, digest=digest)


def store(database: Database, address: ChannelAddress) -> ChannelAddress:
    with database.transaction() as transaction:
        return replace(address, id=transaction.channel_addresses.add(address))


def listed(database: Database, account_id: AccountId) -> list[ChannelAddress]:
    with database.transaction() as transaction:
        return transaction.channel_addresses.list_of(account_id)


def test_addresses_come_back_as_they_were(database: Database) -> None:
    ann, bo = store_account(database).id, store_account(database).id
    kept = [
        store(database, make_address(ann, confirmed=False, digest=DigestOption.DAILY)),
        store(database, make_address(ann, subscription(1), ChannelName.WEB_PUSH)),
        store(database, make_address(ann, subscription(2), ChannelName.WEB_PUSH)),
    ]
    assert listed(database, ann) == kept
    assert listed(database, bo) == []
    with database.transaction() as transaction:
        assert transaction.channel_addresses.find(kept[1].id) == kept[1]
        assert transaction.channel_addresses.find(ChannelAddressId(4711)) is None


def test_nobody_is_told_who_is_not_there(database: Database) -> None:
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.channel_addresses.add(make_address(AccountId(4711)))


def test_the_same_address_again_replaces_what_was_said(database: Database) -> None:
    ann = store_account(database).id
    first = store(database, make_address(ann))
    with database.transaction() as transaction:
        transaction.channel_addresses.count_failures([first.id])
    again = store(database, make_address(ann, digest=DigestOption.DAILY))
    assert again.id == first.id
    assert listed(database, ann) == [again]


def test_an_address_of_two_people_stays_that_of_both(database: Database) -> None:
    ann, bo = store_account(database).id, store_account(database).id
    first, second = store(database, make_address(ann)), store(database, make_address(bo))
    assert listed(database, ann) == [first]
    assert listed(database, bo) == [second]


def test_a_browser_belongs_to_whoever_signed_in_last(database: Database) -> None:
    ann, bo = store_account(database).id, store_account(database).id
    store(database, make_address(ann, subscription(1, "BPk"), ChannelName.WEB_PUSH))
    # The keys are new, the endpoint is the same: the same browser.
    now = store(database, make_address(bo, subscription(1, "BXy"), ChannelName.WEB_PUSH))
    assert listed(database, ann) == []
    assert listed(database, bo) == [now]


def test_those_who_wish_to_hear_at_once_are_listed(database: Database) -> None:
    ann, bo, cy = (store_account(database).id for _ in range(3))
    mail = store(database, make_address(bo))
    push = store(database, make_address(ann, subscription(1), ChannelName.WEB_PUSH))
    second = store(database, make_address(ann, subscription(2), ChannelName.WEB_PUSH))
    store(database, make_address(ann, "late@example.org", digest=DigestOption.DAILY))
    store(database, make_address(ann, "unsure@example.org", confirmed=False))
    store(database, make_address(cy, subscription(3), ChannelName.WEB_PUSH))
    everybody = np.array([bo, ann, 4711], dtype=np.int64)
    both = [ChannelName.WEB_PUSH, ChannelName.EMAIL]
    with database.transaction() as transaction:
        addresses = transaction.channel_addresses
        assert addresses.list_for(everybody, both) == [push, second, mail]
        assert addresses.list_for(everybody, [ChannelName.EMAIL]) == [mail]
        assert addresses.list_for(everybody, []) == []
        assert addresses.list_for(everybody[:0], both) == []


def test_a_channel_is_gone_through_in_parts(database: Database) -> None:
    ann = store_account(database).id
    pushes = [
        store(database, make_address(ann, subscription(n), ChannelName.WEB_PUSH)) for n in range(3)
    ]
    store(database, make_address(ann))
    store(database, make_address(ann, subscription(9), ChannelName.WEB_PUSH, confirmed=False))
    with database.transaction() as transaction:
        after = transaction.channel_addresses.list_after
        assert after(ChannelName.WEB_PUSH, ChannelAddressId(0), 2) == pushes[:2]
        assert after(ChannelName.WEB_PUSH, pushes[1].id, 2) == pushes[2:]
        assert after(ChannelName.WEB_PUSH, pushes[2].id, 2) == []


def test_whose_address_it_is_counts_once_confirmed(database: Database) -> None:
    ann, bo = store_account(database).id, store_account(database).id
    store(database, make_address(ann, "onebot:10001", ChannelName.CHAT, confirmed=False))
    kept = store(database, make_address(bo, "onebot:10001", ChannelName.CHAT, confirmed=False))
    with database.transaction() as transaction:
        addresses = transaction.channel_addresses
        assert addresses.find_account(ChannelName.CHAT, "onebot:10001") is None
        addresses.confirm(kept.id, NOW)
        addresses.confirm(kept.id, NOW + DAY)
        addresses.confirm(ChannelAddressId(4711), NOW)
        assert addresses.find_account(ChannelName.CHAT, "onebot:10001") == bo
        assert addresses.find_account(ChannelName.EMAIL, "onebot:10001") is None
    assert listed(database, bo) == [replace(kept, confirmed_at=NOW)]


def test_failures_are_counted_in_a_row(database: Database) -> None:
    ann = store_account(database).id
    first = store(database, make_address(ann))
    second = store(database, make_address(ann, "other@example.org"))
    with database.transaction() as transaction:
        addresses = transaction.channel_addresses
        addresses.count_failures([first.id, second.id])
        addresses.count_failures([second.id])
        addresses.count_failures([])
        addresses.clear_failures([first.id])
    assert [one.failed_count for one in listed(database, ann)] == [0, 2]


def test_dead_addresses_are_removed(database: Database) -> None:
    ann = store_account(database).id
    first = store(database, make_address(ann))
    second = store(database, make_address(ann, "other@example.org"))
    with undone(database) as transaction:
        assert transaction.channel_addresses.remove([first.id]) == 1
    with database.transaction() as transaction:
        assert transaction.channel_addresses.remove([first.id, ChannelAddressId(4711)]) == 1
        assert transaction.channel_addresses.remove([]) == 0
    assert listed(database, ann) == [second]


def test_whoever_never_agreed_is_forgotten(database: Database) -> None:
    ann = store_account(database).id
    store(database, make_address(ann, "unsure@example.org", confirmed=False))
    kept = store(database, make_address(ann))
    with database.transaction() as transaction:
        assert transaction.channel_addresses.remove_unconfirmed_before(NOW) == 0
        assert transaction.channel_addresses.remove_unconfirmed_before(NOW + DAY) == 1
    assert listed(database, ann) == [kept]


def test_each_digest_is_claimed_once_a_day(database: Database) -> None:
    ann = store_account(database).id
    store(database, make_address(ann))
    store(database, make_address(ann, "unsure@x.example", confirmed=False))
    daily = store(database, make_address(ann, "late@x.example", digest=DigestOption.DAILY))
    with database.transaction() as transaction:
        addresses = transaction.channel_addresses
        assert addresses.claim_digest(NOW, NOW + DAY) is None
        assert addresses.claim_digest(NOW + DAY, NOW + DAY) == daily
        assert addresses.claim_digest(NOW + DAY, NOW + DAY) is None
        claimed = addresses.claim_digest(NOW + 3 * DAY, NOW + 3 * DAY)
    assert claimed == replace(daily, digested_at=NOW + DAY)


def test_a_digest_is_claimed_by_one_worker(database: Database) -> None:
    ann = store_account(database).id
    first, second = (
        store(database, make_address(ann, f"{name}@x.example", digest=DigestOption.DAILY))
        for name in ("a", "b")
    )
    at = NOW + DAY
    with database.transaction() as one, database.transaction() as other:
        assert one.channel_addresses.claim_digest(at, at) == first
        assert other.channel_addresses.claim_digest(at, at) == second
        assert other.channel_addresses.claim_digest(at, at) is None
