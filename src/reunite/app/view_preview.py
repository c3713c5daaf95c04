"""Hand out illustrations of ageing to those who may see them, and log who looked."""

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.app.services import Services
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import PreviewId
from reunite.ports import Look, LookPurpose


def get_preview_picture(
    services: Services, actor: Actor | None, preview_id: PreviewId
) -> tuple[bytes, bool]:
    """A JPEG, marked in its pixels and in its file, and whether everyone may see it.

    The reporter and staff see every preview; everyone sees those of a published case that a
    reviewer has approved.  Raises NotFoundError for all others.  A look at a preview that is
    not public is logged, as a look at a photo is.
    """
    with services.database.transaction() as transaction:
        preview = transaction.previews.get(preview_id)
        case = transaction.cases.get(preview.case_id)
        is_public = case.is_public and preview.is_approved
        may_see = actor is not None and (actor.is_staff or actor.account_id == case.opened_by)
        if not (is_public or may_see):
            raise NotFoundError
        if not is_public and actor is not None:
            transaction.looks.add(
                [Look(actor.account_id, case.id, LookPurpose.VIEW, services.clock.now())]
            )
    return services.photos.get(preview.storage_key), is_public


def approve_preview(
    services: Services, actor: Actor | None, preview_id: PreviewId, *, show: bool
) -> str:
    """Let a preview be shown on the poster, or take it off; the reference of its case.

    A reviewer looks at each one: some do not look like anybody.
    """
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        preview = transaction.previews.get(preview_id)
        if show:
            preview.approve(actor.account_id, services.clock.now())
        else:
            preview.withdraw()
        transaction.previews.save(preview)
        return transaction.cases.get(preview.case_id).reference
