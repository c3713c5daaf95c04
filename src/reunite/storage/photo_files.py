"""Pictures as files of one directory, under names that cannot be guessed.

``ab/cd/abcd….jpg``: two levels, so that no folder grows past what a file system likes.
Only the account that runs Reunite may read them.
"""

import errno
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from reunite.kernel.errors import NotFoundError, ReuniteError

KEY_BYTES = 20  # 160 bits: a picture cannot be found by trying names
_KEY = re.compile(rf"[0-9a-f]{{{2 * KEY_BYTES}}}")
_UNFINISHED = ".part"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class PhotoDirectory:
    """Implements ``PhotoStore`` on a directory, which is made if it is not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, jpeg: bytes) -> str:
        """Keep a picture durably; its unguessable key.

        Raises ReuniteError ``photo_store_full``, and leaves nothing behind.
        """
        key = secrets.token_hex(KEY_BYTES)
        target = self._file_of(key)
        unfinished = target.with_suffix(_UNFINISHED)
        try:
            self._make_folders(target.parent)
            try:
                _write_through(unfinished, jpeg)
                unfinished.replace(target)
                _sync_directory(target.parent)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                target.unlink(missing_ok=True)
                raise
        except OSError as error:
            if error.errno in _FULL:
                raise ReuniteError("photo_store_full") from error
            raise
        return key

    def get(self, key: str) -> bytes:
        """The picture.  Raises NotFoundError."""
        if not _KEY.fullmatch(key):
            raise NotFoundError
        try:
            return self._file_of(key).read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError from error

    def delete(self, keys: Sequence[str]) -> None:
        """Erase pictures from the disk; unknown keys are ignored."""
        touched: set[Path] = set()
        for key in keys:
            if not _KEY.fullmatch(key):
                continue
            file = self._file_of(key)
            try:
                file.unlink()
            except FileNotFoundError:
                continue
            touched.add(file.parent)
        # Erased means erased after a power cut too.
        for folder in touched:
            _sync_directory(folder)

    def iter_keys_older_than(self, at: datetime) -> Iterator[str]:
        """Keys of the pictures written before then; half-written ones of crashes are removed."""
        before = at.timestamp()
        for file in self._path.glob("??/??/*"):
            try:
                if file.stat().st_mtime >= before:
                    continue
            except FileNotFoundError:  # erased since it was listed
                continue
            if file.suffix == _UNFINISHED:
                file.unlink(missing_ok=True)
            elif _KEY.fullmatch(file.stem):
                yield file.stem

    def _file_of(self, key: str) -> Path:
        return self._path / key[:2] / key[2:4] / f"{key}.jpg"

    def _make_folders(self, folder: Path) -> None:
        for made in (folder.parent, folder):
            try:
                made.mkdir(mode=0o700)
            except FileExistsError:
                continue
            # A new folder is durable only once the one above it is.
            _sync_directory(made.parent)


def _write_through(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_directory(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
