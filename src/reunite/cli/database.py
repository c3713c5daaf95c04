"""``db``: the system of record."""

import sys

import typer
from rich.table import Table

from reunite.app.bootstrap import inspect_database, read_config
from reunite.app.count_outcomes import count_outcomes
from reunite.cli.context import opened, out

app = typer.Typer(no_args_is_help=True, help="The database.")


@app.command("upgrade")
def upgrade() -> None:
    """Apply every migration that the database lacks, all of them or none."""
    with opened():
        out.print("The database is as this release needs it.", highlight=False)


@app.command("dsn")
def dsn() -> None:
    """Print the address of the database, for psql and pg_dump; it is up until Ctrl-C.

    A database that another process keeps running stays up by itself.
    """
    with inspect_database(read_config()) as state:
        out.print(state.dsn, highlight=False, soft_wrap=True, markup=False)
        if sys.stdin.isatty():
            typer.prompt("Press Enter when you are done", default="", show_default=False)


@app.command("status")
def status() -> None:
    """Where the database is and what it holds; exit code 1 when it needs an upgrade."""
    with inspect_database(read_config()) as state:
        if not state.is_current:
            out.print(
                f"The database is at {state.revision or 'nothing yet'}, this release needs "
                f"{state.newest}: run `reunite db upgrade`.",
                highlight=False,
            )
            raise typer.Exit(1)
    with opened() as (config, services):
        services.database.ping()
        counted = count_outcomes(services)
        with services.database.transaction() as transaction:
            waiting = transaction.outbox.count_waiting()
    table = Table(show_header=False)
    place = "REUNITE_DATABASE_URL" if config.database_url else str(config.data_directory)
    table.add_row("Database", place)
    table.add_row("Migrations", "current")
    table.add_row("Searches", f"{sum(one.reported for one in counted.modules):,}")
    table.add_row("Found people, open", f"{sum(one.found_records for one in counted.modules):,}")
    table.add_row("Volunteers", f"{counted.volunteers:,}")
    table.add_row("Faces", f"{counted.templates:,}")
    table.add_row("Synthetic faces", f"{counted.synthetic_templates:,}")
    table.add_row("Messages waiting", f"{waiting:,}")
    out.print(table)
