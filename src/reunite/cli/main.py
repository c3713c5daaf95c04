"""The command ``reunite``."""

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from reunite.cli import (
    alerts,
    blood,
    blood_register,
    database,
    faces,
    gallery,
    partners,
    stations,
    users,
)
from reunite.cli.bot import bot_command
from reunite.cli.context import Commands, out
from reunite.cli.doctor import doctor_command
from reunite.cli.importing import demo_command, import_command
from reunite.cli.matching import match_command
from reunite.cli.searching import search_command
from reunite.cli.serving import run_command, serve_command, worker_command

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    # Their tracebacks show local variables, which may be somebody's name or password.
    pretty_exceptions_enable=False,
    help="Reunite: bring lost people home.",
)
app.command("run")(run_command)
app.command("serve")(serve_command)
app.command("worker")(worker_command)
app.command("bot")(bot_command)
app.command("import-photos")(import_command)
app.command("match")(match_command)
app.command("search")(search_command)
app.command("demo")(demo_command)
app.command("doctor")(doctor_command)
app.add_typer(database.app, name="db")
app.add_typer(users.app, name="user")
app.add_typer(gallery.app, name="gallery")
app.add_typer(stations.app, name="stations")
app.add_typer(alerts.app, name="alert")
app.add_typer(faces.app, name="faces")
app.add_typer(blood.app, name="blood")
blood.app.command("import")(blood_register.import_command)
blood.app.command("export")(blood_register.export_command)
blood.app.add_typer(blood_register.centre_app, name="centre")
app.add_typer(partners.app, name="partners")


def _print_version(wanted: bool) -> None:  # noqa: FBT001  (typer calls it so)
    if wanted:
        try:
            number = version("reunite")
        except PackageNotFoundError:  # run from a folder of sources
            number = "(not installed)"
        out.print(f"reunite {number}", highlight=False)
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Reunite: bring lost people home."""
