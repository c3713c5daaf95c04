"""Erase what is no longer needed: closed cases, searches, sessions, orphaned pictures."""

from datetime import timedelta

import structlog

from reunite.app.services import Services
from reunite.cases.case import CaseStatus
from reunite.cases.retention import PHOTO_RETENTION, photos_expire_at
from reunite.kernel.ids import CaseId
from reunite.ports import CaseQuery, Transaction

log = structlog.get_logger(__name__)

# A file is written before its row; younger ones may belong to a transaction under way.
ORPHAN_AGE = timedelta(hours=1)
# Twice as long as a process trusts its audience (``audience_sync``) or its donors without a look.
CHANGES_KEPT = timedelta(days=1)
# Whoever was asked and has said nothing; they may have found no time.
UNCONFIRMED_KEPT = timedelta(days=7)
KEY_USES_KEPT = timedelta(days=400)  # a whole year can be accounted for
BATCH = 200
FEW_ORPHANS = 50


def erase_expired(services: Services) -> int:
    """Erase everything that is due; how many pictures went."""
    now = services.clock.now()
    with services.database.transaction() as transaction:
        keys = transaction.probes.delete_expired(now)
        transaction.accounts.delete_expired_sessions(now)
        transaction.volunteers.forget_changes_before(now - CHANGES_KEPT)
        transaction.donors.forget_changes_before(now - CHANGES_KEPT)
        transaction.channel_addresses.remove_unconfirmed_before(now - UNCONFIRMED_KEPT)
        transaction.api_keys.delete_uses_before(now - KEY_USES_KEPT)
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
            keys += transaction.previews.delete_of_case(case.id)
            keys += transaction.photos.delete_of_case(case.id)
            keys += transaction.sightings.erase_of_case(case.id)
            transaction.backgrounds.erase(case.id)
            transaction.linkage.erase(case.id)
            transaction.registrations.erase_of_case(case.id)
            _forget_request(transaction, case.id)
            case.forget(now)
            transaction.cases.save(case)
    # After the commit: a crash here leaves files without rows, which the sweep finds.
    services.photos.delete(keys)
    return len(keys)


def _forget_request(transaction: Transaction, case_id: CaseId) -> None:
    """Of a request for blood: what points to a patient, and what donors wrote."""
    appeal = transaction.blood_requests.find_of_case(case_id)
    if appeal is None:
        return
    appeal.forget()
    transaction.blood_requests.save(appeal)
    for ask in transaction.donor_asks.list_of_request(appeal.id):
        ask.remark = ask.contact = ""
        transaction.donor_asks.save(ask)


def sweep_photos(services: Services) -> int:
    """Erase files that no row refers to; how many.

    Erases nothing where most of the pictures are unknown to the database.
    """
    with services.database.transaction() as transaction:
        wanted = set(transaction.photos.iter_storage_keys())
    old = list(services.photos.iter_keys_older_than(services.clock.now() - ORPHAN_AGE))
    orphans = [key for key in old if key not in wanted]
    # Crashes leave few.  Many means that these pictures belong to another database.
    if len(orphans) > max(FEW_ORPHANS, len(old) // 2):
        log.error("photo_sweep_refused", orphans=len(orphans), pictures=len(old))
        return 0
    services.photos.delete(orphans)
    return len(orphans)
