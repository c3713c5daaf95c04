"""A station's own page: who is looked after, and the sheet that clerks upload."""

import tempfile
from pathlib import Path

from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.app.import_residents import ResidentOptions, ResidentReport, import_residents
from reunite.app.stations import find_own_station
from reunite.kernel.errors import InvalidInputError, NotFoundError, ReuniteError
from reunite.web.forms import Form, at_field
from reunite.web.messages import MESSAGES
from reunite.web.messages_stations import COLUMN_WORDS, ROW_OUTCOMES
from reunite.web.page import Context, Page
from reunite.web.routing import Pages

routes = Pages()

# More takes longer than a reader waits for; the command line takes any number.
MOST_ROWS = 2000
SHOWN_ROWS = 500


@routes.get("/station", access=STAFF_ONLY)
def show_station(page: Page) -> Response:
    """The station of whoever asks, with the form for its sheet."""
    return page.render("station.html", form=Form(), **_extras(page, None, dry_run=False))


@routes.post("/station", access=STAFF_ONLY)
def submit_sheet(page: Page) -> Response:
    """Read a sheet, or bring the records up to date with it; what became of each row."""
    dry_run = page.form.text("action") != "import"
    report: ResidentReport | None = None
    try:
        with at_field("sheet"):
            report = _import(page, dry_run=dry_run)
    except ReuniteError as error:
        return page.refuse("station.html", error, **_extras(page, None, dry_run=dry_run))
    return page.render("station.html", form=Form(), **_extras(page, report, dry_run=dry_run))


def _import(page: Page, *, dry_run: bool) -> ResidentReport:
    own = find_own_station(page.services, page.actor)
    if own is None:
        raise NotFoundError
    data = page.form.upload("sheet")
    if not data:
        raise InvalidInputError("sheet_required")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet"
        path.write_bytes(data)
        options = ResidentOptions(dry_run=dry_run, most_rows=MOST_ROWS)
        return import_residents(page.services, page.actor, own.station.id, path, options)


def _extras(page: Page, report: ResidentReport | None, *, dry_run: bool) -> Context:
    return {
        "own": find_own_station(page.services, page.actor),
        "report": report,
        "dry_run": dry_run,
        "shown": [] if report is None else report.outcomes[:SHOWN_ROWS],
        "outcome_words": ROW_OUTCOMES,
        "column_words": COLUMN_WORDS,
        "reasons": MESSAGES,
        "most_rows": MOST_ROWS,
    }
