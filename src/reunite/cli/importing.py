"""``import-photos`` and ``demo``: many photos at once."""

import csv
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from reunite.api.render import MODULE_OF, SIDE_OF
from reunite.api.schemas.basics import ModuleName, SideName
from reunite.app.import_photos import (
    REFUSED,
    ImportOptions,
    ImportProgress,
    ImportReport,
    import_photos,
)
from reunite.app.make_demo import add_people, make_demo
from reunite.cli.context import err, opened, operator, out, staff_member
from reunite.cli.messages import tell, terminal_language
from reunite.cli.reports import progress_bar
from reunite.kernel.cells import safe_cell
from reunite.kernel.errors import ReuniteError


def import_command(
    source: Annotated[
        Path, typer.Argument(help="A folder (person/photo.jpg) or a CSV file with a row a photo.")
    ],
    side: Annotated[SideName, typer.Option(help="Are these people missing, or found?")],
    module: Annotated[ModuleName, typer.Option(help="Which kind of help.")],
    acting_as: Annotated[
        str,
        typer.Option(
            "--as", metavar="EMAIL", help="Staff account that brings the records; else the machine."
        ),
    ] = "",
    verified_by: Annotated[
        str, typer.Option(metavar="EMAIL", help="Staff account that answers for the source.")
    ] = "",
    *,
    publish: Annotated[
        bool, typer.Option(help="Show the records to everyone; needs --verified-by.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Photos read at a time.")] = 2,
    report: Annotated[
        Path | None, typer.Option(help="CSV file of what became of each photo.")
    ] = None,
) -> None:
    """Import photos of many people.  Cut off, it goes on where it was when started again."""
    if publish and not verified_by:
        raise typer.BadParameter("--publish needs --verified-by")
    with opened() as (_, services):
        options = ImportOptions(
            module=MODULE_OF[module],
            side=SIDE_OF[side],
            verified_by=staff_member(services, verified_by) if verified_by else None,
            publish=publish,
            threads=threads,
        )
        actor = staff_member(services, acting_as) if acting_as else operator(services)
        with progress_bar() as bar:
            task = bar.add_task("Importing", total=None, rate="")

            def show(state: ImportProgress) -> None:
                rate = f"{state.files_per_second:.1f} photos/s"
                bar.update(task, total=state.total, completed=state.done, rate=rate)

            result = import_photos(services, actor, source, options, show)
        with services.database.transaction() as transaction:
            waiting = transaction.outbox.count_waiting()
    path = report or Path(f"{source.resolve().stem}-import.csv")
    try:
        write_report(result, path)
    except OSError as error:
        raise ReuniteError("file_unwritable", path=str(path)) from error
    _print_report(result, path)
    if waiting:
        out.print(
            f"{waiting:,} records wait to be compared with the other side; "
            "`reunite serve` or `reunite worker` does that.",
            highlight=False,
        )


def demo_command(
    photos: Annotated[
        Path | None, typer.Option(help="A folder of one's own, person/photo.jpg.")
    ] = None,
) -> None:
    """Make the demonstration town, and add people of one's own to it."""
    with opened() as (config, services), err.status("Making the demonstration town …"):
        accounts = make_demo(services, config.data_directory)
        added = add_people(services, photos, config.data_directory) if photos else (0, 0)
    for account in accounts:
        out.print(
            f"{account.role:10} {account.email:28} {account.password}",
            markup=False,
            highlight=False,
        )
    if photos:
        out.print(f"Added {added[0]} missing and {added[1]} found people.", highlight=False)


def write_report(result: ImportReport, path: Path) -> None:
    """A row a photo: its name, what became of it, why, and a sentence about that."""
    language = terminal_language()
    # With a byte order mark, without which Excel takes UTF-8 for something else.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("photo", "outcome", "detail", "message"))
        for name, outcome, detail in result.outcomes:
            message = ""
            if outcome == REFUSED:
                message = tell(ReuniteError(_code_of(detail)), language)
            rows.writerow([safe_cell(text) for text in (name, outcome, detail, message)])


def _code_of(detail: str) -> str:
    return detail.partition(" ")[0].rstrip(":")


def _print_report(result: ImportReport, path: Path) -> None:
    state = result.progress
    table = Table("Outcome", "Photos")
    table.add_row("imported", f"{state.imported:,}")
    table.add_row("duplicate", f"{state.duplicates:,}")
    table.add_row("refused", f"{state.refused:,}")
    reasons = Counter(_code_of(detail) for _, what, detail in result.outcomes if what == REFUSED)
    for reason, count in reasons.most_common():
        table.add_row(f"  {reason}", f"{count:,}")
    out.print(table)
    resumed = f", {state.resumed:,} of them by an earlier run" if state.resumed else ""
    out.print(
        f"{state.done:,} photos{resumed}; {state.files_per_second:.1f} photos/s.  "
        f"What became of each: {path}",
        highlight=False,
        soft_wrap=True,
    )
