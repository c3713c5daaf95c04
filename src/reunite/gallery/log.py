"""The log: every add and remove, durable before it is acknowledged.

Each call appends one record and waits for ``fdatasync``; so a batch costs one wait, and a
power cut loses nothing that was acknowledged.  A record carries its length and checksum: a
torn one at the end was never acknowledged and is cut off by the next writer, while a bad
one in the middle is damage and is reported.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np

from reunite.gallery.codes import CODE_BYTES, CODE_WORDS, CodeShape, Int8, UInt64
from reunite.gallery.errors import GalleryDamagedError
from reunite.gallery.files import disk_full_as_error
from reunite.gallery.port import FACT_DTYPE, Facts, Int64

_MAGIC = b"RGL1"
_HEADER = struct.Struct("<4sIQII")  # magic, kind, payload bytes, rows, checksum
_CHECKED = struct.Struct("<IQI")


class Kind(IntEnum):
    """What a record does."""

    ADD = 1
    REMOVE = 2


@dataclass(frozen=True, slots=True)
class Change:
    """One acknowledged call: ids that lose their rows, and rows that they get instead."""

    kind: Kind
    template_ids: Int64
    facts: Facts
    codes: UInt64
    rows: Int8

    @classmethod
    def removal(cls, template_ids: Int64, shape: CodeShape) -> "Change":
        """Ids lose their rows and get none."""
        return cls(
            Kind.REMOVE,
            template_ids,
            np.zeros(0, dtype=FACT_DTYPE),
            np.zeros((0, CODE_WORDS), dtype=np.uint64),
            np.zeros((0, shape.dims), dtype=np.int8),
        )

    @property
    def added_ids(self) -> Int64:
        """The ids of the new rows."""
        return self.template_ids if self.kind is Kind.ADD else self.template_ids[:0]

    def to_bytes(self) -> bytes:
        """The record as it lies in the log."""
        parts = [self.template_ids.astype("<i8").tobytes()]
        if self.kind is Kind.ADD:
            parts += [self.facts.tobytes(), self.codes.tobytes(), self.rows.tobytes()]
        payload = b"".join(parts)
        about = (int(self.kind), len(payload), len(self.template_ids))
        crc = zlib.crc32(payload, zlib.crc32(_CHECKED.pack(*about)))
        return _HEADER.pack(_MAGIC, *about, crc) + payload


def _parse(shape: CodeShape, kind: int, n: int, payload: bytes) -> Change:
    ids = np.frombuffer(payload, dtype="<i8", count=n).astype(np.int64)
    if kind == Kind.REMOVE:
        return Change.removal(ids, shape)
    at = 8 * n
    facts = np.frombuffer(payload, dtype=FACT_DTYPE, count=n, offset=at)
    at += n * FACT_DTYPE.itemsize
    codes = np.frombuffer(payload, dtype=np.uint64, count=n * CODE_WORDS, offset=at)
    at += n * CODE_BYTES
    rows = np.frombuffer(payload, dtype=np.int8, count=n * shape.dims, offset=at)
    return Change(Kind.ADD, ids, facts, codes.reshape(n, CODE_WORDS), rows.reshape(n, shape.dims))


def _record_at(data: bytes, at: int) -> tuple[int, int, bytes, int] | None:
    """Kind, rows, payload and end of a whole record, or None."""
    if at + _HEADER.size > len(data):
        return None
    magic, kind, size, n, crc = _HEADER.unpack_from(data, at)
    end = at + _HEADER.size + size
    if magic != _MAGIC or end > len(data):
        return None
    payload = data[at + _HEADER.size : end]
    if zlib.crc32(payload, zlib.crc32(_CHECKED.pack(kind, size, n))) != crc:
        return None
    return kind, n, payload, end


def read_changes(path: Path, shape: CodeShape, start: int) -> Iterator[tuple[Change, int]]:
    """Whole records from ``start`` on, each with the offset at which it ends."""
    with path.open("rb") as file:
        file.seek(start)
        data = file.read()
    at = 0
    while (found := _record_at(data, at)) is not None:
        kind, n, payload, at = found
        yield _parse(shape, kind, n, payload), start + at


def require_torn_at_end(path: Path, end: int) -> None:
    """Raise GalleryDamagedError if whole records follow the first broken one."""
    with path.open("rb") as file:
        file.seek(end)
        rest = file.read()
    at = rest.find(_MAGIC, 1)
    while at >= 0:
        if _record_at(rest, at) is not None:
            raise GalleryDamagedError(file=path.name, offset=end)
        at = rest.find(_MAGIC, at + 1)


class LogWriter:
    """Appends records; what ``append`` returned from is on disk."""

    def __init__(self, path: Path, end: int) -> None:
        """Open or create; whatever lies past ``end`` was never acknowledged and goes."""
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.end = end
        self._cut()

    def append(self, change: Change) -> None:
        """Write one record and wait until the disk has it.

        Raises GalleryDiskFullError; the log is then as it was before.
        """
        record = memoryview(change.to_bytes())
        try:
            with disk_full_as_error():
                at = self.end
                while record:
                    written = os.pwrite(self._handle, record, at)
                    at += written
                    record = record[written:]
                os.fdatasync(self._handle)
        except BaseException:
            self._cut()
            raise
        self.end = at

    def _cut(self) -> None:
        os.ftruncate(self._handle, self.end)
        os.fdatasync(self._handle)

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)
