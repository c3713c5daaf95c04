"""What previews do to children of one half of UTKFace."""

import itertools
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from evals.age.faces import AgedPhoto, find_utkface, list_aged_photos, middle_face, read_rgb
from evals.aging.estimators import Faceres, MobileFaceNetAge
from reunite.faces.alignment import align
from reunite.faces.detection import YunetDetector
from reunite.faces.embedding import Embedder
from reunite.faces.progression.mesh import FACE_OVAL, FaceMesh
from reunite.faces.progression.preview import AgeProgression
from reunite.kernel.errors import InvalidInputError

YOUNGEST, OLDEST = 2, 15
TARGETS = (18, 25, 35, 45)


def children(data: Path, *, fits: bool, count: int) -> list[AgedPhoto]:
    photos = list_aged_photos(find_utkface(data), fits=fits)
    return [p for p in photos if YOUNGEST <= p.age <= OLDEST][:count]


def skin_mask(mesh: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """Cheeks, nose and forehead: the oval, shrunk."""
    mask = np.zeros((side, side), dtype=np.uint8)
    cv2.fillPoly(mask, [np.round(mesh[list(FACE_OVAL), :2]).astype(np.int32)], 1)
    return cv2.erode(mask, np.ones((9, 9), dtype=np.uint8)) > 0


def mean_lab(pixels: npt.NDArray[Any], mask: npt.NDArray[Any]) -> npt.NDArray[Any]:
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    mean: npt.NDArray[Any] = lab[mask].mean(axis=0)
    return mean


def sharpness(pixels: npt.NDArray[Any], mask: npt.NDArray[Any]) -> float:
    lightness = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = cv2.GaussianBlur(lightness, (0, 0), 0.8) - cv2.GaussianBlur(lightness, (0, 0), 1.6)
    return float(detail[mask].std())


class Looks:
    """Everything that a preview is judged by."""

    def __init__(
        self,
        detector: YunetDetector,
        embedder: Embedder,
        faceres: Faceres,
        second: MobileFaceNetAge,
    ) -> None:
        self.detector, self.embedder = detector, embedder
        self.faceres, self.second = faceres, second
        self.mesh = FaceMesh()

    def look(self, pixels: npt.NDArray[Any]) -> dict[str, Any] | None:
        """By the same detector and margins for photos and previews; None without a face."""
        face = middle_face(self.detector, pixels)
        mesh = None if face is None else self.mesh.find_mesh(pixels, face.landmarks)
        if face is None or mesh is None:
            return None
        mask = skin_mask(mesh, len(pixels))
        return {
            "template": self.embedder.embed(align(pixels, face.landmarks)[None])[0],
            "faceres": self.faceres.years(pixels, face),
            "second": self.second.years(pixels, face),
            "lab": mean_lab(pixels, mask),
            "sharpness": sharpness(pixels, mask),
        }


def measure_pictures(
    photos: list[AgedPhoto], looks: Looks, sheets: Path | None = None
) -> dict[str, Any]:
    """Bars 1, 2, 3 and 5 of the notes, and what they are made of."""
    progression = AgeProgression()
    targets = itertools.cycle(TARGETS)
    rows, originals, refused, seconds = [], [], 0, []
    for photo in photos:
        pixels = read_rgb(photo.path)
        face = middle_face(looks.detector, pixels)
        target = next(targets)
        if face is None:
            refused += 1
            continue
        began = time.process_time()
        try:
            made = progression.preview(pixels, face.landmarks, photo.sex, photo.age, [target])
        except InvalidInputError:
            refused += 1
            continue
        seconds.append(time.process_time() - began)
        preview = made.previews[0]
        turned = "preview_face_turned" in preview.doubts
        before, after = looks.look(made.original), looks.look(preview.pixels)
        if turned or before is None or after is None:
            refused += 1
            continue
        originals.append(before["template"])
        rows.append(
            {
                "target": target,
                "age": photo.age,
                "race": photo.race,
                "strength": preview.push.strength,
                "age_factor": preview.push.age_factor,
                "similarity": float(before["template"] @ after["template"]),
                "template": after["template"],
                **{f"{k}_before": before[k] for k in ("faceres", "second")},
                **{k: after[k] for k in ("faceres", "second")},
                "delta_e": float(np.linalg.norm(after["lab"] - before["lab"])),
                "sharpness": after["sharpness"] / max(before["sharpness"], 1e-6),
            }
        )
        if sheets is not None:
            pair = np.hstack([made.original, preview.pixels])[:, :, ::-1]
            name = f"{len(rows):03d}_{photo.age}_to_{target}_x{preview.push.strength}.jpg"
            cv2.imwrite(str(sheets / name), pair)
    return {"refused_or_turned": refused, **summary(rows, np.array(originals), seconds)}


def summary(
    rows: list[dict[str, Any]], originals: npt.NDArray[Any], seconds: list[float]
) -> dict[str, Any]:
    def of(name: str, *, targets: tuple[int, ...] = TARGETS) -> npt.NDArray[Any]:
        return np.array([row[name] for row in rows if row["target"] in targets], dtype=float)

    def error(name: str, targets: tuple[int, ...] = TARGETS) -> float:
        return float(np.abs(of(name, targets=targets) - of("target", targets=targets)).mean())

    previews = np.array([row["template"] for row in rows])
    # The preview of each child looks for its own photo among all children's.
    self_rank1 = float(((previews @ originals.T).argmax(axis=1) == np.arange(len(rows))).mean())
    similarity, delta, sharp = of("similarity"), of("delta_e"), of("sharpness")
    return {
        "children": len(rows),
        "mean_age": float(of("age").mean()),
        "estimators": {
            name: {
                "mae_unchanged": error(f"{name}_before"),
                "mae": error(name),
                "mae_18_25": error(name, (18, 25)),
                "mean_estimate_by_target": {
                    target: float(of(name, targets=(target,)).mean()) for target in TARGETS
                },
            }
            for name in ("faceres", "second")
        },
        "similarity_mean": float(similarity.mean()),
        "similarity_p10": float(np.quantile(similarity, 0.1)),
        "self_rank1": self_rank1,
        "skin_delta_e_mean": float(delta.mean()),
        "skin_delta_e_p90": float(np.quantile(delta, 0.9)),
        "sharpness_median": float(np.median(sharp)),
        "sharpness_p10": float(np.quantile(sharp, 0.1)),
        "strength_mean": float(of("strength").mean()),
        "cpu_seconds_per_preview": float(np.median(seconds)),
        "mae_by_race_code": {
            code: {
                "children": int((of("race") == code).sum()),
                **{
                    name: float(np.abs(of(name) - of("target"))[of("race") == code].mean())
                    for name in ("faceres", "second")
                },
            }
            for code in sorted({int(row["race"]) for row in rows})
        },
    }
