"""Files that are either whole or absent: checksums, atomic replacement, one writer."""

import errno
import fcntl
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from reunite.gallery.errors import (
    GalleryDamagedError,
    GalleryDiskFullError,
    GalleryLockedError,
)

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CHECK_BYTES = 1 << 24


@contextmanager
def disk_full_as_error() -> Iterator[None]:
    """Turn the operating system's ways of saying "full" into GalleryDiskFullError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise GalleryDiskFullError(reason=os.strerror(error.errno)) from error
        raise


def sync_directory(directory: Path) -> None:
    """Make renames and deletions in ``directory`` durable."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class CheckedFile:
    """Writes a new file and sums it up on the way.

    Unbuffered: a full disk shows at the write, and there is nothing left to flush after it.
    """

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("xb", buffering=0)
        self.crc = 0
        self.size_bytes = 0

    def write(self, array: npt.NDArray[Any]) -> None:
        """Append the bytes of an array."""
        data = memoryview(np.ascontiguousarray(array).tobytes())
        self.crc = zlib.crc32(data, self.crc)
        self.size_bytes += len(data)
        while data:
            data = data[self._file.write(data) :]

    def sync(self) -> dict[str, int]:
        """Force the file to disk; its size and checksum."""
        os.fsync(self._file.fileno())
        return {"bytes": self.size_bytes, "crc": self.crc}

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def checksum(path: Path) -> int:
    """CRC-32 of a whole file."""
    crc = 0
    with path.open("rb") as file:
        while block := file.read(_CHECK_BYTES):
            crc = zlib.crc32(block, crc)
    return crc


def replace_json(path: Path, value: dict[str, Any]) -> None:
    """Put ``value`` in the place of ``path`` at once and for good."""
    body = json.dumps(value, sort_keys=True)
    text = json.dumps({"crc": zlib.crc32(body.encode()), "body": value}, sort_keys=True, indent=1)
    aside = path.with_name(path.name + ".new")
    with aside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_directory(path.parent)


def read_json(path: Path) -> dict[str, Any]:
    """What ``replace_json`` wrote.

    Raises GalleryDamagedError where the checksum does not fit.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        body: dict[str, Any] = held["body"]
        fits = zlib.crc32(json.dumps(body, sort_keys=True).encode()) == held["crc"]
    except (ValueError, KeyError, TypeError) as error:
        raise GalleryDamagedError(file=path.name) from error
    if not fits:
        raise GalleryDamagedError(file=path.name)
    return body


def map_array(path: Path, dtype: npt.DTypeLike, count: int) -> npt.NDArray[Any]:
    """A file as a read-only array, read when touched."""
    if count == 0:
        return np.empty(0, dtype=dtype)
    wanted = count * np.dtype(dtype).itemsize
    try:
        if path.stat().st_size != wanted:
            raise GalleryDamagedError(file=path.name)
    except FileNotFoundError as error:
        raise GalleryDamagedError(file=path.name) from error
    # A plain view, because the memmap class slows every slice down.
    return np.memmap(path, dtype=dtype, mode="r", shape=(count,)).view(np.ndarray)


class WriterLock:
    """Held by the one process that may write; the system lets go of it when it dies."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+", encoding="ascii")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            raise GalleryLockedError(process_id=holder) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let another process write."""
        self._file.close()
