"""Leads that may be of a relative: brothers and sisters are alike, and so are parents.

No photo tells them from the person.  What tells is on record: that a second missing person of
the same family is alike too, or that a fact which does not change says another person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reunite.cases.case import Case
from reunite.cases.facts import Agreement, FactComparison
from reunite.kernel.places import distance_km

NEARBY_KM: Final = 50.0  # of one town, for families that share only a surname
# Facts that neither years nor a new life change.
UNCHANGING: Final = frozenset({"sex", "birth_year", "blood_group"})


class Kin(StrEnum):
    """Why a lead may be of a relative."""

    FACTS_DIFFER = "facts_differ"  # alike, and yet of another sex, age or blood group
    SAME_REPORTER = "same_reporter"  # one family reported both
    SAME_SURNAME = "same_surname"  # and both were last seen in one town


@dataclass(frozen=True, slots=True)
class KinHint:
    """``rival`` is the record that competes for the same person; None for ``FACTS_DIFFER``."""

    reason: Kin
    rival: Case | None = None


def kin_of(one: Case, other: Case, *, same_surname: bool) -> Kin | None:
    """Why two missing people may be of one family; None where nothing says so.

    A station reports for strangers, so what an organisation brought says nothing.
    """
    if one.opened_by == other.opened_by and not (one.organisation or other.organisation):
        return Kin.SAME_REPORTER
    here, there = one.circumstances.place, other.circumstances.place
    if same_surname and here is not None and there is not None:
        return Kin.SAME_SURNAME if distance_km(here, there) <= NEARBY_KM else None
    return None


def differ_unchangingly(facts: Iterable[FactComparison]) -> bool:
    """Whether a fact that does not change speaks against one person."""
    return any(one.agreement is Agreement.CONTRADICTS and one.fact in UNCHANGING for one in facts)
