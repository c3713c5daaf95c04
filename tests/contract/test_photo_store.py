"""PhotoStore, in memory and on a directory."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from reunite.kernel.errors import NotFoundError
from reunite.ports import PhotoStore

JPEG = b"\xff\xd8 not really \xff\xd9"


def test_a_picture_comes_back_byte_for_byte(photo_store: PhotoStore) -> None:
    key = photo_store.put(JPEG)
    assert photo_store.get(key) == JPEG
    assert photo_store.put(b"") != key


def test_keys_cannot_be_guessed(photo_store: PhotoStore) -> None:
    keys = {photo_store.put(JPEG) for _ in range(20)}
    assert len(keys) == 20
    assert all(len(key) >= 40 for key in keys)
    assert len({key[:4] for key in keys}) > 10


@pytest.mark.parametrize(
    "key", ["", "0" * 40, "../../etc/passwd", "/etc/passwd", "0" * 39 + "\n", "ab/cd", "\0", "…"]
)
def test_what_is_no_key_is_not_found(photo_store: PhotoStore, key: str) -> None:
    with pytest.raises(NotFoundError):
        photo_store.get(key)
    photo_store.delete([key])


def test_erased_pictures_are_gone(photo_store: PhotoStore) -> None:
    keys = [photo_store.put(JPEG) for _ in range(3)]
    photo_store.delete([keys[0], keys[1], keys[0], "0" * 40])
    photo_store.delete([])
    for key in keys[:2]:
        with pytest.raises(NotFoundError):
            photo_store.get(key)
    assert photo_store.get(keys[2]) == JPEG


def test_old_pictures_are_listed(photo_store: PhotoStore) -> None:
    keys = {photo_store.put(JPEG) for _ in range(2)}
    time.sleep(0.02)  # file systems keep time in steps of some milliseconds
    between = datetime.now(UTC)
    time.sleep(0.02)
    photo_store.put(JPEG)
    assert set(photo_store.iter_keys_older_than(between)) == keys
    assert list(photo_store.iter_keys_older_than(between - timedelta(hours=1))) == []
