"""``gallery disk``: upkeep of a gallery's folder, without the database."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from reunite.cli.context import err, out
from reunite.gallery.engine import SegmentGallery
from reunite.gallery.reports import CompactionReport, VerifyReport

app = typer.Typer(no_args_is_help=True, help="The gallery's files.")

Folder = Annotated[Path, typer.Argument(help="The gallery's folder.", exists=True)]


@app.command("status")
def status(folder: Folder) -> None:
    """How many faces, segments and bytes there are."""
    with SegmentGallery(folder, writable=False) as gallery:
        about = gallery.status()
        space = gallery.space
    table = Table(show_header=False)
    table.add_row("Faces", f"{about.live:,}")
    table.add_row("Removed, still on disk", f"{about.dead:,}")
    table.add_row("Segments, partitions", f"{about.segments:,}, {about.partitions:,}")
    table.add_row("Newest, in memory", f"{about.tail:,}")
    table.add_row("Bytes on disk, scanned", f"{about.size_bytes:,}, {about.hot_bytes:,}")
    table.add_row("Model", f"{space.model_digest[:12]}, {space.dim} dimensions")
    out.print(table)


@app.command("compact")
def compact(folder: Folder) -> None:
    """Take removed faces off the disk now."""
    with SegmentGallery(folder) as gallery, err.status("Rewriting …"):
        report = gallery.compact()
    show_compaction(report)


@app.command("verify")
def verify(
    folder: Folder,
    ids: Annotated[
        typer.FileText | None, typer.Option(help="Ids that must be held, one a line; - for input.")
    ] = None,
) -> None:
    """Read every file and compare its checksum; with --ids, rows against records too."""
    with SegmentGallery(folder, writable=False) as gallery, err.status("Reading …"):
        wanted = gallery.template_ids() if ids is None else (int(one) for one in ids)
        report = gallery.verify(wanted)
    show(report)


def show_compaction(report: CompactionReport) -> None:
    """What a compaction did."""
    out.print(
        f"{report.rows_erased:,} rows erased in {report.elapsed_seconds:.1f} s; "
        f"{report.segments_after} segments.",
        highlight=False,
    )


def show(report: VerifyReport) -> None:
    """What verifying found; exit code 1 when it is not sound."""
    out.print(f"{report.live:,} live rows.", highlight=False)
    for name in report.damaged_segments:
        err.print(f"Damaged: {name}. Rebuild the gallery.", style="red")
    for text, found in (
        ("Rows without a record", report.rows_without_record),
        ("Records without a row", report.records_without_row),
        ("Ids with several rows", report.repeated),
    ):
        if len(found):
            err.print(f"{text}: {len(found):,}, such as {found[:5].tolist()}", style="red")
    out.print(
        f"{report.awaiting_erasure:,} removed rows await compaction, the oldest for "
        f"{report.oldest_erasure_seconds / 3600:.1f} h.",
        highlight=False,
    )
    if not report.is_sound:
        raise typer.Exit(1)
