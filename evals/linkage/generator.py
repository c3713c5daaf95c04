"""Records of invented people on two sides of a search, with known truth.

Written before the comparator and kept apart from it: nothing here imports
``reunite.partners``, and homophones come from another dictionary (the ``pinyin`` package's
Mandarin.dat) than the one that the comparator reads.  What is assumed, and why:

*People.* Surnames of Faker's zh_CN list, with the shares of the 2007 count of the Chinese
Academy of Sciences for the most frequent ones (Zipf-like below), given names half from that
list, half composed of characters that are common in names.  Four in a hundred belong to a
minority with a name of several parts.  Seven in ten are elders (60 to 90), the rest children and
adults.  Five in a hundred have a sibling among the records: same surname, often the same
generation character, same home, near in age; siblings are the hard negatives.

*The family's report* knows much: the name as it is written (1 % in traditional characters, 2 %
the name used at home), the birth year (10 % one year off: 虚岁 counts from one, and lunar years
end late), often height, dialect, marks; the blood group one time in three.

*The station's record* is what a confused person says, heard by a clerk: in four of ten cases
no name.  A name that is said is written by ear: homophones are the commonest error, then the
mergers of the speaker's dialect (n/l in the south-west, zh/z and -ng/-n in most of the south,
f/h in Fujian and Hunan), then forms of address (老王, 阿珍, 王大爷), a surname alone, a given
name alone, a slip of the pen, pinyin.  Ages are estimated (standard deviation
of one year below six, two below eighteen, else five) and written as a range or a year.  Sex
is wrong once in 200 (a slip of the row).
Marks are put in other words.  Distances between where people are lost and found: of seven in
ten elders the log-normal of the MapScore urban dementia cases (mu -0.159, sigma 1.652 of ln
km), the rest up to 300 km or anywhere (trains, lorries, and years).
"""

import math
import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import pinyin
from faker.providers.person.zh_CN import Provider

from evals.linkage.phrases import (
    COMMON_IN_NAMES,
    DIALECTS,
    KINDS,
    MINORITY,
    MINORITY_VARIANTS,
    PARTS,
    SHARES,
    SLIPS,
    SOUTH,
    SOUTHWEST,
    TRADITIONAL,
    WHOLE_BODY,
)
from reunite.kernel.places import Town, list_towns

TODAY = date(2026, 6, 1)
MATED_SHARE = 0.3  # of either side's records


@dataclass(frozen=True, slots=True)
class Record:
    """One record as either side would write it."""

    id: int
    side: str  # "missing" or "found"
    name: str
    sex: str  # "F", "M" or ""
    birth_first: int | None
    birth_last: int | None
    height_cm: int | None
    marks: str
    dialect: str
    blood_group: str
    latitude: float | None
    longitude: float | None
    region: int  # GeoNames admin1, 0 unknown
    home_region: int  # where the person comes from, where somebody knows
    seen_on: date | None


@dataclass(frozen=True, slots=True)
class Truth:
    """Both sides and the pairs that are one person: (missing id, found id)."""

    missing: list[Record]
    found: list[Record]
    pairs: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Person:
    surname: str
    given: str
    minority: bool
    sex: str
    born: int
    home: Town
    lives: Town
    height_cm: int
    marks: tuple[Any, ...]
    blood: str
    lost_on: date


def generate(n: int, seed: int = 7) -> Truth:
    """``n`` records a side, ``MATED_SHARE`` of them with a mate on the other one."""
    chance = random.Random(seed)  # noqa: S311  (nothing secret)
    towns = [town for town in list_towns("CN") if town.admin1_code.isdigit()]
    weights = [town.population for town in towns]
    mated = round(n * MATED_SHARE)
    people: list[_Person] = []
    while len(people) < 2 * n - mated:
        person = _person(chance, towns, weights)
        people.append(person)
        if chance.random() < 0.05:
            people.append(_sibling(chance, person))
    people = people[: 2 * n - mated]
    chance.shuffle(people)
    missing = [_reported(chance, i, person) for i, person in enumerate(people[:n])]
    order = [*people[:mated], *people[n:]]
    found = [_taken_in(chance, i, person, towns) for i, person in enumerate(order)]
    shuffled = list(range(n))
    chance.shuffle(shuffled)
    found = [replace(record, id=shuffled[record.id]) for record in found]
    found.sort(key=lambda record: record.id)
    return Truth(missing, found, frozenset((i, shuffled[i]) for i in range(mated)))


