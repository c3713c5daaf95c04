"""Requests for blood as the hospital or blood centre sees them."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.app.call_donors import answer_call, list_calls
from reunite.app.open_blood_request import (
    RequestWish,
    open_blood_request,
    promise_unit,
    start_asking,
)
from reunite.app.run_blood_request import (
    Board,
    close_request,
    find_centre,
    get_board,
    list_requests,
    rank_donors,
    record_answer,
    see_contact,
)
from reunite.app.sign_in import find_actor
from reunite.blood.appeals import CannotReason
from reunite.blood.findings import Finding
from reunite.blood.names import EXAMPLES
from reunite.blood.notation import parse_phenotype
from reunite.blood.phenotype import Phenotype
from reunite.blood.rules import POLICIES, Component
from reunite.blood.spelling import format_phenotype
from reunite.blood.waves import MOST_UNITS, Answer, Urgency
from reunite.cases.case import BLOOD_CAUSES, BLOOD_OUTCOMES, Outcome, ResolutionCause
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.ids import BloodCentreId, DonorAskId
from reunite.web.blood_words import COMPONENTS, DISCLAIMER, GRADES, hindrance_words, reason_of
from reunite.web.forms import Form
from reunite.web.i18n import find_language
from reunite.web.labels_blood import DEFERRED_BY, OBSTACLES
from reunite.web.page import Context, Page
from reunite.web.routing import Pages
from reunite.web.streams import HEARTBEAT, EventStream, event
from reunite.web.towns import read_place

routes = Pages()

LOOK_SECONDS = 1.0
QUIET_LOOKS = 15  # then a sign of life, so that no proxy gives up
# Then the browser comes back, and is asked again who it is.
LONGEST_STREAM_LOOKS = 900
USUAL_HOURS = 12  # until it is needed, where nobody has said


@routes.get("/blood/requests", access=STAFF_ONLY)
def show_requests(page: Page) -> Response:
    """The requests of one's centre, the newest first."""
    return page.render(
        "blood/requests.html",
        lines=list_requests(page.services, page.actor),
        centre=find_centre(page.services, page.actor),
        calls=list_calls(page.services, page.actor),
        **_words(page),
    )


@routes.post("/blood/calls/{ask_id:int}", access=STAFF_ONLY)
def submit_call(page: Page, ask_id: int) -> Response:
    """What a donor of one's own centre said on the telephone, for another centre's request."""
    answer = page.form.choice("answer", Answer)
    answer_call(page.services, page.actor, DonorAskId(ask_id), answer)
    return page.redirect("/blood/requests#calls")


@routes.get("/blood/requests/new", access=STAFF_ONLY)
def show_new_request(page: Page) -> Response:
    """The form."""
    soon = page.formats.local_input(page.now + timedelta(hours=USUAL_HOURS))
    form = Form.of(
        component=Component.RED_CELLS.value,
        urgency=Urgency.URGENT.value,
        units=1,
        units_per_donation=1,
        policy="default",
        needed_by=soon,
    )
    return page.render("blood/new_request.html", form=form, **_form_extras(page))


@routes.post("/blood/requests/new", access=STAFF_ONLY)
def submit_request(page: Page) -> Response:
    """Write the request; the first wave goes out at once unless there is something to look at."""
    try:
        opened = open_blood_request(page.services, page.actor, _wish(page))
    except ReuniteError as error:
        return page.refuse("blood/new_request.html", error, **_form_extras(page))
    return page.redirect(f"/blood/requests/{opened.reference}?done=opened")


@routes.get("/blood/requests/{reference}", access=STAFF_ONLY)
def show_board(page: Page, reference: str) -> Response:
    """Asked, answered, coming, arrived, unsuitable, given: live."""
    board = get_board(page.services, page.actor, reference)
    return page.render("blood/request.html", **_board(page, board))


@routes.get("/blood/requests/{reference}/stream", access=STAFF_ONLY, localised=False)
async def stream_board(page: Page, reference: str) -> Response:
    """Server-sent events: ``progress`` with the board as HTML, whenever it has changed."""
    if page.request.method == "HEAD":  # a page asks whether it is worth coming back
        return Response(headers={"Cache-Control": "no-store"})
    page.language = find_language(page.query("language")) or page.language
    # Before the stream begins: an unknown request is an error page, not a stream.
    await run_in_threadpool(get_board, page.services, page.actor, reference)
    return EventStream(_progress(page, reference))


@routes.post("/blood/requests/{reference}/start", access=STAFF_ONLY)
def submit_start(page: Page, reference: str) -> Response:
    """Ask donors after all."""
    start_asking(page.services, page.actor, reference)
    return page.redirect(f"/blood/requests/{reference}")


@routes.post("/blood/requests/{reference}/units", access=STAFF_ONLY)
def submit_unit(page: Page, reference: str) -> Response:
    """Set a unit in stock aside, or let it go again."""
    form = page.form
    promise_unit(
        page.services,
        page.actor,
        reference,
        BloodCentreId(form.integer("centre") or 0),
        form.required("number"),
        promised=form.text("action") != "release",
    )
    return page.redirect(f"/blood/requests/{reference}#stock")


@routes.post("/blood/requests/{reference}/asks/{ask_id:int}", access=STAFF_ONLY)
def submit_answer(page: Page, reference: str, ask_id: int) -> Response:
    """What a donor said on the telephone, or what the desk saw."""
    record_answer(
        page.services,
        page.actor,
        reference,
        DonorAskId(ask_id),
        page.form.choice("answer", Answer),
        reason=page.form.choice("reason", CannotReason, CannotReason.OTHER),
    )
    return page.redirect(f"/blood/requests/{reference}#donors")


