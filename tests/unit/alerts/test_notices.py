"""Cutting an audience into chunks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reunite.alerts.notices import CHUNK_RECIPIENTS, NoticeKind, cut
from reunite.alerts.volunteers import Volunteer
from reunite.kernel.ids import AccountId, NoticeId
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from tests.unit.cases.builders import NOON

sizes = st.integers(0, 3 * CHUNK_RECIPIENTS + 1) | st.sampled_from(
    [CHUNK_RECIPIENTS - 1, CHUNK_RECIPIENTS, CHUNK_RECIPIENTS + 1, 2 * CHUNK_RECIPIENTS]
)


@given(sizes, st.integers(0, 2**32 - 1))
def test_chunks_lose_and_repeat_nobody_and_keep_the_order(size: int, seed: int) -> None:
    audience = np.random.default_rng(seed).permutation(size).astype(np.int64)
    chunks = cut(NoticeId(7), audience)
    assert all(0 < len(chunk.account_ids) <= CHUNK_RECIPIENTS for chunk in chunks)
    assert [chunk.sequence for chunk in chunks] == list(range(len(chunks)))
    assert {chunk.notice_id for chunk in chunks} <= {NoticeId(7)}
    together = [int(one) for chunk in chunks for one in chunk.account_ids]
    assert together == audience.tolist()


def test_nobody_makes_no_chunk() -> None:
    assert cut(NoticeId(1), np.empty(0, dtype=np.int64)) == []


def test_values_that_are_stored_stay() -> None:
    assert {kind.value for kind in NoticeKind} == {
        "published", "updated", "lead", "card", "blood_ask", "blood_thanks", "resolved",
        "cancelled",
    }  # fmt: skip


def test_a_volunteer_is_told_in_chinese_unless_they_say_otherwise() -> None:
    volunteer = Volunteer(AccountId(1), (), frozenset({Module.CHILD}), NOON)
    assert volunteer.language is Language.ZH
