"""Illustrations of ageing in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from reunite.cases.previews import AgePreview
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import CaseId, PhotoId, PreviewId
from reunite.testing.memory_accounts import require_account
from reunite.testing.memory_tables import MemorySession, Table


@dataclass(frozen=True, slots=True)
class Due:
    """When a case is to be looked at again."""

    on: date


def erase_previews_of(session: MemorySession, photo_id: PhotoId) -> None:
    """As the database does when a photo is deleted."""
    previews: Table[PreviewId, AgePreview] = session.table("previews")
    for preview in previews.values(lambda p: p.photo_id == photo_id):
        previews.delete(preview.id)


class MemoryPreviews:
    """Implements ``PreviewRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._previews: Table[PreviewId, AgePreview] = session.table("previews")
        self._dues: Table[CaseId, Due] = session.table("preview_dues")

    def add(self, preview: AgePreview) -> PreviewId:
        if preview.photo_id not in self._session.table("photos"):
            raise NotFoundError
        require_account(self._session, preview.approved_by)
        self._session.hold("previews.age", (preview.photo_id, preview.age))
        same = self._previews.values(
            lambda p: (p.photo_id, p.age) == (preview.photo_id, preview.age)
        )
        if same:
            raise ConflictError("preview_already_there")
        preview.id = PreviewId(self._session.store.next_id("previews"))
        self._previews.put(preview.id, preview)
        return preview.id

    def get(self, preview_id: PreviewId) -> AgePreview:
        found = self._previews.get(preview_id)
        if found is None:
            raise NotFoundError
        return found

    def list_of_case(self, case_id: CaseId) -> list[AgePreview]:
        listed = self._previews.values(lambda p: p.case_id == case_id)
        return sorted(listed, key=lambda p: (p.age, p.id))

    def save(self, preview: AgePreview) -> None:
        stored = self.get(preview.id)
        require_account(self._session, preview.approved_by)
        approved = replace(stored, approved_by=preview.approved_by, approved_at=preview.approved_at)
        self._previews.put(preview.id, approved)

    def delete(self, preview_ids: Sequence[PreviewId]) -> list[str]:
        wanted = set(preview_ids)
        gone = self._previews.values(lambda p: p.id in wanted)
        for preview in gone:
            self._previews.delete(preview.id)
        return [preview.storage_key for preview in gone]

    def delete_of_case(self, case_id: CaseId) -> list[str]:
        self.set_due(case_id, None)
        return self.delete([preview.id for preview in self.list_of_case(case_id)])

    def set_due(self, case_id: CaseId, on: date | None) -> None:
        if on is None:
            if case_id in self._dues:
                self._dues.delete(case_id)
            return
        if case_id not in self._session.table("cases"):
            raise NotFoundError
        self._dues.put(case_id, Due(on))

    def claim_due(self, on: date, limit: int) -> list[CaseId]:
        rows = self._dues.items(lambda due: due.on <= on)
        rows.sort(key=lambda row: (row[1].on, row[0]))
        claimed: list[CaseId] = []
        for case_id, _ in rows:
            if len(claimed) < limit and self._session.try_hold("preview_dues", case_id):
                self._dues.delete(case_id)
                claimed.append(case_id)
        return claimed
