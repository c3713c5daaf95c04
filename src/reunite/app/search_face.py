"""Face-find: the likeliest people for a photo, at once.

The photos of a search are kept for a day, to let the searcher point at a face, page
through the answer and send it on as a sighting; then they are erased.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.app.intake import kept, probe_of, read_photo, view_stored
from reunite.app.services import Services
from reunite.app.weigh_faces import ProbeAge, weigh_probe
from reunite.cases.case import Case
from reunite.cases.photos import PhotoFace, require_face
from reunite.faces.calibration import Likelihood
from reunite.faces.port import FaceView
from reunite.gallery.port import ADMIT_ALL, NO_TEMPLATE, Filter, Probes
from reunite.kernel.errors import InvalidInputError, NotFoundError, TooManyRequestsError
from reunite.kernel.ids import CaseId, PhotoId
from reunite.ports import Look, LookPurpose, Probe, Transaction

RESULTS = 30
SEARCH_DEPTH = 1000
TOKEN_BYTES = 24
MOST_PHOTOS = 6


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
class SearchPhoto:
    """One photo of a search; the first has number 0."""

    number: int
    faces: list[PhotoFace]
    chosen: int | None  # None: somebody has to choose first, and it was not searched with
    captured_year: int | None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The likeliest people, best first, and what was searched.

    ``faces``, ``chosen`` and ``captured_year`` are those of the first photo.
    """

    token: str
    faces: list[PhotoFace]
    chosen: int | None  # None: somebody has to choose first, and nothing was searched
    captured_year: int | None
    photos: list[SearchPhoto]
    resemblances: list[Resemblance]
    set_aside: list[Case]
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
    return _keep_photo(services, require_role(actor, EVERYONE), data, captured_year, None)


def add_search_photo(
    services: Services,
    actor: Actor | None,
    token: str,
    data: bytes,
    captured_year: int | None = None,
) -> SearchStarted:
    """Another photo of the same person, at another age perhaps, for a search that has begun.

    Raises as ``start_search``, and InvalidInputError ``too_many_search_photos``.
    """
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        first, *others = _photos(services, transaction, actor, token)
    if 1 + len(others) >= MOST_PHOTOS:
        raise InvalidInputError("too_many_search_photos", field="photo", limit=MOST_PHOTOS)
    started = _keep_photo(services, actor, data, captured_year, first)
    return SearchStarted(token, started.needs_choice)


def drop_search_photo(services: Services, actor: Actor | None, token: str, number: int) -> None:
    """Search without one of the added photos; it is erased.  Raises NotFoundError."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        photos = _photos(services, transaction, actor, token)
        # The first photo is the search itself.
        if not 0 < number < len(photos):
            raise NotFoundError
        keys = transaction.probes.delete(photos[number].token_digest)
    services.photos.delete(keys)


def set_aside(
    services: Services, actor: Actor | None, token: str, reference: str, *, put_back: bool = False
) -> None:
    """Say that a resemblance is not this person, or take that back.

    It holds for this search and nobody else's; what reviewers reject is theirs to say.
    Raises NotFoundError for a case that the searcher cannot see.
    """
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        probe = get_probe(services, transaction, actor, token)
        case = transaction.cases.get_by_reference(reference)
        if not _may_see(actor, case):
            raise NotFoundError
        concerned = frozenset({case.id})
        probe.set_aside = probe.set_aside - concerned if put_back else probe.set_aside | concerned
        transaction.probes.save(probe)


def _keep_photo(
    services: Services, actor: Actor, data: bytes, captured_year: int | None, first: Probe | None
) -> SearchStarted:
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
                # All go together: a photo must not outlive the search to which it belongs.
                expires_at=now + services.settings.probe_ttl if first is None else first.expires_at,
                beside=None if first is None else first.token_digest,
            )
        )
    return SearchStarted(token, needs_choice=read.only_face is None)


def list_probe_faces(
    services: Services, actor: Actor | None, token: str, number: int = 0
) -> list[PhotoFace]:
    """The faces of a search's photo, to point at one.  Searches nothing, so no look is logged."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        return get_search_photo(services, transaction, actor, token, number).faces


def choose_probe_face(
    services: Services, actor: Actor | None, token: str, index: int, number: int = 0
) -> None:
    """Say which face of a photo to search with.

    Raises InvalidInputError ``no_such_face`` or why that face cannot be used.
    """
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        probe = get_search_photo(services, transaction, actor, token, number)
        require_face(probe.faces, index)
        probe.chosen = index
        transaction.probes.save(probe)


