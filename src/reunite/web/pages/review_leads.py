"""Leads side by side: compare, accept with a second pair of eyes, reject for ever."""

from typing import Any

from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.app.list_queues import Urgency, list_waiting_leads
from reunite.app.name_accounts import name_accounts
from reunite.app.review_lead import LeadSide, LeadView, decide_lead, get_lead, list_leads
from reunite.cases.facts import Agreement
from reunite.cases.leads import LeadStatus, Verdict
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.ids import LeadId
from reunite.kernel.people import Sex
from reunite.web.ages import is_small_child
from reunite.web.durations import Spans
from reunite.web.evidence_words import words_of_evidence
from reunite.web.forms import Form
from reunite.web.likeness import Likeness, likeness_of
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()

PAGE_LEADS = 20
DECIDED = frozenset({LeadStatus.CONFIRMED, LeadStatus.REJECTED})


@routes.get("/review/leads", access=STAFF_ONLY)
def show_leads(page: Page) -> Response:
    """Leads that wait, or with ``show=decided`` those of open cases that do not any more."""
    offset = max(0, page.query_form().integer("offset") or 0)
    if page.query("show") == "decided":
        views = list_leads(page.services, page.actor, DECIDED, limit=PAGE_LEADS + 1, offset=offset)
        waiting = [(view, Urgency.LATER) for view in views]
    else:
        waiting = [
            (one.view, one.urgency)
            for one in list_waiting_leads(
                page.services, page.actor, limit=PAGE_LEADS + 1, offset=offset
            )
        ]
    return page.render(
        "review/leads.html",
        leads=[(view, urgency, _likeness(view)) for view, urgency in waiting[:PAGE_LEADS]],
        next_offset=offset + PAGE_LEADS if len(waiting) > PAGE_LEADS else None,
        decided=page.query("show") == "decided",
        spans=Spans(page.language, page.now),
        Urgency=Urgency,
    )


@routes.get("/review/leads/{lead_id:int}", access=STAFF_ONLY)
def show_lead(page: Page, lead_id: int) -> Response:
    """Both faces, ages, lapse and facts."""
    return page.render("review/lead.html", form=Form(), **_extras(page, LeadId(lead_id)))


@routes.post("/review/leads/{lead_id:int}", access=STAFF_ONLY)
def submit_decision(page: Page, lead_id: int) -> Response:
    """A reviewer's word.  A rejection needs a reason: it can never be taken back."""
    try:
        verdict = page.form.choice("verdict", Verdict)
        if verdict is Verdict.REJECT and not page.form.text("note"):
            raise InvalidInputError("required", field="note")
        decide_lead(page.services, page.actor, LeadId(lead_id), verdict, page.form.text("note"))
    except ReuniteError as error:
        return page.refuse("review/lead.html", error, **_extras(page, LeadId(lead_id)))
    return page.redirect(f"/review/leads/{lead_id}")


def _likeness(view: LeadView) -> Likeness:
    return likeness_of(
        view.likelihood, is_weak=any(_is_small(side) for side in (view.missing, view.found))
    )


def _is_small(side: LeadSide) -> bool:
    year = None if side.photo is None else side.photo.captured_year
    return is_small_child(side.case.person.birth_years, year)


def _extras(page: Page, lead_id: LeadId) -> dict[str, Any]:
    view = get_lead(page.services, page.actor, lead_id)
    actor = page.actor
    return {
        "view": view,
        "likeness": _likeness(view),
        "evidence": words_of_evidence(view.lead.evidence),
        "names": name_accounts(
            page.services, actor, {decision.by for decision in view.lead.decisions}
        ),
        "is_first_reviewer": actor is not None
        and view.lead.status is LeadStatus.SECOND_OPINION
        and any(decision.by == actor.account_id for decision in view.lead.decisions),
        "sexes": {"female": Sex.FEMALE, "male": Sex.MALE},
        "Agreement": Agreement,
        "LeadStatus": LeadStatus,
        "Verdict": Verdict,
    }
