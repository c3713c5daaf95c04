"""Which pairs are worth comparing: records that share one of several keys.

Each key follows from facts that survive one kind of error, so a pair is missed only where all
of them fail: the name's sound (any spelling), a part of the name with the year of birth, a mark,
the place with the time, the place with the year of birth.  A key that too many share says
nothing: it is refined by more facts, and dropped where even that leaves too many.  So blocks are
bounded, and the work grows little faster than the records.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import h3
import numpy as np
import numpy.typing as npt

from reunite.kernel.people import Sex, Side
from reunite.partners.linkage.description import Reading
from reunite.partners.linkage.names import Name, NameKind

Int64 = npt.NDArray[np.int64]

BAND_YEARS = 10
ESTIMATE_YEARS = 6  # how far an estimated year of birth may be off
PLACE_RESOLUTION = 4  # H3 cells of about 1,770 km²
PERIOD_DAYS = 14
MOST_PAIRS_A_BLOCK = 10_000  # e.g. a hundred by a hundred
BATCH_BLOCKS = 50_000


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one record and, to each, a refined one."""

    plain: tuple[int, ...]
    refined: tuple[int, ...]


def keys_of(reading: Reading, side: Side, *, by_place: bool = True) -> Keys:
    """The keys under which a record stands.  Without those ``by_place``: name and marks alone.

    Where a fact is a range, the missing side stands under one step of it and the found side
    under every step that it may mean; pairs meet all the same, and half the rows are saved.
    """
    pairs: dict[str, str] = {}
    sexes = _sexes(reading.facts.sex)
    bands = _bands(reading, side)
    for name in reading.names:
        _name_keys(name, reading, sexes, bands, pairs)
    for mark in reading.marks:
        for sex in sexes:
            for band in bands:
                pairs[f"m|{mark.kind}|{mark.part}|{sex}|{band}"] = _refined(reading)
    for cell in _cells(reading, side) if by_place else ():
        for sex in sexes:
            for period in _periods(reading, side):
                pairs[f"t|{cell}|{sex}|{period}"] = f"{bands[0]}"
            for band in bands:
                pairs[f"c|{cell}|{sex}|{band}"] = _dialect_group(reading)
    return Keys(
        tuple(_hashed(key) for key in pairs),
        tuple(_hashed(f"{key}|{more}") for key, more in pairs.items()),
    )


def _name_keys(
    name: Name, reading: Reading, sexes: list[int], bands: list[int], pairs: dict[str, str]
) -> None:
    surname, given = "".join(name.surname_merged), "".join(name.given_merged)
    people = [f"{sex}|{band}" for sex in sexes for band in bands]
    if name.kind in (NameKind.PARTS, NameKind.LATIN):
        parts = [f"l|{part[:4]}|{sex}" for part in name.given_merged for sex in sexes]
        pairs.update(dict.fromkeys(parts, f"{bands[0]}"))
        return
    if name.kind is NameKind.FULL:
        pairs[f"n|{surname}|{given}"] = f"{reading.facts.sex.value}|{bands[0]}"
        letters = (surname, *name.given_merged)
    else:
        letters = (*name.surname_merged, *name.given_merged)
    parts = [f"p|{letter}|{who}" for letter in letters for who in people]
    pairs.update(dict.fromkeys(parts, _refined(reading)))
    if name.kind in (NameKind.FULL, NameKind.GIVEN) and given:
        pairs.update(dict.fromkeys((f"g|{given}|{who}" for who in people), _refined(reading)))


def _sexes(sex: Sex) -> list[int]:
    # Unknown agrees with both, on either side.
    return [Sex.FEMALE.value, Sex.MALE.value] if sex is Sex.UNKNOWN else [sex.value]


