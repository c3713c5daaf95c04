"""The directory of pictures: what is on the disk, and what a full disk does."""

import errno
import os
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reunite.kernel.errors import NotFoundError, ReuniteError
from reunite.storage.photo_files import PhotoDirectory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "photos"


@pytest.fixture
def store(folder: Path) -> PhotoDirectory:
    return PhotoDirectory(folder)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_may_read(store: PhotoDirectory, folder: Path) -> None:
    umask = os.umask(0)
    try:
        key = store.put(b"picture")
    finally:
        os.umask(umask)
    (file,) = files_in(folder)
    assert file == folder / key[:2] / key[2:4] / f"{key}.jpg"
    assert re.fullmatch("[0-9a-f]{40}", key)
    assert mode(file) == 0o600
    assert [mode(path) for path in (file.parent, file.parent.parent)] == [0o700, 0o700]
    assert mode(folder) == 0o700


def test_a_store_is_opened_again(store: PhotoDirectory, folder: Path) -> None:
    key = store.put(b"picture")
    assert PhotoDirectory(folder).get(key) == b"picture"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fsync", "replace", "open", "mkdir"])
def test_a_full_disk_is_named_and_leaves_nothing(
    store: PhotoDirectory, folder: Path, monkeypatch: pytest.MonkeyPatch, code: int, call: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(ReuniteError) as refused:
            store.put(b"picture")
    assert refused.value.code == "photo_store_full"
    assert files_in(folder) == []
    assert store.get(store.put(b"picture")) == b"picture"


def test_another_error_of_the_disk_is_not_called_full(
    store: PhotoDirectory, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(OSError, match="broken"):
            store.put(b"picture")
    assert files_in(folder) == []


def test_half_a_picture_of_a_crash_is_cleared_away(store: PhotoDirectory, folder: Path) -> None:
    key = store.put(b"picture")
    half = folder / key[:2] / key[2:4] / f"{'a' * 40}.part"
    half.write_bytes(b"pic")
    assert list(store.iter_keys_older_than(datetime.now(UTC) - timedelta(hours=1))) == []
    assert half.exists()
    assert list(store.iter_keys_older_than(datetime.now(UTC) + timedelta(hours=1))) == [key]
    assert not half.exists()


def test_no_key_leads_out_of_the_directory(store: PhotoDirectory, folder: Path) -> None:
    outside = folder.parent / "secret.jpg"
    outside.write_bytes(b"secret")
    for key in ("../secret", "../../secret", str(outside), "..", "aa/../../secret"):
        with pytest.raises(NotFoundError):
            store.get(key)
        store.delete([key])
    assert outside.exists()
