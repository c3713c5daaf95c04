"""Rules of compatibility as data, each with its sources; the data are in ``rules.toml``.

``compatibility`` applies them.  ``Policy`` holds what differs from centre to centre.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from importlib.resources import files
from typing import Any, Final

from reunite.blood.phenotype import Abo


class Component(StrEnum):
    """What the patient needs."""

    RED_CELLS = "red_cells"
    PLASMA = "plasma"
    PLATELETS = "platelets"


class Grade(IntEnum):
    """How good a donor is for a patient; smaller is better, and the worst finding decides."""

    EXACT = 0
    COMPATIBLE = 1
    LAST_RESORT = 2  # would do, but is kept for others or needs a further test
    NEEDS_TYPING = 3  # cannot be said before donor or patient is typed
    EXCLUDED = 4

    @property
    def usable(self) -> bool:
        """Whether a centre may be given this donor as a suggestion."""
        return self <= Grade.LAST_RESORT


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule comes from; ``url`` is empty for a proposal of this project."""

    key: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What one centre decides for itself."""

    name: str
    del_donor_is_positive: bool
    del_patient_is_negative: bool
    weak_d_patient_is_negative: bool
    d_positive_as_last_resort: bool
    reserve_d_negative: bool
    reserve_bombay: bool
    reserve_lacking: frozenset[str]
    k_negative_for_childbearing: bool


_DATA: Final[dict[str, Any]] = tomllib.loads(
    files("reunite.blood").joinpath("rules.toml").read_text(encoding="utf-8")
)

SOURCES: Final[Mapping[str, Source]] = {
    key: Source(key, entry["title"], entry["url"]) for key, entry in _DATA["sources"].items()
}
RULES: Final[Mapping[str, tuple[Source, ...]]] = {
    rule: tuple(SOURCES[key] for key in keys) for rule, keys in _DATA["rules"].items()
}

AboTable = Mapping[Abo, Mapping[Abo, Grade]]


def _abo_table(rows: Mapping[str, Mapping[str, list[str]]]) -> AboTable:
    return {
        Abo[patient]: {
            Abo[donor]: Grade[grade.upper()] for grade, donors in row.items() for donor in donors
        }
        for patient, row in rows.items()
    }


# component, patient's group, donor's group.  A group that is missing in a row is excluded.
ABO: Final[Mapping[Component, AboTable]] = {
    component: _abo_table(_DATA["abo"][component.value]) for component in Component
}


def policy_of(name: str, settings: Mapping[str, Any]) -> Policy:
    """A policy from settings such as those in ``rules.toml``; what is missing is the default's."""
    told = {**_DATA["policy"]["default"], **settings}
    return Policy(
        name=name,
        del_donor_is_positive=told["del_donor"] == "positive",
        del_patient_is_negative=told["del_patient"] == "negative",
        weak_d_patient_is_negative=told["weak_d_patient"] == "negative",
        d_positive_as_last_resort=told["d_positive_for_d_negative"] == "last_resort",
        reserve_d_negative=told["reserve_d_negative"],
        reserve_bombay=told["reserve_bombay"],
        reserve_lacking=frozenset(told["reserve_lacking"]),
        k_negative_for_childbearing=told["k_negative_for_childbearing"],
    )


POLICIES: Final[Mapping[str, Policy]] = {
    name: policy_of(name, settings) for name, settings in _DATA["policy"].items()
}
DEFAULT_POLICY: Final = POLICIES["default"]
