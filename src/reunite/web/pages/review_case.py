"""Review of one case: verify, publish with its alert, resolve, withdraw."""

from collections.abc import Callable

from starlette.responses import Response

from reunite.alerts.radius import Category, TravelMode
from reunite.app.access import STAFF_ONLY
from reunite.app.close_case import resolve_case, withdraw_case
from reunite.app.link_duplicates import list_duplicates_of
from reunite.app.list_looks import list_looks
from reunite.app.list_notices import list_notices
from reunite.app.list_origins import list_origins
from reunite.app.name_accounts import name_accounts
from reunite.app.publish_case import AlertPreview, preview_alert, verify_case
from reunite.app.view_case import CaseView, get_case
from reunite.app.widen_alert import find_plan
from reunite.cases.case import (
    BLOOD_CAUSES,
    BLOOD_OUTCOMES,
    CaseStatus,
    Outcome,
    ResolutionCause,
)
from reunite.cases.leads import LeadStatus
from reunite.cases.retention import photos_expire_at
from reunite.kernel.errors import ReuniteError
from reunite.kernel.people import Module
from reunite.web.forms import Form
from reunite.web.page import Page
from reunite.web.previews import fill_in, preview_extras
from reunite.web.routing import Pages
from reunite.web.statuses import status_of

routes = Pages()

LOOKS_SHOWN = 20
DONE = frozenset({"verified", "published", "resolved", "withdrawn", "news"})


@routes.get("/review/cases/{reference}", access=STAFF_ONLY)
def show_case(page: Page, reference: str) -> Response:
    """Everything about the case, and the next step."""
    wanted = page.query_form()
    # A confirmed lead links here with the outcome filled in; anything else is ignored.
    prefilled = {
        name: wanted.values.get(name, [])
        for name in ("outcome", "cause", "with_confirmed_partners")
    }
    return render_case(page, reference, {"resolve": Form(prefilled)})


@routes.get("/review/cases/{reference}/notices", access=STAFF_ONLY)
def show_notices(page: Page, reference: str) -> Response:
    """How far the notices have come, asked for again while they go out."""
    notices = list_notices(page.services, page.actor, reference.upper())
    return page.render(
        "review/_notices.html", notices=notices, reference=reference.upper(), expected=False
    )


@routes.post("/review/cases/{reference}/verify", access=STAFF_ONLY)
def submit_verify(page: Page, reference: str) -> Response:
    """The report is true, and the note says how that is known."""
    return take_step(
        page,
        reference,
        "verify",
        "verified",
        lambda: verify_case(page.services, page.actor, reference.upper(), page.form.text("note")),
    )


@routes.post("/review/cases/{reference}/resolve", access=STAFF_ONLY)
def submit_resolve(page: Page, reference: str) -> Response:
    """End the search with its outcome and what brought it about."""
    form = page.form
    return take_step(
        page,
        reference,
        "resolve",
        "resolved",
        lambda: resolve_case(
            page.services,
            page.actor,
            reference.upper(),
            form.choice("outcome", Outcome),
            form.choice("cause", ResolutionCause),
            form.text("resolve_note"),
            with_confirmed_partners=form.flag("with_confirmed_partners"),
        ),
    )


@routes.post("/review/cases/{reference}/withdraw", access=STAFF_ONLY)
def submit_withdraw(page: Page, reference: str) -> Response:
    """Take the case back without an outcome."""
    return take_step(
        page,
        reference,
        "withdraw",
        "withdrawn",
        lambda: withdraw_case(
            page.services, page.actor, reference.upper(), page.form.text("withdraw_note")
        ),
    )


def take_step(
    page: Page, reference: str, section: str, done: str, take: Callable[[], None]
) -> Response:
    """Take one step; a refusal is shown in the section of the page that asked for it."""
    try:
        take()
    except ReuniteError as error:
        page.form.error, page.form.message = error, page.message(error)
        return render_case(page, reference, {section: page.form}, status=status_of(error))
    return page.redirect(f"/review/cases/{reference.upper()}?done={done}")


def render_case(
    page: Page,
    reference: str,
    forms: dict[str, Form],
    preview: AlertPreview | None = None,
    *,
    status: int = 200,
) -> Response:
    view = get_case(page.services, page.actor, reference.upper())
    case = view.case
    if preview is None and case.status is CaseStatus.VERIFIED and case.consent_publish:
        preview = preview_alert(page.services, page.actor, case.reference)
    looks = list_looks(page.services, page.actor, case.reference, limit=LOOKS_SHOWN)
    people = {step.by for step in case.transitions} | {case.opened_by}
    people |= {one.decided_by for one in view.sightings if one.decided_by is not None}
    done = page.query("done")
    plan = find_plan(page.services, page.actor, case.reference)
    people |= set() if plan is None else {plan.decided_by}
    form = forms.setdefault("publish", Form())
    if preview is not None:
        fill_in(form, preview)
    return page.render(
        "review/case.html",
        status=status,
        view=view,
        plan=plan,
        **preview_extras(form, preview),
        **_choices(page),
        looks=looks,
        names=name_accounts(page.services, page.actor, people),
        duplicates=list_duplicates_of(page.services, page.actor, case.reference),
        origins=list_origins(page.services, page.actor, case.reference),
        forms={
            name: forms.get(name, Form()) for name in ("verify", "publish", "resolve", "withdraw")
        },
        done=done if done in DONE else "",
        is_reporter=page.actor is not None and page.actor.account_id == case.opened_by,
        outcomes=_outcomes(case.module),
        causes=_causes(case.module),
        confirmed=[lead for lead in view.leads if lead.status is LeadStatus.CONFIRMED],
        checks=_checks(view),
        expires_at=photos_expire_at(case),
        reference=case.reference,
    )


def _choices(page: Page) -> dict[str, list[tuple[str, str]]]:
    label = page.web.renderers[page.language].labels.label
    return {
        "category_words": [(one.value, label(one)) for one in Category],
        "mode_words": [(one.value, label(one)) for one in TravelMode],
    }


def _outcomes(module: Module) -> list[Outcome]:
    if module is Module.BLOOD:
        return [*BLOOD_OUTCOMES, Outcome.NOT_MISSING]
    return [one for one in Outcome if one not in BLOOD_OUTCOMES or one is Outcome.DECEASED]


def _causes(module: Module) -> list[ResolutionCause]:
    if module is Module.BLOOD:
        return list(BLOOD_CAUSES)
    return [one for one in ResolutionCause if one not in BLOOD_CAUSES[:3]]


def _checks(view: CaseView) -> list[tuple[str, bool]]:
    """What makes a report complete, and whether it is there."""
    case = view.case
    return [
        ("contact", bool(case.contact)),
        ("consent_publish", case.consent_publish),
        ("photo", any(photo.chosen is not None for photo in view.photos)),
        ("place", case.circumstances.place is not None),
        ("seen_at", case.circumstances.seen_at is not None),
        ("birth_years", case.person.birth_years is not None),
    ]
