from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.broker.announcements import PAYLOAD_BYTES, pack, unpack
from reunite.kernel.ids import NoticeId
from reunite.ports import Arrival
from reunite.testing.factories import NOW


@given(st.lists(st.integers(min_value=0, max_value=2**62), max_size=3000))
def test_what_is_packed_is_unpacked(numbers: list[int]) -> None:
    arrival = Arrival(NoticeId(2**62), NOW + timedelta(microseconds=1))
    for told in (None, arrival):
        payloads = list(pack(np.array(numbers, dtype=np.int64), told))
        unpacked = [unpack(payload) for payload in payloads]
        assert [number for _, some in unpacked for number in some] == numbers
        assert all(one == told for one, _ in unpacked)
        assert all(len(payload) <= PAYLOAD_BYTES for payload in payloads)


def test_ordinary_ids_take_half_the_room() -> None:
    ids = np.arange(10_000, dtype=np.int64)
    assert len(list(pack(ids))) * 2 <= len(list(pack(ids + 2**32))) + 1


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "x",
        "hello",
        "n!!",
        "nAAA",
        "wAAAA",
        "nü",
        "7n",
        "@n",
        "7@n!",
        "7@99999999999999999999999nAAAA",
    ],
)
def test_what_nobody_packed_is_refused(payload: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        unpack(payload)