@routes.post("/blood/requests/{reference}/asks/{ask_id:int}/contact", access=STAFF_ONLY)
def show_contact(page: Page, reference: str, ask_id: int) -> Response:
    """Who is coming; the look is logged, which is why it is no link."""
    contact = see_contact(page.services, page.actor, reference, DonorAskId(ask_id))
    return page.render("blood/contact.html", contact=contact, reference=reference)


@routes.get("/blood/requests/{reference}/donors", access=STAFF_ONLY)
def show_donors(page: Page, reference: str) -> Response:
    """Donors in the order in which they would be asked, and why others are not."""
    board = get_board(page.services, page.actor, reference)
    listed = rank_donors(page.services, page.actor, reference)
    translations = page.web.renderers[page.language].translations
    deferred = {
        one.donor.id: hindrance_words(one.hindrance, translations, page.formats)
        for one in listed.not_asked
        if one.hindrance is not None
    }
    return page.render(
        "blood/donors_for.html",
        board=board,
        listed=listed,
        deferred=deferred,
        obstacles=OBSTACLES,
        **_words(page),
    )


@routes.post("/blood/requests/{reference}/close", access=STAFF_ONLY)
def submit_close(page: Page, reference: str) -> Response:
    """How it ended, and what brought it about."""
    form = page.form
    try:
        close_request(
            page.services,
            page.actor,
            reference,
            form.choice("outcome", Outcome),
            form.choice("cause", ResolutionCause),
            form.text("note"),
        )
    except ReuniteError as error:
        board = get_board(page.services, page.actor, reference)
        return page.refuse("blood/request.html", error, **_board(page, board))
    return page.redirect(f"/blood/requests/{reference}?done=closed")


def _wish(page: Page) -> RequestWish:
    form = page.form
    policy = form.text("policy") or "default"
    if policy not in POLICIES:
        raise InvalidInputError("choice_unknown", field="policy")
    units, per_donation = form.integer("units"), form.integer("units_per_donation")
    needed_by = form.moment("needed_by", page.settings.zone)
    if units is None or needed_by is None:
        raise InvalidInputError("required", field="units" if units is None else "needed_by")
    point, _ = read_place(form, page.services.settings.country, page.language)
    return RequestWish(
        patient=_patient(form),
        units=units,
        needed_by=needed_by,
        component=form.choice("component", Component, Component.RED_CELLS),
        childbearing=form.flag("childbearing"),
        policy=POLICIES[policy],
        urgency=form.choice("urgency", Urgency, Urgency.URGENT),
        units_per_donation=1 if per_donation is None else per_donation,
        place=point,
        patient_code=form.text("patient_code"),
        family_code=form.text("family_code"),
        note=form.text("note"),
        override_reason=form.text("override_reason"),
    )


def _patient(form: Form) -> Phenotype:
    try:
        return parse_phenotype(form.required("patient"))
    except InvalidInputError as error:
        error.details["field"] = "patient"
        raise


def _form_extras(page: Page) -> Context:
    translate = page.web.renderers[page.language].translations.gettext
    label = page.web.renderers[page.language].labels.label
    return {
        "centre": find_centre(page.services, page.actor),
        "component_words": [(one.value, translate(COMPONENTS[one])) for one in Component],
        "urgency_words": [(one.value, label(one)) for one in Urgency],
        "policies": [(name, name) for name in POLICIES],
        "per_donation": [(1, "1"), (2, "2")],
        "examples": EXAMPLES[:10],
        "most_units": MOST_UNITS,
        **_words(page),
    }


def _words(page: Page) -> Context:
    translations = page.web.renderers[page.language].translations

    def written(phenotype: Phenotype) -> str:
        return format_phenotype(phenotype, page.language)

    def said(finding: Finding) -> str:
        return reason_of(finding, translations)

    return {
        "written": written,
        "said": said,
        "grades": GRADES,
        "components": COMPONENTS,
        "disclaimer": DISCLAIMER,
    }


def _board(page: Page, board: Board) -> Context:
    label = page.web.renderers[page.language].labels.label
    gave = board.counts["given"] > 0
    suggested = Outcome.HELPED if gave or board.promised else None
    cause = ResolutionCause.DONOR_ASKED if gave else ResolutionCause.STOCK
    if page.form.error is None and suggested is not None:
        page.form = Form.of(outcome=suggested.value, cause=cause.value)
    return {
        "board": board,
        "deferred_by": DEFERRED_BY,
        "Answer": Answer,
        "outcomes": [(one.value, label(one)) for one in BLOOD_OUTCOMES],
        "causes": [(one.value, label(one)) for one in BLOOD_CAUSES],
        "done": page.query("done"),
        **_words(page),
    }


async def _progress(page: Page, reference: str) -> AsyncGenerator[str, None]:
    last = ""
    quiet = 0
    for _ in range(LONGEST_STREAM_LOOKS):
        fragment = await run_in_threadpool(_look, page, reference)
        if fragment is None:
            return
        if fragment != last:
            yield event(fragment, name="progress")
            last, quiet = fragment, 0
        else:
            quiet += 1
            if quiet % QUIET_LOOKS == 0:
                yield HEARTBEAT
        await asyncio.sleep(LOOK_SECONDS)


def _look(page: Page, reference: str) -> str | None:
    """The board as HTML; None once the session has ended or nothing answers."""
    try:
        actor = find_actor(page.services, page.session_token)
        board = get_board(page.services, actor, reference, donors_only=True)
    except ReuniteError:
        return None
    return bytes(page.render("blood/_board.html", **_board(page, board)).body).decode()
