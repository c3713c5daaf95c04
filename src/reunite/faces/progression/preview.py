"""Previews of one face at several ages, each as strong as its age asks for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from reunite.faces.age import AgeEstimate, AgeEstimator
from reunite.faces.alignment import Points, align
from reunite.faces.photo import Pixels
from reunite.faces.progression.engine import Canvas, Progression, Step, canvas_of
from reunite.faces.progression.mesh import MOUTH_CORNERS, FaceMesh, Mesh, eye_centres
from reunite.faces.progression.pose import normalised, rotation_between, yaw_pitch_degrees
from reunite.faces.progression.prototypes import load_prototypes
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Push:
    """How far to go: times the difference of two mean faces, the older one so much older.

    A mean face is the middle of many, so that going just its way lands too young.  An older
    mean costs less likeness than more of the same difference (docs/age-progression.md).
    """

    strength: float
    age_factor: float


# Tried from the weakest to the strongest.
PUSHES: Final = (
    Push(0.75, 1.0),
    Push(1.0, 1.0),
    Push(1.0, 1.3),
    Push(1.25, 1.3),
    Push(1.5, 1.3),
    Push(1.75, 1.4),
)
# A preview less like its own photo than this is of somebody else.
MIN_SIMILARITY: Final = 0.51
NOSE_TIP: Final = 4

MAX_YAW_DEGREES: Final = 25.0
REFUSED_YAW_DEGREES: Final = 40.0
FACE_PER_EYES: Final = 2.2  # ear to ear, in distances between the eyes
MIN_FACE_PX: Final = 80.0
REFUSED_FACE_PX: Final = 40.0
FARTHEST_AGE: Final = 40  # beyond, the mean faces do not convince
REFUSED_AGE: Final = 70
ADULT_FROM: Final = 18
TODDLER_BELOW: Final = 4  # so much growth lies ahead that the outline of the head breaks


@dataclass(frozen=True, eq=False, slots=True)
class Preview:
    """How somebody may look at an age.

    pixels : uint8 (side, side, 3), RGB, not yet marked: see ``sheet``
    push : which of ``PUSHES`` was taken
    similarity : of its template to the photo's, cosine
    seems_years : the age that the estimator sees in it
    doubts : codes of what makes it worth less, e.g. ``preview_face_turned``
    """

    age: int
    pixels: Pixels
    push: Push
    similarity: float
    seems_years: float
    doubts: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Previews:
    """The photo's own part that is shown, and previews of it, youngest first."""

    original: Pixels
    previews: tuple[Preview, ...]


class AgeProgression:
    """Makes previews; loads its models at the first use."""

    @cached_property
    def _mesh(self) -> FaceMesh:
        return FaceMesh()

    @cached_property
    def _estimator(self) -> AgeEstimator:
        return AgeEstimator()

    @cached_property
    def _progression(self) -> Progression:
        return Progression(load_prototypes())

    @property
    def digest(self) -> str:
        """SHA-256 of the mean faces."""
        return self._progression.prototypes.digest

    def estimate_age(self, chip: Pixels) -> AgeEstimate:
        """How old an aligned chip looks, uint8 (112, 112, 3), RGB."""
        return self._estimator.estimate(chip[None])[0]

    def preview(
        self, pixels: Pixels, landmarks: Points, sex: Sex, age: float, targets: Sequence[int]
    ) -> Previews:
        """The face with these five landmarks, now ``age`` years old, at the target ages.

        Targets not beyond ``age``, and those beyond 70, are left out.  Raises
        InvalidInputError ``preview_no_face``, ``preview_face_turned`` or
        ``preview_face_small`` where no preview would be honest.
        """
        mesh = self._mesh.find_mesh(pixels, landmarks)
        if mesh is None:
            raise InvalidInputError("preview_no_face")
        canvas = canvas_of(pixels, mesh)
        doubts = self._doubts_of_photo(canvas, sex, age)
        _, own = self._estimator.look(chip_of(canvas))
        made = tuple(
            self._at(canvas, Step(sex, age, target), own, doubts)
            for target in sorted(set(targets))
            if age < target <= REFUSED_AGE
        )
        return Previews(as_bytes(canvas.pixels), made)

    def _at(self, canvas: Canvas, step: Step, own: Float32, doubts: tuple[str, ...]) -> Preview:
        """Of all pushes the one that looks nearest to the age, and still like the photo."""
        best: Preview | None = None
        far = ("preview_far_age",) if step.age_to > FARTHEST_AGE else ()
        for push in PUSHES:
            older = replace(step, age_to=step.age_to * push.age_factor)
            moved = self._progression.apply(canvas, older, push.strength)
            estimate, template = self._estimator.look(chip_of(moved))
            similarity = float(own @ template)
            tried = Preview(
                age=round(step.age_to),
                pixels=as_bytes(moved.pixels),
                push=push,
                similarity=similarity,
                seems_years=estimate.years,
                doubts=(*doubts, *far),
            )
            if best is None:
                best = tried
            elif similarity < MIN_SIMILARITY:
                break  # stronger ones are farther still
            elif _off(tried) < _off(best):
                best = tried
        assert best is not None  # noqa: S101 - there are pushes
        return best

    def _doubts_of_photo(self, canvas: Canvas, sex: Sex, age: float) -> tuple[str, ...]:
        normal, _ = normalised(canvas.mesh)
        young = self._progression.prototypes.get_prototype(sex, age)
        yaw, _ = yaw_pitch_degrees(rotation_between(young.shape.astype(np.float64), normal))
        face_px = FACE_PER_EYES * canvas.source_eye_px
        if abs(yaw) > REFUSED_YAW_DEGREES:
            raise InvalidInputError("preview_face_turned", yaw_degrees=round(yaw))
        if face_px < REFUSED_FACE_PX:
            raise InvalidInputError("preview_face_small", face_px=round(face_px))
        found = {
            "preview_face_turned": abs(yaw) > MAX_YAW_DEGREES,
            "preview_face_small": face_px < MIN_FACE_PX,
            "preview_of_toddler": age < TODDLER_BELOW,
            "preview_of_adult": age >= ADULT_FROM,
        }
        return tuple(code for code, doubtful in found.items() if doubtful)


def _off(preview: Preview) -> float:
    return abs(preview.seems_years - preview.age)


def landmarks_of(mesh: Mesh) -> Points:
    """The five landmarks of a detector, read off a mesh."""
    eyes = eye_centres(mesh)[:, :2]
    rest = mesh[[NOSE_TIP, *MOUTH_CORNERS], :2]
    return np.vstack([eyes, rest]).astype(np.float32)


def as_bytes(pixels: Float32) -> Pixels:
    """From 0 to 1 to whole numbers up to 255."""
    return np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8)


def chip_of(canvas: Canvas) -> Pixels:
    """The aligned chip of the face on a canvas."""
    return align(as_bytes(canvas.pixels), landmarks_of(canvas.mesh))
