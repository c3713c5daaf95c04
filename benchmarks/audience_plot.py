"""The audience benchmark as a picture."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

_MILLION = 1e6


def plot(result: dict[str, Any], path: Path) -> None:
    """Rates of the same circle, ours and the others', and ours by area."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    rates = {
        "Reunite": result["users_per_second"],
        "Reunite, many moved": result["users_per_second_with_recent"],
        "PostgreSQL cells": result.get("postgres_users_per_second", 0.0),
        "brute force, sorted": result["bruteforce_users_per_second"],
        "brute force": result["bruteforce_unsorted_users_per_second"],
    }
    names = sorted(rates, key=lambda name: rates[name])
    bars = left.barh(
        names,
        [rates[name] / _MILLION for name in names],
        color=["#1d6f5c" if name.startswith("Reunite") else "#b8bfc6" for name in names],
    )
    left.bar_label(bars, fmt="%.3g", padding=3)
    left.set_xscale("log")
    left.set_xlabel("million people a second, 10 km around a city")
    left.set_title(
        f"{result['audience']:,} of {result['volunteers']:,}; wrong: {result['members_wrong']}",
        fontsize=10,
    )
    areas = result["users_per_second_by_area"]
    bars = right.bar(
        [f"{name.replace('_', ' ')}\n{result['people'][name]:,}" for name in areas],
        [result["ms"][name] for name in areas],
        color="#1d6f5c",
    )
    right.bar_label(bars, fmt="%.2g")
    right.set_ylabel("milliseconds")
    right.tick_params(axis="x", labelsize=8)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
