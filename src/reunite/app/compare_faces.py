"""The most similar two photos of two records."""

from dataclasses import dataclass

import numpy as np

from reunite.app.services import Services
from reunite.app.weigh_faces import face_evidence, is_alike, weigh_photos
from reunite.cases.case import Case
from reunite.cases.leads import NO_PHOTO
from reunite.faces.calibration import Likelihood
from reunite.kernel.ids import PhotoId
from reunite.kernel.people import Side
from reunite.ports import Transaction


@dataclass(frozen=True, slots=True)
class Faces:
    """The most similar two photos of two records, and the mean over all of their pairs.

    Of records of one side the photo of the first stands as the missing one's.
    ``photos`` of the missing and of the found person that went into the mean.
    """

    similarity: float
    missing_photo_id: PhotoId
    found_photo_id: PhotoId
    mean_similarity: float = 0.0
    photos: tuple[int, int] = (1, 1)

    @property
    def is_known(self) -> bool:
        """Whether both records have a photo with a template."""
        return self.missing_photo_id != NO_PHOTO


NO_FACES = Faces(0.0, NO_PHOTO, NO_PHOTO)


class FacesOf:
    """The faces of one record, read once to be compared with those of many others."""

    def __init__(self, services: Services, transaction: Transaction, case: Case) -> None:
        self._templates, self._space = transaction.templates, services.gallery.space
        self._side = case.side
        self._mine = transaction.templates.list_of_case(case.id, self._space)

    def compare(self, partner: Case) -> Faces:
        """The most similar two photos; ``NO_FACES`` where one of the two has none."""
        theirs = self._templates.list_of_case(partner.id, self._space) if self._mine else []
        if not theirs:
            return NO_FACES
        cosines = (
            np.array([vector for _, _, vector in self._mine])
            @ np.array([vector for _, _, vector in theirs]).T
        )
        row, column = np.unravel_index(int(np.argmax(cosines)), cosines.shape)
        photos = self._mine[int(row)][1], theirs[int(column)][1]
        counts = len(self._mine), len(theirs)
        if self._side is not Side.MISSING:
            photos, counts = photos[::-1], counts[::-1]
        return Faces(float(cosines[row, column]), *photos, float(cosines.mean()), counts)


def compare_faces(services: Services, transaction: Transaction, case: Case, partner: Case) -> Faces:
    """The most similar two photos; ``NO_FACES`` where one of the two has none."""
    return FacesOf(services, transaction, case).compare(partner)


def weigh_compared(
    services: Services, transaction: Transaction, case: Case, partner: Case, faces: Faces
) -> Likelihood | None:
    """What all photos of two records say together, at the ages of the most similar two.

    None where one has no photo, or templates of this kind were never calibrated.
    """
    return _weigh(
        services, transaction, (case, partner), faces, faces.mean_similarity, faces.photos
    )


def are_alike(
    services: Services,
    transaction: Transaction,
    case: Case,
    partner: Case,
    faces: Faces,
    likelihood: Likelihood | None,
) -> bool:
    """Whether somebody should look: at all photos together, or at the most similar two.

    One bad photo among several must not hide the others.  That the two were chosen out of so
    many pairs is counted against them.
    """
    if is_alike(services, faces.similarity, likelihood):
        return True
    pairs = faces.photos[0] * faces.photos[1]
    if likelihood is None or pairs == 1:
        return False
    best = _weigh(services, transaction, (case, partner), faces, faces.similarity, (1, 1))
    rate = services.settings.lead_false_match_rate
    return best is not None and best.false_match_rate * pairs <= rate


def _weigh(
    services: Services,
    transaction: Transaction,
    cases: tuple[Case, Case],
    faces: Faces,
    similarity: float,
    counts: tuple[int, int],
) -> Likelihood | None:
    if services.calibration is None or not faces.is_known:
        return None
    photos = {
        photo.id: photo
        for of_case in transaction.photos.list_of_cases([case.id for case in cases]).values()
        for photo in of_case
    }
    best = [photos.get(one) for one in (faces.missing_photo_id, faces.found_photo_id)]
    first, second = cases if cases[0].side is Side.MISSING else cases[::-1]
    return weigh_photos(services, similarity, (first, best[0]), (second, best[1]), counts)


def said_of_faces(
    faces: Faces, likelihood: Likelihood | None
) -> tuple[float | None, tuple[str, float] | None]:
    """What ``weigh`` is told of two records' faces: a similarity, and its calibrated evidence."""
    return (faces.similarity if faces.is_known else None), face_evidence(likelihood)
