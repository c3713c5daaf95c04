"""Calibrated likenesses in words: careful, and more careful with small children."""

import pytest

from reunite.faces.calibration import Support, shipped_calibrations
from reunite.web.likeness import UNCERTAIN, UNMEASURED, WORDS, likeness_of, rounded

CALIBRATION = shipped_calibrations()[0]


def test_more_alike_is_said_in_stronger_words_with_more_bars() -> None:
    said = [
        likeness_of(CALIBRATION.weigh(similarity, 30, 33), is_weak=False)
        for similarity in (0.1, 0.3, 0.4, 0.5, 0.7)
    ]
    assert [one.strength for one in said] == sorted(one.strength for one in said)
    assert said[0].words == WORDS[Support.NONE]
    assert said[-1].words == WORDS[Support.VERY_STRONG]
    assert said[-1].strength == 4
    rarities = [one.one_in or 0 for one in said]
    assert rarities == sorted(rarities)
    assert rarities[-1] >= 10_000


def test_below_six_words_never_say_more_than_that_it_is_weak() -> None:
    for age, is_weak in ((4, False), (30, True)):
        said = likeness_of(CALIBRATION.weigh(0.9, age, 30), is_weak=is_weak)
        assert (said.words, said.strength, said.is_weak) == (UNCERTAIN, 1, True)
        assert said.one_in


def test_what_nobody_measured_is_said_to_be_so() -> None:
    said = likeness_of(None, is_weak=False)
    assert (said.words, said.strength, said.one_in) == (UNMEASURED, 0, None)


@pytest.mark.parametrize(("number", "told"), [(1.0, 1), (9.9, 9), (48.2, 40), (1_964.0, 1000)])
def test_rarities_are_told_to_one_digit(number: float, told: int) -> None:
    assert rounded(number) == told
