"""Hand out pictures to those who may see them, and log who looked."""

from enum import StrEnum

import numpy as np

from reunite.accounts.account import EVERYONE, STAFF, Actor, require_role
from reunite.app.search_face import get_search_photo
from reunite.app.services import Services
from reunite.cases.photos import PhotoFace
from reunite.faces.photo import Pixels, decode_photo, encode_jpeg, thumbnail
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import PhotoId, SightingId
from reunite.ports import Look, LookPurpose

FACE_MARGIN = 0.6  # of the box, on each side: enough hair and chin to know somebody by
FACE_SIDE_PX = 480


class Variant(StrEnum):
    """Which picture of a photo."""

    FULL = "full"
    THUMBNAIL = "thumbnail"
    FACE = "face"  # cropped around one face


def get_case_picture(
    services: Services,
    actor: Actor | None,
    photo_id: PhotoId,
    variant: Variant,
    face: int | None = None,
) -> tuple[bytes, bool]:
    """A JPEG, and whether everyone may see it.

    Raises NotFoundError for pictures that are not this person's to see.  A look at a
    picture that is not public is logged.
    """
    with services.database.transaction() as transaction:
        photo = transaction.photos.get(photo_id)
        case = transaction.cases.get(photo.case_id)
        is_public = case.is_public and photo.chosen is not None
        may_see = actor is not None and (actor.is_staff or actor.account_id == case.opened_by)
        if not (is_public or may_see):
            raise NotFoundError
        if not is_public and actor is not None and variant is not Variant.THUMBNAIL:
            transaction.looks.add(
                [Look(actor.account_id, case.id, LookPurpose.VIEW, services.clock.now())]
            )
    index = photo.chosen if face is None else face
    return _picture(services, photo.storage_key, photo.faces, variant, index), is_public


def get_probe_picture(
    services: Services,
    actor: Actor | None,
    token: str,
    variant: Variant,
    face: int | None = None,
    number: int = 0,
) -> bytes:
    """A JPEG of a photo that somebody searches with, for nobody else."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        probe = get_search_photo(services, transaction, actor, token, number)
    index = probe.chosen if face is None else face
    return _picture(services, probe.storage_key, probe.faces, variant, index)


def get_sighting_picture(
    services: Services, actor: Actor | None, sighting_id: SightingId, variant: Variant
) -> bytes:
    """A JPEG of the photo of a sighting, for staff."""
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        sighting = transaction.sightings.get(sighting_id)
        if sighting.photo_key is None:
            raise NotFoundError
        transaction.looks.add(
            [Look(actor.account_id, sighting.case_id, LookPurpose.REVIEW, services.clock.now())]
        )
    return _picture(services, sighting.photo_key, [], variant, None)


def _picture(
    services: Services,
    storage_key: str,
    faces: list[PhotoFace],
    variant: Variant,
    index: int | None,
) -> bytes:
    jpeg = services.photos.get(storage_key)
    if variant is Variant.FULL:
        return jpeg
    pixels = decode_photo(jpeg).pixels
    if variant is Variant.FACE and index is not None:
        if not 0 <= index < len(faces):
            raise NotFoundError
        return encode_jpeg(_crop(pixels, faces[index].box), max_side=FACE_SIDE_PX)
    return thumbnail(pixels)


def _crop(pixels: Pixels, box: tuple[float, float, float, float]) -> Pixels:
    """The square around a face, as far as the picture goes."""
    left, top, width, height = box
    half = max(width, height) * (0.5 + FACE_MARGIN)
    centre_x, centre_y = left + width / 2, top + height / 2
    rows, columns = pixels.shape[:2]
    x0, x1 = (int(np.clip(v, 0, columns)) for v in (centre_x - half, centre_x + half))
    y0, y1 = (int(np.clip(v, 0, rows)) for v in (centre_y - half, centre_y + half))
    return np.ascontiguousarray(pixels[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)])