def _person(chance: random.Random, towns: list[Town], weights: list[int]) -> _Person:
    sex = chance.choice("FM")
    elder = chance.random() < 0.7
    age = (
        chance.randint(60, 90)
        if elder
        else chance.choice((chance.randint(2, 17), chance.randint(18, 59)))
    )
    lost_on = TODAY - timedelta(days=int(min(9000, chance.expovariate(1 / 900))))
    home = chance.choices(towns, weights)[0]
    lives = home if chance.random() < 0.75 else chance.choices(towns, weights)[0]
    minority = chance.random() < 0.04
    if minority:
        group = chance.choice(MINORITY)
        surname, given = chance.choice(group), chance.choice(group)
    else:
        surname, given = _surname(chance), _given(chance)
    marks: list[Any] = []
    for _ in range(chance.choices((0, 1, 2), (0.35, 0.45, 0.2))[0]):
        if chance.random() < 0.7:
            marks.append((chance.choice(list(PARTS)), chance.choice(list(KINDS))))
        else:
            marks.append(chance.randrange(len(WHOLE_BODY)))
    return _Person(
        surname, given, minority, sex, lost_on.year - age, home, lives,
        round(chance.gauss(158 if sex == "F" else 168, 6)) if age > 15 else 60 + 6 * age,
        tuple(marks),
        chance.choices(("A", "B", "O", "AB"), (0.28, 0.24, 0.41, 0.07))[0],
        lost_on,
    )  # fmt: skip


def _sibling(chance: random.Random, of: _Person) -> _Person:
    given = of.given
    if not of.minority:
        kept = (
            of.given[0]
            if len(of.given) == 2 and chance.random() < 0.6
            else chance.choice(COMMON_IN_NAMES)
        )
        given = kept + chance.choice(COMMON_IN_NAMES)
    return replace(
        of, given=given, sex=chance.choice("FM"), marks=(),
        born=of.born + chance.choice((-4, -3, -2, 2, 3, 4)),
        blood=chance.choice((of.blood, "O", "A")),
        height_cm=of.height_cm + chance.randint(-8, 8),
        lost_on=min(TODAY, of.lost_on + timedelta(days=chance.randint(0, 700))),
    )  # fmt: skip


@cache
def _surname_table() -> tuple[list[str], list[float]]:
    others = [name for name in dict.fromkeys(Provider.last_names) if name not in SHARES]
    names = [*SHARES, *others]
    rest = 100 - sum(SHARES.values())
    zipf = [1 / rank for rank in range(1, len(others) + 1)]
    shares = [*SHARES.values(), *(rest * z / sum(zipf) for z in zipf)]
    return names, shares


def _surname(chance: random.Random) -> str:
    names, shares = _surname_table()
    return chance.choices(names, shares)[0]


