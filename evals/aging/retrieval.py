"""Whether a preview, or a shift of the template, helps to find the adult of a childhood photo.

People in the layout of LAG: a folder a person, photos of the young person in its folder
``y``.  The last hex digit of the SHA-256 of the folder's name says who is sealed (8 to f).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.age.faces import digest_digit, middle_face, read_rgb
from reunite.faces.age import AgeEstimator
from reunite.faces.alignment import align
from reunite.faces.detection import YunetDetector
from reunite.faces.progression.engine import Progression, Step, canvas_of
from reunite.faces.progression.mesh import FaceMesh
from reunite.faces.progression.preview import chip_of
from reunite.faces.progression.prototypes import SEXES, Prototypes, load_prototypes
from reunite.faces.registry import YUNET
from reunite.kernel.people import Sex

SEALED_DIGITS = "89abcdef"
SUFFIXES = {".png", ".jpg", ".jpeg"}
RESAMPLES = 2000
# Somebody who looks older than this in the "young" photo is no child in it.
OLDEST_PROBE_YEARS = 16.0
METHODS = ("raw", "preview", "control", "average", "shift")


@dataclass(frozen=True)
class Person:
    name: str
    young: list[Path]
    adult: list[Path]


def list_people(folder: Path, *, sealed: bool) -> list[Person]:
    people = []
    for place in sorted(p for p in folder.iterdir() if p.is_dir()):
        if (digest_digit(place.name) in SEALED_DIGITS) is not sealed:
            continue
        young = sorted(p for p in (place / "y").glob("*") if p.suffix.lower() in SUFFIXES)
        adult = sorted(p for p in place.glob("*") if p.suffix.lower() in SUFFIXES)
        if young and adult:
            people.append(Person(place.name, young, adult))
    return people


class Reader:
    def __init__(self) -> None:
        self.detector = YunetDetector(YUNET)
        self.estimator = AgeEstimator()
        self.prototypes = load_prototypes()
        self.progression = Progression(self.prototypes)
        self.mesh = FaceMesh()

    def template(self, path: Path) -> tuple[npt.NDArray[Any], float] | None:
        pixels = read_rgb(path)
        face = middle_face(self.detector, pixels)
        if face is None:
            return None
        estimate, template = self.estimator.look(align(pixels, face.landmarks))
        return template, estimate.years

    def probe(self, path: Path, target: float) -> dict[str, npt.NDArray[Any]] | None:
        """The templates of one photo of a child by each method."""
        pixels = read_rgb(path)
        face = middle_face(self.detector, pixels)
        mesh = None if face is None else self.mesh.find_mesh(pixels, face.landmarks)
        if face is None or mesh is None:
            return None
        estimate, raw = self.estimator.look(align(pixels, face.landmarks))
        if estimate.years > OLDEST_PROBE_YEARS:
            return None
        sex = likely_sex(self.prototypes, raw, estimate.years)
        canvas = canvas_of(pixels, mesh)
        step = Step(sex, round(estimate.years), round(max(target, estimate.years + 1)))
        _, preview = self.estimator.look(chip_of(self.progression.apply(canvas, step)))
        _, control = self.estimator.look(chip_of(canvas))
        old, young = (
            self.prototypes.get_prototype(sex, age).template for age in (target, estimate.years)
        )
        return {
            "raw": raw,
            "preview": preview,
            "control": unit(raw + control),
            "average": unit(raw + preview),
            "shift": unit(raw + old - young),
            "years": np.array(estimate.years),
        }


def unit(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    scaled: npt.NDArray[Any] = values / np.linalg.norm(values)
    return scaled


def likely_sex(prototypes: Prototypes, template: npt.NDArray[Any], age: float) -> Sex:
    """Whichever sex's mean template is nearer."""
    near = [float(template @ unit(prototypes.get_prototype(s, age).template)) for s in SEXES]
    return SEXES[int(np.argmax(near))]


def measure_retrieval(folder: Path, *, sealed: bool, probes: int) -> dict[str, Any]:
    """Bar 4 of the notes: ranks by method, and paired gains with bootstrap over people."""
    reader = Reader()
    people = list_people(folder, sealed=sealed)
    owners, gallery, ages = [], [], []
    for number, person in enumerate(people):
        for path in person.adult:
            found = reader.template(path)
            if found is not None:
                owners.append(number)
                gallery.append(found[0])
                ages.append(found[1])
    owners_of, years_of = np.array(owners), np.array(ages)
    adults = np.stack(gallery)
    ranks: dict[str, list[int]] = {method: [] for method in METHODS}
    genuine: dict[str, list[float]] = {method: [] for method in METHODS}
    impostor: dict[str, list[float]] = {method: [] for method in METHODS}
    of_person: list[int] = []
    young_years: list[float] = []
    # One photo of everybody first, then second ones, until there are enough.
    order = [(n, k) for k in range(6) for n, p in enumerate(people) if k < len(p.young)]
    for number, which in order:
        if len(of_person) >= probes:
            break
        own = owners_of == number
        if not own.any():
            continue
        made = reader.probe(people[number].young[which], float(years_of[own].mean()))
        if made is None:
            continue
        of_person.append(number)
        young_years.append(float(made["years"]))
        for method in METHODS:
            similarity = adults @ made[method]
            best = np.full(len(people), -1.0)
            np.maximum.at(best, owners_of, similarity)
            ranks[method].append(1 + int((best > best[number]).sum()))
            genuine[method].append(float(similarity[own].mean()))
            impostor[method].append(float(similarity[~own].mean()))
    table = {method: np.array(values) for method, values in ranks.items()}
    persons = np.array(of_person)
    return {
        "split": "sealed" if sealed else "dev",
        "identities": len(people),
        "probes": len(persons),
        "mean_estimated_age": float(np.mean(young_years)),
        "methods": {
            method: {
                "rank1": float((table[method] == 1).mean()),
                "rank10": float((table[method] <= 10).mean()),
                "rank50": float((table[method] <= 50).mean()),
                "genuine": float(np.mean(genuine[method])),
                "impostor": float(np.mean(impostor[method])),
                **{
                    f"rank{k}_gain_points": gain(table["raw"], table[method], persons, k)
                    for k in (1, 50)
                },
            }
            for method in METHODS
        },
    }


def gain(
    raw: npt.NDArray[Any], other: npt.NDArray[Any], persons: npt.NDArray[Any], k: int
) -> list[float]:
    """Gain over raw in points and its 95 % interval, drawn over people."""
    difference = (other <= k).astype(float) - (raw <= k)
    names = np.unique(persons)
    sums = np.array([difference[persons == n].sum() for n in names])
    counts = np.array([(persons == n).sum() for n in names])
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(names), (RESAMPLES, len(names)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return [round(100 * float(v), 2) for v in (difference.mean(), low, high)]
