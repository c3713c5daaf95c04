"""Tell everyone who was told that there is news of a search."""

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.alerts.notices import NoticeKind
from reunite.app.services import Services
from reunite.kernel.errors import ConflictError


def update_alert(services: Services, actor: Actor | None, reference: str) -> None:
    """Queue a notice that takes the place of the earlier ones; its words are the case's of now.

    Raises ConflictError ``alert_not_running`` when nobody was told or the case is over.
    """
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference, lock=True)
        if not case.is_public or not transaction.notices.list_of_case(case.id):
            raise ConflictError("alert_not_running")
        transaction.outbox.add(
            "notify_audience", {"case_id": case.id, "kind": NoticeKind.UPDATED.value}
        )
