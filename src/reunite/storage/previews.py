"""Illustrations of ageing in PostgreSQL; their pixels are in the photo store."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, RowMapping, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from reunite.cases.previews import AgePreview
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, CaseId, PhotoId, PreviewId
from reunite.storage.tables import age_previews, preview_dues


class PostgresPreviews:
    """Implements ``PreviewRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, preview: AgePreview) -> PreviewId:
        added = self._connection.execute(
            insert(age_previews)
            .values(
                case_id=preview.case_id,
                photo_id=preview.photo_id,
                age=preview.age,
                storage_key=preview.storage_key,
                made_at=preview.made_at,
                maker=preview.maker,
                doubts=list(preview.doubts),
                approved_by=preview.approved_by,
                approved_at=preview.approved_at,
            )
            .on_conflict_do_nothing(index_elements=["photo_id", "age"])
            .returning(age_previews.c.id)
        ).scalar()
        if added is None:
            raise ConflictError("preview_already_there")
        preview.id = PreviewId(added)
        return preview.id

    def get(self, preview_id: PreviewId) -> AgePreview:
        row = (
            self._connection.execute(select(age_previews).where(age_previews.c.id == preview_id))
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise NotFoundError
        return _preview(row)

    def list_of_case(self, case_id: CaseId) -> list[AgePreview]:
        rows = self._connection.execute(
            select(age_previews)
            .where(age_previews.c.case_id == case_id)
            .order_by(age_previews.c.age, age_previews.c.id)
        ).mappings()
        return [_preview(row) for row in rows]

    def save(self, preview: AgePreview) -> None:
        saved = self._connection.execute(
            update(age_previews)
            .where(age_previews.c.id == preview.id)
            .values(approved_by=preview.approved_by, approved_at=preview.approved_at)
        )
        if saved.rowcount == 0:
            raise NotFoundError

    def delete(self, preview_ids: Sequence[PreviewId]) -> list[str]:
        if not preview_ids:
            return []
        return list(
            self._connection.scalars(
                delete(age_previews)
                .where(age_previews.c.id.in_(preview_ids))
                .returning(age_previews.c.storage_key)
            )
        )

    def delete_of_case(self, case_id: CaseId) -> list[str]:
        self.set_due(case_id, None)
        return list(
            self._connection.scalars(
                delete(age_previews)
                .where(age_previews.c.case_id == case_id)
                .returning(age_previews.c.storage_key)
            )
        )

    def set_due(self, case_id: CaseId, on: date | None) -> None:
        if on is None:
            self._connection.execute(delete(preview_dues).where(preview_dues.c.case_id == case_id))
            return
        new = insert(preview_dues).values(case_id=case_id, due_on=on)
        self._connection.execute(
            new.on_conflict_do_update(
                index_elements=["case_id"], set_={"due_on": new.excluded.due_on}
            )
        )

    def claim_due(self, on: date, limit: int) -> list[CaseId]:
        due = (
            select(preview_dues.c.case_id)
            .where(preview_dues.c.due_on <= on)
            .order_by(preview_dues.c.due_on, preview_dues.c.case_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = [CaseId(case_id) for case_id in self._connection.scalars(due)]
        if claimed:
            self._connection.execute(
                delete(preview_dues).where(preview_dues.c.case_id.in_(claimed))
            )
        return claimed


def _preview(row: RowMapping) -> AgePreview:
    approver = row["approved_by"]
    return AgePreview(
        case_id=CaseId(row["case_id"]),
        photo_id=PhotoId(row["photo_id"]),
        age=row["age"],
        storage_key=row["storage_key"],
        made_at=row["made_at"],
        maker=row["maker"],
        doubts=tuple(row["doubts"]),
        approved_by=None if approver is None else AccountId(approver),
        approved_at=row["approved_at"],
        id=PreviewId(row["id"]),
    )