def _bands(reading: Reading, side: Side) -> list[int]:
    years = reading.facts.birth_years
    if years is None:
        return [0]
    if side is Side.MISSING:
        return [(years.first + years.last) // 2 // BAND_YEARS]
    first, last = years.first - ESTIMATE_YEARS, years.last + ESTIMATE_YEARS
    return list(range(first // BAND_YEARS, min(first + 40, last) // BAND_YEARS + 1))


def _cells(reading: Reading, side: Side) -> list[str]:
    place = reading.facts.place
    if place is None:
        return []
    cell = h3.latlng_to_cell(place.latitude, place.longitude, PLACE_RESOLUTION)
    return sorted(h3.grid_disk(cell, 1)) if side is Side.MISSING else [cell]


def _periods(reading: Reading, side: Side) -> list[int]:
    seen = reading.facts.seen_on
    if seen is None:
        return []
    period = seen.toordinal() // PERIOD_DAYS
    return [period, period + 1] if side is Side.MISSING else [period]


def _refined(reading: Reading) -> str:
    return str(reading.facts.region)


def _dialect_group(reading: Reading) -> str:
    return reading.dialect.group if reading.dialect is not None else ""


def _hashed(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


@dataclass(slots=True)
class BlockingReport:
    """What a blocking run did."""

    records: int = 0
    keys: int = 0
    blocks: int = 0  # with records of both sides
    refined: int = 0  # too large, split by more facts
    dropped: int = 0  # too large even then
    largest: int = 0  # pairs
    pairs: int = 0  # before the same pair under two keys is counted once


@dataclass(slots=True)
class KeyTable:
    """Keys of one side as columns: int64 arrays of one length, and whose they are."""

    plain: Int64
    refined: Int64
    rows: Int64
    count: int = field(default=0)

    @classmethod
    def of(cls, keys: Iterable[Keys]) -> "KeyTable":
        """The table of records 0, 1, 2 … in the order given."""
        plain: list[int] = []
        refined: list[int] = []
        lengths: list[int] = []
        for one in keys:
            plain.extend(one.plain)
            refined.extend(one.refined)
            lengths.append(len(one.plain))
        rows = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
        return cls(
            np.array(plain, dtype=np.int64), np.array(refined, dtype=np.int64), rows, len(lengths)
        )


def candidate_pairs(
    missing: KeyTable,
    found: KeyTable,
    report: BlockingReport | None = None,
    most_pairs: int = MOST_PAIRS_A_BLOCK,
) -> Int64:
    """Every pair that shares a key: int64 array of shape (n, 2), rows of either table, sorted."""
    report = report if report is not None else BlockingReport()
    report.records += missing.count + found.count
    report.keys += len(missing.plain) + len(found.plain)
    packed: list[Int64] = []
    too_large: list[Int64] = []
    for left, right, key in _joined(missing.plain, missing.rows, found.plain, found.rows):
        sizes = _sizes(left, right)
        fits = sizes <= most_pairs
        report.blocks += len(sizes)
        report.refined += int((~fits).sum())
        report.largest = max(report.largest, int(sizes[fits].max(initial=0)))
        packed.extend(_products(left, right, fits, found.count))
        too_large.append(key[~fits])
    large = np.concatenate(too_large) if too_large else np.empty(0, np.int64)
    if len(large):
        a, b = np.isin(missing.plain, large), np.isin(found.plain, large)
        for left, right, _ in _joined(
            missing.refined[a], missing.rows[a], found.refined[b], found.rows[b]
        ):
            sizes = _sizes(left, right)
            fits = sizes <= most_pairs
            report.dropped += int((~fits).sum())
            report.largest = max(report.largest, int(sizes[fits].max(initial=0)))
            packed.extend(_products(left, right, fits, found.count))
    report.pairs += sum(len(part) for part in packed)
    whole = np.unique(np.concatenate(packed)) if packed else np.empty(0, np.int64)
    return np.stack((whole // max(1, found.count), whole % max(1, found.count)), axis=1)


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows sorted by key, and where each common key's rows begin and end."""

    rows: Int64
    starts: Int64
    ends: Int64


def _joined(
    left_keys: Int64, left_rows: Int64, right_keys: Int64, right_rows: Int64
) -> Iterator[tuple[_Run, _Run, Int64]]:
    a, b = np.argsort(left_keys, kind="stable"), np.argsort(right_keys, kind="stable")
    left, right = left_keys[a], right_keys[b]
    common = np.intersect1d(left, right)
    left_rows, right_rows = left_rows[a], right_rows[b]
    for start in range(0, len(common), BATCH_BLOCKS):
        key = common[start : start + BATCH_BLOCKS]
        yield (
            _Run(left_rows, np.searchsorted(left, key), np.searchsorted(left, key, "right")),
            _Run(right_rows, np.searchsorted(right, key), np.searchsorted(right, key, "right")),
            key,
        )


def _sizes(left: _Run, right: _Run) -> Int64:
    sizes: Int64 = (left.ends - left.starts) * (right.ends - right.starts)
    return sizes


def _products(
    left: _Run, right: _Run, fits: npt.NDArray[np.bool_], found_count: int
) -> Sequence[Int64]:
    """Pairs of the blocks that fit, packed into one number each, every pair once a batch."""
    l_start, r_start = left.starts[fits], right.starts[fits]
    l_size, r_size = left.ends[fits] - l_start, right.ends[fits] - r_start
    sizes = l_size * r_size
    total = int(sizes.sum())
    if total == 0:
        return []
    block = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(total) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    a = left.rows[l_start[block] + place // r_size[block]]
    b = right.rows[r_start[block] + place % r_size[block]]
    return [np.unique(a * found_count + b)]
