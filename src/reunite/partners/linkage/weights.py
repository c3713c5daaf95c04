"""The numbers of ``weights.toml``, read once."""

import tomllib
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import log2
from typing import Any


@cache
def weights() -> dict[str, Any]:
    """Every table of ``weights.toml``; sources are part of it.

    Raises ValueError where the shares of a table do not add up to one.
    """
    text = files("reunite.partners.linkage").joinpath("weights.toml").read_text("utf-8")
    table: dict[str, Any] = tomllib.loads(text)
    for shares in (
        list(_numbers(table["names"]["full"]).values()),
        list(_numbers(table["names"]["partial"]).values()),
        table["place"]["m_week"],
        table["place"]["m_later"],
        table["place"]["u"],
        table["time"]["m"],
        table["face"]["m"],
        table["face"]["u"],
        table["face"]["u_child"],
    ):
        if abs(sum(shares) - 1) > 0.005:  # noqa: PLR2004
            raise ValueError(f"shares that do not add up to one: {shares}")
    for edges in (table["place"]["edges_km"], table["time"]["edges_days"], table["face"]["edges"]):
        if any(a >= b for a, b in pairwise(edges)):
            raise ValueError(f"edges run upwards: {edges}")
    return table


def _numbers(table: dict[str, Any]) -> dict[str, float]:
    return {key: value for key, value in table.items() if key != "source"}


def bits(m: float, u: float) -> float:
    """The weight of evidence that mates show with share ``m`` and strangers with ``u``."""
    return log2(m / u)
