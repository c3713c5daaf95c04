"""Announcements: account ids packed into notifications of PostgreSQL.

PostgreSQL carries text of less than 8000 bytes a notification and delivers it when the
transaction commits.  A payload is the notice and when it arrived, in microseconds of the epoch
(nothing where people are only to look), a letter for the width of the ids, then the ids as
little-endian integers in base 64: ``12@1790000000000000nAQAAAA==``.
"""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text

from reunite.kernel.ids import NoticeId
from reunite.ports import Arrival

Int64 = npt.NDArray[np.int64]

CHANNEL = "reunite_live"
PAYLOAD_BYTES = 7_900
_NARROW, _WIDE = "n", "w"
_DTYPES: dict[str, "np.dtype[np.uint32] | np.dtype[np.int64]"] = {
    _NARROW: np.dtype("<u4"),
    _WIDE: np.dtype("<i8"),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_NOTIFY = text(
    # One text: the driver looks for quotes in every element of an array.
    "SELECT pg_notify(:channel, payload) FROM string_to_table(:payloads, ' ') AS payload"
)


def announce(connection: Connection, account_ids: Int64, arrival: Arrival | None = None) -> None:
    """Tell the open pages of these people, once this transaction commits."""
    payloads = list(pack(account_ids, arrival))
    if payloads:
        connection.execute(_NOTIFY, {"channel": CHANNEL, "payloads": " ".join(payloads)})


def pack(account_ids: Int64, arrival: Arrival | None = None) -> Iterator[str]:
    """The ids in as many payloads as they need."""
    if not len(account_ids):
        return
    fits = int(account_ids.min()) >= 0 and int(account_ids.max()) < 1 << 32
    width = _NARROW if fits else _WIDE
    dtype = _DTYPES[width]
    head = "" if arrival is None else f"{arrival.notice_id}@{_microseconds(arrival.delivered_at)}"
    head += width
    # Base 64 makes four letters of three bytes.
    ids_per_payload = (PAYLOAD_BYTES - len(head)) // 4 * 3 // dtype.itemsize
    for start in range(0, len(account_ids), ids_per_payload):
        some = account_ids[start : start + ids_per_payload].astype(dtype)
        yield head + base64.b64encode(some.tobytes()).decode("ascii")


def unpack(payload: str) -> tuple[Arrival | None, list[int]]:
    """What has arrived, and for whom.  Raises ValueError for what ``pack`` did not make."""
    digits = len(payload) - len(payload.lstrip("0123456789@"))
    head, width, packed = payload[:digits], payload[digits : digits + 1], payload[digits + 1 :]
    dtype = _DTYPES.get(width)
    if dtype is None:
        raise ValueError("an announcement names the width of its ids")
    arrival = None
    if head:
        notice_id, _, at = head.partition("@")
        try:
            arrival = Arrival(NoticeId(int(notice_id)), _EPOCH + int(at) * _MICROSECOND)
        except OverflowError as error:
            raise ValueError("an announcement of no time") from error
    ids = np.frombuffer(base64.b64decode(packed.encode("ascii"), validate=True), dtype=dtype)
    return arrival, [int(account_id) for account_id in ids.tolist()]


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
