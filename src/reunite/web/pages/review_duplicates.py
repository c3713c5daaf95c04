"""Records that may be of one person twice: compare, link, take the link back."""

from typing import Any

from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.app.link_duplicates import (
    DuplicateView,
    decide_duplicate,
    get_duplicate,
    list_duplicates,
)
from reunite.app.name_accounts import name_accounts
from reunite.cases.duplicates import DuplicateSource, DuplicateStatus
from reunite.kernel.errors import ReuniteError
from reunite.kernel.ids import DuplicateId
from reunite.web.evidence_words import words_of_evidence
from reunite.web.forms import Form
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()

PAGE_PAIRS = 20


@routes.get("/review/duplicates", access=STAFF_ONLY)
def show_duplicates(page: Page) -> Response:
    """Pairs that wait, or with ``show=linked`` those that are linked."""
    offset = max(0, page.query_form().integer("offset") or 0)
    linked = page.query("show") == "linked"
    status = DuplicateStatus.LINKED if linked else DuplicateStatus.SUGGESTED
    views = list_duplicates(page.services, page.actor, status, limit=PAGE_PAIRS + 1, offset=offset)
    return page.render(
        "review/duplicates.html",
        views=views[:PAGE_PAIRS],
        next_offset=offset + PAGE_PAIRS if len(views) > PAGE_PAIRS else None,
        linked=linked,
    )


@routes.get("/review/duplicates/{duplicate_id:int}", access=STAFF_ONLY)
def show_duplicate(page: Page, duplicate_id: int) -> Response:
    """Both records side by side."""
    return page.render(
        "review/duplicate.html", form=Form(), **_extras(page, DuplicateId(duplicate_id))
    )


@routes.post("/review/duplicates/{duplicate_id:int}", access=STAFF_ONLY)
def submit_duplicate(page: Page, duplicate_id: int) -> Response:
    """Link the two records, or say that they are two people; either can be said anew."""
    wanted = DuplicateId(duplicate_id)
    try:
        status = (
            DuplicateStatus.LINKED
            if page.form.text("decision") == "link"
            else DuplicateStatus.SEPARATE
        )
        decide_duplicate(page.services, page.actor, wanted, status, page.form.text("note"))
    except ReuniteError as error:
        return page.refuse("review/duplicate.html", error, **_extras(page, wanted))
    return page.redirect(f"/review/duplicates/{duplicate_id}")


def _extras(page: Page, duplicate_id: DuplicateId) -> dict[str, Any]:
    view: DuplicateView = get_duplicate(page.services, page.actor, duplicate_id)
    deciders = {decision.by for decision in view.pair.decisions}
    return {
        "view": view,
        "evidence": words_of_evidence(view.pair.evidence),
        "names": name_accounts(page.services, page.actor, deciders),
        "DuplicateStatus": DuplicateStatus,
        "DuplicateSource": DuplicateSource,
    }