def _given(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return chance.choice(list(Provider.first_names))
    length = 1 if chance.random() < 0.2 else 2
    return "".join(chance.choice(COMMON_IN_NAMES) for _ in range(length))


def _reported(chance: random.Random, number: int, person: _Person) -> Record:
    name = _full(person)
    roll = chance.random()
    if roll < 0.01:
        name = name.translate(TRADITIONAL)
    elif roll < 0.03 and not person.minority:
        name = chance.choice("小阿") + person.given[-1]
    born: int | None = person.born + (chance.choice((-1, 1)) if chance.random() < 0.1 else 0)
    if chance.random() < 0.05:
        born = None
    known = chance.random
    return Record(
        number, "missing", name, person.sex, born, born,
        person.height_cm + chance.randint(-2, 2) if known() < 0.75 else None,
        _words(chance, person.marks) if known() < 0.7 else "",
        _dialect(chance, person) if known() < 0.8 else "",
        person.blood if known() < 0.35 else "",
        *_near(chance, person.lives, 8.0),
        int(person.lives.admin1_code), int(person.home.admin1_code),
        person.lost_on,
    )  # fmt: skip


def _taken_in(chance: random.Random, number: int, person: _Person, towns: list[Town]) -> Record:
    roll = chance.random()
    if roll < 0.70:
        latitude, longitude = _near(chance, person.lives, chance.lognormvariate(-0.159, 1.652))
        region = int(person.lives.admin1_code)
    else:
        town = chance.choice(towns) if roll > 0.85 else _neighbour(chance, person.lives)
        latitude, longitude = _near(chance, town, 10.0)
        region = int(town.admin1_code)
    days = (chance.uniform(0, 3), chance.uniform(3, 365), chance.uniform(365, 5000))
    found_on = person.lost_on + timedelta(days=int(chance.choices(days, (0.6, 0.25, 0.15))[0]))
    age = found_on.year - person.born
    error = 1 if age < 6 else 2 if age < 18 else 5
    estimate = min(found_on.year, round(person.born + chance.gauss(0, error)))
    spread = min(error, chance.choice((0, 2, 5)))
    sex = person.sex if chance.random() > 0.005 else ("M" if person.sex == "F" else "F")
    height = round(person.height_cm + chance.gauss(0, 3)) if chance.random() < 0.6 else None
    # Children grow between the day they are lost and the day they are found.
    grown = person.lost_on.year - person.born < 16 and (found_on - person.lost_on).days > 365
    return Record(
        number, "found", _heard(chance, person), sex,
        estimate - spread, min(found_on.year, estimate + spread),
        None if grown else height,
        _words(chance, person.marks) if chance.random() < 0.5 else "",
        _dialect(chance, person) if chance.random() < 0.5 else "",
        person.blood if chance.random() < 0.15 else "",
        latitude, longitude, region,
        int(person.home.admin1_code) if chance.random() < 0.25 else 0,
        min(found_on, TODAY),
    )  # fmt: skip


def _heard(chance: random.Random, person: _Person) -> str:
    """The name as a clerk writes it; empty in four cases of ten."""
    if chance.random() < 0.4:
        return ""
    if person.minority:
        if chance.random() < 0.5:
            return _full(person)
        varied = [
            chance.choice(MINORITY_VARIANTS.get(p, (p,))) for p in (person.surname, person.given)
        ]
        return chance.choice(("·", "", " ")).join(varied) if chance.random() < 0.8 else varied[0]
    surname, given = person.surname, person.given
    say = chance.choices(list(_WAYS), list(_WAYS.values()))[0]
    if say == "right":
        return surname + given
    if say == "same sound":
        return _respelled(chance, surname, given, _same_sound)
    if say == "dialect":
        return _respelled(chance, surname, given, lambda c, x: _merged_sound(c, x, person.home))
    if say == "form of address":
        return _address(chance, person)
    return _fragment(chance, say, surname, given)


# How a name that is said is written down, and how often.
_WAYS = {
    "right": 0.45, "same sound": 0.22, "dialect": 0.12, "form of address": 0.08, "surname": 0.03,
    "given name": 0.03, "slip": 0.03, "traditional": 0.02, "pinyin": 0.02,
}  # fmt: skip


def _fragment(chance: random.Random, say: str, surname: str, given: str) -> str:
    if say == "surname":
        return surname + chance.choice(("某", "某某", "", "姓"))
    if say == "given name":
        return given
    if say == "slip":
        return _slip(chance, surname + given)
    if say == "traditional":
        return (surname + given).translate(TRADITIONAL)
    text = f"{_sound(surname)} {''.join(_sound(x) for x in given)}"
    return chance.choice((text, text.title(), text.replace(" ", "")))


def _respelled(chance: random.Random, surname: str, given: str, respell: Any) -> str:
    written = list(given)
    for place in range(len(written)):
        if chance.random() < 0.75 or len(written) == 1:
            written[place] = respell(chance, written[place])
    if len(surname) == 1 and chance.random() < 0.15:
        surname = respell(chance, surname)
    return surname + "".join(written)


def _address(chance: random.Random, person: _Person) -> str:
    elder = TODAY.year - person.born >= 60
    forms = ["阿" + person.given[-1], person.given[-1] * 2, "小" + person.given[-1]]
    if elder:
        title = "大爷" if person.sex == "M" else "奶奶"
        forms += [
            "老" + person.surname,
            person.surname + title,
            person.surname + "老太"[: 2 if person.sex == "F" else 1],
        ]
    else:
        forms.append("小" + person.surname)
    return chance.choice(forms)


def _slip(chance: random.Random, name: str) -> str:
    letters = list(name)
    place = chance.randrange(len(letters))
    for pair in SLIPS:
        if letters[place] in pair:
            letters[place] = pair.replace(letters[place], "") or letters[place]
            return "".join(letters)
    letters[place] = chance.choice(COMMON_IN_NAMES)
    return "".join(letters)


def _full(person: _Person) -> str:
    return f"{person.surname}{'·' if person.minority else ''}{person.given}"


@cache
def _sound(character: str) -> str:
    return str(pinyin.get(character, format="strip", delimiter="")).lower()


@cache
def _by_sound() -> dict[str, list[str]]:
    """Characters of the first level of GB 2312, which everybody can write, by their sound."""
    table: dict[str, list[str]] = defaultdict(list)
    for lead in range(0xB0, 0xD8):
        for trail in range(0xA1, 0xFF):
            try:
                character = bytes((lead, trail)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            table[_sound(character)].append(character)
    return dict(table)


def _same_sound(chance: random.Random, character: str) -> str:
    others = [x for x in _by_sound().get(_sound(character), []) if x != character]
    return chance.choice(others) if others else character


def _merged_sound(chance: random.Random, character: str, home: Town) -> str:
    sound, region = _sound(character), int(home.admin1_code)
    options = []
    if region in SOUTHWEST or region in {11, 3, 7}:
        options += [_swap(sound, "n", "l")]
    if region in {7, 11, 32, 30}:
        options += [_swap(sound, "f", "h")]
    if region in SOUTH or region in SOUTHWEST:
        options += [sound.replace("h", "", 1) if sound[:2] in {"zh", "ch", "sh"} else
                    sound[0] + "h" + sound[1:] if sound[0] in "zcs" else sound]  # fmt: skip
    options += [sound[:-1] if sound.endswith(("ing", "eng")) else
                sound + "g" if sound.endswith(("in", "en")) else sound]  # fmt: skip
    usable = [x for option in options if option != sound for x in _by_sound().get(option, [])]
    return chance.choice(usable) if usable else _same_sound(chance, character)


def _swap(sound: str, a: str, b: str) -> str:
    if sound[0] == a:
        return b + sound[1:]
    return a + sound[1:] if sound[0] == b else sound


def _words(chance: random.Random, marks: tuple[Any, ...]) -> str:
    said = []
    for mark in marks:
        if isinstance(mark, int):
            said.append(chance.choice(WHOLE_BODY[mark]))
        else:
            said.append(chance.choice(PARTS[mark[0]]) + chance.choice(KINDS[mark[1]]))
    chance.shuffle(said)
    return chance.choice(("，", "；", " ")).join(said)


def _dialect(chance: random.Random, person: _Person) -> str:
    return chance.choice(DIALECTS.get(int(person.home.admin1_code), ("普通话",)))


def _near(chance: random.Random, town: Town, km: float) -> tuple[float, float]:
    bearing = chance.uniform(0, 2 * math.pi)
    reach = min(km, 300.0)
    latitude = town.point.latitude + reach * math.cos(bearing) / 111.2
    longitude = town.point.longitude + reach * math.sin(bearing) / (
        111.2 * max(0.2, math.cos(math.radians(latitude)))
    )
    return round(latitude, 4), round(longitude, 4)


@cache
def _sorted_neighbours(geonames_id: int) -> tuple[Town, ...]:
    towns = [town for town in list_towns("CN") if town.admin1_code.isdigit()]
    here = next(town for town in towns if town.geonames_id == geonames_id)
    towns.sort(
        key=lambda town: math.hypot(
            town.point.latitude - here.point.latitude, town.point.longitude - here.point.longitude
        )
    )
    return tuple(towns[1:40])


def _neighbour(chance: random.Random, town: Town) -> Town:
    return chance.choice(_sorted_neighbours(town.geonames_id))
