"""Templates in memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reunite.cases.photos import CasePhoto
from reunite.gallery.port import FACT_DTYPE, Enrolment, Facts, TemplateSpace
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.ids import CaseId, PhotoId, TemplateId
from reunite.ports import GalleryChange
from reunite.testing.memory_tables import MemorySession, Table

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

UNCOMMITTED = 1 << 62  # later than any commit


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A template; without case and photo it is synthetic."""

    case_id: CaseId | None
    photo_id: PhotoId | None
    space: TemplateSpace
    vector: npt.NDArray[np.float16]
    facts: Any  # one record of FACT_DTYPE


@dataclass(frozen=True, slots=True)
class StoredChange:
    """A template that came or went, and the commit that made it so."""

    template_id: int
    removed: bool
    commit: int


def erase_templates_of(session: MemorySession, photo_id: PhotoId) -> None:
    """As the database does when a photo is deleted."""
    MemoryTemplates(session).erase(lambda template: template.photo_id == photo_id)


class MemoryTemplates:
    """Implements ``TemplateRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._templates: Table[TemplateId, StoredTemplate] = session.table("templates")
        self._changes: Table[int, StoredChange] = session.table("template_changes")

    def add(
        self, photo: CasePhoto, vector: Float32, space: TemplateSpace, facts: Facts
    ) -> TemplateId:
        _check(vector[np.newaxis], facts, space)
        if photo.id not in self._session.table("photos"):
            raise NotFoundError
        self._session.hold("photos", photo.id)
        self.erase(lambda t: t.photo_id == photo.id and t.space == space)
        return self._add(
            StoredTemplate(
                photo.case_id, photo.id, space, vector.astype(np.float16), facts[0].copy()
            )
        )

    def add_synthetic(self, vectors: Float32, space: TemplateSpace, facts: Facts) -> int:
        _check(vectors, facts, space)
        for vector, fact in zip(vectors.astype(np.float16), facts.copy(), strict=True):
            self._add(StoredTemplate(None, None, space, vector, fact))
        return len(vectors)

    def delete_of_case(self, case_id: CaseId) -> list[TemplateId]:
        return self.erase(lambda template: template.case_id == case_id)

    def delete_synthetic(self) -> int:
        return len(self.erase(lambda template: template.photo_id is None))

    def find_of_photo(
        self, photo_id: PhotoId, space: TemplateSpace
    ) -> tuple[TemplateId, Float32] | None:
        found = self._templates.items(lambda t: t.photo_id == photo_id and t.space == space)
        return (found[0][0], found[0][1].vector.astype(np.float32)) if found else None

    def list_of_case(
        self, case_id: CaseId, space: TemplateSpace
    ) -> list[tuple[TemplateId, PhotoId, Float32]]:
        return [
            (template_id, template.photo_id, template.vector.astype(np.float32))
            for template_id, template in self._templates.items(
                lambda t: t.case_id == case_id and t.space == space
            )
            if template.photo_id is not None
        ]

    def photos_of(self, template_ids: Sequence[int]) -> dict[int, tuple[CaseId, PhotoId]]:
        found = {}
        for template_id in template_ids:
            template = self._templates.get(TemplateId(int(template_id)))
            if template and template.case_id is not None and template.photo_id is not None:
                found[int(template_id)] = (template.case_id, template.photo_id)
        return found

    def count(self) -> Mapping[str, int]:
        owned = [template.photo_id is not None for template in self._templates.values()]
        return {"photo": sum(owned), "synthetic": len(owned) - sum(owned)}

    def iter_enrolments(self, space: TemplateSpace, batch: int = 50_000) -> Iterator[Enrolment]:
        listed = self._templates.items(lambda template: template.space == space)
        for start in range(0, len(listed), batch):
            yield _enrolment(space, listed[start : start + batch])

    def get_enrolment(self, template_ids: Sequence[int], space: TemplateSpace) -> Enrolment:
        wanted = {int(template_id) for template_id in template_ids}
        listed = self._templates.items(lambda template: template.space == space)
        return _enrolment(space, [row for row in listed if row[0] in wanted])

    def list_ids(self, space: TemplateSpace) -> Int64:
        held = self._templates.items(lambda template: template.space == space)
        return np.array(sorted(int(template_id) for template_id, _ in held), dtype=np.int64)

    def position(self) -> int:
        return self._session.store.commits

    def changes_since(self, position: int) -> GalleryChange:
        now = self.position()
        changes = self._changes.values(lambda change: change.commit >= position)
        return GalleryChange(
            added=[change.template_id for change in changes if not change.removed],
            removed=[change.template_id for change in changes if change.removed],
            position=now,
        )

    def erase(self, admits: Any) -> list[TemplateId]:
        """Erase the templates that are admitted; which they were."""
        erased = [template_id for template_id, _ in self._templates.items(admits)]
        for template_id in erased:
            self._templates.delete(template_id)
            self._note_change(template_id, removed=True)
        return erased

    def _add(self, template: StoredTemplate) -> TemplateId:
        template_id = TemplateId(self._session.store.next_id("templates"))
        self._templates.put(template_id, template)
        self._note_change(template_id, removed=False)
        return template_id

    def _note_change(self, template_id: TemplateId, *, removed: bool) -> None:
        key = self._session.store.next_id("template_changes")
        self._changes.put(key, StoredChange(template_id, removed, UNCOMMITTED))
        self._session.at_commit(
            lambda commit: self._changes.put(key, StoredChange(template_id, removed, commit))
        )


def _check(vectors: Float32, facts: Facts, space: TemplateSpace) -> None:
    if vectors.shape[1:] != (space.dim,):
        raise InvalidInputError("vector_dimension", expected=space.dim, got=list(vectors.shape))
    if len(facts) != len(vectors):
        raise InvalidInputError("enrolment_lengths")


def _enrolment(space: TemplateSpace, rows: list[tuple[TemplateId, StoredTemplate]]) -> Enrolment:
    vectors = np.empty((len(rows), space.dim), dtype=np.float32)
    facts = np.empty(len(rows), dtype=FACT_DTYPE)
    for row, (_, template) in enumerate(rows):
        vectors[row] = template.vector
        facts[row] = template.facts
    return Enrolment(
        space=space,
        template_ids=np.array([template_id for template_id, _ in rows], dtype=np.int64),
        vectors=vectors,
        facts=facts,
    )
