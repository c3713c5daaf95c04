"""Fit the mean faces on one half: ``python -m evals.aging.fit --data DIR --out FILE``."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from evals.age.faces import AgedPhoto, find_utkface, list_aged_photos, middle_face, read_rgb
from reunite.faces.alignment import align
from reunite.faces.detection import YunetDetector
from reunite.faces.embedding import Embedder
from reunite.faces.progression.mesh import LEFT_EYE, MESH_POINTS, RIGHT_EYE, FaceMesh
from reunite.faces.progression.pose import (
    expression,
    normalised,
    rotation_between,
    yaw_pitch_degrees,
)
from reunite.faces.progression.prototypes import (
    BAND_SIGMAS_PX,
    BANDS,
    EYE_DISTANCE_PX,
    EYES_AT,
    SEXES,
    SIDE_PX,
    STEPS,
    bytes_of_lab,
    soft_mask,
)
from reunite.faces.progression.warping import enlarged, grid, looked_up, spline_operator
from reunite.faces.registry import SFACE, YUNET

# Years; closer where faces change faster.
AGES = (1, 3, 6, 9, 13, 17, 22, 30, 42, 58)
OLDEST = 75
PER_FIVE_YEARS = {True: 400, False: 220}  # of one sex, below and from twenty
MAX_YAW_DEGREES, MAX_PITCH_DEGREES, MIN_SCORE = 28.0, 25.0, 0.8
CONTROL_POINTS = 110
DETAIL_SIDE = 24
SMOOTHNESS = 4.0  # of the second difference over ages, in faces
RACES = 5


@dataclass
class Faces:
    """What is known of each face; row by row."""

    photos: list[AgedPhoto]
    meshes: npt.NDArray[Any]  # (n, 468, 3), pixels of the photo
    templates: npt.NDArray[Any]  # (n, dim)


def chosen(photos: list[AgedPhoto]) -> list[AgedPhoto]:
    counts: dict[tuple[int, int], int] = {}
    kept = []
    for photo in photos:
        key = photo.age // 5, int(photo.sex)
        counts[key] = counts.get(key, 0) + 1
        if photo.age <= OLDEST and counts[key] <= PER_FIVE_YEARS[photo.age < 20]:
            kept.append(photo)
    return kept


def read_faces(folder: Path, cache: Path | None) -> Faces:
    photos = chosen(list_aged_photos(folder, fits=True))
    if cache is not None and cache.exists():
        stored = np.load(cache)
        known = {name: i for i, name in enumerate(stored["names"])}
        kept = [p for p in photos if p.path.name in known]
        rows = [known[p.path.name] for p in kept]
        return Faces(kept, stored["meshes"][rows], stored["templates"][rows])
    detector, finder, embedder = YunetDetector(YUNET), FaceMesh(), Embedder(SFACE)
    kept, meshes, templates = [], [], []
    for photo in photos:
        pixels = read_rgb(photo.path)
        face = middle_face(detector, pixels)
        if face is None or face.score < MIN_SCORE:
            continue
        mesh = finder.find_mesh(pixels, face.landmarks)
        if mesh is not None:
            kept.append(photo)
            meshes.append(mesh)
            templates.append(embedder.embed(align(pixels, face.landmarks)[None])[0])
    faces = Faces(kept, np.array(meshes, dtype=np.float32), np.array(templates))
    if cache is not None:
        np.savez(
            cache,
            names=np.array([p.path.name for p in kept]),
            meshes=faces.meshes,
            templates=faces.templates,
        )
    return faces


def mirror_partners(shape: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The number of each point's mirror image, found on the mean face."""
    mirrored = shape * np.array([-1, 1, 1])
    squared = ((shape[:, None] - mirrored[None]) ** 2).sum(axis=2)
    # One to one: the nearest alone would give two points of a lip the same partner.
    partner: npt.NDArray[Any] = linear_sum_assignment(squared + squared.T)[1]
    assert (partner[partner] == np.arange(MESH_POINTS)).all()
    return partner


def frontal_shapes(
    meshes: npt.NDArray[Any],
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """All faces turned to the front, their mean, and nuisances (yaw, pitch, mouth, smile)."""
    normal = np.stack([normalised(m.astype(np.float64))[0] for m in meshes])
    mean, turned = normal.mean(axis=0), normal
    for _ in range(3):
        turned = np.stack([n @ rotation_between(mean, n).T for n in normal])
        mean = turned.mean(axis=0)
        # The mean must look ahead, so its two halves are made alike.
        mean = (mean + mean[mirror_partners(mean)] * np.array([-1, 1, 1])) / 2
        eyes = mean[list(RIGHT_EYE)].mean(axis=0) - mean[list(LEFT_EYE)].mean(axis=0)
        mean /= np.linalg.norm(eyes)
    nuisance = []
    for n, flat in zip(normal, turned, strict=True):
        nuisance.append([*yaw_pitch_degrees(rotation_between(mean, n)), *expression(flat)])
    return turned, mean, np.array(nuisance)


def far_apart(points: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    """Numbers of ``count`` points, each the farthest from those before."""
    numbers = [int(points[:, 1].argmax())]
    distance = np.linalg.norm(points - points[numbers[0]], axis=1)
    while len(numbers) < count:
        numbers.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[numbers[-1]], axis=1))
    return np.sort(numbers)


