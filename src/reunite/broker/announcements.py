"""Announcements: account ids packed into notifications of PostgreSQL.

PostgreSQL carries text of less than 8000 bytes a notification and delivers it when the
transaction commits.  A payload is one letter for the width of the ids, then the ids as
little-endian integers in base 64.
"""

import base64
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text

Int64 = npt.NDArray[np.int64]

CHANNEL = "reunite_live"
PAYLOAD_BYTES = 7_900
_NARROW, _WIDE = "n", "w"
_DTYPES: dict[str, "np.dtype[np.uint32] | np.dtype[np.int64]"] = {
    _NARROW: np.dtype("<u4"),
    _WIDE: np.dtype("<i8"),
}

_NOTIFY = text(
    "SELECT pg_notify(:channel, payload) FROM unnest(CAST(:payloads AS text[])) AS payload"
)


def announce(connection: Connection, account_ids: Int64) -> None:
    """Tell the open pages of these people to look again, once this transaction commits."""
    payloads = list(pack(account_ids))
    if payloads:
        connection.execute(_NOTIFY, {"channel": CHANNEL, "payloads": payloads})


def pack(account_ids: Int64) -> Iterator[str]:
    """The ids in as many payloads as they need."""
    if not len(account_ids):
        return
    fits = int(account_ids.min()) >= 0 and int(account_ids.max()) < 1 << 32
    width = _NARROW if fits else _WIDE
    dtype = _DTYPES[width]
    # Base 64 makes four letters of three bytes.
    ids_per_payload = (PAYLOAD_BYTES - len(width)) // 4 * 3 // dtype.itemsize
    for start in range(0, len(account_ids), ids_per_payload):
        some = account_ids[start : start + ids_per_payload].astype(dtype)
        yield width + base64.b64encode(some.tobytes()).decode("ascii")


def unpack(payload: str) -> list[int]:
    """The ids of one payload.  Raises ValueError for one that ``pack`` did not make."""
    dtype = _DTYPES.get(payload[:1])
    if dtype is None:
        raise ValueError("an announcement begins with the width of its ids")
    packed = base64.b64decode(payload[1:].encode("ascii"), validate=True)
    return [int(account_id) for account_id in np.frombuffer(packed, dtype=dtype).tolist()]
