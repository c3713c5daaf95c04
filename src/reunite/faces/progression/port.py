"""What knows about faces and years, whatever is behind it."""

from collections.abc import Sequence
from typing import Protocol

from reunite.faces.age import AgeEstimate
from reunite.faces.alignment import Points
from reunite.faces.photo import Pixels
from reunite.faces.progression.preview import Previews
from reunite.kernel.people import Sex


class AgeingReader(Protocol):
    """Tells ages from faces and shows faces at other ages; called from several threads."""

    @property
    def digest(self) -> str:
        """What previews are made with; another digest, other previews."""
        ...

    def estimate_age(self, chip: Pixels) -> AgeEstimate:
        """How old an aligned chip looks, uint8 (112, 112, 3), RGB."""
        ...

    def preview(
        self, pixels: Pixels, landmarks: Points, sex: Sex, age: float, targets: Sequence[int]
    ) -> Previews:
        """The face with these five landmarks, now ``age`` years old, at the target ages.

        Targets that cannot be shown are left out.  Raises InvalidInputError
        ``preview_no_face``, ``preview_face_turned`` or ``preview_face_small``.
        """
        ...
