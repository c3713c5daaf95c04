import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.broker.announcements import PAYLOAD_BYTES, pack, unpack


@given(st.lists(st.integers(min_value=0, max_value=2**62), max_size=3000))
def test_what_is_packed_is_unpacked(numbers: list[int]) -> None:
    payloads = list(pack(np.array(numbers, dtype=np.int64)))
    assert [number for payload in payloads for number in unpack(payload)] == numbers
    assert all(len(payload) <= PAYLOAD_BYTES for payload in payloads)


def test_ordinary_ids_take_half_the_room() -> None:
    ids = np.arange(10_000, dtype=np.int64)
    assert len(list(pack(ids))) * 2 <= len(list(pack(ids + 2**32))) + 1


@pytest.mark.parametrize("payload", ["", "x", "hello", "n!!", "nAAA", "wAAAA", "nü"])
def test_what_nobody_packed_is_refused(payload: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        unpack(payload)
