"""Report a sighting of a published person."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.app.intake import decode_upload, kept
from reunite.app.search_face import get_probe
from reunite.app.services import Services
from reunite.app.view_case import was_public
from reunite.cases.case import Case
from reunite.cases.sightings import Sighting, check_sighting
from reunite.faces.photo import Photo, decode_photo, encode_jpeg
from reunite.faces.quality import Verdict
from reunite.gallery.port import Float32
from reunite.kernel.errors import ConflictError, NotFoundError, TooManyRequestsError
from reunite.kernel.ids import SightingId
from reunite.kernel.people import Side
from reunite.kernel.places import Point, nearest_town, require_on_land
from reunite.ports import Transaction


@dataclass(frozen=True, slots=True)
class SightingReport:
    """What somebody saw.  ``probe_token`` sends the photo of a face-find along."""

    seen_at: datetime
    place: Point | None
    place_label: str
    text: str
    photo: bytes | None = None
    probe_token: str | None = None
    # Made by the sender's device: however often it sends, it is one sighting.
    client_key: str | None = None


def report_sighting(
    services: Services, actor: Actor | None, reference: str, report: SightingReport
) -> SightingId:
    """Put a sighting into the reviewers' queue.

    A photo need not show a face; where it does, its similarity to the case is written
    beside it for the reviewer.  What the device has sent before under the same key is not
    written again.  Raises InvalidInputError; ConflictError ``case_closed``;
    TooManyRequestsError ``too_many_sightings``.
    """
    actor = require_role(actor, EVERYONE)
    sent = _find_sent(services, actor, reference, report)
    if sent is not None:
        return sent
    _require_few(services, actor)
    if report.place is not None:
        require_on_land(report.place, "place")
    label = report.place_label.strip()
    if report.place is not None and not label:
        label = nearest_town(report.place, services.settings.country).name_zh
    photo = _photo(services, actor, report)
    with services.database.transaction() as transaction:
        case = _get_public(transaction, reference)
    sighting = Sighting(
        case_id=case.id,
        reported_by=actor.account_id,
        reported_at=services.clock.now(),
        seen_at=report.seen_at,
        place=report.place,
        place_label=label,
        text=report.text.strip(),
        photo_key="" if photo is not None else None,
        similarity=None,
        client_key=report.client_key or None,
    )
    # Of a found person the time before they were found is what one wants to hear of.
    is_missing = case.side is Side.MISSING
    check_sighting(sighting, case.circumstances.seen_at if is_missing else None)
    if photo is None:
        with services.database.transaction() as transaction:
            _get_public(transaction, reference, lock=True)
            return _add_once(transaction, sighting)
    vectors = _vectors(services, photo)
    with kept(services, encode_jpeg(photo)) as key:
        sighting.photo_key = key
        with services.database.transaction() as transaction:
            # Locked: a photo that came in while the case was being closed and its pictures
            # erased would stay for ever.
            _get_public(transaction, reference, lock=True)
            sighting.similarity = _similarity(services, transaction, case, vectors)
            return _add_once(transaction, sighting)


def _add_once(transaction: Transaction, sighting: Sighting) -> SightingId:
    """Write it unless the same device has sent it meanwhile; the case is locked.

    A photo that is then nobody's is found by the sweep.
    """
    if sighting.client_key is not None:
        sent = transaction.sightings.find_sent(
            sighting.reported_by, sighting.case_id, sighting.client_key
        )
        if sent is not None and _says_the_same(sent, sighting.text, sighting.place):
            return sent.id
        if sent is not None:
            # Somebody went back, and wrote something else into the same page.
            sighting.client_key = None
    return transaction.sightings.add(sighting)


def _find_sent(
    services: Services, actor: Actor, reference: str, report: SightingReport
) -> SightingId | None:
    if not report.client_key:
        return None
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
        sent = transaction.sightings.find_sent(actor.account_id, case.id, report.client_key)
    if sent is None or not _says_the_same(sent, report.text.strip(), report.place):
        return None
    return sent.id


def _says_the_same(sent: Sighting, text: str, place: Point | None) -> bool:
    return (sent.text, sent.place) == (text, place)


def _require_few(services: Services, actor: Actor) -> None:
    limit = services.settings.sightings_per_hour
    since = services.clock.now() - timedelta(hours=1)
    with services.database.transaction() as transaction:
        recent = transaction.sightings.count_since(actor.account_id, since)
    if recent >= limit and not actor.is_staff:
        raise TooManyRequestsError("too_many_sightings", limit=limit, retry_after_seconds=3600)


def _photo(services: Services, actor: Actor, report: SightingReport) -> Photo | None:
    if report.photo is not None:
        return decode_upload(services, report.photo)
    if report.probe_token:
        with services.database.transaction() as transaction:
            probe = get_probe(services, transaction, actor, report.probe_token)
        return decode_photo(services.photos.get(probe.storage_key))
    return None


def _get_public(transaction: Transaction, reference: str, *, lock: bool = False) -> Case:
    case = transaction.cases.get_by_reference(reference, lock=lock)
    if case.is_public:
        return case
    # Nobody learns of a case that never was public, not even that it is over.
    if was_public(case):
        raise ConflictError("case_closed", status=case.status.value)
    raise NotFoundError


def _vectors(services: Services, photo: Photo) -> list[Float32]:
    """Of every usable face; made before the transaction, which must not wait for models."""
    views = [
        view for view in services.faces.detect(photo) if view.quality.verdict != Verdict.UNUSABLE
    ]
    return [template.vector for template in services.faces.templates_of(views)] if views else []


def _similarity(
    services: Services, transaction: Transaction, case: Case, vectors: list[Float32]
) -> float | None:
    templates = transaction.templates.list_of_case(case.id, services.gallery.space)
    if not vectors or not templates:
        return None
    return max(float(seen @ vector) for seen in vectors for _, _, vector in templates)
