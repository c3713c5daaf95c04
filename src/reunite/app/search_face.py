"""Face-find: the likeliest people for a photo, at once.

The photo of a search is kept for a day, to let the searcher point at a face, page
through the answer and send it on as a sighting; then it is erased.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.app.intake import kept, probe_of, read_photo, view_stored
from reunite.app.services import Services
from reunite.app.weigh_faces import weigh_probe
from reunite.cases.case import Case
from reunite.cases.photos import PhotoFace, require_face
from reunite.faces.calibration import Likelihood
from reunite.gallery.port import ADMIT_ALL, NO_TEMPLATE, Filter
from reunite.kernel.errors import InvalidInputError, NotFoundError, TooManyRequestsError
from reunite.kernel.ids import CaseId, PhotoId
from reunite.ports import Look, LookPurpose, Probe, Transaction

RESULTS = 30
SEARCH_DEPTH = 1000
TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True)
class SearchStarted:
    """A photo has been read.  ``needs_choice`` asks which of its faces is meant."""

    token: str
    needs_choice: bool


@dataclass(frozen=True, slots=True)
class Resemblance:
    """A record that may be the same person: a lead, never a match."""

    case: Case
    photo_id: PhotoId
    similarity: float
    captured_year: int | None
    likelihood: Likelihood | None = None  # None where the templates were never calibrated


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The likeliest people, best first, and what was searched."""

    token: str
    faces: list[PhotoFace]
    chosen: int | None  # None: somebody has to choose first, and nothing was searched
    captured_year: int | None
    resemblances: list[Resemblance]
    searched: int
    synthetic: int  # faces of nobody in the gallery, see ``fill_gallery``
    elapsed_seconds: float
    incomplete: bool


def start_search(
    services: Services, actor: Actor | None, data: bytes, captured_year: int | None = None
) -> SearchStarted:
    """Read a photo and keep it for the search.

    Raises InvalidInputError for a photo that cannot be searched with, and
    TooManyRequestsError ``too_many_searches``.
    """
    actor = require_role(actor, EVERYONE)
    now = services.clock.now()
    if captured_year is not None and not 1900 <= captured_year <= now.year:  # noqa: PLR2004
        raise InvalidInputError("captured_year_out_of_range", field="captured_year")
    limit = services.settings.searches_per_hour
    with services.database.transaction() as transaction:
        recent = transaction.probes.count_since(actor.account_id, now - timedelta(hours=1))
    if recent >= limit and not actor.is_staff:
        raise TooManyRequestsError("too_many_searches", limit=limit, retry_after_seconds=3600)
    read = read_photo(services, data)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with kept(services, read.jpeg) as key, services.database.transaction() as transaction:
        transaction.probes.add(
            Probe(
                token_digest=digest_of(token),
                account_id=actor.account_id,
                storage_key=key,
                faces=read.faces,
                chosen=read.only_face,
                captured_year=captured_year or read.captured_year,
                created_at=now,
                expires_at=now + services.settings.probe_ttl,
            )
        )
    return SearchStarted(token, needs_choice=read.only_face is None)


def list_probe_faces(services: Services, actor: Actor | None, token: str) -> list[PhotoFace]:
    """The faces of a search's photo, to point at one.  Searches nothing, so no look is logged."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        return get_probe(services, transaction, actor, token).faces


def choose_probe_face(services: Services, actor: Actor | None, token: str, index: int) -> None:
    """Say which face of the photo to search with.

    Raises InvalidInputError ``no_such_face`` or why that face cannot be used.
    """
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        probe = get_probe(services, transaction, actor, token)
        require_face(probe.faces, index)
        probe.chosen = index
        transaction.probes.save(probe)


def view_search(
    services: Services,
    actor: Actor | None,
    token: str,
    filter: Filter = ADMIT_ALL,  # noqa: A002
) -> SearchResult:
    """Search with a photo that was read.

    Families and volunteers see published cases; staff see every open one.
    """
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        probe = get_probe(services, transaction, actor, token)
    if probe.chosen is None:
        return SearchResult(
            token, probe.faces, None, probe.captured_year, [], 0, 0, 0.0, incomplete=False
        )
    _, views = view_stored(services, probe.storage_key)
    hits = services.gallery.search(probe_of(services, views[probe.chosen]), SEARCH_DEPTH, filter)
    similarity = {
        int(template_id): float(value)
        for template_id, value in zip(hits.template_ids[0], hits.similarity[0], strict=True)
        if template_id != NO_TEMPLATE
    }
    with services.database.transaction() as transaction:
        found = _visible(services, transaction, actor, similarity, probe.captured_year)
        synthetic = transaction.templates.count().get("synthetic", 0)
        now = services.clock.now()
        transaction.looks.add(
            [
                Look(actor.account_id, resemblance.case.id, LookPurpose.SEARCH, now)
                for resemblance in found
            ]
        )
    return SearchResult(
        token=token,
        faces=probe.faces,
        chosen=probe.chosen,
        captured_year=probe.captured_year,
        resemblances=found,
        searched=hits.searched,
        synthetic=synthetic,
        elapsed_seconds=hits.elapsed_seconds,
        incomplete=hits.incomplete,
    )


def get_probe(services: Services, transaction: Transaction, actor: Actor, token: str) -> Probe:
    """The photo of a search.  Raises NotFoundError ``search_expired`` for anybody else's too."""
    probe = transaction.probes.find(digest_of(token), services.clock.now())
    if probe is None or probe.account_id != actor.account_id:
        raise NotFoundError("search_expired")
    return probe


def digest_of(token: str) -> bytes:
    """What is stored instead of a token, so that a copy of the database opens nothing."""
    return hashlib.sha256(token.encode()).digest()


def _visible(
    services: Services,
    transaction: Transaction,
    actor: Actor,
    similarity: dict[int, float],
    probe_year: int | None,
) -> list[Resemblance]:
    owners = transaction.templates.photos_of(list(similarity))
    cases = transaction.cases.get_many(list({case_id for case_id, _ in owners.values()}))
    best: dict[CaseId, tuple[float, PhotoId]] = {}
    for template_id, (case_id, photo_id) in owners.items():
        case = cases.get(case_id)
        if case is None or not (case.is_public or (actor.is_staff and case.is_open)):
            continue
        candidate = (similarity[template_id], photo_id)
        if case_id not in best or candidate[0] > best[case_id][0]:
            best[case_id] = candidate
    ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[:RESULTS]
    photos = transaction.photos.list_of_cases([case_id for case_id, _ in ranked])
    years = {photo.id: photo.captured_year for of_case in photos.values() for photo in of_case}
    return [
        Resemblance(
            cases[case_id],
            photo_id,
            value,
            years.get(photo_id),
            weigh_probe(
                services,
                value,
                cases[case_id].person.birth_years,
                years.get(photo_id),
                probe_year,
            ),
        )
        for case_id, (value, photo_id) in ranked
    ]
