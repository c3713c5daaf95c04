"""The yardstick: Splink 5 on DuckDB, configured as its own guide advises, on given pairs.

It is given prepared columns (simplified characters, pinyin, middle of the birth years), term
frequencies of names, distances and days, learns u by random sampling and m by expectation
maximisation over three blockings, and scores exactly the candidate pairs it is handed.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pinyin
import pyarrow as pa
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from opencc import OpenCC
from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI

from evals.linkage.generator import Record

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_SIMPLIFIED = OpenCC("t2s")


def score_pairs(missing: list[Record], found: list[Record], pairs: Int64) -> Float64:
    """Match weight of every pair: float64 array of shape (n,), in the order of ``pairs``."""
    api = DuckDBAPI()
    of_missing: list[list[int]] = [[] for _ in missing]
    of_found: list[list[int]] = [[] for _ in found]
    for number, (a, b) in enumerate(pairs.tolist()):
        of_missing[a].append(number)
        of_found[b].append(number)
    tables = [
        api.register(_table(missing, of_missing), dataset_display_name="a_missing"),
        api.register(_table(found, of_found), dataset_display_name="b_found"),
    ]
    linker = Linker(tables, _settings(), log_level=None)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("name", "sex", "born_decade")], recall=0.25
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for rule in (
        # Of four sets of blockings that were tried, the one with the best F1.
        block_on("pinyin", "sex"),
        block_on("surname", "sex", "region", "born"),
        block_on("region", "seen_week", "sex"),
    ):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    scored = linker.inference.predict(threshold_match_weight=-1000).as_duckdbpyrelation()
    columns = scored.select("unique_id_l, unique_id_r, match_weight").fetchnumpy()
    weights = {
        (int(a), int(b)): float(weight)
        for a, b, weight in zip(
            columns["unique_id_l"], columns["unique_id_r"], columns["match_weight"], strict=True
        )
    }
    assert len(weights) == len(pairs), (len(weights), len(pairs))
    return np.array([weights[a, b] for a, b in pairs.tolist()])


def _table(records: list[Record], numbers: list[list[int]]) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for record, mine in zip(records, numbers, strict=True):
        name = str(_SIMPLIFIED.convert(record.name)).replace("·", "").replace(" ", "")
        sound = str(pinyin.get(name, format="strip", delimiter=" ")).lower()
        born = None
        if record.birth_first is not None and record.birth_last is not None:
            born = (record.birth_first + record.birth_last) // 2
        rows.append(
            {
                "unique_id": record.id,
                "pair": mine,
                "name": name or None,
                "surname": name[:1] or None,
                "pinyin": sound.replace(" ", "") or None,
                "sex": record.sex or None,
                "born": born,
                "born_decade": None if born is None else born // 10,
                "height": record.height_cm,
                "marks": record.marks or None,
                "dialect": record.dialect or None,
                "blood": record.blood_group or None,
                "latitude": record.latitude,
                "longitude": record.longitude,
                "region": record.region or None,
                "home": record.home_region or None,
                "seen_day": None if record.seen_on is None else record.seen_on.toordinal(),
                "seen_week": None if record.seen_on is None else record.seen_on.toordinal() // 7,
            }
        )
    return pa.Table.from_pylist(rows)


def _steps(column: str, steps: tuple[int, ...]) -> Any:
    """Levels by the absolute difference of two whole numbers."""
    return cl.CustomComparison(
        output_column_name=column,
        comparison_levels=[
            cll.NullLevel(column),
            *(
                cll.CustomLevel(f"abs({column}_l - {column}_r) <= {step}", f"within {step}")
                for step in steps
            ),
            cll.ElseLevel(),
        ],
    )


def _settings() -> SettingsCreator:
    names = cl.CustomComparison(
        output_column_name="name",
        comparison_levels=[
            cll.NullLevel("name"),
            cll.ExactMatchLevel("name", term_frequency_adjustments=True),
            cll.ExactMatchLevel("pinyin", term_frequency_adjustments=True),
            cll.LevenshteinLevel("pinyin", 1),
            cll.JaroWinklerLevel("pinyin", 0.92),
            cll.JaroWinklerLevel("pinyin", 0.8),
            cll.ExactMatchLevel("surname", term_frequency_adjustments=True),
            cll.ElseLevel(),
        ],
    )
    days = cl.CustomComparison(
        output_column_name="seen_day",
        comparison_levels=[
            cll.NullLevel("seen_day"),
            *(
                cll.CustomLevel(f"seen_day_r - seen_day_l between 0 and {most}", f"within {most}")
                for most in (3, 30, 365, 2000)
            ),
            cll.CustomLevel("seen_day_r >= seen_day_l", "later"),
            cll.ElseLevel(),
        ],
    )
    return SettingsCreator(
        link_type="link_only",
        comparisons=[
            names,
            days,
            cl.ExactMatch("sex"),
            _steps("born", (1, 3, 6, 10)),
            _steps("height", (2, 5, 9)),
            cl.DistanceInKMAtThresholds("latitude", "longitude", [2, 10, 30, 100, 300, 1000]),
            cl.ExactMatch("home"),
            cl.ExactMatch("dialect").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("marks", [0.9, 0.75, 0.6]),
            cl.ExactMatch("blood").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[block_on("pair", arrays_to_explode=["pair"])],
        retain_matching_columns=False,
    )
