"""Photos of a case and the faces in them."""

from dataclasses import dataclass, field
from datetime import datetime

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import CaseId, PhotoId


@dataclass(frozen=True, slots=True)
class PhotoFace:
    """A face in a photo, in pixels of the stored picture."""

    box: tuple[float, float, float, float]  # left, top, width, height
    landmarks: tuple[tuple[float, float], ...]  # eyes, nose, corners of the mouth
    quality_score: float  # 0 to 100
    verdict: str  # good, weak or unusable
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EstimatedAge:
    """How old the person looks, and between which ages nine of ten who look so are."""

    years: float
    low: float
    high: float


@dataclass(slots=True)
class CasePhoto:
    """One photo of the person of a case; ``chosen`` says which face is theirs."""

    case_id: CaseId
    storage_key: str
    digest: str  # SHA-256 of the normalised pixels, to notice the same photo twice
    width: int
    height: int
    added_at: datetime
    captured_year: int | None = None
    faces: list[PhotoFace] = field(default_factory=list)
    chosen: int | None = None
    estimated_age: EstimatedAge | None = None  # only where the record does not say
    id: PhotoId = PhotoId(0)

    @property
    def needs_choice(self) -> bool:
        """Whether somebody still has to say which face is meant."""
        return self.chosen is None

    @property
    def face(self) -> PhotoFace | None:
        """The face that is meant."""
        return None if self.chosen is None else self.faces[self.chosen]

    def choose(self, index: int) -> PhotoFace:
        """Say which face is meant.

        Raises InvalidInputError ``no_such_face``, or ``face_unusable`` with its reasons.
        """
        face = require_face(self.faces, index)
        self.chosen = index
        return face


def require_face(faces: list[PhotoFace], index: int) -> PhotoFace:
    """The face number ``index`` if one can search with it.

    Raises InvalidInputError ``no_such_face``, or ``face_unusable`` with its reasons.
    """
    if not 0 <= index < len(faces):
        raise InvalidInputError("no_such_face", field="face", count=len(faces))
    face = faces[index]
    if face.verdict == "unusable":
        reason = face.reasons[0] if face.reasons else "face_unusable"
        raise InvalidInputError(reason, field="photo", reasons=list(face.reasons))
    return face


def only_usable_face(faces: list[PhotoFace]) -> int | None:
    """The index of the only face there is, or None where somebody has to choose.

    Raises InvalidInputError ``photo_no_face``, or why the only face cannot be used.
    """
    if not faces:
        raise InvalidInputError("photo_no_face", field="photo")
    if len(faces) == 1:
        require_face(faces, 0)
        return 0
    if all(face.verdict == "unusable" for face in faces):
        require_face(faces, 0)
    return None
