"""Fetch the photo that a partner's record points at, where the partner allows it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import structlog

from reunite.app.intake import ReadPhoto, enrol, kept, photo_of, read_photo
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.kernel.errors import NotFoundError, ReuniteError
from reunite.partners.exchange import FieldOrigin, PartnerRecord, RecordState
from reunite.ports import Transaction

log = structlog.get_logger(__name__)

MAX_PHOTO_BYTES = 15_000_000
ATTEMPTS = 6
RETRY_AFTER = timedelta(hours=1)
# Nothing will be otherwise in an hour.
_FINAL = frozenset({"peer_refused", "peer_too_large", "peer_address_unusable"})


def queue_photo(transaction: Transaction, record_id: str) -> None:
    """Have the photo of a record fetched once this commits."""
    transaction.outbox.add("fetch_photo", {"record_id": record_id, "left": ATTEMPTS - 1})


def fetch_photo(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Add the photo to the record's case, from where its face is compared like any other.

    The address is asked through the guarded client: no redirection, no address of the operator's
    own network, at most ``MAX_PHOTO_BYTES``.  A server that is away is asked again for hours; what
    is no photo of a face is left alone.
    """
    record_id, left = str(payload["record_id"]), int(str(payload["left"]))
    known = transaction.partners.find_record(record_id)
    case = None if known is None else _open_case(transaction, known)
    if known is None or case is None:
        return
    domain = known.record.domain
    try:
        data = services.outside.get(known.record.text("photo_url"), {}, max_bytes=MAX_PHOTO_BYTES)
    except ReuniteError as error:
        log.warning("photo_not_fetched", domain=domain, error=error.code, attempts_left=left)
        if error.code not in _FINAL and left > 0:
            due_at = services.clock.now() + RETRY_AFTER
            payload = {"record_id": record_id, "left": left - 1}
            transaction.outbox.add("fetch_photo", payload, due_at)
        return
    try:
        read = read_photo(services, data)
    except ReuniteError as error:
        log.warning("photo_not_usable", domain=domain, error=error.code)
        return
    _add(services, transaction, known, case, read)


def _open_case(transaction: Transaction, known: PartnerRecord) -> Case | None:
    if known.state is not RecordState.LIVE or known.case_id is None:
        return None
    try:
        case = transaction.cases.get(known.case_id, lock=True)
    except NotFoundError:
        return None
    return case if case.is_open else None


def _add(
    services: Services,
    transaction: Transaction,
    known: PartnerRecord,
    case: Case,
    read: ReadPhoto,
) -> None:
    if read.photo.digest in {one.digest for one in transaction.photos.list_of_case(case.id)}:
        return
    with kept(services, read.jpeg) as key:
        photo = replace(photo_of(services, read, key, None), case_id=case.id)
        transaction.photos.add(photo)
        if photo.chosen is not None:
            enrol(services, transaction, case, photo, read.views[photo.chosen])
        transaction.partners.put_origins(
            case.id,
            [
                FieldOrigin(
                    "photo",
                    known.record.record_id,
                    known.record.time("source_date"),
                    services.clock.now(),
                )
            ],
        )
