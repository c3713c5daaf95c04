"""Positions that are shared at the same moment are written together.

A commit waits for the disk, whether it holds one position or a thousand.  So while one batch is
written, whoever arrives joins the next; each is answered once its own batch is durable.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId
from reunite.kernel.places import Point, cell_of, resolution_of
from reunite.ports import Database, Transaction

MOST_AT_ONCE = 5000


@dataclass(slots=True, eq=False)
class _Shared:
    account_id: AccountId
    point: Point
    now: datetime
    turn: threading.Event = field(default_factory=threading.Event)  # written, or to write
    done: bool = False
    moved: bool = False
    error: BaseException | None = None


class PositionBatches:
    """Writes the positions of devices.  For any number of threads; costs nothing while idle."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Shared] = []
        self._lock = threading.Lock()
        self._busy = False

    def share(self, account_id: AccountId, point: Point, now: datetime) -> bool:
        """Keep the cell of a device, as coarse as was asked for; durable when this returns.

        Whether anything was written: another cell, or one that would soon have expired.  Raises
        NotFoundError for somebody who does not share the position of a device.
        """
        mine = _Shared(account_id, point, now)
        with self._lock:
            self._waiting.append(mine)
            is_first, self._busy = not self._busy, True
        if not is_first:
            # Each is woken once: by whoever has written it, or to write the next batch.
            mine.turn.wait()
        if not mine.done:
            self._write()
        if mine.error is not None:
            raise mine.error
        return mine.moved

    def _write(self) -> None:
        """The next batch; then it is the turn of the first who came too late for it."""
        with self._lock:
            batch = self._waiting[:MOST_AT_ONCE]
            del self._waiting[:MOST_AT_ONCE]
        try:
            with self._database.transaction() as transaction:
                _move(transaction, batch)
        except BaseException as error:  # noqa: BLE001  (every one who waits must hear of it)
            for one in batch:
                one.error = error
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._busy = following is not None
            if following is not None:
                following.turn.set()
            for one in batch:
                one.done = True
                one.turn.set()


def _move(transaction: Transaction, batch: Sequence[_Shared]) -> None:
    account_ids = np.array([one.account_id for one in batch], dtype=np.int64)
    places = transaction.volunteers.find_here(np.unique(account_ids))
    movers, cells = [], []
    for one in batch:
        here = places.get(one.account_id)
        if here is None:
            one.error = NotFoundError()
            continue
        cell = cell_of(one.point, resolution_of(here.cell))
        one.moved = here.needs_writing(cell, one.now)
        movers.append(one.account_id)
        cells.append(cell)
    if any(one.moved for one in batch):
        transaction.volunteers.move(
            np.array(movers, dtype=np.int64),
            np.array(cells, dtype=np.int64),
            max(one.now for one in batch),
        )
