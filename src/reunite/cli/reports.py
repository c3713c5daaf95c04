"""What imports have in common: a bar while they run, and tables of what became of each row."""

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from reunite.cli.context import err

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """Text for a spreadsheet, which must show "=cmd|…" and not run it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def progress_bar() -> Progress:
    """A bar on the terminal; its tasks have a field ``rate``."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=err,
    )
