"""The inventory of a centre: units in stock, which are asked for before any donor is."""

from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.app.import_stock import StockReport, import_stock, last_stock
from reunite.app.run_blood_request import find_centre
from reunite.blood.stock import COLUMNS, REQUIRED
from reunite.kernel.errors import ReuniteError
from reunite.web.blood_words import COMPONENTS, DISCLAIMER
from reunite.web.forms import Form, at_field
from reunite.web.page import Context, Page
from reunite.web.routing import Pages

routes = Pages()

SHOWN_FAULTS = 200


@routes.get("/blood/stock", access=STAFF_ONLY)
def show_stock(page: Page) -> Response:
    """How much was reported last, and the form for a new file."""
    return page.render("blood/stock.html", form=Form(), **_extras(page, None))


@routes.post("/blood/stock", access=STAFF_ONLY)
def submit_stock(page: Page) -> Response:
    """Read a file, or replace the inventory by it; what is wrong with which row."""
    try:
        with at_field("sheet"):
            report = import_stock(
                page.services,
                page.actor,
                page.form.upload("sheet") or b"",
                dry_run=page.form.text("action") != "import",
                skip_faulty=page.form.flag("skip_faulty"),
            )
    except ReuniteError as error:
        return page.refuse("blood/stock.html", error, **_extras(page, None))
    return page.render("blood/stock.html", form=Form(), **_extras(page, report))


def _extras(page: Page, report: StockReport | None) -> Context:
    faults = [] if report is None else report.faults[:SHOWN_FAULTS]
    return {
        "centre": find_centre(page.services, page.actor),
        "last": last_stock(page.services, page.actor),
        "report": report,
        "dry_run": page.form.text("action") != "import",
        "faults": [(one, page.message(one.error)) for one in faults],
        "columns": [(names[0], name in REQUIRED) for name, names in COLUMNS.items()],
        "components": COMPONENTS,
        "disclaimer": DISCLAIMER,
    }
