"""``stations``: organisations that look after people, and their sheets."""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from reunite.accounts.account import Actor, Role
from reunite.api.render import MODULE_OF
from reunite.api.schemas.basics import ModuleName
from reunite.app.import_residents import (
    OUTCOMES,
    REFUSED,
    ResidentOptions,
    ResidentProgress,
    ResidentReport,
    import_residents,
)
from reunite.app.services import Services
from reunite.app.stations import add_station, list_stations, set_station_clerk
from reunite.cli.context import MACHINE, get_account, opened, operator, out, staff_member
from reunite.cli.messages import tell, terminal_language
from reunite.cli.reports import progress_bar
from reunite.kernel.cells import safe_cell
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.partners.stations.columns import Column
from reunite.partners.stations.station import Station

app = typer.Typer(no_args_is_help=True, help="Relief stations and their records.")


@app.command("add")
def add_command(
    name: Annotated[str, typer.Argument(help="As people know it; unique.")],
    place: Annotated[str, typer.Option(help="Address; its town is found by name.")] = "",
    capacity: Annotated[int | None, typer.Option(min=0, help="Beds.")] = None,
    contact: Annotated[str, typer.Option(help="How reviewers reach it; never public.")] = "",
) -> None:
    """Add a station."""
    with opened() as (_, services):
        station = add_station(services, MACHINE, name, place, capacity, contact)
    out.print(f"{station.name}  {station.place_label}", markup=False, highlight=False)


@app.command("list")
def list_command() -> None:
    """Every station with the number of people it looks after."""
    with opened() as (_, services):
        views = list_stations(services, MACHINE)
    table = Table("Station", "Place", "Capacity", "Residents")
    for view in views:
        one = view.station
        table.add_row(one.name, one.place_label, str(one.capacity or ""), f"{view.residents:,}")
    out.print(table)


@app.command("clerk")
def clerk_command(
    email: Annotated[str, typer.Argument(help="A staff account.")],
    station: Annotated[str, typer.Argument(help="Name of the station; empty for none.")],
) -> None:
    """Have somebody bring the records of a station."""
    with opened() as (_, services):
        account = get_account(services, email)
        wanted = _station(services, station).id if station else None
        set_station_clerk(services, MACHINE, account.id, wanted)


@app.command("import")
def import_command(
    file: Annotated[
        Path,
        typer.Argument(
            help="XLSX or CSV with a row a person; DOCX or PDF about one; a folder of documents."
        ),
    ],
    station: Annotated[str, typer.Option(help="Whose sheet it is.")],
    photos: Annotated[Path | None, typer.Option(help="Folder with pictures by file name.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="HEAD=FACT", help="What a column holds; remembered."),
    ] = None,
    acting_as: Annotated[
        str, typer.Option("--as", metavar="EMAIL", help="The clerk; else the machine.")
    ] = "",
    module: Annotated[ModuleName, typer.Option(help="Which kind of help.")] = ModuleName.ELDER,
    *,
    dry_run: Annotated[bool, typer.Option(help="Read everything and write nothing.")] = False,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Photos read at a time.")] = 2,
    report: Annotated[Path | None, typer.Option(help="CSV of what became of each row.")] = None,
) -> None:
    """Import a sheet.  Run again after a crash or with a newer sheet, it brings up to date."""
    options = ResidentOptions(
        photos=photos,
        columns=dict(_column(one) for one in column or ()),
        module=MODULE_OF[module],
        dry_run=dry_run,
        threads=threads,
    )
    with opened() as (_, services):
        actor = staff_member(services, acting_as) if acting_as else _machine(services)
        with progress_bar() as bar:
            task = bar.add_task("Reading" if dry_run else "Importing", total=None, rate="")

            def show(state: ResidentProgress) -> None:
                rate = f"{state.rows_per_second:.0f} rows/s"
                bar.update(task, total=state.total, completed=state.done, rate=rate)

            result = import_residents(
                services, actor, _station(services, station).id, file, options, show
            )
    path = report or Path(f"{file.resolve().stem}-report.csv")
    try:
        write_report(result, path)
    except OSError as error:
        raise ReuniteError("file_unwritable", path=str(path)) from error
    _print(result, path, dry_run=dry_run)


def _machine(services: Services) -> Actor:
    # Whoever may use the machine may act for every station.
    return replace(operator(services), role=Role.ADMIN)


def _station(services: Services, name: str) -> Station:
    with services.database.transaction() as transaction:
        found = transaction.stations.find_by_name(name.strip())
    if found is None:
        raise InvalidInputError("station_unknown", name=name)
    return found


def _column(text: str) -> tuple[str, Column]:
    head, _, name = text.rpartition("=")
    known = {column.value: column for column in Column}
    if not head or name not in known:
        raise typer.BadParameter(f"{text}: HEAD=FACT, where FACT is one of {', '.join(known)}")
    return head.strip().lower(), known[name]


def write_report(result: ResidentReport, path: Path) -> None:
    """A row a row: its place, number, what became of it, why, and what could not be read."""
    language = terminal_language()
    # With a byte order mark, without which Excel takes UTF-8 for something else.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("row", "number", "outcome", "detail", "message", "warnings"))
        for one in result.outcomes:
            message = ""
            if one.outcome == REFUSED:
                message = tell(ReuniteError(one.detail.partition(" ")[0]), language)
            cells = (one.number, one.outcome, one.detail, message, "; ".join(one.warnings))
            rows.writerow([one.row, *(safe_cell(text) for text in cells)])


def _print(result: ResidentReport, path: Path, *, dry_run: bool) -> None:
    state = result.progress
    table = Table("Outcome", "Rows")
    for outcome in OUTCOMES:
        table.add_row(outcome, f"{state.counts[outcome]:,}")
    reasons = Counter(
        one.detail.partition(" ")[0] for one in result.outcomes if one.outcome == REFUSED
    )
    for reason, count in reasons.most_common():
        table.add_row(f"  {reason}", f"{count:,}")
    out.print(table)
    columns = ", ".join(f"{head} = {column.value}" for head, column in result.mapping.items())
    out.print(f"Columns: {columns}", markup=False, highlight=False, soft_wrap=True)
    if result.unknown_heads:
        unknown = ", ".join(result.unknown_heads)
        out.print(f"Not understood: {unknown}", markup=False, highlight=False, soft_wrap=True)
    said = "Nothing was written: a dry run.  " if dry_run else ""
    out.print(
        f"{said}{state.done:,} rows, {state.photos:,} photos, "
        f"{state.rows_per_second:.0f} rows/s.  What became of each: {path}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
