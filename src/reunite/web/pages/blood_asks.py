"""Requests for blood as a donor sees them: the hospital, what is needed, and three answers."""

from datetime import timedelta

from starlette.responses import Response

from reunite.app.access import SIGNED_IN
from reunite.app.answer_ask import AskView, DonorAnswer, answer_ask, get_ask, list_asks
from reunite.blood.appeals import SAID_BY_DONORS, CannotReason
from reunite.blood.spelling import format_phenotype
from reunite.blood.waves import Answer, travel_minutes
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.places import nearest_town
from reunite.web.blood_words import COMPONENTS, DISCLAIMER, hindrance_words
from reunite.web.forms import Form
from reunite.web.page import Context, Page
from reunite.web.routing import Pages

routes = Pages()

_QUARTER = timedelta(minutes=15)


@routes.get("/blood/asks", access=SIGNED_IN)
def show_asks(page: Page) -> Response:
    """Everything that one was asked for, the newest first."""
    views = list_asks(page.services, page.actor)
    return page.render("blood/asks.html", views=views, disclaimer=DISCLAIMER)


@routes.get("/blood/asks/{reference}", access=SIGNED_IN)
def show_ask(page: Page, reference: str) -> Response:
    """One request, and the answer to it."""
    view = get_ask(page.services, page.actor, reference)
    return page.render("blood/ask.html", form=_filled_in(page, view), **_extras(page, view))


@routes.post("/blood/asks/{reference}", access=SIGNED_IN)
def submit_ask(page: Page, reference: str) -> Response:
    """Coming, not this time, not me any more."""
    try:
        answer_ask(page.services, page.actor, reference, _said(page))
    except ReuniteError as error:
        view = get_ask(page.services, page.actor, reference)
        return page.refuse("blood/ask.html", error, **_extras(page, view))
    return page.redirect(f"/blood/asks/{reference}?done=answered")


def _said(page: Page) -> DonorAnswer:
    form = page.form
    gave_at = form.moment("gave_on", page.settings.zone)
    answer = form.choice("answer", Answer)
    comes_at = form.moment("comes_at", page.settings.zone)
    if answer is Answer.COMING and comes_at is None:
        raise InvalidInputError("required", field="comes_at")
    return DonorAnswer(
        answer,
        comes_at,
        form.text("contact"),
        form.choice("reason", CannotReason, CannotReason.OTHER),
        form.text("remark"),
        None if gave_at is None else gave_at.astimezone(page.settings.zone).date(),
    )


def _filled_in(page: Page, view: AskView) -> Form:
    """When they could be there: as they said, or after the way."""
    comes_at = view.ask.comes_at
    if comes_at is None:
        # From somewhere unknown: within the town.
        minutes = travel_minutes(view.ask.distance_km or 0.0)
        comes_at = page.now + timedelta(minutes=minutes)
        comes_at += _QUARTER - timedelta(seconds=comes_at.timestamp() % _QUARTER.total_seconds())
    return Form.of(
        comes_at=page.formats.local_input(comes_at),
        contact=view.ask.contact or view.donor.contact,
    )


def _extras(page: Page, view: AskView) -> Context:
    translations = page.web.renderers[page.language].translations
    label = page.web.renderers[page.language].labels.label
    country = page.services.settings.country
    return {
        "view": view,
        "town": nearest_town(view.appeal.request.place, country).name(page.language),
        "component": COMPONENTS[view.appeal.request.need.component],
        "own_type": format_phenotype(view.donor.phenotype, page.language),
        "hindrances": [
            (
                hindrance_words(one, translations, page.formats),
                one.source.title if one.source else "",
                one.source.url if one.source else "",
            )
            for one in view.eligibility.hindrances
        ],
        "reasons": [(one.value, label(one)) for one in CannotReason if one in SAID_BY_DONORS],
        "Answer": Answer,
        "CannotReason": CannotReason,
        "disclaimer": DISCLAIMER,
        "done": page.query("done"),
    }
