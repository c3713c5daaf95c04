"""How far the notices of a case have come; asked for again and again while they go out."""

from dataclasses import dataclass

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.alerts.notices import Notice
from reunite.app.services import Services
from reunite.kernel.ids import NoticeId
from reunite.ports import NoticeProgress


@dataclass(frozen=True, slots=True)
class AlertView:
    """One notice on its way, as staff see it.  ``sightings`` are those since it was queued."""

    notice: Notice
    progress: NoticeProgress
    reference: str
    sightings: int

    @property
    def is_running(self) -> bool:
        """Whether somebody is still to be told."""
        return self.notice.stopped_at is None and (
            self.progress.delivered < self.progress.recipients
            or any(channel.waiting for channel in self.progress.channels)
        )


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


def get_alert(services: Services, actor: Actor | None, notice_id: NoticeId) -> AlertView:
    """One notice and how far it has come.  Raises NotFoundError."""
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        notice = transaction.notices.get(notice_id)
        case = transaction.cases.get(notice.case_id)
        sightings = transaction.sightings.list_of_case(case.id)
        return AlertView(
            notice,
            transaction.notices.get_progress(notice_id),
            case.reference,
            sum(one.reported_at >= notice.created_at for one in sightings),
        )
