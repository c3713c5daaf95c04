"""How many photos a second become templates, and what the networks alone would take.

python -m benchmarks.enrolment --photos DIR

The same photos go, in turns of one run, through the product (two threads of one face each) and
through plain onnxruntime: the same graphs on inputs of the same size, and nothing else.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from reunite.faces.adapters import shipped_adapter
from reunite.faces.detection import FIRST_SIDE_PX
from reunite.faces.engine import FaceEngine
from reunite.faces.labelled import SUFFIXES
from reunite.faces.onnx_graphs import BATCH_AXIS, free_axes, open_session, parse_model
from reunite.faces.photo import Photo, decode_photo
from reunite.faces.registry import SFACE, YUNET, FaceModel, load_registry

THREADS = 2
ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.enrolment", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--most", type=int, default=80)
    options = parser.parse_args()
    paths = sorted(p for p in options.photos.rglob("*") if p.suffix.lower() in SUFFIXES)
    data = [path.read_bytes() for path in paths[: options.most]]
    photos = [decode_photo(one) for one in data]
    engine = FaceEngine.from_registry(load_registry(), adapter=shipped_adapter())
    photos = [photo for photo in photos if engine.detect(photo)]
    plain = _plain(photos)

    def enrol(photo: Photo) -> None:
        engine.templates_of(engine.detect(photo)[:1])

    rounds: dict[str, list[dict[str, float]]] = {"product": [], "plain onnxruntime": []}
    for _ in range(ROUNDS):
        rounds["product"].append(_measured(enrol, photos))
        rounds["plain onnxruntime"].append(_measured(plain, range(len(photos))))
    report: dict[str, Any] = {"photos": len(photos), "threads": THREADS, "load": os.getloadavg()}
    for name, measured in rounds.items():
        report[name] = {
            key: round(float(np.median([one[key] for one in measured])), 2) for key in measured[0]
        }
    print(json.dumps(report, indent=2))


def _measured(work: Callable[[Any], None], items: Iterable[Any]) -> dict[str, float]:
    """Photos a second by the clock, and what two cores with nothing else to do would reach."""
    whole = list(items)
    wall, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(work, whole))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"per_second": len(whole) / wall, "per_second_of_two_cores": 2 * len(whole) / cpu}


def _plain(photos: list[Photo]) -> Callable[[int], None]:
    rng = np.random.default_rng(0)
    sessions = []
    for model in (YUNET, *_embedders()):
        proto = parse_model(model)
        if model.sha256 == SFACE.sha256:
            free_axes([*proto.graph.input, *proto.graph.output], {0: BATCH_AXIS})
        if model is YUNET:
            free_axes([*proto.graph.input, *proto.graph.output], {2: "height", 3: "width"})
        sessions.append(open_session(proto, model, 1))
    inputs = [session.get_inputs()[0].name for session in sessions]
    chips = rng.uniform(0, 255, (2, 3, 112, 112)).astype(np.float32)  # upright and mirrored
    pictures = [rng.uniform(0, 255, (1, 3, *_size(photo))).astype(np.float32) for photo in photos]

    def run(number: int) -> None:
        sessions[0].run(None, {inputs[0]: pictures[number]})
        for session, name in zip(sessions[1:], inputs[1:], strict=True):
            session.run(None, {name: chips})

    return run


def _embedders() -> list[FaceModel]:
    registry = load_registry()
    models = [registry.find_by_digest(part.model_digest) for part in shipped_adapter().parts]
    return [model for model in models if model is not None]


def _size(photo: Photo) -> tuple[int, int]:
    scale = min(1.0, FIRST_SIDE_PX / max(photo.width, photo.height))
    height, width = (-(-round(side * scale) // 32) * 32 for side in (photo.height, photo.width))
    return height, width


if __name__ == "__main__":
    main()