def design(photos: list[AgedPhoto], nuisance: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Ages as shares of two neighbouring knots, then what is not to be mistaken for age."""
    ages = np.clip([p.age + 0.5 for p in photos], AGES[0], AGES[-1])
    place = np.interp(ages, AGES, np.arange(len(AGES)))
    hats = np.clip(1 - np.abs(place[:, None] - np.arange(len(AGES))), 0, 1)
    race = np.eye(RACES)[[p.race for p in photos]][:, 1:]
    return np.hstack([hats, race, nuisance])


class Regression:
    """Means at the knots, for outputs of any size, one face at a time."""

    def __init__(self, rows: npt.NDArray[Any]) -> None:
        knots = len(AGES)
        # Nuisances count from their mean over all faces, so that knots are means of faces
        # of that age with the same mixture of everything else.
        penalty = np.zeros((rows.shape[1], rows.shape[1]))
        second = np.diff(np.eye(knots), 2, axis=0)
        penalty[:knots, :knots] = SMOOTHNESS * second.T @ second
        penalty[knots:, knots:] += 1e-6 * np.eye(rows.shape[1] - knots)
        self.solver = np.linalg.inv(rows.T @ rows + penalty)[:knots]
        self.weights = (rows @ self.solver.T).astype(np.float32)  # (n, knots)

    def means(self, outputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
        shape = outputs.shape[1:]
        flat = outputs.reshape(len(outputs), -1)
        found: npt.NDArray[Any] = (self.weights.T @ flat).reshape(len(AGES), *shape)
        return found


def log_detail(lightness: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Log energy of three bands, on a coarse grid."""
    layers = [cv2.GaussianBlur(lightness, (0, 0), sigma) for sigma in BAND_SIGMAS_PX]
    size = (DETAIL_SIDE, DETAIL_SIDE)
    maps = []
    for k in range(BANDS):
        difference: npt.NDArray[np.float32] = (layers[k] - layers[k + 1]).astype(np.float32)
        energy = cv2.GaussianBlur(difference**2, (0, 0), 5.0)
        maps.append(np.log(cv2.resize(energy, size, interpolation=cv2.INTER_AREA) + 0.02))
    return np.stack(maps, axis=2)


def fit(faces: Faces) -> dict[str, npt.NDArray[Any]]:
    turned, mean, nuisance = frontal_shapes(faces.meshes)
    good = (np.abs(nuisance[:, 0]) < MAX_YAW_DEGREES) & (np.abs(nuisance[:, 1]) < MAX_PITCH_DEGREES)
    print(f"{good.sum()} of {len(good)} faces look ahead")
    partner = mirror_partners(mean)
    reference = mean[:, :2] * EYE_DISTANCE_PX + np.array(EYES_AT)
    control = far_apart(reference, CONTROL_POINTS)
    control = np.unique(np.concatenate([control, partner[control]]))
    operator = spline_operator(reference[control], grid(SIDE_PX, STEPS))
    # Faces farther turned have half their skin hidden; their mirror image has the other.
    nuisance[:, 0] = np.abs(nuisance[:, 0])
    rows = design(faces.photos, nuisance)
    knots = len(AGES)
    rows[:, knots:] -= rows[good, knots:].mean(axis=0)
    mask = soft_mask(reference, grow_px=16, soften_px=1.5)[..., None]
    out: dict[str, list[npt.NDArray[Any]]] = {
        k: [] for k in ("shape", "skin", "detail", "template")
    }
    for sex in SEXES:
        chosen_rows = np.flatnonzero(good & np.array([p.sex is sex for p in faces.photos]))
        regression = Regression(rows[chosen_rows])
        shape = regression.means(turned[chosen_rows].astype(np.float32))
        shape = (shape + shape[:, partner] * np.array([-1, 1, 1])) / 2
        skin: npt.NDArray[Any] = np.zeros((knots, SIDE_PX, SIDE_PX, 3))
        detail: npt.NDArray[Any] = np.zeros((knots, DETAIL_SIDE, DETAIL_SIDE, BANDS))
        for weight, row in zip(regression.weights, chosen_rows, strict=True):
            pixels = read_rgb(faces.photos[row].path).astype(np.float32) / np.float32(255)
            at = enlarged(operator @ faces.meshes[row][control, :2], STEPS, SIDE_PX)
            flat = looked_up(pixels, at.astype(np.float32), cv2.INTER_CUBIC)
            lab = cv2.cvtColor(flat, cv2.COLOR_RGB2LAB)
            skin += weight[:, None, None, None] * lab
            detail += weight[:, None, None, None] * log_detail(lab[..., 0])
        skin = (skin + skin[:, :, ::-1]) / 2
        detail = (detail + detail[:, :, ::-1]) / 2
        out["shape"].append(shape.astype(np.float16))
        # What is outside of the face serves nothing and would cost bytes.
        grey = np.array([50.0, 0, 0])
        out["skin"].append(bytes_of_lab((mask * skin + (1 - mask) * grey).astype(np.float32)))
        out["detail"].append(detail.astype(np.float16))
        out["template"].append(regression.means(faces.templates[chosen_rows]).astype(np.float16))
        print(f"{sex.name}: {len(chosen_rows)} faces")
    return {
        "ages": np.array(AGES, dtype=np.float32),
        "control": control.astype(np.int16),
        "reference": reference.astype(np.float32),
        "embedder_digest": np.array(SFACE.sha256),
        **{name: np.stack(values) for name, values in out.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="keep meshes here, and read them again")
    arguments = parser.parse_args()
    faces = read_faces(find_utkface(arguments.data), arguments.cache)
    np.savez_compressed(arguments.out, allow_pickle=True, **fit(faces))
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
