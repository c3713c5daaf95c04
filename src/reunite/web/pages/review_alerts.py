"""One alert on its way: how far it has come, live; stop it, or tell of news."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.app.list_notices import AlertView, get_alert
from reunite.app.sign_in import find_actor
from reunite.app.stop_alert import stop_alert
from reunite.app.update_alert import update_alert
from reunite.kernel.errors import ReuniteError
from reunite.kernel.ids import NoticeId
from reunite.web.i18n import find_language
from reunite.web.page import Page
from reunite.web.routing import Pages
from reunite.web.statuses import status_of
from reunite.web.streams import HEARTBEAT, EventStream, event

routes = Pages()

LOOK_SECONDS = 1.0
QUIET_LOOKS = 15  # then a sign of life, so that no proxy gives up
# Then the browser comes back, and is asked again who it is.
LONGEST_STREAM_LOOKS = 900


@routes.get("/review/alerts/{notice_id:int}", access=STAFF_ONLY)
def show_alert(page: Page, notice_id: int) -> Response:
    """Queued, sent, failed, opened, sightings; and the button that stops it."""
    return _render(page, notice_id)


@routes.get("/review/alerts/{notice_id:int}/stream", access=STAFF_ONLY, localised=False)
async def stream_alert(page: Page, notice_id: int) -> Response:
    """Server-sent events: ``progress`` with the figures as HTML, whenever they have changed."""
    if page.request.method == "HEAD":  # a page asks whether it is worth coming back
        return Response(headers={"Cache-Control": "no-store"})
    page.language = find_language(page.query("language")) or page.language
    # Before the stream begins: an unknown notice is an error page, not a stream.
    await run_in_threadpool(get_alert, page.services, page.actor, NoticeId(notice_id))
    return EventStream(_progress(page, NoticeId(notice_id)))


@routes.post("/review/alerts/{notice_id:int}/stop", access=STAFF_ONLY)
def submit_stop(page: Page, notice_id: int) -> Response:
    """Tell nobody else."""
    stop_alert(page.services, page.actor, NoticeId(notice_id))
    return page.redirect(f"/review/alerts/{notice_id}?done=stopped")


@routes.post("/review/alerts/{notice_id:int}/news", access=STAFF_ONLY)
def submit_news(page: Page, notice_id: int) -> Response:
    """Everyone who was told hears that there is news."""
    view = get_alert(page.services, page.actor, NoticeId(notice_id))
    try:
        update_alert(page.services, page.actor, view.reference)
    except ReuniteError as error:
        page.form.error, page.form.message = error, page.message(error)
        return _render(page, notice_id, status=status_of(error))
    return page.redirect(f"/review/cases/{view.reference}?done=news#told")


def _render(page: Page, notice_id: int, *, status: int = 200) -> Response:
    view = get_alert(page.services, page.actor, NoticeId(notice_id))
    return page.render(
        "review/alert.html",
        status=status,
        view=view,
        form=page.form,
        stopped=page.query("done") == "stopped",
    )


async def _progress(page: Page, notice_id: NoticeId) -> AsyncGenerator[str, None]:
    last: AlertView | None = None
    quiet = 0
    for _ in range(LONGEST_STREAM_LOOKS):
        view = await run_in_threadpool(_look, page, notice_id)
        if view is None:
            return
        if view != last:
            yield event(_fragment(page, view), name="progress")
            last, quiet = view, 0
        else:
            quiet += 1
            if quiet % QUIET_LOOKS == 0:
                yield HEARTBEAT
        await asyncio.sleep(LOOK_SECONDS)


def _look(page: Page, notice_id: NoticeId) -> AlertView | None:
    """How far it has come; None once the session has ended or nothing answers."""
    try:
        return get_alert(page.services, find_actor(page.services, page.session_token), notice_id)
    except ReuniteError:
        return None


def _fragment(page: Page, view: AlertView) -> str:
    return bytes(page.render("review/_alert.html", view=view).body).decode()
