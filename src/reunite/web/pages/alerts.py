"""Opt in to alerts, change one's mind, leave."""

from typing import Any

from starlette.responses import Response

from reunite.alerts.volunteers import Volunteer
from reunite.app.access import SIGNED_IN
from reunite.app.join_alerts import JoinRequest, find_volunteer, join_alerts, leave_alerts
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.people import Module
from reunite.kernel.places import Point, Town, cell_of, centre_of, find_town
from reunite.web.forms import Form, at_field
from reunite.web.page import Page
from reunite.web.routing import Pages
from reunite.web.towns import find_typed_town

routes = Pages()


@routes.get("/volunteer", access=SIGNED_IN)
def show_volunteer(page: Page) -> Response:
    """What opting in means, and the form; filled in for those who have."""
    volunteer = find_volunteer(page.services, page.actor)
    form = Form({"module": [str(module.value) for module in Module]})
    if volunteer is not None:
        town = _town(page, volunteer)
        form = Form(
            {
                "module": [str(module.value) for module in volunteer.modules],
                "town": [] if town is None else [town.name(page.language)],
            }
        )
    return page.render("alerts/volunteer.html", form=form, **_extras(page, volunteer))


@routes.post("/volunteer", access=SIGNED_IN)
def submit_volunteer(page: Page) -> Response:
    """Opt in, or change what was said before."""
    volunteer = find_volunteer(page.services, page.actor)
    try:
        join_alerts(page.services, page.actor, _request(page, volunteer))
    except ReuniteError as error:
        if error.details.get("field") == "modules":
            error.details["field"] = "module"
        return page.refuse("alerts/volunteer.html", error, **_extras(page, volunteer))
    return page.redirect("/volunteer?saved=1")


@routes.post("/volunteer/leave", access=SIGNED_IN)
def submit_leave(page: Page) -> Response:
    """Opt out; the place is forgotten."""
    leave_alerts(page.services, page.actor)
    return page.redirect("/volunteer?left=1")


def _extras(page: Page, volunteer: Volunteer | None) -> dict[str, Any]:
    town = None if volunteer is None else _town(page, volunteer)
    return {
        "volunteer": volunteer,
        "town_name": "" if town is None else town.name(page.language),
        # A cell that is not the town's own came from the browser.
        "by_position": volunteer is not None
        and town is not None
        and cell_of(town.point) != volunteer.cell,
        "modules": list(Module),
    }


def _request(page: Page, volunteer: Volunteer | None) -> JoinRequest:
    form = page.form
    with at_field("place"):
        point = form.point()
    typed = form.text("town")
    if point is None and not typed:
        raise InvalidInputError("place_required", field="town")
    modules = form.choices("module", Module)
    if point is not None:
        return JoinRequest(modules, point=point)
    town = find_typed_town(typed, page.services.settings.country)
    if town is None:
        raise InvalidInputError("town_unknown", field="town")
    kept = _kept_place(page, volunteer, town)
    if kept is not None:
        return JoinRequest(modules, point=kept)
    return JoinRequest(modules, town_id=town.geonames_id)


def _kept_place(page: Page, volunteer: Volunteer | None, town: Town) -> Point | None:
    """The place as it was where only the kinds of alert were changed."""
    if volunteer is None or _town(page, volunteer) != town:
        return None
    return centre_of(volunteer.cell)


def _town(page: Page, volunteer: Volunteer) -> Town | None:
    """The town that a volunteer's place was named after."""
    if not volunteer.place_label.isdigit():
        return None
    return find_town(int(volunteer.place_label), page.services.settings.country)
