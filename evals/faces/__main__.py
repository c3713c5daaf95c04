"""How well young faces find grown ones, on people whom nobody tuned on.

python -m evals.faces --data DIR --split dev|sealed --json

The sealed half of a folder is for one run at the end; see ``docs/faces.md``.
"""

import argparse
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evals.faces.layouts import Split, detect_layout, is_sealed, read_folder
from evals.faces.methods import make_methods
from evals.faces.plots import plot
from evals.faces.protocol import Tried, figures_of, folds_of, slices_of, try_method
from evals.faces.reading import Reader, Source, joined, nameless, people_of
from evals.faces.strangers import without_people
from reunite.faces.engine import FaceEngine
from reunite.faces.registry import load_registry

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "evals" / "results"


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    registry = load_registry(options.models)
    engine = FaceEngine.from_registry(registry, options.embedder, intra_op_threads=2)
    report, tried = measure(options, engine)
    if options.write:
        name = f"faces-{options.data.name}-{options.split}"
        options.results.mkdir(parents=True, exist_ok=True)
        text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
        (options.results / f"{name}.json").write_text(text, encoding="utf-8")
        plot(tried, f"{options.data.name}, {options.split}", options.results / f"{name}.png")
    if options.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        _print_table(report["methods"])


def measure(
    options: argparse.Namespace, engine: FaceEngine
) -> tuple[dict[str, Any], dict[str, list[Tried]]]:
    """What the result file holds, and the trials behind it."""
    split = Split(options.split)
    everybody = read_folder(options.data, detect_layout(options.data))
    photos = everybody
    if split is Split.DEV:
        # Not even read: what is sealed cannot leak into a figure that somebody looks at.
        photos = [photo for photo in photos if not is_sealed(photo.person)]
    reader = Reader(engine, options.cache)
    rows, digest = reader.rows(Source(options.data, photos))
    people = people_of(photos)
    folds = folds_of(people, split, options.folds, options.seed)
    methods = make_methods(rows, people)
    tried = {name: try_method(method, people, folds) for name, method in methods.items()}
    figures = figures_of(tried, options.draws)
    report = _headline(figures, list(methods)[-1]) | {
        "split": split.value,
        "data": options.data.name,
        "data_digest": digest,
        "identities": len(np.unique(np.concatenate([people.ids[on] for _, on in folds]))),
        "photos": int(sum(on.sum() for _, on in folds)),
        "gallery_people": [len(np.unique(people.ids[on & ~people.young])) for _, on in folds],
        "embedder": {"name": engine.model.name, "sha256": engine.model.sha256},
        "commit": _commit(),
        "methods": figures,
    }
    if not np.isnan(people.ages).all():
        report["slices"] = {name: slices_of(one) for name, one in tried.items()}
    if options.distractors:
        named = {photo.person for photo in everybody}
        report["with_distractors"] = _crowded(options, photos, named, reader)
    return report, tried


def _headline(figures: Mapping[str, Any], ours: str) -> dict[str, Any]:
    """The figures of the last method and of the yardstick, side by side."""
    yardstick = {
        f"baseline_{key}": value
        for key, value in figures["baseline"].items()
        if not key.startswith("gain_")
    }
    return {"method": ours} | figures[ours] | yardstick


def _crowded(
    options: argparse.Namespace, photos: list[Any], named: set[str], reader: Reader
) -> dict[str, Any]:
    """The same searches among strangers as well."""
    rows = [reader.rows(Source(options.data, photos))[0]]
    crowd = list(photos)
    dropped: list[str] = []
    for folder in options.distractors:
        strangers, left_out = without_people(read_folder(folder), named)
        strangers = strangers[: options.most_distractors - (len(crowd) - len(photos))]
        dropped += left_out
        if strangers:
            rows.append(reader.rows(Source(folder, strangers))[0])
            crowd += nameless(strangers)
    people = people_of(crowd)
    folds = folds_of(people, Split(options.split), options.folds, options.seed)
    tried = {
        name: try_method(method, people, folds, strangers=True)
        for name, method in make_methods(joined(rows), people).items()
    }
    return {
        "strangers": len(crowd) - len(photos),
        "names_left_out": len(dropped),
        "methods": figures_of(tried, draws=options.draws),
    }


def _commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()


def _print_table(figures: Mapping[str, Mapping[str, Any]]) -> None:
    names = ("rank1", "rank10", "rank50", "tpr_at_fpr_1e2", "tpr_at_fpr_1e3", "tpr_at_fpr_1e4")
    print(f"{'':16s}", *(f"{name:>15s}" for name in names))
    for method, of in figures.items():
        print(f"{method:16s}", *(f"{of[name]:15.4f}" for name in names))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="evals.faces", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder of labelled faces")
    parser.add_argument("--split", choices=[split.value for split in Split], default="dev")
    parser.add_argument("--json", action="store_true", help="print the whole result")
    parser.add_argument("--write", action="store_true", help="leave it in evals/results")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--folds", type=int, default=2, help="of people, on dev")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draws", type=int, default=500, help="of the bootstrap")
    parser.add_argument("--distractors", type=Path, nargs="*", default=[], help="folders")
    parser.add_argument("--most-distractors", type=int, default=20_000)
    parser.add_argument("--models", type=Path, help="an operator's models.toml")
    parser.add_argument("--embedder", help="one of its models")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    parser.add_argument("--cache", type=Path, default=Path(cache) / "reunite-evals")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
