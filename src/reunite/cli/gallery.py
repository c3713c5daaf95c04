"""``gallery``: the searchable copy of all faces."""

import typer

from reunite.cli.context import err, opened, out

app = typer.Typer(no_args_is_help=True, help="The gallery of faces.")


@app.callback()
def main() -> None:
    """The gallery of faces."""


@app.command("rebuild")
def rebuild() -> None:
    """Read every face anew from the database, and say how many there are."""
    with opened() as (_, services), err.status("Reading …") as status:
        count = services.gallery.rebuild(lambda done: status.update(f"Reading … {done:,}"))
    out.print(f"{count:,} faces.", highlight=False)
