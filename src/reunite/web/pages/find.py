"""Face-find: upload a photo, see whom it resembles.  Never called a match."""

from dataclasses import dataclass

from starlette.responses import Response

from reunite.app.access import PUBLIC, SIGNED_IN
from reunite.app.search_face import (
    MOST_PHOTOS,
    Resemblance,
    SearchResult,
    add_search_photo,
    choose_probe_face,
    drop_search_photo,
    list_probe_faces,
    set_aside,
    start_search,
    view_search,
)
from reunite.gallery.port import Filter
from reunite.kernel.errors import InvalidInputError, NotFoundError, ReuniteError
from reunite.kernel.people import Module, Sex, Side, YearRange
from reunite.web.ages import age_span, is_small_child
from reunite.web.forms import Form, at_field
from reunite.web.likeness import Likeness, likeness_of
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A resemblance with what helps to weigh it."""

    resemblance: Resemblance
    likeness: Likeness
    age_at_photo: str
    age_at_probe: str
    lapse_years: int | None


@routes.get("/find", access=PUBLIC)
def show_find(page: Page) -> Response:
    """How it works, and the upload."""
    return page.render("find.html")


@routes.post("/find", access=SIGNED_IN)
def submit_find(page: Page) -> Response:
    """Read the photo and go to its results."""
    try:
        photo = page.form.required_upload("photo")
        year = page.form.integer("captured_year")
        with at_field("photo"):
            started = start_search(page.services, page.actor, photo, year)
    except ReuniteError as error:
        return page.refuse("find.html", error)
    return page.redirect(f"/find/{started.token}")


@routes.get("/find/{token}", access=SIGNED_IN)
def show_results(page: Page, token: str) -> Response:
    """The likeliest people, or first the question which face is meant."""
    wanted = page.query_form()
    try:
        chosen = _filter(wanted)
    except InvalidInputError as error:
        wanted.error, wanted.message = error, page.message(error)
        chosen = Filter()
    result = view_search(page.services, page.actor, token, chosen)
    for photo in result.photos:
        if photo.chosen is None:
            return page.render(
                "choose_probe_face.html", token=token, faces=photo.faces, number=photo.number
            )
    return page.render(
        "results.html",
        result=result,
        most_photos=MOST_PHOTOS,
        face=result.faces[result.chosen or 0],
        candidates=[_candidate(result, one) for one in result.resemblances],
        form=wanted,
        status=422 if wanted.error is not None else 200,
    )


@routes.post("/find/{token}", access=SIGNED_IN)
def submit_probe_face(page: Page, token: str) -> Response:
    """The reader has pointed at a face."""
    number = page.form.integer("number") or 0
    try:
        index = chosen_face(page.form)
        choose_probe_face(page.services, page.actor, token, index, number)
    except InvalidInputError as error:
        error.details["field"] = "face"
        faces = list_probe_faces(page.services, page.actor, token, number)
        return page.refuse("choose_probe_face.html", error, token=token, faces=faces, number=number)
    return page.redirect(f"/find/{token}")


@routes.get("/find/{token}/face", access=SIGNED_IN)
def show_probe_faces(page: Page, token: str) -> Response:
    """Point at another face of the same photo."""
    number = page.query_form().integer("number") or 0
    faces = list_probe_faces(page.services, page.actor, token, number)
    return page.render("choose_probe_face.html", token=token, faces=faces, number=number)


@routes.get("/find/{token}/photos", access=SIGNED_IN)
def show_add_photo(page: Page, token: str) -> Response:
    """The upload of another photo of the same person."""
    list_probe_faces(page.services, page.actor, token)  # 404 for a search that is over
    return page.render("add_search_photo.html", token=token)


@routes.post("/find/{token}/photos", access=SIGNED_IN)
def submit_add_photo(page: Page, token: str) -> Response:
    """Search with one more photo."""
    try:
        photo = page.form.required_upload("photo")
        year = page.form.integer("captured_year")
        with at_field("photo"):
            add_search_photo(page.services, page.actor, token, photo, year)
    except NotFoundError:
        raise
    except ReuniteError as error:
        return page.refuse("add_search_photo.html", error, token=token)
    return page.redirect(f"/find/{token}")


@routes.post("/find/{token}/photos/drop", access=SIGNED_IN)
def submit_drop_photo(page: Page, token: str) -> Response:
    """Search without one of the photos."""
    drop_search_photo(page.services, page.actor, token, page.form.integer("number") or 0)
    return page.redirect(f"/find/{token}")


@routes.post("/find/{token}/aside", access=SIGNED_IN)
def submit_aside(page: Page, token: str) -> Response:
    """This is not the person; or it may be after all."""
    put_back = page.form.flag("put_back")
    reference = page.form.required("reference")
    set_aside(page.services, page.actor, token, reference, put_back=put_back)
    return page.redirect(f"/find/{token}")


def chosen_face(form: Form) -> int:
    """The number of the face that was pointed at.  Raises ``no_such_face`` for none."""
    index = form.integer("face")
    if index is None:
        raise InvalidInputError("no_such_face", field="face")
    return index


def _filter(form: Form) -> Filter:
    first, last = form.integer("born_from"), form.integer("born_to")
    years = None
    if first is not None or last is not None:
        first = EARLIEST if first is None else first
        last = LATEST if last is None else last
        if first > last:
            raise InvalidInputError("age_range_reversed", field="born_from")
        years = YearRange(first, last)
    return Filter(
        sides=form.choices("side", Side),
        modules=form.choices("module", Module),
        sexes=form.choices("sex", Sex),
        birth_years=years,
    )


EARLIEST, LATEST = 1, 9999  # open ends of a range of years


def _candidate(result: SearchResult, one: Resemblance) -> Candidate:
    born = one.case.person.birth_years
    is_weak = is_small_child(born, one.captured_year) or is_small_child(born, result.captured_year)
    likeness = likeness_of(one.likelihood, is_weak=is_weak)
    both = (one.captured_year, result.captured_year)
    return Candidate(
        resemblance=one,
        likeness=likeness,
        age_at_photo=age_span(born, one.captured_year),
        age_at_probe=age_span(born, result.captured_year),
        lapse_years=abs(both[0] - both[1]) if both[0] and both[1] else None,
    )
