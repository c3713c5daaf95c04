"""A centre's inventory: units that are asked for before any donor is."""

from dataclasses import dataclass
from datetime import datetime

from reunite.accounts.account import Actor
from reunite.app.blood_centres import require_centre
from reunite.app.services import Services
from reunite.blood.spreadsheet import RowFault
from reunite.blood.stock import StockUnit, read_stock
from reunite.kernel.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class StockReport:
    """What became of a file.  Nothing was ``written`` by a dry run, nor with faults."""

    units: tuple[StockUnit, ...]
    faults: tuple[RowFault, ...]
    expired: int
    written: bool


def import_stock(
    services: Services,
    actor: Actor | None,
    data: bytes,
    *,
    dry_run: bool = False,
    skip_faulty: bool = False,
) -> StockReport:
    """Replace the inventory of the actor's centre by a CSV or XLSX file.

    All rows or, with ``skip_faulty``, those without a fault.  Raises ForbiddenError
    ``centre_required``; InvalidInputError ``sheet_required`` and as ``spreadsheet.iter_rows``.
    """
    with services.database.transaction() as transaction:
        _, centre = require_centre(transaction, actor)
    if not data:
        raise InvalidInputError("sheet_required", field="sheet")
    read = read_stock(data)
    now = services.clock.now()
    usable = tuple(one for one in read.units if one.expires_on >= now.date())
    written = not dry_run and (skip_faulty or not read.faults)
    if written:
        with services.database.transaction() as transaction:
            transaction.blood_stock.replace(centre.id, usable, now)
    return StockReport(usable, read.faults, len(read.units) - len(usable), written)


def last_stock(services: Services, actor: Actor | None) -> tuple[int, datetime] | None:
    """How many units the actor's centre reported, and when."""
    with services.database.transaction() as transaction:
        return transaction.blood_stock.last_report(require_centre(transaction, actor)[1].id)
