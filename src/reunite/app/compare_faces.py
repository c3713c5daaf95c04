"""The most similar two photos of two records."""

from dataclasses import dataclass

import numpy as np

from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.leads import NO_PHOTO
from reunite.kernel.ids import PhotoId
from reunite.kernel.people import Side
from reunite.ports import Transaction


@dataclass(frozen=True, slots=True)
class Faces:
    """The most similar two photos of two records.

    Of records of one side the photo of the first stands as the missing one's.
    """

    similarity: float
    missing_photo_id: PhotoId
    found_photo_id: PhotoId

    @property
    def is_known(self) -> bool:
        """Whether both records have a photo with a template."""
        return self.missing_photo_id != NO_PHOTO


NO_FACES = Faces(0.0, NO_PHOTO, NO_PHOTO)


def compare_faces(services: Services, transaction: Transaction, case: Case, partner: Case) -> Faces:
    """The most similar two photos; ``NO_FACES`` where one of the two has none."""
    space = services.gallery.space
    mine = transaction.templates.list_of_case(case.id, space)
    theirs = transaction.templates.list_of_case(partner.id, space) if mine else []
    if not mine or not theirs:
        return NO_FACES
    cosines = (
        np.array([vector for _, _, vector in mine])
        @ np.array([vector for _, _, vector in theirs]).T
    )
    row, column = np.unravel_index(int(np.argmax(cosines)), cosines.shape)
    photos = mine[int(row)][1], theirs[int(column)][1]
    if case.side is not Side.MISSING:
        photos = photos[1], photos[0]
    return Faces(float(cosines[row, column]), *photos)
