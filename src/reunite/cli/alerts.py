"""``alert``: try an alert at full size without telling anybody."""

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from reunite.alerts.audience_index import AudienceIndex
from reunite.alerts.invention import iter_invented
from reunite.alerts.positions import Positions, no_positions
from reunite.alerts.radius import LARGEST_RADIUS_KM
from reunite.app.bootstrap import open_services, read_config
from reunite.app.simulate_alert import SimulatedAlert, simulate_alert
from reunite.cli.context import err, out
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.places import Town, list_towns
from reunite.web.towns import find_typed_town

app = typer.Typer(no_args_is_help=True, help="Alerts.")
_SHARES = (0.01, 0.5, 0.9, 1.0)


@app.callback()
def main() -> None:
    """Alerts."""


@app.command("simulate")
def simulate_command(
    city: Annotated[str, typer.Option(help="Where somebody is lost, e.g. Hangzhou or 杭州.")],
    volunteers: Annotated[
        int, typer.Option(min=1, help="How many to invent in the towns of the country.")
    ] = 1_000_000,
    radius_km: Annotated[
        float, typer.Option(min=0.1, max=LARGEST_RADIUS_KM, help="How far the alert reaches.")
    ] = 30.0,
    plot: Annotated[Path | None, typer.Option(help="Draw when people were told, as a PNG.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell invented volunteers of a trial case, in a database of its own that is thrown away.

    Everything else is real: the choice of the audience, the durable queue, the inboxes.
    """
    country = read_config().settings.country
    town = find_typed_town(city, country)
    if town is None:
        raise InvalidInputError("town_unknown", field="city")
    with _bar() as bar:
        index = _index(volunteers, list_towns(country), bar)
        result = _run(index, town, radius_km, bar)
    if plot is not None:
        _draw(result, town, plot)
    _show(result, volunteers, town, radius_km, as_json=as_json)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=err)


def _index(volunteers: int, towns: tuple[Town, ...], bar: Progress) -> AudienceIndex:
    task = bar.add_task("Inventing", total=volunteers)
    parts = [no_positions()]
    for part in iter_invented(volunteers, towns):
        parts.append(part)
        bar.advance(task, len(part))
    sorting = bar.add_task("Sorting", total=volunteers)
    index = AudienceIndex(Positions.together(*parts))
    bar.update(sorting, completed=volunteers)
    return index


def _run(index: AudienceIndex, town: Town, radius_km: float, bar: Progress) -> SimulatedAlert:
    with tempfile.TemporaryDirectory(prefix="reunite-trial-") as folder:
        # The server's own account must reach its data.
        Path(folder).chmod(0o755)
        config = replace(read_config(), data_directory=Path(folder), database_url=None)
        with open_services(config) as services:
            task = bar.add_task("Telling", total=None)
            return simulate_alert(
                services,
                index,
                town.point,
                radius_km,
                lambda told, of: bar.update(task, completed=told, total=of),
            )


def _show(
    result: SimulatedAlert, volunteers: int, town: Town, radius_km: float, *, as_json: bool
) -> None:
    figures = {
        "volunteers": volunteers,
        "recipients": result.recipients,
        "may_be_disturbed": result.may_push,
        "preview_seconds": result.preview_seconds,
        "queued_seconds": result.queued_seconds,
        **{f"told_{share:.0%}_seconds": result.seconds_until(share) for share in _SHARES},
    }
    if as_json:
        out.print_json(json.dumps({"city": town.name_en, "radius_km": radius_km, **figures}))
        return
    table = Table(title=f"{town.name_zh} {town.name_en}, {radius_km:g} km", show_header=False)
    for name, value in figures.items():
        words = name.removesuffix("_seconds").replace("_", " ")
        is_time = name.endswith("_seconds")
        table.add_row(words, f"{value:,.3f} s" if is_time else f"{value:,}")
    out.print(table)


def _draw(result: SimulatedAlert, town: Town, path: Path) -> None:
    # Only here: it takes a second to load.
    os.environ.setdefault("MPLBACKEND", "Agg")
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    axes.step(
        [0.0, result.queued_seconds, *(seconds for seconds, _ in result.told)],
        [0, 0, *(people for _, people in result.told)],
        where="post",
        color="#1d6f5c",
    )
    axes.axvline(result.queued_seconds, color="#b8bfc6", linestyle=":", label="all queued")
    axes.set_xlabel("seconds after the press on publish")
    axes.set_ylabel("people with the notice in their inbox")
    axes.set_title(f"{town.name_en}: {result.recipients:,} told", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)
