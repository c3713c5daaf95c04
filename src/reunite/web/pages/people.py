"""People registered ahead of time: the list, the card to print, the alarm; the card's page."""

from starlette.responses import Response

from reunite.app.access import PUBLIC, SIGNED_IN
from reunite.app.answer_card import CardAnswer, answer_card, is_card
from reunite.app.register_person import (
    RegistrationForm,
    delete_registration,
    get_registration,
    list_registrations,
    raise_alarm,
    register_person,
)
from reunite.cases.background import Background
from reunite.cases.case import Person
from reunite.kernel.errors import ReuniteError
from reunite.kernel.people import Sex, YearRange
from reunite.web.forms import Form
from reunite.web.page import Page
from reunite.web.pages.cases import qr_code
from reunite.web.routing import Pages
from reunite.web.towns import read_place

routes = Pages()


@routes.get("/my/people", access=SIGNED_IN)
def show_people(page: Page) -> Response:
    """Everybody whom the reader has registered, and the form for one more."""
    views = list_registrations(page.services, page.actor)
    return page.render("people/list.html", form=Form(), views=views)


@routes.post("/my/people", access=SIGNED_IN)
def submit_person(page: Page) -> Response:
    """Register somebody."""
    try:
        made = register_person(page.services, page.actor, _read(page))
    except ReuniteError as error:
        views = list_registrations(page.services, page.actor)
        return page.refuse("people/list.html", error, views=views)
    return page.redirect(f"/my/people/{made.token}")


@routes.get("/my/people/{token}", access=SIGNED_IN)
def show_person(page: Page, token: str) -> Response:
    """One of them: the alarm, the card, what finders wrote, earlier times."""
    view = get_registration(page.services, page.actor, token)
    return page.render("people/one.html", form=Form(), view=view)


@routes.get("/my/people/{token}/card", access=SIGNED_IN)
def show_card(page: Page, token: str) -> Response:
    """Cards to print, cut out and sew in.  They bear a code and no name."""
    view = get_registration(page.services, page.actor, token)
    address = page.absolute(page.url(f"/card/{view.registration.token}"))
    return page.render("people/card.html", view=view, address=address, code=qr_code(address))


@routes.post("/my/people/{token}/alarm", access=SIGNED_IN)
def submit_alarm(page: Page, token: str) -> Response:
    """The one tap: the case is open."""
    seen_at = page.form.moment("seen_at", page.settings.zone)
    opened = raise_alarm(page.services, page.actor, token, seen_at)
    return page.redirect(f"/cases/{opened.reference}?thanks=1")


@routes.post("/my/people/{token}/delete", access=SIGNED_IN)
def submit_delete(page: Page, token: str) -> Response:
    """Forget somebody; the card leads nowhere from then on."""
    delete_registration(page.services, page.actor, token)
    return page.redirect("/my/people")


@routes.get("/card/{token}", access=PUBLIC)
def show_found(page: Page, token: str) -> Response:
    """What a finder sees: how to help, and no name, no address."""
    is_card(page.services, token)
    return page.render("people/found.html", form=Form(), token=token, told=False)


@routes.post("/card/{token}", access=PUBLIC)
def submit_found(page: Page, token: str) -> Response:
    """What a finder writes goes to the family."""
    form = page.form
    try:
        point, label = read_place(form, page.services.settings.country, page.language)
        answer = CardAnswer(form.required("text"), form.text("contact"), point, label)
        answer_card(page.services, token, answer)
    except ReuniteError as error:
        return page.refuse("people/found.html", error, token=token, told=False)
    return page.render("people/found.html", form=Form(), token=token, told=True)


def read_background(form: Form) -> Background:
    """What is known beyond looks, from the fields of the ``background`` macro."""
    names = ("other_names", "home_places", "condition", "medication", "habits", "bracelet")
    return Background(**{name: form.text(name) for name in names})


def _read(page: Page) -> RegistrationForm:
    form = page.form
    point, label = read_place(form, page.services.settings.country, page.language)
    year = form.integer("birth_year")
    return RegistrationForm(
        person=Person(
            name=form.required("name"),
            sex=form.choice("sex", Sex, Sex.UNKNOWN),
            birth_years=None if year is None else YearRange(year, year),
            height_cm=form.integer("height_cm"),
            marks=form.text("marks"),
            dialect=form.text("dialect"),
        ),
        background=read_background(form),
        contact=form.required("contact"),
        consent_search=form.flag("consent_search"),
        consent_publish=form.flag("consent_publish"),
        place=point,
        place_label=label,
        photo=form.upload("photo"),
    )
