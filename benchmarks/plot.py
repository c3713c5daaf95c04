"""The figures of one run as a picture and as a table."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

_MILLION = 1e6


def plot(result: dict[str, Any], path: Path) -> None:
    """One bar an index, with the bandwidth of the machine as a line."""
    rates = {
        "Reunite, 64 probes": result["batch64_pairs_per_second"],
        "Reunite, one probe, re-ranked": result["single_faces_per_second"],
        **result["others_faces_per_second"],
    }
    names = sorted(rates, key=lambda name: rates[name])
    figure, axes = plt.subplots(figsize=(9, 4.5), layout="constrained")
    bars = axes.barh(
        [name.replace("_", " ") for name in names],
        [rates[name] / _MILLION for name in names],
        color=["#1d6f5c" if name.startswith("Reunite") else "#b8bfc6" for name in names],
    )
    axes.bar_label(bars, fmt="%.0f", padding=3)
    limit = result["bandwidth_faces_per_second"] / _MILLION
    axes.axvline(limit, color="#b3462c", linestyle="--", linewidth=1)
    axes.text(limit, -0.9, f" reading 64 bytes a face: {limit:.0f}", color="#b3462c", fontsize=8)
    axes.set_xlabel("million faces a second")
    axes.set_title(
        f"{result['faces']:,} faces, {result['dim']} dimensions; mate in the first 50: "
        f"{result['mate50_ours']:.3f}, exact {result['mate50_exact']:.3f}",
        fontsize=10,
    )
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value / _MILLION:,.0f} M" if value >= _MILLION else f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def table(result: dict[str, Any]) -> str:
    """Every figure on a line of a Markdown table."""
    lines = ["| what | figure |", "| --- | ---: |"]
    for name, value in result.items():
        if isinstance(value, dict):
            lines += [f"| {name}: {key} | {_shown(one)} |" for key, one in value.items()]
        else:
            lines.append(f"| {name} | {_shown(value)} |")
    return "\n".join(lines)
