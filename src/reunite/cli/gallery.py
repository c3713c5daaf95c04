"""``gallery``: the searchable copy of all faces."""

import typer

from reunite.cli import gallery_disk
from reunite.cli.context import err, opened, out

app = typer.Typer(no_args_is_help=True, help="The gallery of faces.")


app.add_typer(gallery_disk.app, name="disk")


@app.callback()
def main() -> None:
    """The gallery of faces."""


@app.command("rebuild")
def rebuild() -> None:
    """Read every face anew from the database, and say how many there are."""
    with opened() as (_, services), err.status("Reading …") as status:
        count = services.gallery.rebuild(lambda done: status.update(f"Reading … {done:,}"))
    out.print(f"{count:,} faces.", highlight=False)


@app.command("verify")
def verify() -> None:
    """Prove that every row has a record and every erased record has no row.

    Run it while no server writes the gallery; exit code 1 when something differs.
    """
    with opened() as (_, services), err.status("Reading …"):
        services.gallery.refresh()
        report = services.gallery.verify()
    if report is None:
        out.print("The gallery is in memory only: there is nothing on disk to verify.")
        return
    gallery_disk.show(report)


@app.command("compact")
def compact() -> None:
    """Take erased faces off the disk now; by itself that happens within the hour."""
    with opened() as (_, services), err.status("Rewriting …"):
        report = services.gallery.compact()
    if report is not None:
        gallery_disk.show_compaction(report)
