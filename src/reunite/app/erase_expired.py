"""Erase what is no longer needed: pictures of closed cases, searches, sessions, orphans."""

from datetime import timedelta

from reunite.app.services import Services
from reunite.cases.case import CaseStatus
from reunite.cases.retention import PHOTO_RETENTION, photos_expire_at
from reunite.ports import CaseQuery

# A file is written before its row; younger ones may belong to a transaction under way.
ORPHAN_AGE = timedelta(hours=1)
# Twice as long as a process trusts its audience without a look (``audience_sync``).
VOLUNTEER_CHANGES_KEPT = timedelta(days=1)
BATCH = 200


def erase_expired(services: Services) -> int:
    """Erase everything that is due; how many pictures went."""
    now = services.clock.now()
    with services.database.transaction() as transaction:
        keys = transaction.probes.delete_expired(now)
        transaction.accounts.delete_expired_sessions(now)
        transaction.volunteers.forget_changes_before(now - VOLUNTEER_CHANGES_KEPT)
        closed = [
            case
            for status, closed_by in (
                (CaseStatus.WITHDRAWN, now),
                (CaseStatus.RESOLVED, now - PHOTO_RETENTION),
            )
            for case in transaction.cases.list_matching(
                CaseQuery(statuses=frozenset({status}), photos_due=closed_by, limit=BATCH)
            )
        ]
        for case in closed:
            due = photos_expire_at(case)
            if due is None or due > now:
                continue
            transaction.templates.delete_of_case(case.id)
            keys += transaction.photos.delete_of_case(case.id)
            keys += transaction.sightings.erase_photos_of_case(case.id)
            case.photos_erased_at = now
            transaction.cases.save(case)
    # After the commit: a crash here leaves files without rows, which the sweep finds.
    services.photos.delete(keys)
    return len(keys)


def sweep_photos(services: Services) -> int:
    """Erase files that no row refers to; how many."""
    with services.database.transaction() as transaction:
        wanted = set(transaction.photos.iter_storage_keys())
    orphans = [
        key
        for key in services.photos.iter_keys_older_than(services.clock.now() - ORPHAN_AGE)
        if key not in wanted
    ]
    services.photos.delete(orphans)
    return len(orphans)