def view_search(
    services: Services,
    actor: Actor | None,
    token: str,
    filter: Filter = ADMIT_ALL,  # noqa: A002
) -> SearchResult:
    """Search with the photos that were read, as one person.

    Families and volunteers see published cases; staff see every open one.
    """
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        probes = _photos(services, transaction, actor, token)
        probe = probes[0]
        aside = transaction.cases.get_many(sorted(probe.set_aside))
    photos = [
        SearchPhoto(number, one.faces, one.chosen, one.captured_year)
        for number, one in enumerate(probes)
    ]
    left_out = [case for case in aside.values() if _may_see(actor, case)]
    if probe.chosen is None:
        return SearchResult(
            token=token,
            faces=probe.faces,
            chosen=None,
            captured_year=probe.captured_year,
            photos=photos,
            resemblances=[],
            set_aside=left_out,
            searched=0,
            synthetic=0,
            elapsed_seconds=0.0,
            incomplete=False,
        )
    excluded = filter.excluded_subject_ids | {int(case_id) for case_id in probe.set_aside}
    pooled = _pooled(services, probes)
    hits = services.gallery.search(
        pooled.probes, SEARCH_DEPTH, replace(filter, excluded_subject_ids=excluded)
    )
    similarity = {
        int(template_id): float(value)
        for template_id, value in zip(hits.template_ids[0], hits.similarity[0], strict=True)
        if template_id != NO_TEMPLATE
    }
    with services.database.transaction() as transaction:
        found = _visible(services, transaction, actor, similarity, pooled)
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
        photos=photos,
        resemblances=found,
        set_aside=left_out,
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


def _photos(services: Services, transaction: Transaction, actor: Actor, token: str) -> list[Probe]:
    first = get_probe(services, transaction, actor, token)
    return [first, *transaction.probes.list_beside(first.token_digest, services.clock.now())]


def get_search_photo(
    services: Services, transaction: Transaction, actor: Actor, token: str, number: int
) -> Probe:
    """One photo of a search.  Raises NotFoundError, also for anybody else's."""
    photos = _photos(services, transaction, actor, token)
    if not 0 <= number < len(photos):
        raise NotFoundError
    return photos[number]


@dataclass(frozen=True, slots=True)
class _Pooled:
    """Several photos as one probe.

    shrinkage : the mean of the similarities of the photos, as a share of the probe's own
    """

    probes: Probes
    shrinkage: float
    age: ProbeAge


def _pooled(services: Services, photos: Sequence[Probe]) -> _Pooled:
    """One template of all photos: the direction of their mean.

    The cosine with it is, but for one factor, the mean of the cosines with each: a record
    must resemble the person at every age, and one bad photo weighs as much as it should.
    """
    views = [
        view_stored(services, one.storage_key)[1][one.chosen]
        for one in photos
        if one.chosen is not None
    ]
    single = [probe_of(services, view) for view in views]
    total = np.sum([one.vectors[0] for one in single], axis=0)
    length = float(np.linalg.norm(total))
    # Two photos of which one is the negative of the other: only made vectors are.
    mean = total / length if length > 0 else single[0].vectors[0]
    return _Pooled(
        Probes(single[0].space, mean.astype(np.float32)[None, :]),
        shrinkage=length / len(single),
        age=ProbeAge(photos[0].captured_year, _looks(services, views[0]), len(single)),
    )


def _looks(services: Services, view: FaceView) -> float | None:
    """How old a face looks; None where only permissively licensed parts may be used."""
    return None if services.ageing is None else services.ageing.estimate_age(view.chip).years


def digest_of(token: str) -> bytes:
    """What is stored instead of a token, so that a copy of the database opens nothing."""
    return hashlib.sha256(token.encode()).digest()


def _may_see(actor: Actor, case: Case) -> bool:
    return case.is_public or (actor.is_staff and case.is_open)


def _visible(
    services: Services,
    transaction: Transaction,
    actor: Actor,
    similarity: dict[int, float],
    pooled: _Pooled,
) -> list[Resemblance]:
    owners = transaction.templates.photos_of(list(similarity))
    cases = transaction.cases.get_many(list({case_id for case_id, _ in owners.values()}))
    best: dict[CaseId, tuple[float, PhotoId]] = {}
    for template_id, (case_id, photo_id) in owners.items():
        case = cases.get(case_id)
        if case is None or not _may_see(actor, case):
            continue
        candidate = (similarity[template_id], photo_id)
        if case_id not in best or candidate[0] > best[case_id][0]:
            best[case_id] = candidate
    ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[:RESULTS]
    photos = {
        photo.id: photo
        for of_case in transaction.photos.list_of_cases([case_id for case_id, _ in ranked]).values()
        for photo in of_case
    }
    return [
        Resemblance(
            cases[case_id],
            photo_id,
            value,
            photos[photo_id].captured_year if photo_id in photos else None,
            weigh_probe(
                services,
                value * pooled.shrinkage,
                pooled.age,
                cases[case_id],
                photos.get(photo_id),
            ),
        )
        for case_id, (value, photo_id) in ranked
    ]
