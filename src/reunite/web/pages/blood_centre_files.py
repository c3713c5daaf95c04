"""A blood centre's file of donors: tried, brought, reported row by row, taken away."""

from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.app.export_donors import FileFormat, export_donors
from reunite.app.import_donors import (
    OUTCOMES,
    DonorFileOptions,
    DonorFileReport,
    DonorRow,
    import_donors,
)
from reunite.blood.register import COLUMNS, REQUIRED
from reunite.blood.register_writing import write_csv
from reunite.blood.spreadsheet import RowFault
from reunite.kernel.errors import InvalidInputError, NotFoundError, ReuniteError
from reunite.web.blood_forms import blood_choices
from reunite.web.donor_words import CLAIM_REASONS, DONOR_COLUMNS
from reunite.web.forms import Form, at_field
from reunite.web.messages_stations import ROW_OUTCOMES
from reunite.web.page import Context, Page
from reunite.web.routing import Pages

routes = Pages()

# More takes longer than a reader waits for; the command line takes any number.
MOST_ROWS = 10_000
SHOWN_ROWS = 200


@routes.get("/blood/centre/import", access=STAFF_ONLY)
def show_import(page: Page) -> Response:
    """The form, and what a file may hold."""
    return page.render("blood/import.html", form=Form(), **_extras(page, None))


@routes.post("/blood/centre/import", access=STAFF_ONLY)
def submit_import(page: Page) -> Response:
    """Try a file, or bring it; what became of each row, on the page or as a file."""
    form, report = page.form, None
    try:
        with at_field("sheet"):
            report = _import(page)
    except ReuniteError as error:
        return page.refuse("blood/import.html", error, **_extras(page, None))
    if form.text("action") == "report":
        return Response(
            write_csv(
                _told(page, report), ("row", "number", "outcome", "column", "got", "problem")
            ),
            media_type=FileFormat.CSV.media_type,
            headers={"Content-Disposition": 'attachment; filename="reunite-report.csv"'},
        )
    return page.render("blood/import.html", **_extras(page, report))


@routes.get("/blood/centre/export/{name}", access=STAFF_ONLY)
def export(page: Page, name: str) -> Response:
    """The centre's donors as CSV or XLSX."""
    form = next((one for one in FileFormat if name == f"donors.{one.value}"), None)
    if form is None:
        raise NotFoundError
    return Response(
        export_donors(page.services, page.actor, form, page.language),
        media_type=form.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _import(page: Page) -> DonorFileReport:
    form = page.form
    data = form.upload("sheet")
    if not data:
        raise InvalidInputError("sheet_required", field="sheet")
    options = DonorFileOptions(
        dry_run=form.text("action") != "import",
        skip_faulty=form.flag("skip_faulty"),
        agreed=form.flag("agreed"),
        most_rows=MOST_ROWS,
    )
    return import_donors(page.services, page.actor, data, options)


def _told(page: Page, report: DonorFileReport) -> list[list[str]]:
    rows = []
    for row in report.rows:
        start = [str(row.row), row.reference, row.outcome]
        rows += [[*start, one.column, one.got, page.message(one.error)] for one in row.faults]
        if not row.faults:
            rows.append([*start, "", "", "" if row.claim is None else row.claim.value])
    return rows


def _extras(page: Page, report: DonorFileReport | None) -> Context:
    translate = page.web.renderers[page.language].translations.gettext

    def fault_words(fault: RowFault) -> str:
        column = translate(DONOR_COLUMNS.get(fault.column, fault.column))
        return f"{column}: {page.message(fault.error)}"

    shown: list[DonorRow] = []
    if report is not None:
        # What somebody must look at comes first.
        shown = sorted(report.rows, key=lambda row: (not row.faults, row.claim is None, row.row))
    return {
        **blood_choices(page),
        "report": report,
        "shown": shown[:SHOWN_ROWS],
        "fault_words": fault_words,
        "claim_words": CLAIM_REASONS,
        "outcome_words": ROW_OUTCOMES,
        "outcomes": OUTCOMES,
        "columns": [
            (DONOR_COLUMNS[name], aliases[0], name in REQUIRED) for name, aliases in COLUMNS.items()
        ],
        "most_rows": MOST_ROWS,
    }
