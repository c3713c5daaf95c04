"""Deliveries that were given up; for administrators."""

from typing import Any

from starlette.responses import Response

from reunite.alerts.fanout import ChunkTask
from reunite.app.access import ADMIN_ONLY
from reunite.app.dead_letters import drop_dead_letter, list_dead_letters, retry_dead_letter
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.ids import NoticeId
from reunite.web.forms import Form
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()


@routes.get("/admin/dead-letters", access=ADMIN_ONLY)
def show_dead_letters(page: Page) -> Response:
    """What was given up and why, the newest first."""
    return page.render("admin/dead_letters.html", **_extras(page))


@routes.post("/admin/dead-letters", access=ADMIN_ONLY)
def submit_dead_letter(page: Page) -> Response:
    """Try one again, or drop it."""
    form = page.form
    try:
        act = {"retry": retry_dead_letter, "drop": drop_dead_letter}.get(form.required("act"))
        if act is None:
            raise InvalidInputError("choice_unknown", field="act")
        done = act(page.services, page.actor, _task(form), form.integer("failure_id"))
    except ReuniteError as error:
        return page.refuse("admin/dead_letters.html", error, **_extras(page))
    return page.redirect(f"/admin/dead-letters?done={form.text('act') if done else 'late'}")


def _task(form: Form) -> ChunkTask:
    return ChunkTask(
        NoticeId(form.integer("notice_id") or 0),
        form.integer("sequence") or 0,
        form.required("channel"),
    )


def _extras(page: Page) -> dict[str, Any]:
    found = list_dead_letters(page.services, page.actor)
    return {"letters": found.letters, "count": found.count, "done": page.query("done")}
