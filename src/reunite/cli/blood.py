"""``blood match``: who could give to a patient, from a blood centre's own file of donors.

Nothing is stored and no database is needed.
"""

import csv
import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from reunite.blood.compatibility import Need, judge
from reunite.blood.deferral import DonationKind, RuleSet, load_rules, next_eligible
from reunite.blood.matching import Donor, DonorPool, Matches, match
from reunite.blood.notation import parse_phenotype
from reunite.blood.register import RegisterEntry, RegisterFile, read_register
from reunite.blood.rules import POLICIES, Component, Grade, Policy
from reunite.blood.spelling import format_phenotype
from reunite.blood.spreadsheet import RowFault
from reunite.blood.stock import read_stock, units_for
from reunite.cli.context import err, out
from reunite.cli.messages import tell, terminal_language
from reunite.kernel.cells import safe_cell
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language
from reunite.kernel.places import Point
from reunite.web.blood_words import DISCLAIMER, GRADES, reason_of
from reunite.web.i18n import load_translations

app = typer.Typer(no_args_is_help=True, help="Rare blood.")
_FAULTS_SHOWN = 20
_GIVES = {
    Component.RED_CELLS: DonationKind.WHOLE_BLOOD,
    Component.PLASMA: DonationKind.PLASMA,
    Component.PLATELETS: DonationKind.PLATELETS,
}


@app.callback()
def main() -> None:
    """Rare blood."""


