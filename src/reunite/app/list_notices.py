"""How far the notices of a case have come; asked for again and again while they go out."""

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.alerts.notices import Notice
from reunite.app.services import Services
from reunite.ports import NoticeProgress


def list_notices(
    services: Services, actor: Actor | None, reference: str
) -> list[tuple[Notice, NoticeProgress]]:
    """Every notice about a case with its progress.  Looks at no face, so none is logged.

    Raises NotFoundError.
    """
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
        return transaction.notices.list_of_case(case.id)
