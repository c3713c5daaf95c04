"""Make the adapter that Reunite ships, from LAG's development people and UTKFace's ages.

python -m evals.faces.ship --data LAG --aged UTKFACE
"""

import argparse
import json
from pathlib import Path

import numpy as np

from evals.faces.__main__ import ROOT, cache_folder
from evals.faces.layouts import is_sealed
from evals.faces.reading import Reader, Source, people_of
from reunite.faces.adapters import DEFAULT_ADAPTER
from reunite.faces.engine import FaceEngine
from reunite.faces.fitting import AgedRows, LabelledRows, fit_adapter
from reunite.faces.labelled import read_folder
from reunite.faces.registry import DLIB_RESNET, SFACE, load_registry

MODELS = (SFACE, DLIB_RESNET)


def main() -> None:
    parser = argparse.ArgumentParser(prog="evals.faces.ship", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--aged", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=cache_folder())
    target = ROOT / "src" / "reunite" / "faces" / "data" / DEFAULT_ADAPTER
    parser.add_argument("--out", type=Path, default=target)
    options = parser.parse_args()
    engine = FaceEngine.from_registry(load_registry(), intra_op_threads=2)
    reader = Reader(engine, MODELS, options.cache)
    photos = [photo for photo in read_folder(options.data) if not is_sealed(photo.person)]
    rows, digest = reader.rows(Source(options.data, photos))
    people = people_of(photos)
    grown = [photo for photo in read_folder(options.aged) if photo.age_years is not None]
    aged, aged_digest = reader.rows(Source(options.aged, grown))
    fitted = fit_adapter(
        MODELS,
        LabelledRows(rows.embeddings, people.ids, people.young),
        AgedRows(aged.embeddings, np.array([p.age_years for p in grown], dtype=np.float64)),
        name="sface+dlib-resnet, LAG",
        training_data=(
            f"LAG, {len(np.unique(people.ids))} people of the development half (data "
            f"{digest[:16]}); ages: UTKFace, {len(grown)} faces (data {aged_digest[:16]})"
        ),
        licence="non-commercial research (LAG, UTKFace)",
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(fitted.content)
    print(json.dumps({"digest": fitted.digest, "bytes": len(fitted.content), "dim": fitted.dim}))


if __name__ == "__main__":
    main()
