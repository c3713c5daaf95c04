"""Opt in to alerts, say where one is and how loudly to be told, take it all away, leave."""

import json
from typing import Any

import h3.api.basic_int as h3
from starlette.responses import JSONResponse, Response

from reunite.alerts.pushing import MOST_WEEKLY_PUSHES, QuietHours
from reunite.alerts.volunteers import PlaceKind, Precision, Volunteer, VolunteerPlace
from reunite.app.access import SIGNED_IN
from reunite.app.join_alerts import JoinRequest, find_volunteer, join_alerts, leave_alerts
from reunite.app.keep_places import (
    PlaceRequest,
    confirm_places,
    export_volunteer,
    forget_place,
    save_place,
    share_position,
)
from reunite.kernel.errors import InvalidInputError, NotFoundError, ReuniteError
from reunite.kernel.people import Module
from reunite.kernel.places import Town, cell_of, centre_of, find_town, resolution_of
from reunite.web.forms import Form, at_field
from reunite.web.page import Page
from reunite.web.routing import Pages
from reunite.web.towns import read_position

routes = Pages()

DONE = frozenset({"saved", "left", "place", "forgotten", "confirmed"})


@routes.get("/volunteer", access=SIGNED_IN)
def show_volunteer(page: Page) -> Response:
    """What opting in means, and the form; filled in for those who have."""
    volunteer = find_volunteer(page.services, page.actor)
    form = Form({"module": [str(module.value) for module in Module]})
    if volunteer is not None:
        form = _filled_in(page, volunteer)
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
    return page.redirect("/volunteer?done=saved")


@routes.post("/volunteer/leave", access=SIGNED_IN)
def submit_leave(page: Page) -> Response:
    """Opt out; every place is forgotten."""
    leave_alerts(page.services, page.actor)
    return page.redirect("/volunteer?done=left")


@routes.post("/volunteer/places", access=SIGNED_IN)
def submit_place(page: Page) -> Response:
    """Work, family, the way there, or where the device is from now on."""
    volunteer = find_volunteer(page.services, page.actor)
    if volunteer is None:
        return page.redirect("/volunteer")
    try:
        kind = page.form.choice("kind", PlaceKind)
        point, town_id = read_position(page.form, "other_town", page.services.settings.country)
        precision = Precision.COARSE if page.form.flag("coarse") else Precision.FINE
        save_place(page.services, page.actor, PlaceRequest(kind, point, town_id, precision))
    except ReuniteError as error:
        if error.details.get("field") in {"place", "town"}:
            error.details["field"] = "other_town"
        places = page.form
        places.error, places.message = error, page.message(error)
        response = page.refuse(
            "alerts/volunteer.html",
            error,
            form=_filled_in(page, volunteer),
            **_extras(page, volunteer, places),
        )
    else:
        response = page.redirect("/volunteer?done=place")
    return response


@routes.post("/volunteer/places/{kind}/forget", access=SIGNED_IN)
def submit_forget(page: Page, kind: str) -> Response:
    """Erase one place."""
    if kind not in set(PlaceKind):
        raise NotFoundError
    forget_place(page.services, page.actor, PlaceKind(kind))
    return page.redirect("/volunteer?done=forgotten")


@routes.post("/volunteer/confirm", access=SIGNED_IN)
def submit_confirm(page: Page) -> Response:
    """The places are still true."""
    confirm_places(page.services, page.actor)
    return page.redirect("/volunteer?done=confirmed")


@routes.post("/volunteer/position", access=SIGNED_IN)
def submit_position(page: Page) -> Response:
    """The device has left its cell: the outline of the new one, so that it is quiet until then."""
    with at_field("place"):
        point = page.form.point()
    if point is None:
        raise InvalidInputError("place_required", field="place")
    share_position(page.services, page.actor, point)
    volunteer = find_volunteer(page.services, page.actor)
    here = None if volunteer is None else volunteer.find_place(PlaceKind.HERE)
    outline = [] if here is None else h3.cell_to_boundary(here.cell)
    return JSONResponse({"cell": [[round(y, 6), round(x, 6)] for y, x in outline]})


@routes.get("/volunteer/export", access=SIGNED_IN)
def export(page: Page) -> Response:
    """Everything that is kept about a volunteer, as a file."""
    kept = export_volunteer(page.services, page.actor)
    return Response(
        json.dumps(kept, ensure_ascii=False, indent=2),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="reunite-volunteer.json"'},
    )


def _filled_in(page: Page, volunteer: Volunteer) -> Form:
    home = volunteer.find_place(PlaceKind.HOME)
    town = None if home is None else _town(page, home)
    is_coarse = home is not None and resolution_of(home.cell) == Precision.COARSE
    return Form(
        {
            "module": [str(module.value) for module in volunteer.modules],
            "town": [] if town is None else [town.name(page.language)],
            "coarse": ["1"] if is_coarse else [],
            "quiet_from": [str(volunteer.quiet.from_hour)],
            "quiet_until": [str(volunteer.quiet.until_hour)],
            "weekly_pushes": [str(volunteer.weekly_pushes)],
        }
    )


def _extras(page: Page, volunteer: Volunteer | None, places: Form | None = None) -> dict[str, Any]:
    home = None if volunteer is None else volunteer.find_place(PlaceKind.HOME)
    town = None if home is None else _town(page, home)
    listed = () if volunteer is None else volunteer.places
    named = [(place, _town(page, place)) for place in listed]
    done = page.query("done")
    return {
        "volunteer": volunteer,
        "town_name": "" if town is None else town.name(page.language),
        # A cell that is not the town's own came from the browser.
        "by_position": home is not None
        and town is not None
        and cell_of(town.point, resolution_of(home.cell)) != home.cell,
        "modules": list(Module),
        "places": [
            (place, "" if town is None else town.name(page.language)) for place, town in named
        ],
        "places_form": places or Form(),
        "asks": any(place.asks_to_be_confirmed(page.now) for place in listed),
        "kinds": [kind for kind in PlaceKind if kind not in {PlaceKind.HOME, PlaceKind.HERE}],
        "PlaceKind": PlaceKind,
        "hours": [(hour, f"{hour:02}:00") for hour in range(24)],
        "pushes": list(range(MOST_WEEKLY_PUSHES + 1)),
        "done": done if done in DONE else "",
    }


def _request(page: Page, volunteer: Volunteer | None) -> JoinRequest:
    form = page.form
    point, town_id = read_position(form, "town", page.services.settings.country)
    precision = Precision.COARSE if form.flag("coarse") else Precision.FINE
    home = None if volunteer is None else volunteer.find_place(PlaceKind.HOME)
    # The place as it was where only the kinds of alert were changed.
    if town_id is not None and home is not None and home.place_label == str(town_id):
        point, town_id = centre_of(home.cell), None
    return JoinRequest(
        modules=form.choices("module", Module),
        point=point,
        town_id=town_id,
        precision=precision,
        weekly_pushes=form.integer("weekly_pushes"),
        quiet=_quiet(form, volunteer),
    )


def _quiet(form: Form, volunteer: Volunteer | None) -> QuietHours | None:
    said = QuietHours() if volunteer is None else volunteer.quiet
    first, until = form.integer("quiet_from"), form.integer("quiet_until")
    if first is None and until is None:
        return None
    return QuietHours(
        said.from_hour if first is None else first, said.until_hour if until is None else until
    )


def _town(page: Page, place: VolunteerPlace) -> Town | None:
    """The town that a volunteer's place was named after."""
    if not place.place_label.isdigit():
        return None
    return find_town(int(place.place_label), page.services.settings.country)
