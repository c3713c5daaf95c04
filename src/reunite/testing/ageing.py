"""Ages and previews of painted people, without models."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from reunite.faces.age import AgeEstimate
from reunite.faces.alignment import Points
from reunite.faces.photo import Pixels
from reunite.faces.progression.preview import PUSHES, Preview, Previews
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex

SIDE_PX: Final = 192


class FakeAgeing:
    """An ``AgeingReader``: everybody looks eight, and previews are grey in another shade."""

    digest = "fake"

    def __init__(self, looks_years: float = 8.0) -> None:
        self.looks_years = looks_years
        self.asked: list[tuple[Sex, float, tuple[int, ...]]] = []
        self.refuses = False

    def estimate_age(self, chip: Pixels) -> AgeEstimate:
        """The same for every chip."""
        del chip
        return AgeEstimate(self.looks_years, self.looks_years - 3, self.looks_years + 4)

    def preview(
        self, pixels: Pixels, landmarks: Points, sex: Sex, age: float, targets: Sequence[int]
    ) -> Previews:
        """A grey square for each target beyond ``age``."""
        del pixels, landmarks
        if self.refuses:
            raise InvalidInputError("preview_face_turned")
        self.asked.append((sex, age, tuple(targets)))
        made = tuple(
            Preview(
                age=target,
                pixels=np.full((SIDE_PX, SIDE_PX, 3), 60 + target, dtype=np.uint8),
                push=PUSHES[0],
                similarity=0.7,
                seems_years=float(target),
                doubts=(),
            )
            for target in sorted(set(targets))
            if target > age
        )
        return Previews(np.full((SIDE_PX, SIDE_PX, 3), 60, dtype=np.uint8), made)
