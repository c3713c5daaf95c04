"""``partners export``: write cases into a CSV, XLSX or JSON file."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from reunite.app.export_cases import COLUMNS, ExportPurpose, Row, iter_export
from reunite.cli.context import MACHINE, opened, out
from reunite.kernel.errors import InvalidInputError

# What a spreadsheet program would take for a formula, and run.
FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")


def export_command(
    path: Annotated[Path, typer.Argument(help="File to write: .csv, .xlsx or .json.")],
    purpose: Annotated[ExportPurpose, typer.Option(help="What the table is for.")],
) -> None:
    """Write cases into a table, as far as its purpose and the families' consent allow."""
    writers = {".csv": write_csv, ".xlsx": write_xlsx, ".json": write_json}
    write = writers.get(path.suffix.lower())
    if write is None:
        raise InvalidInputError("choice_unknown", field="path")
    with opened() as (_, services):
        count = write(path, COLUMNS[purpose], iter_export(services, MACHINE, purpose))
    out.print(f"{count} cases written to {path}.", markup=False, highlight=False)


def write_csv(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> int:
    """UTF-8 with a mark that spreadsheet programs know it by; how many rows."""
    count = 0
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_harmless(row[column]) for column in columns])
            count += 1
    return count


def write_xlsx(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> int:
    """One sheet; every text is a text, whatever it begins with."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("cases")
    sheet.append(list(columns))
    count = 0
    for row in rows:
        cells = []
        for column in columns:
            value = row[column]
            cell = WriteOnlyCell(sheet, value=_printable(value))
            if isinstance(value, str):
                cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
        count += 1
    book.save(path)
    return count


def write_json(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> int:
    """A list of objects."""
    found = [{column: row[column] for column in columns} for row in rows]
    path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return len(found)


def _harmless(value: str | int | None) -> str | int | None:
    if isinstance(value, str) and value.startswith(FORMULA_BEGINNINGS):
        return f"'{value}"
    return value


def _printable(value: str | int | None) -> str | int | None:
    # XLSX is XML, which has no control characters.
    if not isinstance(value, str):
        return value
    return "".join(c for c in value if c.isprintable() or c in "\n\t")
