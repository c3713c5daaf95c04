"""Make the templates of all stored photos anew, for another model or adapter.

Searches go on meanwhile: a template joins the gallery as soon as it is written.  Stopping at
any moment loses nothing; the next run goes on with what is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from reunite.accounts.account import Actor, Role, require_role
from reunite.app.intake import enrol, view_stored
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.photos import CasePhoto
from reunite.faces.quality import Verdict
from reunite.kernel.errors import NotFoundError, ReuniteError
from reunite.kernel.ids import CaseId
from reunite.ports import CaseQuery

ADMINS = frozenset({Role.ADMIN})
CASES_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ReembedReport:
    """What became of the photos with a chosen face."""

    made: int
    already: int
    unreadable: int  # not found again in its picture, or the picture is gone


def reembed(
    services: Services,
    actor: Actor | None,
    progress: Callable[[int], None] = lambda _: None,
) -> ReembedReport:
    """Templates of the present space for every photo that has none; each is matched again."""
    require_role(actor, ADMINS)
    made = already = unreadable = 0
    before: CaseId | None = None
    while True:
        with services.database.transaction() as transaction:
            cases = transaction.cases.list_matching(CaseQuery(limit=CASES_AT_ONCE, before=before))
            photos = transaction.photos.list_of_cases([case.id for case in cases])
        for case in cases:
            for photo in photos.get(case.id, []):
                if photo.chosen is None:
                    continue
                outcome = _reembed_one(services, case, photo)
                made += outcome == "made"
                already += outcome == "already"
                unreadable += outcome == "unreadable"
                progress(made + already + unreadable)
        if len(cases) < CASES_AT_ONCE:
            return ReembedReport(made, already, unreadable)
        before = cases[-1].id


def _reembed_one(services: Services, case: Case, photo: CasePhoto) -> str:
    space = services.gallery.space
    with services.database.transaction() as transaction:
        if transaction.templates.find_of_photo(photo.id, space) is not None:
            return "already"
    try:
        _, views = view_stored(services, photo.storage_key)
    except ReuniteError:
        return "unreadable"
    if photo.chosen is None or photo.chosen >= len(views):
        return "unreadable"
    view = views[photo.chosen]
    if view.quality.verdict is Verdict.UNUSABLE:
        return "unreadable"
    try:
        with services.database.transaction() as transaction:
            enrol(services, transaction, case, photo, view)
    except NotFoundError:
        return "unreadable"  # erased a moment ago
    return "made"
