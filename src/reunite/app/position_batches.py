"""Positions that are shared at the same moment are written together.

A commit waits for the disk, whether it holds one position or a thousand.  So while one batch is
written, whoever arrives joins the next; each is answered once its own batch is durable.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
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
    done: bool = False
    moved: bool = False
    error: BaseException | None = None


class PositionBatches:
    """Writes the positions of devices.  For any number of threads; costs nothing while idle."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Shared] = []
        self._changed = threading.Condition()
        self._busy = False

    def share(self, account_id: AccountId, point: Point, now: datetime) -> bool:
        """Keep the cell of a device, as coarse as was asked for; durable when this returns.

        Whether anything was written: another cell, or one that would soon have expired.  Raises
        NotFoundError for somebody who does not share the position of a device.
        """
        mine = _Shared(account_id, point, now)
        with self._changed:
            self._waiting.append(mine)
        while not mine.done:
            batch = self._take(mine)
            if batch:
                self._write(batch)
        if mine.error is not None:
            raise mine.error
        return mine.moved

    def _take(self, mine: _Shared) -> Sequence[_Shared]:
        """The next batch, once nobody else writes one; nothing where ours has been written."""
        with self._changed:
            while self._busy and not mine.done:
                self._changed.wait()
            if mine.done:
                return ()
            self._busy = True
            batch = self._waiting[:MOST_AT_ONCE]
            del self._waiting[:MOST_AT_ONCE]
            return batch

    def _write(self, batch: Sequence[_Shared]) -> None:
        try:
            with self._database.transaction() as transaction:
                _move(transaction, batch)
        except BaseException as error:  # noqa: BLE001  (every one who waits must hear of it)
            for one in batch:
                one.error = error
        finally:
            with self._changed:
                for one in batch:
                    one.done = True
                self._busy = False
                self._changed.notify_all()


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
