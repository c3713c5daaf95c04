"""Face-find: send a photo, say which face, look at the likeliest people."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from reunite.api.access import AccessRoute, Caller, Wired, allow
from reunite.api.parameters import (
    CapturedYear,
    FaceIndex,
    PhotoFile,
    PictureVariant,
    SearchToken,
    jpeg_response,
)
from reunite.api.problems import problem_responses
from reunite.api.render import MODULE_OF, SEX_OF, SIDE_OF, search_result
from reunite.api.routes.photos import picture
from reunite.api.schemas.basics import ModuleName, SexName, SideName
from reunite.api.schemas.cases import FaceChoice
from reunite.api.schemas.matching import SearchResultBody, SearchStartedBody
from reunite.app.access import SIGNED_IN
from reunite.app.search_face import (
    add_search_photo,
    choose_probe_face,
    drop_search_photo,
    set_aside,
    start_search,
    view_search,
)
from reunite.app.view_photo import Variant, get_probe_picture
from reunite.gallery.port import Filter
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import YearRange

router = APIRouter(route_class=AccessRoute, tags=["Face-find"])

# Wide enough to leave one end open.
FIRST_YEAR, LAST_YEAR = 1800, 2200
PhotoNumber = Annotated[int, Query(ge=0, description="Which photo of the search.")]
YearLimit = Annotated[int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR)]


def _filter(
    side: Annotated[list[SideName] | None, Query()] = None,
    module: Annotated[list[ModuleName] | None, Query()] = None,
    sex: Annotated[list[SexName] | None, Query()] = None,
    region: Annotated[
        list[Annotated[int, Query(ge=1, le=999)]] | None,
        Query(description="Provinces by the numbers of GeoNames."),
    ] = None,
    born_from: YearLimit = None,
    born_to: YearLimit = None,
    seen_from: date | None = None,
    seen_to: date | None = None,
) -> Filter:
    """Which records may answer; what is unknown about a record hides nobody."""
    born = None
    if born_from is not None or born_to is not None:
        first, last = born_from or FIRST_YEAR, born_to or LAST_YEAR
        if first > last:
            raise InvalidInputError("age_range_reversed", field="born_from")
        born = YearRange(first, last)
    return Filter(
        sides=frozenset(SIDE_OF[name] for name in side or ()),
        modules=frozenset(MODULE_OF[name] for name in module or ()),
        sexes=frozenset(SEX_OF[name] for name in sex or ()),
        birth_years=born,
        regions=frozenset(region or ()),
        seen_from=seen_from,
        seen_to=seen_to,
    )


@router.post(
    "/searches",
    status_code=201,
    summary="Start a search",
    responses=problem_responses(429),
)
@allow(SIGNED_IN)
def begin_search(
    services: Wired, caller: Caller, photo: PhotoFile, captured_year: CapturedYear = None
) -> SearchStartedBody:
    """Send the photo of a person.  It is kept for a day, for the caller alone."""
    started = start_search(services, caller, photo.file.read(), captured_year)
    return SearchStartedBody(token=started.token, needs_choice=started.needs_choice)


@router.put(
    "/searches/{token}/face",
    status_code=204,
    summary="Say which face is meant",
    responses=problem_responses(404),
)
@allow(SIGNED_IN)
def choose_search_face(
    services: Wired, caller: Caller, token: SearchToken, body: FaceChoice, number: PhotoNumber = 0
) -> None:
    """Needed where the photo shows several."""
    choose_probe_face(services, caller, token, body.index, number)


@router.post(
    "/searches/{token}/photos",
    status_code=201,
    summary="Search with one more photo of the same person",
    responses=problem_responses(404, 429),
)
@allow(SIGNED_IN)
def extend_search(
    services: Wired,
    caller: Caller,
    token: SearchToken,
    photo: PhotoFile,
    captured_year: CapturedYear = None,
) -> SearchStartedBody:
    """Of another year, perhaps: whoever resembles all photos comes first."""
    started = add_search_photo(services, caller, token, photo.file.read(), captured_year)
    return SearchStartedBody(token=started.token, needs_choice=started.needs_choice)


@router.delete(
    "/searches/{token}/photos/{number}",
    status_code=204,
    summary="Search without an added photo",
    responses=problem_responses(404),
)
@allow(SIGNED_IN)
def shorten_search(services: Wired, caller: Caller, token: SearchToken, number: int) -> None:
    """The photo is erased."""
    drop_search_photo(services, caller, token, number)


@router.put(
    "/searches/{token}/set-aside/{reference}",
    status_code=204,
    summary="Not this person",
    responses=problem_responses(404),
)
@allow(SIGNED_IN)
def leave_out(services: Wired, caller: Caller, token: SearchToken, reference: str) -> None:
    """The case no longer appears in this search; reviewers are told nothing."""
    set_aside(services, caller, token, reference)


@router.delete(
    "/searches/{token}/set-aside/{reference}",
    status_code=204,
    summary="This person after all",
    responses=problem_responses(404),
)
@allow(SIGNED_IN)
def take_back(services: Wired, caller: Caller, token: SearchToken, reference: str) -> None:
    """The case may appear again."""
    set_aside(services, caller, token, reference, put_back=True)


@router.get("/searches/{token}", summary="Results", responses=problem_responses(404))
@allow(SIGNED_IN)
def get_search(
    services: Wired,
    caller: Caller,
    token: SearchToken,
    only: Annotated[Filter, Depends(_filter)],
) -> SearchResultBody:
    """The likeliest people, best first, among everybody whom the filter admits.

    Staff see every open case, everybody else the published ones.
    """
    result = view_search(services, caller, token, only)
    return search_result(result, services.settings.country)


@router.get(
    "/searches/{token}/picture",
    summary="The picture of a search",
    response_class=Response,
    responses={**jpeg_response("The photo that was sent in."), **problem_responses(404)},
)
@allow(SIGNED_IN)
def get_search_picture(
    services: Wired,
    caller: Caller,
    token: SearchToken,
    variant: PictureVariant = Variant.FULL,
    face: FaceIndex = None,
    number: PhotoNumber = 0,
) -> Response:
    """A JPEG, for the one who searches."""
    return picture(get_probe_picture(services, caller, token, variant, face, number))
