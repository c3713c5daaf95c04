"""Pictures, handed to those who may see them."""

import hashlib

from starlette.responses import Response

from reunite.app.access import PUBLIC, SIGNED_IN, STAFF_ONLY
from reunite.app.view_photo import (
    Variant,
    get_case_picture,
    get_probe_picture,
    get_sighting_picture,
)
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import PhotoId, SightingId
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()


@routes.get("/photos/{photo_id:int}/{variant}.jpg", access=PUBLIC, localised=False)
def case_picture(page: Page, photo_id: int, variant: str) -> Response:
    """A photo of a case; ``view_photo`` decides who sees it."""
    jpeg, is_public = get_case_picture(
        page.services, page.actor, PhotoId(photo_id), _variant(variant), _face(page)
    )
    return picture(page, jpeg, is_public=is_public)


@routes.get("/find/{token}/{variant}.jpg", access=SIGNED_IN, localised=False)
def probe_picture(page: Page, token: str, variant: str) -> Response:
    """The photo that somebody searches with, for nobody else."""
    number = page.query_form().integer("number") or 0
    jpeg = get_probe_picture(
        page.services, page.actor, token, _variant(variant), _face(page), number
    )
    return picture(page, jpeg, is_public=False)


@routes.get("/sightings/{sighting_id:int}/{variant}.jpg", access=STAFF_ONLY, localised=False)
def sighting_picture(page: Page, sighting_id: int, variant: str) -> Response:
    """The photo that came with a sighting."""
    jpeg = get_sighting_picture(
        page.services, page.actor, SightingId(sighting_id), _variant(variant)
    )
    return picture(page, jpeg, is_public=False)


def _variant(name: str) -> Variant:
    try:
        return Variant(name)
    except ValueError:
        raise NotFoundError from None


def _face(page: Page) -> int | None:
    return page.query_form().integer("face")


def picture(page: Page, jpeg: bytes, *, is_public: bool) -> Response:
    """The answer that is a picture; kept by caches only where everyone may see it."""
    # A published picture is asked for again each time, and answered "unchanged": once
    # the case closes, no cache shows it any more.
    tag = f'"{hashlib.sha256(jpeg).hexdigest()[:32]}"'
    headers = {"Cache-Control": "no-cache" if is_public else "no-store"}
    if is_public:
        headers["ETag"] = tag
        if page.request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
    return Response(jpeg, media_type="image/jpeg", headers=headers)
