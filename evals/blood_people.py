"""Invented donors with the blood types of real populations; see ``blood_people.toml``."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reunite.blood.phenotype import Abo, HType, Phenotype, RhD
from reunite.kernel.places import Point

DATA: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("blood_people.toml").read_text(encoding="utf-8")
)
POPULATIONS = ("china", "india", "europe")
PAIRS = (
    ("C", "c"),
    ("E", "e"),
    ("K", "k"),
    ("Fya", "Fyb"),
    ("Jka", "Jkb"),
    ("M", "N"),
    ("S", "s"),
    ("Dia", "Dib"),
)
TOWNS = 200
TYPED_SHARE = 0.2  # of donors typed beyond ABO and RhD: an assumption
NULL = 3  # a "gene count" of Kidd for Jk(a-b-)


@dataclass(frozen=True, slots=True)
class People:
    """Donors: true types and what a register knows of them.

    truth, known : phenotypes, ``known`` lacks what nobody typed
    degrees : float64 array of shape (n, 2), where they live
    """

    truth: list[Phenotype]
    known: list[Phenotype]
    degrees: npt.NDArray[np.float64]

    def point(self, row: int) -> Point:
        return Point(*self.degrees[row].tolist())


@lru_cache(maxsize=1_000_000)
def _phenotype(abo: int, h: int, d: int, counts: tuple[int, ...]) -> Phenotype:
    """A type from gene counts: 0 to 2 of the first gene of each pair; none where not typed."""
    positive, negative = set(), set()
    for (first, second), count in zip(PAIRS, counts, strict=False):
        if count == NULL:
            negative |= {first, second}
            continue
        (positive if count else negative).add(first)
        (positive if count < 2 else negative).add(second)
    bombay = HType(h) is HType.BOMBAY
    return Phenotype(
        Abo.UNKNOWN if bombay else Abo(abo),
        "",
        HType(h),
        RhD(d),
        frozenset(positive),
        frozenset(negative),
    )


def invent(population: str, n: int, seed: int) -> People:
    """``n`` donors of a population, living in and around 200 towns of it."""
    rng = np.random.default_rng(seed)
    facts = DATA[population]
    groups = facts["abo"]
    share = np.array(list(groups.values()))
    abo = rng.choice([int(Abo[name]) for name in groups], n, p=share / share.sum())
    negative = rng.random(n) < facts["d_negative"]
    is_del = negative & (rng.random(n) < facts["del_of_d_negative"])
    d = np.where(is_del, int(RhD.DEL), np.where(negative, int(RhD.NEGATIVE), int(RhD.POSITIVE)))
    h = np.where(rng.random(n) < facts["bombay"], int(HType.BOMBAY), int(HType.ORDINARY))
    counts = np.stack(
        [
            np.where(
                negative,
                rng.binomial(2, facts["genes_d_negative"].get(first, facts["genes"][first]), n),
                rng.binomial(2, facts["genes"][first], n),
            )
            for first, _ in PAIRS
        ],
        axis=1,
    )
    kidd = [first for first, _ in PAIRS].index("Jka")
    counts[rng.random(n) < facts["jk_null"], kidd] = NULL
    typed = rng.random(n) < TYPED_SHARE
    # A null type is known because somebody found it: its bearers are in registers for it.
    typed |= counts[:, kidd] == NULL
    truth, known = [], []
    rows = zip(abo.tolist(), h.tolist(), d.tolist(), counts.tolist(), typed.tolist(), strict=True)
    for group, h_type, rhd, genes, complete in rows:
        true = _phenotype(group, h_type, rhd, tuple(genes))
        truth.append(true)
        known.append(true if complete else _phenotype(group, h_type, rhd, ()))
    return People(truth, known, places(facts["land"], n, rng))


def places(land: list[float], n: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Towns by a power law, their people within some kilometres: float64 array (n, 2)."""
    south, north, west, east = land
    weights = 1 / np.arange(1, TOWNS + 1) ** 1.1
    towns = rng.choice(TOWNS, n, p=weights / weights.sum())
    middles = np.stack([rng.uniform(south, north, TOWNS), rng.uniform(west, east, TOWNS)], axis=1)
    spread = np.interp(np.arange(TOWNS), [0, TOWNS], [0.12, 0.04])[towns, None]
    return np.asarray(middles[towns] + rng.standard_normal((n, 2)) * spread)
