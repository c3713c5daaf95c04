"""Sealed segments: rows sorted by facts, so that a filter reads only what it admits.

A segment is a folder of flat arrays that are mapped into memory:

head.bin   the code words of the first look, word-major in groups of eight rows
tail.bin   the other code words, where the code shape has any
rows.bin   one int8 row a face, for the re-rank
meta.bin   id, subject, birth year, day: 14 bytes a face
high.bin   the upper halves of ids, only where some number needs more than 32 bits
parts.bin  the partitions: facts that a run of rows shares, and where the run lies
segment.json  sizes and checksums of the above, written last

Rows are ordered by side, module, sex, birth decade, region and id.  A partition is a run of
rows, not a file, so thousands of small ones cost nothing.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reunite.gallery.codes import CODE_WORDS, GROUP, CodeShape, Int8, UInt64, group_words
from reunite.gallery.errors import GalleryDamagedError
from reunite.gallery.files import (
    CheckedFile,
    checksum,
    disk_full_as_error,
    map_array,
    read_json,
    replace_json,
    sync_directory,
)
from reunite.gallery.kernels import rows_holding
from reunite.gallery.port import FACT_DTYPE, UNKNOWN_BIRTH_YEAR, Facts, Int64

UInt8 = npt.NDArray[np.uint8]
UInt32 = npt.NDArray[np.uint32]

PART_DTYPE = np.dtype(
    [
        ("side", np.uint8),
        ("module", np.uint8),
        ("sex", np.uint8),
        ("decade", np.int16),
        ("region", np.int16),
        ("start", np.int64),
        ("rows", np.int64),
    ]
)
UNKNOWN_DECADE = -(1 << 15)
_YEARS_IN_DECADE = 10
_META = (("id_low", "<u4"), ("subject_low", "<u4"), ("seen_day", "<i4"), ("birth_year", "<i2"))
_ROWS_AT_ONCE = GROUP << 13
_PRESENCE_LIMIT = 1 << 20


class RowSource(Protocol):
    """Rows to be sealed, in any order."""

    @property
    def template_ids(self) -> Int64: ...

    @property
    def facts(self) -> Facts: ...

    def take(self, positions: Int64) -> tuple[UInt64, Int8]:
        """Codes and int8 rows at these positions."""
        ...


@dataclass(frozen=True, slots=True)
class ArraySource:
    """Rows that lie in arrays, which may be mapped files.

    codes : uint64 array of shape (n, CODE_WORDS)
    rows : int8 array of shape (n, dims)
    """

    template_ids: Int64
    facts: Facts
    codes: UInt64
    rows: Int8

    def take(self, positions: Int64) -> tuple[UInt64, Int8]:
        return self.codes[positions], self.rows[positions]


def live_bytes(n: int) -> UInt8:
    """A bitmap of ``n`` live rows, padded with dead ones to whole 64-bit words."""
    bits = np.zeros(-(-n // 64) * 64, dtype=np.uint8)
    bits[:n] = 1
    return np.packbits(bits, bitorder="little")


def bits_at(bitmap: UInt8, rows: Int64) -> npt.NDArray[np.bool_]:
    """Which of these rows are set."""
    bits: npt.NDArray[np.bool_] = (bitmap[rows >> 3] >> (rows & 7).astype(np.uint8)) & 1 == 1
    return bits


def clear_bits(bitmap: UInt8, rows: Int64) -> None:
    """Clear these rows' bits in place."""
    keep = ~(np.uint8(1) << (rows & 7).astype(np.uint8))
    np.bitwise_and.at(bitmap, rows >> 3, keep)


