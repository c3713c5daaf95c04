"""Cases, their photos and their sightings in memory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from reunite.cases.case import Case
from reunite.cases.photos import CasePhoto
from reunite.cases.plausibility import History
from reunite.cases.previews import AgePreview
from reunite.cases.registration import Registration
from reunite.cases.sightings import Sighting, SightingStatus
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, CaseId, PhotoId, PreviewId, RegistrationId, SightingId
from reunite.kernel.people import Side
from reunite.ports import CaseCount, CaseQuery, Probe
from reunite.testing.memory_accounts import require_account
from reunite.testing.memory_leads import forget_photo
from reunite.testing.memory_previews import erase_previews_of
from reunite.testing.memory_tables import MemorySession, Table
from reunite.testing.memory_templates import erase_templates_of


def require_case(session: MemorySession, case_id: CaseId | None) -> None:
    """As a foreign key does: raise NotFoundError for a case that is not there."""
    if case_id is not None and case_id not in session.table("cases"):
        raise NotFoundError


class MemoryCases:
    """Implements ``CaseRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._cases: Table[CaseId, Case] = session.table("cases")

    def add(self, case: Case) -> CaseId:
        self._require_accounts(case)
        self._session.hold("cases.reference", case.reference)
        if self._cases.values(lambda c: c.reference == case.reference):
            raise ConflictError("reference_taken")
        case.id = CaseId(self._session.store.next_id("cases"))
        self._cases.put(case.id, case)
        return case.id

    def add_many(self, new: Sequence[Case]) -> None:
        for case in new:
            self.add(case)

    def count_open(self, side: Side, at_most: int) -> int:
        return min(at_most, len(self._cases.values(lambda c: c.side is side and c.is_open)))

    def get(self, case_id: CaseId, *, lock: bool = False) -> Case:
        if lock and case_id in self._cases:
            self._session.hold("cases", case_id)
        case = self._cases.get(case_id)
        if case is None:
            raise NotFoundError
        return case

    def get_by_reference(self, reference: str, *, lock: bool = False) -> Case:
        found = self._cases.values(lambda c: c.reference == reference)
        if not found:
            raise NotFoundError
        return self.get(found[0].id, lock=lock)

    def get_many(self, case_ids: Sequence[CaseId]) -> dict[CaseId, Case]:
        wanted = set(case_ids)
        return {case.id: case for case in self._cases.values(lambda c: c.id in wanted)}

    def save(self, case: Case) -> None:
        self._session.hold("cases", case.id)
        stored = self.get(case.id)
        if stored.version != case.version:
            raise ConflictError("changed_meanwhile")
        self._require_accounts(case)
        case.version += 1
        # What has been recorded stays: only steps after those stored are written.
        steps = stored.transitions + case.transitions[len(stored.transitions) :]
        self._cases.put(case.id, replace(case, transitions=steps))

    def list_matching(self, query: CaseQuery) -> list[Case]:
        found = self._cases.values(lambda case: _matches(case, query))
        if query.photos_due is None:
            found.reverse()
        else:
            found.sort(key=_closed_at)
        return found[: query.limit]

    def count_opened_since(self, account_id: AccountId, at: datetime) -> int:
        return len(self._cases.values(lambda c: c.opened_by == account_id and c.opened_at > at))

    def count(self) -> list[CaseCount]:
        kinds = Counter(
            (
                case.module,
                case.side,
                case.status,
                None if case.outcome is None else case.outcome.value,
                None if case.cause is None else case.cause.value,
            )
            for case in self._cases.values()
        )
        return [CaseCount(*kind, count) for kind, count in kinds.items()]

    def _require_accounts(self, case: Case) -> None:
        require_account(self._session, case.opened_by)
        for step in case.transitions:
            require_account(self._session, step.by)


def _matches(case: Case, query: CaseQuery) -> bool:
    return (
        (not query.statuses or case.status in query.statuses)
        and (not query.sides or case.side in query.sides)
        and (not query.modules or case.module in query.modules)
        and query.opened_by in (None, case.opened_by)
        and (query.before is None or case.id < query.before)
        and (query.photos_due is None or _photos_are_due(case, query.photos_due))
    )


def _photos_are_due(case: Case, at: datetime) -> bool:
    return case.photos_erased_at is None and case.closed_at is not None and case.closed_at <= at


def _closed_at(case: Case) -> tuple[datetime, CaseId]:
    assert case.closed_at is not None  # noqa: S101  (asked of closed cases only)
    return case.closed_at, case.id


