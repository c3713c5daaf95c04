"""A calibrated likeness in careful words: how much it says, and how common it is by chance."""

from dataclasses import dataclass
from typing import Final

from reunite.faces.calibration import Likelihood, Support
from reunite.web.i18n import N_

WORDS: Final = {
    Support.VERY_STRONG: N_("Very strong resemblance"),
    Support.STRONG: N_("Strong resemblance"),
    Support.SOME: N_("Some resemblance"),
    Support.SLIGHT: N_("Slight resemblance"),
    Support.NONE: N_("No more alike than strangers are"),
}
UNCERTAIN: Final = N_("Resemblance says little at this age")
UNMEASURED: Final = N_("Nobody has measured what this resemblance means")


@dataclass(frozen=True, slots=True)
class Likeness:
    """Words, 0 to 4 bars, and of how many pairs of strangers one is as much alike.

    ``one_in`` is None where nobody measured it; ``is_weak`` when a face is a small child's.
    """

    words: str
    strength: int
    one_in: int | None
    is_weak: bool


def likeness_of(likelihood: Likelihood | None, *, is_weak: bool) -> Likeness:
    """``is_weak`` is what the records say of the ages; None was never calibrated."""
    one_in = None if likelihood is None else rounded(1 / likelihood.false_match_rate)
    weak = is_weak or (likelihood is not None and likelihood.is_weak)
    if weak:
        return Likeness(UNCERTAIN, 1, one_in, is_weak=True)
    if likelihood is None:
        return Likeness(UNMEASURED, 0, None, is_weak=False)
    return Likeness(WORDS[likelihood.support], int(likelihood.support), one_in, is_weak=False)


def rounded(number: float) -> int:
    """To one digit that counts: more would promise what nobody knows."""
    size = int("1".ljust(len(str(int(number))), "0"))
    return int(number) // size * size
