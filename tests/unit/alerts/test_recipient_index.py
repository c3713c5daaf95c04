"""The index of recipients finds everybody, and nobody else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reunite.alerts.recipient_index import bucket_of, find_place, iter_buckets
from reunite.kernel.ids import AccountId

IDS = st.one_of(st.integers(1, 3000), st.integers(1, 1 << 33), st.integers(1, 1 << 62))


@given(st.lists(IDS, unique=True, max_size=200), st.integers(1, 70), st.lists(IDS, max_size=20))
def test_everybody_is_found_in_their_place_and_nobody_else(
    people: list[int], size: int, strangers: list[int]
) -> None:
    ids = np.array(people, dtype=np.int64)
    chunks = [ids[start : start + size] for start in range(0, len(ids), size)]
    buckets = {bucket.number: bucket.entries for bucket in iter_buckets(chunks)}
    assert sum(map(len, buckets.values())) == 6 * len(people)
    for at, person in enumerate(people):
        account_id = AccountId(person)
        assert find_place(buckets[bucket_of(account_id)], account_id) == divmod(at, size)
    for stranger in set(strangers) - set(people):
        entries = buckets.get(bucket_of(AccountId(stranger)), b"")
        assert find_place(entries, AccountId(stranger)) is None


def test_a_city_makes_about_one_row_for_a_hundred_people() -> None:
    rng = np.random.default_rng(1)
    ids = rng.choice(1_000_000, 100_000, replace=False).astype(np.int64) + 1
    chunks = np.split(ids, 100)
    buckets = list(iter_buckets(chunks))
    assert 970 <= len(buckets) <= 980
    for chunk, position in ((0, 0), (57, 999), (99, 500)):
        person = AccountId(int(chunks[chunk][position]))
        entries = next(one.entries for one in buckets if one.number == bucket_of(person))
        assert find_place(entries, person) == (chunk, position)
