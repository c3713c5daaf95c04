"""Cells of spreadsheets: text that a program must show and not run."""

from typing import Final

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """Text for a spreadsheet, which must show "=cmd|…" and not run it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def cell_text(cell: str) -> str:
    """What ``safe_cell`` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS) else cell
