"""Photos of cases: their faces and their pixels."""

from fastapi import APIRouter, Response

from reunite.api.access import AccessRoute, Caller, Wired, allow
from reunite.api.parameters import FaceIndex, PhotoNumber, PictureVariant, jpeg_response
from reunite.api.problems import problem_responses
from reunite.api.render import photo_body
from reunite.api.schemas.cases import CaseOpened, FaceChoice, PhotoBody
from reunite.app.access import PUBLIC, SIGNED_IN
from reunite.app.open_case import choose_face, get_choosable
from reunite.app.view_photo import Variant, get_case_picture
from reunite.kernel.ids import PhotoId

router = APIRouter(route_class=AccessRoute, tags=["Cases"])


@router.get("/photos/{photo_id}", summary="Faces of a photo", responses=problem_responses(404))
@allow(SIGNED_IN)
def get_photo(services: Wired, caller: Caller, photo_id: PhotoNumber) -> PhotoBody:
    """A photo of one's own case, to say which of its faces is meant."""
    return photo_body(get_choosable(services, caller, PhotoId(photo_id)))


@router.put(
    "/photos/{photo_id}/face",
    summary="Say which face is meant",
    responses=problem_responses(404, 409),
)
@allow(SIGNED_IN)
def choose_photo_face(
    services: Wired, caller: Caller, photo_id: PhotoNumber, body: FaceChoice
) -> CaseOpened:
    """From then on this face is searched with."""
    reference = choose_face(services, caller, PhotoId(photo_id), body.index)
    return CaseOpened(reference=reference, choose_photo=None)


@router.get(
    "/photos/{photo_id}/picture",
    summary="A picture of a case",
    response_class=Response,
    responses={**jpeg_response("The picture, without metadata."), **problem_responses(404)},
)
@allow(PUBLIC)
def get_photo_picture(
    services: Wired,
    caller: Caller,
    photo_id: PhotoNumber,
    variant: PictureVariant = Variant.FULL,
    face: FaceIndex = None,
) -> Response:
    """A JPEG; of a case that is not published, for its reporter and staff only."""
    jpeg, is_public = get_case_picture(services, caller, PhotoId(photo_id), variant, face)
    # Public ones are asked for anew each time: once the case is over they must be gone.
    return picture(jpeg, "no-cache" if is_public else "no-store")


def picture(jpeg: bytes, cache: str = "no-store") -> Response:
    """A JPEG as an answer."""
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": cache})
