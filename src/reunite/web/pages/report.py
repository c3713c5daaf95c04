"""Report somebody who is missing, or somebody who has been found."""

from datetime import datetime

from starlette.responses import JSONResponse, Response

from reunite.app.access import PUBLIC, SIGNED_IN
from reunite.app.open_case import CaseReport, open_case
from reunite.cases.case import Circumstances, Person
from reunite.kernel.errors import InvalidInputError, NotFoundError, ReuniteError
from reunite.kernel.people import Module, Sex, Side, YearRange
from reunite.kernel.places import towns_within
from reunite.web.ages import likely_birth_years
from reunite.web.forms import Form
from reunite.web.page import Context, Page
from reunite.web.pages.people import read_background
from reunite.web.routing import Pages
from reunite.web.towns import read_place, suggest_towns

routes = Pages()

SIDES = {"missing": Side.MISSING, "found": Side.FOUND}
REPORTABLE = (Module.CHILD, Module.ELDER)  # blood requests have forms of their own
OLDEST_YEARS = 130
MAP_TOWNS, MAP_RADIUS_KM = 25, 3000.0


@routes.get("/report/{side}", access=SIGNED_IN)
def show_report(page: Page, side: str) -> Response:
    """The form."""
    return page.render("report.html", form=Form.of(module=Module.CHILD.value), **_extras(side))


@routes.post("/report/{side}", access=SIGNED_IN)
def submit_report(page: Page, side: str) -> Response:
    """Open the case; a photo with several faces leads to a choice."""
    extras = _extras(side)
    try:
        opened = open_case(page.services, page.actor, _read(page, SIDES[side]))
    except ReuniteError as error:
        return page.refuse("report.html", error, **extras)
    if opened.choose_photo is not None:
        return page.redirect(f"/photos/{opened.choose_photo}/face")
    return page.redirect(f"/cases/{opened.reference}?thanks=1")


@routes.get("/towns/around", access=PUBLIC)
def towns_around(page: Page) -> Response:
    """The largest towns near a point, to write on a map."""
    form = page.query_form()
    point = form.point()
    if point is None:
        raise InvalidInputError("place_required", field="place")
    radius_km = min(MAP_RADIUS_KM, max(1.0, form.decimal("radius_km") or 1.0))
    near = towns_within(point, radius_km, page.services.settings.country)
    return JSONResponse(
        [
            {
                "name": town.name(page.language),
                "latitude": town.point.latitude,
                "longitude": town.point.longitude,
            }
            for town in near[:MAP_TOWNS]
        ],
        headers={"Cache-Control": "public, max-age=86400"},
    )


@routes.get("/towns", access=PUBLIC)
def towns(page: Page) -> Response:
    """Names of towns to complete what is being typed."""
    names = suggest_towns(page.query("q"), page.services.settings.country, page.language)
    return JSONResponse(names, headers={"Cache-Control": "public, max-age=86400"})


def _extras(side: str) -> Context:
    if side not in SIDES:
        raise NotFoundError
    return {"side": SIDES[side], "side_name": side, "modules": REPORTABLE}


def _read(page: Page, side: Side) -> CaseReport:
    form = page.form
    module = form.choice("module", Module)
    if module not in REPORTABLE:
        raise InvalidInputError("choice_unknown", field="module")
    point, label = read_place(form, page.services.settings.country, page.language)
    return CaseReport(
        module=module,
        side=side,
        person=Person(
            name=form.text("name"),
            sex=form.choice("sex", Sex, Sex.UNKNOWN),
            birth_years=_birth_years(form, page.now),
            height_cm=form.integer("height_cm"),
            marks=form.text("marks"),
            clothing=form.text("clothing"),
            dialect=form.text("dialect"),
        ),
        circumstances=Circumstances(
            seen_at=form.moment("seen_at", page.settings.zone),
            place=point,
            place_label=label,
            story=form.text("story"),
            private_note=form.text("private_note"),
        ),
        consent_search=form.flag("consent_search"),
        consent_publish=form.flag("consent_publish"),
        contact=form.required("contact"),
        photo=form.upload("photo"),
        captured_year=form.integer("captured_year"),
        background=read_background(form),
    )


def _birth_years(form: Form, now: datetime) -> YearRange | None:
    """From a year of birth, or from an age or two that somebody guessed."""
    year = form.integer("birth_year")
    if year is not None:
        return YearRange(year, year)
    guesses = {name: form.integer(name) for name in ("age_from", "age_to")}
    known = {name: age for name, age in guesses.items() if age is not None}
    for name, age in known.items():
        if not 0 <= age <= OLDEST_YEARS:
            raise InvalidInputError("number_out_of_range", field=name, least=0, most=OLDEST_YEARS)
    if not known:
        return None
    ages = list(known.values())
    youngest, oldest = ages[0], ages[-1]
    if youngest > oldest:
        raise InvalidInputError("age_range_reversed", field="age_from")
    return likely_birth_years((youngest, oldest), now.year)
