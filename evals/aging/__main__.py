"""Age progression against its bars.

``python -m evals.aging --data DIR --faceres DIR --mobilefacenet FILE --json`` reads
``DIR/utkface`` (children of the half that nothing was fitted on) and ``DIR/lag``; see
docs/age-progression.md for what the bars are and where the two estimators come from.
"""

import argparse
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from evals.age.faces import capped, find_utkface, list_aged_photos, middle_face, read_rgb
from evals.aging.estimators import Faceres, mobilefacenet_age
from evals.aging.pictures import Looks, children, measure_pictures
from evals.aging.retrieval import measure_retrieval
from reunite.faces.detection import YunetDetector
from reunite.faces.embedding import Embedder
from reunite.faces.progression.preview import MIN_FACE_PX, AgeProgression
from reunite.faces.progression.prototypes import DATA_FILE, load_prototypes
from reunite.faces.registry import SFACE, YUNET

SECOND_FIT_PER_BAND = 400


def bars(result: dict[str, Any]) -> dict[str, bool]:
    """Each bar by name, and whether it is met."""
    pictures, retrieval = result["pictures"], result.get("retrieval")
    both = list(pictures["estimators"].values())
    met = {
        "mae_at_most_7.5": all(e["mae"] <= 7.5 for e in both),
        "mae_18_25_at_most_5.5": all(e["mae_18_25"] <= 5.5 for e in both),
        "similarity_mean_at_least_.65": pictures["similarity_mean"] >= 0.65,
        "similarity_p10_at_least_.50": pictures["similarity_p10"] >= 0.5,
        "self_rank1_at_least_.99": pictures["self_rank1"] >= 0.99,
        "skin_delta_e_at_most_4_and_7": pictures["skin_delta_e_mean"] <= 4
        and pictures["skin_delta_e_p90"] <= 7,
        "sharpness_median_.90_to_1.15": 0.9 <= pictures["sharpness_median"] <= 1.15,
        "sharpness_p10_at_least_.80": pictures["sharpness_p10"] >= 0.8,
        "cpu_seconds_at_most_1.2": pictures["cpu_seconds_per_preview"] <= 1.2,
        "data_at_most_3_mb": result["data_bytes"] <= 3_000_000,
        "deterministic": result["deterministic"],
        "children_at_least_130": pictures["children"] >= 130,
    }
    if retrieval is not None:
        average, shift = (retrieval["methods"][m] for m in ("average", "shift"))
        met |= {
            "average_rank1_gain_above_0": average["rank1_gain_points"][1] > 0,
            "average_rank50_loss_at_most_1": average["rank50_gain_points"][0] >= -1,
            "shift_rank1_gain_at_least_4": shift["rank1_gain_points"][0] >= 4,
            "shift_rank50_gain_at_least_3": shift["rank50_gain_points"][0] >= 3,
        }
    return met


def is_deterministic(data: Path, detector: YunetDetector) -> bool:
    """The same photo twice, by two engines."""
    photo = children(data, fits=False, count=1)[0]
    pixels = read_rgb(photo.path)
    face = middle_face(detector, pixels)
    assert face is not None
    made = [
        AgeProgression().preview(pixels, face.landmarks, photo.sex, photo.age, [18, 25])
        for _ in range(2)
    ]
    return all(
        np.array_equal(a.pixels, b.pixels)
        for a, b in zip(made[0].previews, made[1].previews, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--faceres", type=Path, required=True, help="folder of faceres.json")
    parser.add_argument("--mobilefacenet", type=Path, required=True, help="MobileFaceNet.tflite")
    parser.add_argument("--children", type=int, default=160)
    parser.add_argument("--probes", type=int, default=320, help="of LAG; 0 leaves it out")
    parser.add_argument("--split", choices=("dev", "sealed"), default="dev", help="of LAG")
    parser.add_argument("--sheets", type=Path, help="write every pair of pictures here")
    parser.add_argument("--cache", type=Path, help="keep the second estimator's templates here")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    detector = YunetDetector(YUNET)
    fitted = capped(list_aged_photos(find_utkface(arguments.data), fits=True), SECOND_FIT_PER_BAND)
    second = mobilefacenet_age(arguments.mobilefacenet, fitted, detector, arguments.cache)
    looks = Looks(detector, Embedder(SFACE), Faceres(arguments.faceres), second)
    if arguments.sheets:
        arguments.sheets.mkdir(parents=True, exist_ok=True)
    photos = children(arguments.data, fits=False, count=arguments.children)
    result: dict[str, Any] = {
        "prototypes_digest": load_prototypes().digest,
        "data_bytes": len(files("reunite.faces.progression").joinpath(DATA_FILE).read_bytes()),
        "min_face_px": MIN_FACE_PX,
        "deterministic": is_deterministic(arguments.data, detector),
        "pictures": measure_pictures(photos, looks, arguments.sheets),
    }
    if arguments.probes:
        result["retrieval"] = measure_retrieval(
            arguments.data / "lag", sealed=arguments.split == "sealed", probes=arguments.probes
        )
    result["bars"] = bars(result)
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    for name, met in result["bars"].items():
        print(f"{'met    ' if met else 'NOT MET'} {name}")


if __name__ == "__main__":
    main()
