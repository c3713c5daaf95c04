"""Pictures of the simulation: times by way of recruiting, and what each assumption is worth."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

LABELS = {
    "telephone_1": "telephone list, 1 caller",
    "telephone_2": "telephone list, 2 callers",
    "telephone_4": "telephone list, 4 callers",
    "telephone_2_ranked": "our ranking telephoned, 2 callers",
    "broadcast": "broadcast",
    "waves": "waves",
    "waves_and_2_callers": "waves, 2 callers follow up",
}


def plot(result: dict[str, Any], path: Path) -> None:
    """Three panels in one PNG."""
    mpl.use("Agg")
    figure = Figure(figsize=(13, 4.6), layout="constrained")
    times, people, tornado = figure.subplots(1, 3, width_ratios=[1, 1, 1.3])
    ways = result["overall"]["ways"]
    names = [LABELS[way] for way in ways]
    minutes = [told["enough_minutes"] or 0 for told in ways.values()]
    times.barh(names, minutes, color=_colours(ways))
    times.set_xlabel("minutes to enough donors (median)")
    times.invert_yaxis()
    people.barh(names, [told["disturbed_mean"] for told in ways.values()], color=_colours(ways))
    people.set_xscale("log")
    people.set_xlabel("people disturbed (mean)")
    people.set_yticklabels([])
    people.invert_yaxis()
    _tornado(tornado, result)
    figure.savefig(path, dpi=110)


def _colours(ways: dict[str, Any]) -> list[str]:
    return ["#1f6f5c" if way.startswith("waves") else "#9aa7b0" for way in ways]


def _tornado(axes: Any, result: dict[str, Any]) -> None:
    base = 100 * result["median_time_reduction"]
    for place, (name, ends) in enumerate(result["sensitivity"].items()):
        low, high = (100 * (ends[end]["median_time_reduction"] or 0) for end in ("low", "high"))
        axes.plot([low, high], [place, place], color="#9aa7b0", linewidth=5)
        axes.plot([low], [place], "o", color="#c46a2d")
        axes.plot([high], [place], "o", color="#1f6f5c")
        axes.text(-60, place, name, va="center", ha="right", fontsize=8)
    axes.axvline(base, color="black", linewidth=0.8)
    axes.axvline(30, color="black", linewidth=0.8, linestyle=":")
    axes.set_xlim(-60, 100)
    axes.set_yticks([])
    axes.invert_yaxis()
    axes.set_xlabel("% sooner (orange: first value, green: second)")
