"""What a reporter does with their own cases: list, add photos, point at a face, take back."""

from starlette.responses import Response

from reunite.app.access import SIGNED_IN
from reunite.app.close_case import withdraw_case
from reunite.app.open_case import add_photo, choose_face, get_choosable
from reunite.app.view_case import CaseView, get_case, list_own_cases
from reunite.kernel.errors import NotFoundError, ReuniteError
from reunite.kernel.ids import CaseId, PhotoId
from reunite.web.forms import at_field
from reunite.web.page import Page
from reunite.web.pages.find import chosen_face
from reunite.web.routing import Pages

routes = Pages()


@routes.get("/my/cases", access=SIGNED_IN)
def own_cases(page: Page) -> Response:
    """Everything the reader has reported."""
    before = page.query_form().integer("before")
    return page.render(
        "own_cases.html",
        listing=list_own_cases(
            page.services, page.actor, None if before is None else CaseId(before)
        ),
    )


@routes.get("/cases/{reference}/photos", access=SIGNED_IN)
def show_add_photo(page: Page, reference: str) -> Response:
    """The form for one more photo."""
    return page.render("add_photo.html", view=_own(page, reference))


@routes.post("/cases/{reference}/photos", access=SIGNED_IN)
def submit_photo(page: Page, reference: str) -> Response:
    """Add the photo; several faces lead to a choice."""
    view = _own(page, reference)
    try:
        with at_field("photo"):
            photo = page.form.required_upload("photo")
            year = page.form.integer("captured_year")
            opened = add_photo(page.services, page.actor, view.case.reference, photo, year)
    except ReuniteError as error:
        return page.refuse("add_photo.html", error, view=view)
    if opened.choose_photo is not None:
        return page.redirect(f"/photos/{opened.choose_photo}/face")
    return page.redirect(f"/cases/{opened.reference}")


@routes.get("/photos/{photo_id:int}/face", access=SIGNED_IN)
def show_faces(page: Page, photo_id: int) -> Response:
    """Ask which of several faces is the person."""
    photo = get_choosable(page.services, page.actor, PhotoId(photo_id))
    return page.render("choose_case_face.html", photo=photo)


@routes.post("/photos/{photo_id:int}/face", access=SIGNED_IN)
def submit_face(page: Page, photo_id: int) -> Response:
    """The reader has pointed at a face."""
    photo = get_choosable(page.services, page.actor, PhotoId(photo_id))
    try:
        index = chosen_face(page.form)
        reference = choose_face(page.services, page.actor, photo.id, index)
    except ReuniteError as error:
        error.details["field"] = "face"
        return page.refuse("choose_case_face.html", error, photo=photo)
    return page.redirect(f"/cases/{reference}")


@routes.get("/cases/{reference}/withdraw", access=SIGNED_IN)
def show_withdraw(page: Page, reference: str) -> Response:
    """Ask once more before a case is taken back."""
    return page.render("withdraw.html", view=_own(page, reference))


@routes.post("/cases/{reference}/withdraw", access=SIGNED_IN)
def submit_withdraw(page: Page, reference: str) -> Response:
    """Take the case back."""
    view = _own(page, reference)
    try:
        withdraw_case(page.services, page.actor, view.case.reference, page.form.text("note"))
    except ReuniteError as error:
        return page.refuse("withdraw.html", error, view=view)
    return page.redirect(f"/cases/{view.case.reference}")


def _own(page: Page, reference: str) -> CaseView:
    view = get_case(page.services, page.actor, reference.upper())
    if not view.sees_all:
        raise NotFoundError
    return view
