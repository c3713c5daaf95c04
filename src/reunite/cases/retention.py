"""How long pictures outlive a case."""

from datetime import datetime, timedelta

from reunite.cases.case import Case, CaseStatus

# Long enough to put right a case that was closed by mistake, short enough to mean it.
PHOTO_RETENTION = timedelta(days=30)


def photos_expire_at(case: Case) -> datetime | None:
    """When the pictures of a case must be gone; None while it is open.

    A withdrawn case has no outcome to be disputed: its pictures go at once.
    """
    if case.closed_at is None or case.photos_erased_at is not None:
        return None
    if case.status is CaseStatus.WITHDRAWN:
        return case.closed_at
    return case.closed_at + PHOTO_RETENTION