class MemoryPhotos:
    """Implements ``PhotoRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._photos: Table[PhotoId, CasePhoto] = session.table("photos")

    def add(self, photo: CasePhoto) -> PhotoId:
        require_case(self._session, photo.case_id)
        self._session.hold("photos.digest", (photo.case_id, photo.digest))
        if any(other.digest == photo.digest for other in self.list_of_case(photo.case_id)):
            raise ConflictError("photo_already_there", field="photo")
        photo.id = PhotoId(self._session.store.next_id("photos"))
        self._photos.put(photo.id, photo)
        return photo.id

    def get(self, photo_id: PhotoId) -> CasePhoto:
        photo = self._photos.get(photo_id)
        if photo is None:
            raise NotFoundError
        return photo

    def list_of_case(self, case_id: CaseId) -> list[CasePhoto]:
        return self._photos.values(lambda p: p.case_id == case_id)

    def list_of_cases(self, case_ids: Sequence[CaseId]) -> dict[CaseId, list[CasePhoto]]:
        return {case_id: self.list_of_case(case_id) for case_id in case_ids}

    def has_digest(self, digests: Sequence[str]) -> set[str]:
        wanted = set(digests)
        return {photo.digest for photo in self._photos.values(lambda p: p.digest in wanted)}

    def save(self, photo: CasePhoto) -> None:
        self._session.hold("photos", photo.id)
        stored = self.get(photo.id)
        self._photos.put(
            photo.id,
            replace(
                stored,
                chosen=photo.chosen,
                captured_year=photo.captured_year,
                estimated_age=photo.estimated_age,
            ),
        )

    def delete_of_case(self, case_id: CaseId) -> list[str]:
        photos = self.list_of_case(case_id)
        for photo in photos:
            erase_templates_of(self._session, photo.id)
            erase_previews_of(self._session, photo.id)
            forget_photo(self._session, photo.id)
            self._photos.delete(photo.id)
        return [photo.storage_key for photo in photos]

    def iter_storage_keys(self) -> Iterator[str]:
        probes: Table[bytes, Probe] = self._session.table("probes")
        sightings: Table[SightingId, Sighting] = self._session.table("sightings")
        yield from (photo.storage_key for photo in self._photos.values())
        previews: Table[PreviewId, AgePreview] = self._session.table("previews")
        yield from (preview.storage_key for preview in previews.values())
        yield from (probe.storage_key for probe in probes.values())
        yield from (s.photo_key for s in sightings.values() if s.photo_key is not None)
        registrations: Table[RegistrationId, Registration] = self._session.table("registrations")
        yield from (r.photo_key for r in registrations.values() if r.photo_key is not None)


class MemorySightings:
    """Implements ``SightingRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._sightings: Table[SightingId, Sighting] = session.table("sightings")

    def add(self, sighting: Sighting) -> SightingId:
        self._require_others(sighting)
        sighting.id = SightingId(self._session.store.next_id("sightings"))
        self._sightings.put(sighting.id, sighting)
        return sighting.id

    def get(self, sighting_id: SightingId, *, lock: bool = False) -> Sighting:
        if lock and sighting_id in self._sightings:
            self._session.hold("sightings", sighting_id)
        sighting = self._sightings.get(sighting_id)
        if sighting is None:
            raise NotFoundError
        return sighting

    def save(self, sighting: Sighting) -> None:
        self.get(sighting.id)
        self._require_others(sighting)
        self._sightings.put(sighting.id, sighting)

    def list_with_status(
        self, status: SightingStatus, *, limit: int = 50, offset: int = 0
    ) -> list[Sighting]:
        return _newest_first(self._sightings.values(lambda s: s.status is status))[
            offset : offset + limit
        ]

    def list_of_case(self, case_id: CaseId) -> list[Sighting]:
        return _newest_first(self._sightings.values(lambda s: s.case_id == case_id))

    def list_of_reporter(self, account_id: AccountId, *, limit: int = 50) -> list[Sighting]:
        return _newest_first(self._sightings.values(lambda s: s.reported_by == account_id))[:limit]

    def find_sent(self, account_id: AccountId, case_id: CaseId, client_key: str) -> Sighting | None:
        sent = self._sightings.values(
            lambda s: (s.reported_by, s.case_id, s.client_key) == (account_id, case_id, client_key)
        )
        return next(iter(sent), None)

    def count_since(self, account_id: AccountId, at: datetime) -> int:
        return len(
            self._sightings.values(lambda s: s.reported_by == account_id and s.reported_at > at)
        )

    def count_of_case(self, case_id: CaseId) -> dict[SightingStatus, int]:
        return dict(Counter(s.status for s in self.list_of_case(case_id)))

    def histories(self, account_ids: Sequence[AccountId]) -> dict[AccountId, History]:
        found = {}
        everything = self._sightings.values()
        for account_id in set(account_ids):
            counted = Counter(s.status for s in everything if s.reported_by == account_id)
            if counted:
                found[account_id] = History(
                    counted[SightingStatus.PASSED_ON], counted[SightingStatus.UNLIKELY]
                )
        return found

    def erase_of_case(self, case_id: CaseId) -> list[str]:
        keys = []
        for sighting in self._sightings.values(lambda s: s.case_id == case_id):
            if sighting.photo_key is not None:
                keys.append(sighting.photo_key)
            erased = replace(
                sighting, photo_key=None, text="", reply="", place_label="", place=None
            )
            self._sightings.put(sighting.id, erased)
        return keys

    def _require_others(self, sighting: Sighting) -> None:
        require_case(self._session, sighting.case_id)
        require_account(self._session, sighting.reported_by)
        require_account(self._session, sighting.decided_by)
        require_account(self._session, sighting.replied_by)


def _newest_first(sightings: list[Sighting]) -> list[Sighting]:
    return sorted(sightings, key=lambda s: (s.reported_at, s.id), reverse=True)
