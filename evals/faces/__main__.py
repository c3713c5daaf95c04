"""How well young faces find grown ones, on people whom nobody tuned on.

python -m evals.faces --data DIR --split dev|sealed --json

The sealed half of a folder is for one run at the end; see ``docs/faces.md``.
"""

import argparse
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evals.faces.layouts import Split, is_sealed
from evals.faces.methods import Fitting, Rows, make_methods
from evals.faces.metrics import Float64
from evals.faces.plots import plot
from evals.faces.protocol import (
    Method,
    People,
    Tried,
    figures_of,
    folds_of,
    slices_of,
    try_method,
)
from evals.faces.reading import Reader, Source, joined, nameless, people_of
from evals.faces.strangers import without_people
from reunite.faces.adapters import read_adapter
from reunite.faces.engine import FaceEngine
from reunite.faces.fitting import AgedRows
from reunite.faces.labelled import detect_layout, read_folder
from reunite.faces.registry import FaceModel, ModelKind, ModelRegistry, load_registry

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "evals" / "results"


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    registry = load_registry(options.models)
    report, tried = measure(options, registry)
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
    options: argparse.Namespace, registry: ModelRegistry
) -> tuple[dict[str, Any], dict[str, list[Tried]]]:
    """What the result file holds, and the trials behind it."""
    split = Split(options.split)
    everybody = read_folder(options.data, detect_layout(options.data))
    photos = everybody
    if split is Split.DEV:
        # Not even read: what is sealed cannot leak into a figure that somebody looks at.
        photos = [photo for photo in photos if not is_sealed(photo.person)]
    models = _models(options, registry)
    reader = Reader(FaceEngine.from_registry(registry), models, options.cache)
    rows, digest = reader.rows(Source(options.data, photos))
    people = people_of(photos)
    folds = folds_of(people, split, options.folds, options.seed)
    shipped = read_adapter(options.adapter.read_bytes()) if options.adapter else None
    fitting = _fitting(options, models, reader)

    def methods_on(some: Rows, whose: People) -> dict[str, Method]:
        return make_methods(some, whose, fitting, shipped)

    methods = methods_on(rows, people)
    ages, told_by = people.ages, "names of files"
    if np.isnan(ages).all():
        ages, told_by = _estimated_ages(options, reader, Source(options.data, photos))
    tried = {
        name: try_method(method, people, folds, sliced_by=ages) for name, method in methods.items()
    }
    figures = figures_of(tried, options.draws)
    report = _headline(figures, list(methods)[-1]) | {
        "split": split.value,
        "data": options.data.name,
        "data_digest": digest,
        "identities": len(np.unique(np.concatenate([people.ids[on] for _, on in folds]))),
        "photos": int(sum(on.sum() for _, on in folds)),
        "gallery_people": [len(np.unique(people.ids[on & ~people.young])) for _, on in folds],
        "models": {model.name: model.sha256 for model in models},
        "adapter": shipped.digest if shipped else None,
        "commit": _commit(),
        "ages": told_by,
        "methods": figures,
    }
    if report["ages"] != "unknown":
        report["slices"] = {name: slices_of(one) for name, one in tried.items()}
    if options.distractors:
        named = {photo.person for photo in everybody}
        report["with_distractors"] = _crowded(
            options, Source(options.data, photos), named, reader, methods_on
        )
    return report, tried


def _models(options: argparse.Namespace, registry: ModelRegistry) -> tuple[FaceModel, ...]:
    names = options.embedders or [registry.default_embedder]
    return tuple(registry.get_model(name, ModelKind.EMBEDDER) for name in names)


def _fitting(
    options: argparse.Namespace, models: tuple[FaceModel, ...], reader: Reader
) -> Fitting | None:
    if options.aged is None:
        return None
    photos = [p for p in read_folder(options.aged) if p.age_years is not None]
    photos = photos[:: options.aged_every]
    rows, _ = reader.rows(Source(options.aged, photos))
    ages = np.array([photo.age_years for photo in photos], dtype=np.float64)
    return Fitting(models, AgedRows(rows.embeddings, ages))


def _estimated_ages(
    options: argparse.Namespace, reader: Reader, source: Source
) -> tuple[Float64, str]:
    """What slices go by where the folder tells no ages; no method is told them."""
    if not options.estimate_ages:
        return np.full(len(source.photos), np.nan), "unknown"
    return reader.estimated_ages(source), "estimated from the faces"


def _headline(figures: Mapping[str, Any], ours: str) -> dict[str, Any]:
    """The figures of the last method and of the yardstick, side by side."""
    yardstick: dict[str, Any] = {
        f"baseline_{key}": value
        for key, value in figures["baseline"].items()
        if not key.startswith("gain_")
    }
    headline: dict[str, Any] = {"method": ours} | figures[ours]
    return headline | yardstick


def _crowded(
    options: argparse.Namespace,
    source: Source,
    named: set[str],
    reader: Reader,
    methods_on: Callable[[Rows, People], dict[str, Method]],
) -> dict[str, Any]:
    """The same searches among strangers as well."""
    photos = source.photos
    rows = [reader.rows(source)[0]]
    crowd = list(photos)
    dropped: list[str] = []
    for folder in options.distractors:
        everybody = read_folder(folder)
        strangers, left_out = without_people(everybody, named)
        strangers = strangers[: options.most_distractors - (len(crowd) - len(photos))]
        dropped += left_out
        if strangers:
            place = {photo.path: row for row, photo in enumerate(everybody)}
            whole, _ = reader.rows(Source(folder, everybody))
            rows.append(Rows(whole.at(np.array([place[one.path] for one in strangers]))))
            crowd += nameless(strangers)
    people = people_of(crowd)
    folds = folds_of(people, Split(options.split), options.folds, options.seed)
    tried = {
        name: try_method(method, people, folds, strangers=True)
        for name, method in methods_on(joined(rows), people).items()
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


def cache_folder() -> Path:
    """Where chips and embeddings of published data are kept: beside other caches, never here."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "reunite-evals"


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
    parser.add_argument("--embedders", nargs="*", help="names of models, the main one first")
    parser.add_argument("--aged", type=Path, help="faces of known age, to fit adapters with")
    parser.add_argument("--aged-every", type=int, default=2, help="take every so many of them")
    parser.add_argument("--adapter", type=Path, help="an adapter's file, to try as it is")
    parser.add_argument(
        "--estimate-ages",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="slice by ages that the faces look where the folder tells none",
    )
    parser.add_argument("--cache", type=Path, default=cache_folder())
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