@app.command("match")
def match_command(
    patient: Annotated[str, typer.Option(help='Such as "O Rh-", "孟买型", "B+ anti-Jk3".')],
    donors: Annotated[Path, typer.Option(help="CSV or XLSX with the columns id and type.")],
    component: Annotated[Component, typer.Option(help="What is needed.")] = Component.RED_CELLS,
    at: Annotated[str, typer.Option(metavar="LAT,LON", help="Where the blood is needed.")] = "",
    on: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="Day of donation; else today.")
    ] = "",
    rules: Annotated[
        str, typer.Option(help="china, uk, us or a file of deferral rules.")
    ] = "china",
    policy: Annotated[str, typer.Option(help="default, china or china_del_positive.")] = "default",
    limit: Annotated[int, typer.Option(min=1, help="How many donors to list.")] = 20,
    report: Annotated[Path | None, typer.Option(help="CSV file of the rows at fault.")] = None,
    stock: Annotated[
        Path | None, typer.Option(help="CSV or XLSX of units in stock: unit, type, expires on.")
    ] = None,
    *,
    childbearing: Annotated[bool, typer.Option(help="The patient may bear children.")] = False,
    typing: Annotated[
        bool, typer.Option(help="List whom typing would be worth it for, too.")
    ] = False,
    skip_faulty: Annotated[bool, typer.Option(help="Go on without the rows at fault.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List donors for a patient, best first.

    A recruitment suggestion for a blood centre, never transfusion advice.
    """
    language = terminal_language()
    need = Need(parse_phenotype(patient), component, childbearing, _policy(policy))
    day = _day(on)
    file = _read(donors, report, language, skip_faulty=skip_faulty)
    here = _point(at)
    units = _units(stock, need, here, day, language, skip_faulty=skip_faulty)
    listed, waiting = _donors(file, load_rules(rules), _GIVES[component], day)
    worst = Grade.NEEDS_TYPING if typing else Grade.LAST_RESORT
    found = match(DonorPool.pack(listed), need, here or Point(0, 0), day, worst=worst)
    rows = _rows(file.entries, need, found, limit, language, placed=here is not None)
    if as_json:
        _print_json(rows, units, need, found, waiting, language)
    else:
        _print_table(rows, units, need, found, waiting, language)


def _policy(name: str) -> Policy:
    if name not in POLICIES:
        raise InvalidInputError("choice_unknown", field="policy")
    return POLICIES[name]


def _day(written: str) -> date:
    if not written:
        return date.today()  # noqa: DTZ011  (the operator's own day)
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise InvalidInputError("date_invalid", field="on") from error


def _point(written: str) -> Point | None:
    if not written:
        return None
    try:
        latitude, longitude = map(float, written.split(","))
    except ValueError as error:
        raise InvalidInputError("coordinates_invalid", field="at") from error
    return Point(latitude, longitude)


def _read(
    path: Path, report: Path | None, language: Language, *, skip_faulty: bool
) -> RegisterFile:
    """The file; without ``skip_faulty`` all of it or nothing."""
    if not path.is_file():
        raise InvalidInputError("file_missing", path=str(path))
    file = read_register(path.read_bytes())
    if report is not None:
        _write_report(file.faults, report, language)
    for fault in file.faults[:_FAULTS_SHOWN]:
        err.print(_fault_text(fault, language), markup=False, soft_wrap=True)
    if len(file.faults) > _FAULTS_SHOWN:
        err.print(f"… +{len(file.faults) - _FAULTS_SHOWN}", markup=False)
    if file.faults and not skip_faulty:
        raise InvalidInputError("register_faulty", faulty=file.faulty_rows, rows=file.rows)
    return file


def _fault_text(fault: RowFault, language: Language) -> str:
    return f"{fault.row}, {fault.column}, “{fault.got}”: {tell(fault.error, language)}"


def _write_report(faults: tuple[RowFault, ...], path: Path, language: Language) -> None:
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as target:
            writer = csv.writer(target)
            writer.writerow(["row", "column", "got", "code", "problem"])
            for fault in faults:
                # What a spreadsheet would run as a formula becomes text.
                got = safe_cell(fault.got)
                problem = tell(fault.error, language)
                writer.writerow([fault.row, fault.column, got, fault.error.code, problem])
    except OSError as error:
        raise InvalidInputError("file_unwritable", path=str(path)) from error


def _donors(
    file: RegisterFile, rules: RuleSet, kind: DonationKind, day: date
) -> tuple[list[Donor], dict[int, date | None]]:
    """Donors of the file, and since when each may give."""
    listed, waiting = [], {}
    for number, entry in enumerate(file.entries):
        eligible = next_eligible(rules, entry.facts, kind, day).earliest
        waiting[number] = eligible
        listed.append(
            Donor(number, entry.phenotype, entry.point, eligible, confirmed=entry.confirmed)
        )
    return listed, waiting


def _rows(
    entries: tuple[RegisterEntry, ...],
    need: Need,
    found: Matches,
    limit: int,
    language: Language,
    *,
    placed: bool,
) -> list[dict[str, Any]]:
    translations = load_translations(language)
    distances = found.distances_km(limit)
    rows = []
    for place, number in enumerate(found.ids[:limit].tolist()):
        entry = entries[number]
        verdict = judge(entry.phenotype, need)
        known = placed and entry.point is not None
        rows.append(
            {
                "donor": entry.reference,
                "type": format_phenotype(entry.phenotype, language),
                "confirmed": entry.confirmed,
                "grade": verdict.grade.name.lower(),
                "distance_km": round(float(distances[place]), 1) if known else None,
                "crossmatch": verdict.crossmatch,
                "reasons": [
                    {
                        "rule": finding.rule,
                        "text": reason_of(finding, translations),
                        "sources": [source.url or source.title for source in finding.sources],
                    }
                    for finding in verdict.findings
                ],
            }
        )
    return rows


def _counts(found: Matches) -> dict[str, int]:
    counts = {grade.name.lower(): number for grade, number in found.graded.items()}
    return {**counts, "deferred": found.deferred}


def _units(
    path: Path | None,
    need: Need,
    here: Point | None,
    day: date,
    language: Language,
    *,
    skip_faulty: bool,
) -> list[dict[str, Any]]:
    """Units in stock that suit the patient: they come before any donor."""
    if path is None:
        return []
    if not path.is_file():
        raise InvalidInputError("file_missing", path=str(path))
    file = read_stock(path.read_bytes())
    for fault in file.faults[:_FAULTS_SHOWN]:
        err.print(_fault_text(fault, language), markup=False, soft_wrap=True)
    if file.faults and not skip_faulty:
        faulty = len({fault.row for fault in file.faults})
        raise InvalidInputError("register_faulty", faulty=faulty, rows=len(file.units) + faulty)
    return [
        {
            "unit": unit.number,
            "type": format_phenotype(unit.phenotype, language),
            "centre": unit.centre,
            "expires_on": unit.expires_on.isoformat(),
            "grade": verdict.grade.name.lower(),
        }
        for unit, verdict in units_for(need, file.units, here, day)
    ]


def _print_json(
    rows: list[dict[str, Any]],
    units: list[dict[str, Any]],
    need: Need,
    found: Matches,
    waiting: dict[int, date | None],
    language: Language,
) -> None:
    told = {
        "note": load_translations(language).gettext(DISCLAIMER),
        "patient": format_phenotype(need.patient, language),
        "component": need.component.value,
        "policy": need.policy.name,
        "donors_read": len(waiting),
        "counts": _counts(found),
        "stock": units,
        "found": len(found),
        "donors": rows,
    }
    print(json.dumps(told, ensure_ascii=False, indent=1))


def _print_table(
    rows: list[dict[str, Any]],
    units: list[dict[str, Any]],
    need: Need,
    found: Matches,
    waiting: dict[int, date | None],
    language: Language,
) -> None:
    translations = load_translations(language)
    note = translations.gettext(DISCLAIMER)
    out.print(note, style="yellow", markup=False)
    out.print(format_phenotype(need.patient, language), markup=False, highlight=False)
    if units:
        shelf = Table("Unit in stock", "Type", "Grade", "Centre", "Expires")
        for unit in units:
            grade = translations.gettext(GRADES[Grade[unit["grade"].upper()]])
            shelf.add_row(unit["unit"], unit["type"], grade, unit["centre"], unit["expires_on"])
        out.print(shelf, markup=False)
    table = Table("Donor", "Type", "Grade", "km", "Why")
    for row in rows:
        grade = translations.gettext(GRADES[Grade[row["grade"].upper()]])
        km = "" if row["distance_km"] is None else f"{row['distance_km']:,.1f}"
        why = " ".join(reason["text"] for reason in row["reasons"])
        table.add_row(row["donor"], row["type"], grade, km, why)
    out.print(table, markup=False)
    counts = _counts(found)
    out.print(
        ", ".join(f"{name.replace('_', ' ')}: {number:,}" for name, number in counts.items())
        + f"; {len(found):,} / {len(waiting):,}",
        markup=False,
        highlight=False,
    )
    out.print(note, style="yellow", markup=False)
