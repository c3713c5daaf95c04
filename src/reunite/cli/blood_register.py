"""``blood``: the register of donors: centres, their files in and out."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from reunite.app.blood_centres import (
    CentreRequest,
    add_centre,
    list_centres,
    set_centre_member,
    verify_centre,
)
from reunite.app.export_donors import FileFormat, export_donors
from reunite.app.import_donors import (
    OUTCOMES,
    DonorFileOptions,
    DonorFileReport,
    import_donors,
)
from reunite.app.services import Services
from reunite.blood.centres import BloodCentre, CentreKind
from reunite.blood.register_writing import write_csv
from reunite.cli.context import MACHINE, err, opened, out, staff_member
from reunite.cli.messages import tell, terminal_language
from reunite.kernel.errors import InvalidInputError
from reunite.web.blood_words import DISCLAIMER
from reunite.web.i18n import load_translations

centre_app = typer.Typer(no_args_is_help=True, help="Blood centres and hospitals.")
_FAULTS_SHOWN = 20
_NOT_WRITTEN = 1  # the exit code where a file was not taken

ActingAs = Annotated[
    str, typer.Option("--as", metavar="EMAIL", help="An officer who acts for the centre.")
]


@centre_app.command("add")
def add_command(
    name: Annotated[str, typer.Argument(help="As people know it; unique.")],
    kind: Annotated[CentreKind, typer.Option(help="What it is.")] = CentreKind.BLOOD_CENTRE,
    town: Annotated[int | None, typer.Option(metavar="ID", help="GeoNames id.")] = None,
    contact: Annotated[str, typer.Option(help="How it is reached.")] = "",
    rules: Annotated[str, typer.Option(help="china, uk or us.")] = "china",
    *,
    verified: Annotated[bool, typer.Option(help="Somebody has made sure who it is.")] = False,
) -> None:
    """Add a centre.  Nobody acts for it before it is verified."""
    with opened() as (_, services):
        request = CentreRequest(name, kind, town, contact, rules)
        centre = add_centre(services, MACHINE, request)
        if verified:
            verify_centre(services, MACHINE, centre.id)
    out.print(centre.name, markup=False, highlight=False)


@centre_app.command("verify")
def verify_command(
    name: Annotated[str, typer.Argument(help="Name of the centre.")],
    *,
    suspend: Annotated[bool, typer.Option(help="No longer.")] = False,
) -> None:
    """The centre is who it says."""
    with opened() as (_, services):
        verify_centre(services, MACHINE, _centre(services, name).id, verified=not suspend)


@centre_app.command("member")
def member_command(
    email: Annotated[str, typer.Argument(help="A staff account.")],
    name: Annotated[str, typer.Argument(help="Name of the centre; empty for none.")],
) -> None:
    """Have somebody act for a centre."""
    with opened() as (_, services):
        wanted = _centre(services, name).id if name else None
        set_centre_member(services, MACHINE, email, wanted)


@centre_app.command("list")
def list_command() -> None:
    """List centres, who acts for them, and how many donors they keep."""
    table = Table("Centre", "Kind", "Verified", "Donors", "Members")
    with opened() as (_, services):
        for view in list_centres(services, MACHINE):
            one = view.centre
            verified = "" if one.verified_at is None else one.verified_at.date().isoformat()
            members = ", ".join(member.email for member in view.members)
            table.add_row(one.name, one.kind.value, verified, f"{view.donors:,}", members)
    out.print(table, markup=False)


def import_command(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX with the columns id and type.")],
    acting_as: ActingAs,
    report: Annotated[Path | None, typer.Option(help="CSV of what became of each row.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option(help="Find out everything and write nothing.")] = False,
    agreed: Annotated[
        bool, typer.Option(help="These donors agreed to be asked, unless the file says no.")
    ] = False,
    skip_faulty: Annotated[bool, typer.Option(help="Go on without the rows at fault.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring a centre's file of donors: whole or not at all; again, it brings up to date.

    A recruitment suggestion for a blood centre, never transfusion advice.
    """
    if not file.is_file():
        raise InvalidInputError("file_missing", path=str(file))
    options = DonorFileOptions(dry_run=dry_run, skip_faulty=skip_faulty, agreed=agreed)
    with opened() as (_, services):
        actor = staff_member(services, acting_as)
        result = import_donors(services, actor, file.read_bytes(), options)
    rows = list(_rows(result))
    if report is not None:
        _write(report, write_csv(rows, _HEADER))
    if as_json:
        _print_json(result, rows)
    else:
        _print(result, rows, dry_run=dry_run)
    if not (result.written or dry_run):
        raise typer.Exit(_NOT_WRITTEN)


def export_command(
    file: Annotated[Path, typer.Argument(help="Where to write; .csv or .xlsx.")],
    acting_as: ActingAs,
) -> None:
    """Write the donors of a centre to a file that can be brought again."""
    form = next((one for one in FileFormat if file.suffix.lower() == f".{one.value}"), None)
    if form is None:
        raise InvalidInputError("file_format_unknown", path=str(file))
    with opened() as (_, services):
        data = export_donors(services, staff_member(services, acting_as), form, terminal_language())
    _write(file, data)
    out.print(str(file), markup=False, highlight=False)


_HEADER = ("row", "number", "outcome", "column", "got", "code", "problem", "claim")


def _rows(result: DonorFileReport) -> Iterable[list[str]]:
    """A line for each row, or one for each of its faults."""
    language = terminal_language()
    for row in result.rows:
        start = [str(row.row), row.reference, row.outcome]
        for one in row.faults:
            yield [*start, one.column, one.got, one.error.code, tell(one.error, language), ""]
        if not row.faults:
            yield [*start, "", "", "", "", "" if row.claim is None else row.claim.value]


def _print_json(result: DonorFileReport, rows: list[list[str]]) -> None:
    told = {
        "note": load_translations(terminal_language()).gettext(DISCLAIMER),
        "written": result.written,
        "counts": result.counts,
        "claims": result.claims,
        "rows": [dict(zip(_HEADER, row, strict=True)) for row in rows],
    }
    print(json.dumps(told, ensure_ascii=False, indent=1))


def _print(result: DonorFileReport, rows: list[list[str]], *, dry_run: bool) -> None:
    note = load_translations(terminal_language()).gettext(DISCLAIMER)
    out.print(note, style="yellow", markup=False)
    faulty = [row for row in rows if row[5]]
    for number, _, _, column, got, _, problem, _ in faulty[:_FAULTS_SHOWN]:
        err.print(f"{number}, {column}, “{got}”: {problem}", markup=False, soft_wrap=True)
    if len(faulty) > _FAULTS_SHOWN:
        err.print(f"… +{len(faulty) - _FAULTS_SHOWN}", markup=False)
    table = Table("Outcome", "Rows")
    for outcome in OUTCOMES:
        table.add_row(outcome, f"{result.counts[outcome]:,}")
    if result.claims:
        table.add_row("like another centre's", f"{result.claims:,}")
    out.print(table, markup=False)
    if dry_run:
        out.print("Nothing was written: a dry run.", markup=False)
    elif not result.written:
        out.print("Nothing was written: mend the rows, or use --skip-faulty.", markup=False)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InvalidInputError("file_unwritable", path=str(path)) from error


def _centre(services: Services, name: str) -> BloodCentre:
    with services.database.transaction() as transaction:
        found = transaction.blood_centres.find_by_name(name.strip())
    if found is None:
        raise InvalidInputError("centre_unknown", name=name)
    return found