def _decades(years: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    decades = years // np.int16(_YEARS_IN_DECADE)
    decades[years == UNKNOWN_BIRTH_YEAR] = UNKNOWN_DECADE
    return decades


def sort_by_facts(template_ids: Int64, facts: Facts) -> tuple[Int64, npt.NDArray[Any]]:
    """The order in which rows are sealed, and the partitions that it makes."""
    key: Int64 = np.zeros(len(template_ids), dtype=np.int64)
    decades = _decades(facts["birth_year"])
    for column, bits in (
        (facts["side"], 8),
        (facts["module"], 8),
        (facts["sex"], 8),
        (decades.astype(np.int64) + (1 << 15), 16),
        (facts["region"].astype(np.int64) + (1 << 15), 16),
    ):
        key = (key << bits) | column
    order = np.lexsort((template_ids, key)).astype(np.int64, copy=False)
    sorted_key = key[order]
    starts = np.flatnonzero(np.r_[len(order) > 0, sorted_key[1:] != sorted_key[:-1]])
    parts = np.zeros(len(starts), dtype=PART_DTYPE)
    first = order[starts]
    for name in ("side", "module", "sex", "region"):
        parts[name] = facts[name][first]
    parts["decade"] = decades[first]
    parts["start"] = starts
    parts["rows"] = np.diff(np.r_[starts, len(order)])
    return order, parts


def write_segment(folder: Path, shape: CodeShape, source: RowSource) -> Int64:
    """Seal rows into ``folder``, durable on return; the order in which they lie now.

    Raises GalleryDiskFullError and leaves nothing behind.
    """
    aside = folder.with_name(folder.name + ".new")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        with disk_full_as_error():
            aside.mkdir(parents=True)
            with ExitStack() as opened:
                order = _write_files(aside, shape, source, opened)
            aside.rename(folder)
            sync_directory(folder.parent)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return order


def _write_files(aside: Path, shape: CodeShape, source: RowSource, opened: ExitStack) -> Int64:
    ids, facts = source.template_ids, source.facts
    order, parts = sort_by_facts(ids, facts)
    files = {
        name: opened.enter_context(closing(CheckedFile(aside / f"{name}.bin")))
        for name in ("head", "tail", "rows", "meta", "high", "parts")
    }
    for start in range(0, len(order), _ROWS_AT_ONCE):
        codes, rows = source.take(order[start : start + _ROWS_AT_ONCE])
        files["head"].write(group_words(codes[:, : shape.head_words]))
        files["tail"].write(group_words(codes[:, shape.head_words :]))
        files["rows"].write(rows)
    sorted_ids, subjects = ids[order], facts["subject_id"][order]
    meta, high = files["meta"], files["high"]
    meta.write((sorted_ids & 0xFFFFFFFF).astype("<u4"))
    meta.write((subjects & 0xFFFFFFFF).astype("<u4"))
    meta.write(facts["seen_day"][order].astype("<i4"))
    meta.write(facts["birth_year"][order].astype("<i2"))
    wide = bool(((sorted_ids >> 32) != 0).any() or ((subjects >> 32) != 0).any())
    if wide:
        high.write((sorted_ids >> 32).astype("<u4"))
        # Subject numbers are signed in the port; the shift keeps the sign and the cast back.
        high.write((subjects >> 32).astype(np.int32).astype("<u4"))
    files["parts"].write(parts)
    replace_json(
        aside / "segment.json",
        {
            "rows": len(order),
            "dims": shape.dims,
            "parts": len(parts),
            "wide": wide,
            "first_id": int(sorted_ids.min(initial=1 << 62)),
            "last_id": int(sorted_ids.max(initial=0)),
            "files": {name: file.sync() for name, file in files.items()},
        },
    )
    return order


class Segment:
    """A sealed segment, mapped into memory; nothing of it ever changes."""

    def __init__(self, folder: Path, shape: CodeShape) -> None:
        """Open without reading codes or rows; ids, facts and partitions are checked.

        Raises GalleryDamagedError.
        """
        self.folder = folder
        self.shape = shape
        try:
            self._about = read_json(folder / "segment.json")
        except FileNotFoundError as error:
            raise GalleryDamagedError(segment=folder.name) from error
        if self._about["dims"] != shape.dims:
            raise GalleryDamagedError(segment=folder.name)
        self.n = n = int(self._about["rows"])
        self.wide = bool(self._about["wide"])
        groups = -(-n // GROUP)
        self._check(("meta", "high", "parts"))
        self.head: UInt64 = map_array(folder / "head.bin", "<u8", groups * shape.head_words * GROUP)
        self.tail: UInt64 = map_array(folder / "tail.bin", "<u8", groups * shape.tail_words * GROUP)
        self.rows: Int8 = map_array(folder / "rows.bin", np.int8, n * shape.dims).reshape(
            n, shape.dims
        )
        meta = map_array(folder / "meta.bin", np.uint8, n * 14)
        columns: dict[str, npt.NDArray[Any]] = {}
        start = 0
        for name, dtype in _META:
            end = start + n * np.dtype(dtype).itemsize
            columns[name] = meta[start:end].view(dtype)
            start = end
        self.id_low: UInt32 = columns["id_low"]
        self.subject_low: UInt32 = columns["subject_low"]
        self.seen_day = columns["seen_day"]
        self.birth_year = columns["birth_year"]
        high = map_array(folder / "high.bin", "<u4", 2 * n if self.wide else 0)
        self._id_high: UInt32 = high[:n]
        self._subject_high: UInt32 = high[n:]
        self.parts = map_array(folder / "parts.bin", PART_DTYPE, int(self._about["parts"]))

    @property
    def name(self) -> str:
        """Its folder's name, unique in the gallery."""
        return self.folder.name

    @property
    def size_bytes(self) -> int:
        """Bytes on disk."""
        return sum(int(one["bytes"]) for one in self._about["files"].values())

    def check(self) -> None:
        """Read everything and compare with the checksums.

        Raises GalleryDamagedError.
        """
        self._check(tuple(self._about["files"]))

    def _check(self, names: tuple[str, ...]) -> None:
        for name in names:
            path = self.folder / f"{name}.bin"
            held = self._about["files"][name]
            if (
                not path.exists()
                or path.stat().st_size != held["bytes"]
                or checksum(path) != held["crc"]
            ):
                raise GalleryDamagedError(segment=self.name, file=path.name)

    def ids(self, rows: Int64 | slice) -> Int64:
        """Template ids of these rows."""
        low = self.id_low[rows].astype(np.int64)
        return low | (self._id_high[rows].astype(np.int64) << 32) if self.wide else low

    def subjects(self, rows: Int64 | slice) -> Int64:
        """Subject ids of these rows."""
        low = self.subject_low[rows].astype(np.int64)
        return low | (self._subject_high[rows].astype(np.int64) << 32) if self.wide else low

    def facts(self) -> Facts:
        """Facts of every row."""
        facts = np.zeros(self.n, dtype=FACT_DTYPE)
        for name in ("side", "module", "sex", "region"):
            facts[name] = np.repeat(self.parts[name], self.parts["rows"])
        facts["birth_year"], facts["seen_day"] = self.birth_year, self.seen_day
        facts["subject_id"] = self.subjects(slice(None))
        return facts

    def codes(self, rows: Int64) -> UInt64:
        """Codes of these rows, uint64 array of shape (len(rows), CODE_WORDS)."""
        words = np.empty((len(rows), CODE_WORDS), dtype=np.uint64)
        for flat, first, count in (
            (self.head, 0, self.shape.head_words),
            (self.tail, self.shape.head_words, self.shape.tail_words),
        ):
            if count:
                grouped = flat.reshape(-1, count, GROUP)
                words[:, first : first + count] = grouped[rows // GROUP, :, rows % GROUP]
        return words

    def find(self, template_ids: Int64) -> Int64:
        """Rows, live or dead, that hold any of these ids."""
        within = template_ids[
            (template_ids >= self._about["first_id"]) & (template_ids <= self._about["last_id"])
        ]
        if not len(within) or not self.n:
            return np.empty(0, dtype=np.int64)
        low = np.unique(within & 0xFFFFFFFF)
        size = 1 << min(_PRESENCE_LIMIT.bit_length() - 1, (16 * len(low)).bit_length())
        present = np.zeros(size, dtype=np.uint8)
        present[low & (size - 1)] = 1
        out = np.empty(len(low) * 2 + 64, dtype=np.int64)
        found = rows_holding(self.id_low, low, present, out)
        if found > len(out):
            out = np.empty(found, dtype=np.int64)
            rows_holding(self.id_low, low, present, out)
        rows = out[:found]
        return rows[np.isin(self.ids(rows), within)] if self.wide else rows


@dataclass(frozen=True, slots=True)
class Gathered:
    """Chosen rows of several segments as one source."""

    segments: tuple[Segment, ...]
    chosen: tuple[Int64, ...]
    template_ids: Int64
    facts: Facts

    @classmethod
    def of(cls, segments: tuple[Segment, ...], chosen: tuple[Int64, ...]) -> "Gathered":
        """These rows of these segments, in that order."""
        ids = [one.ids(rows) for one, rows in zip(segments, chosen, strict=True)]
        facts = [one.facts()[rows] for one, rows in zip(segments, chosen, strict=True)]
        return cls(segments, chosen, np.concatenate(ids), np.concatenate(facts))

    def take(self, positions: Int64) -> tuple[UInt64, Int8]:
        codes = np.empty((len(positions), CODE_WORDS), dtype=np.uint64)
        rows = np.empty((len(positions), self.segments[0].shape.dims), dtype=np.int8)
        for segment, chosen, base in self._spans():
            mine = (positions >= base) & (positions < base + len(chosen))
            there = chosen[positions[mine] - base]
            codes[mine] = segment.codes(there)
            rows[mine] = segment.rows[there]
        return codes, rows

    def _spans(self) -> Iterator[tuple[Segment, Int64, int]]:
        base = 0
        for segment, chosen in zip(self.segments, self.chosen, strict=True):
            yield segment, chosen, base
            base += len(chosen)
