"""How many people bear a name or show a value: rare agreement says more (Winkler 1989).

Published shares to begin with; ``Frequencies.learned`` adds what the records themselves say.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cache

from reunite.partners.linkage.description import Reading
from reunite.partners.linkage.names import Name
from reunite.partners.linkage.sounds import merged_all, sounds_of
from reunite.partners.linkage.surnames import RARE_SURNAME_SHARE, SURNAME_SHARES

# How many records the published shares are worth.
PRIOR_RECORDS = 30.0
# Given names, by how many characters they have: shares of one character or sound among all.
# Counted on names composed of the 130 commonest characters; names of one character repeat more.
_GIVEN = {1: 1 / 120, 2: 1 / 2500}
_GIVEN_SOUND = {1: 1 / 70, 2: 1 / 1400}
_GIVEN_MERGED = {1: 1 / 50, 2: 1 / 800}
_PROVINCES = 31
FLAT_YEARS = 70.0  # birth years are spread over so many


@cache
def _surname_sounds() -> dict[tuple[str, tuple[str, ...]], float]:
    table: dict[tuple[str, tuple[str, ...]], float] = {}
    for surname, share in SURNAME_SHARES.items():
        sounds = sounds_of(surname, surname=True)
        for kind, key in (("sound", sounds), ("merged", merged_all(sounds))):
            table[kind, key] = table.get((kind, key), 0.0) + share
    return table


class Frequencies:
    """Shares of values among the records of a search."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, object]] = Counter()
        self._totals: Counter[str] = Counter()

    @classmethod
    def learned(cls, readings: Iterable[Reading]) -> "Frequencies":
        """Published shares and what these records say."""
        made = cls()
        for reading in readings:
            made._add(reading)
        return made

    def _add(self, reading: Reading) -> None:
        for name in reading.names[:1]:
            if name.surname_sounds and not name.is_sound_only:
                self._count("surname", name.surname)
            if name.surname_sounds:
                self._count("surname_sound", name.surname_sounds)
                self._count("surname_merged", name.surname_merged)
            if name.given and name.surname_sounds:
                self._count("given", name.given)
            if name.given_sounds and name.surname_sounds:
                self._count("given_sound", name.given_sounds)
                self._count("given_merged", name.given_merged)
        if reading.facts.region:
            self._count("region", reading.facts.region)
        years = reading.facts.birth_years
        if years is not None:
            self._count("birth", (years.first + years.last) // 2)

    def _count(self, kind: str, value: object) -> None:
        self._counts[kind, value] += 1
        self._totals[kind] += 1

    def _share(self, kind: str, value: object, prior: float) -> float:
        return (self._counts[kind, value] + PRIOR_RECORDS * prior) / (
            self._totals[kind] + PRIOR_RECORDS
        )

    def surname(self, name: Name) -> float:
        """People with this surname."""
        prior = SURNAME_SHARES.get(name.surname, RARE_SURNAME_SHARE)
        return self._share("surname", name.surname, prior)

    def surname_sound(self, name: Name) -> float:
        """People whose surname sounds like this."""
        prior = _surname_sounds().get(("sound", name.surname_sounds), RARE_SURNAME_SHARE)
        return self._share("surname_sound", name.surname_sounds, prior)

    def surname_merged(self, name: Name) -> float:
        """People whose surname sounds like this in some dialect."""
        prior = _surname_sounds().get(("merged", name.surname_merged), RARE_SURNAME_SHARE)
        return self._share("surname_merged", name.surname_merged, prior)

    def given(self, name: Name) -> float:
        """People with this given name."""
        return self._share("given", name.given, _GIVEN.get(len(name.given), 1 / 5000))

    def given_sound(self, name: Name) -> float:
        """People whose given name sounds like this."""
        prior = _GIVEN_SOUND.get(len(name.given_sounds), 1 / 5000)
        return self._share("given_sound", name.given_sounds, prior)

    def given_merged(self, name: Name) -> float:
        """People whose given name sounds like this in some dialect."""
        prior = _GIVEN_MERGED.get(len(name.given_merged), 1 / 5000)
        return self._share("given_merged", name.given_merged, prior)

    def region(self, region: int) -> float:
        """Records of this province."""
        return self._share("region", region, 1 / _PROVINCES)

    def birth_year(self, year: int) -> float:
        """Records per year of birth around ``year``."""
        near = sum(self._counts["birth", y] for y in range(year - 2, year + 3))
        return (near + PRIOR_RECORDS * 5 / FLAT_YEARS) / 5 / (self._totals["birth"] + PRIOR_RECORDS)
