"""Templates in PostgreSQL: the truth that galleries are rebuilt from.

Millions of rows are written by binary COPY and read packed, fifty thousand to a row of the
answer: fetched one by one they would cost more than the search that they are for.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from reunite.cases.photos import CasePhoto
from reunite.gallery.port import FACT_DTYPE, Enrolment, Facts, TemplateSpace
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.ids import CaseId, PhotoId, TemplateId
from reunite.ports import GalleryChange
from reunite.storage.copying import Rows, copy_rows, new_rows, psycopg_connection
from reunite.storage.tables import photos, template_spaces, templates

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

STORED_VECTOR = np.dtype("<f2")
ROWS_PER_COPY = 20_000  # some 6 MB at 128 dimensions
IDS_PER_READ = 50_000

_FACT_COLUMNS = {"subject_id": ">i8"} | {
    name: ">i4" if name == "seen_day" else ">i2"
    for name in FACT_DTYPE.names or ()
    if name != "subject_id"
}
_PACKED_DTYPE = np.dtype([("id", ">i8"), *_FACT_COLUMNS.items()])

# The fields of _PACKED_DTYPE in its order; the *send functions write big-endian.
# The space is a filter on the aggregates and not a condition on the rows, of which PostgreSQL
# has no statistics yet when they are fresh.
_READ_PACKED = """
    SELECT string_agg(vector, '') FILTER (WHERE space_id = %(space_id)s),
           string_agg(
               int8send(id) || int8send(subject_id) || int2send(side) || int2send(module)
               || int2send(sex) || int2send(birth_year) || int2send(region) || int4send(seen_day),
               ''
           ) FILTER (WHERE space_id = %(space_id)s)
    FROM (SELECT * FROM templates WHERE {condition}) AS wanted
"""
_READ_RANGE = _READ_PACKED.format(
    condition="id > %(after)s AND id <= %(until)s ORDER BY id"
).encode()
_READ_THESE = _READ_PACKED.format(condition="id = ANY(%(ids)s::bigint[]) ORDER BY id").encode()

# The last id of every batch, in one pass.  "The next fifty thousand after this id" would do with
# an index, but by statistics that are a million rows old PostgreSQL sorts the table instead,
# each time.
_ENDS = text("""
    SELECT id FROM (
        SELECT id, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS n FROM templates
    ) AS numbered
    WHERE place % :batch = 0 OR place = n
    ORDER BY id
""")

# One statement, hence one snapshot: what it does not see is not yet behind the new position.
_CHANGES = text("""
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS position,
           first_template_id, last_template_id, removed
    FROM (SELECT) AS always
    LEFT JOIN template_changes ON xact >= :position
    ORDER BY template_changes.id
""")
# Packed into one value: a million ids as rows would cost the client some seconds.
_IDS = text("""
    SELECT string_agg(int8send(id), ''::bytea ORDER BY id) FROM templates
    WHERE space_id = :space_id
""")
_POSITION = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


class PostgresTemplates:
    """Implements ``TemplateRepository``.

    Triggers write the stream of changes (see ``tables.template_changes``).
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self, photo: CasePhoto, vector: Float32, space: TemplateSpace, facts: Facts
    ) -> TemplateId:
        """Write the template of a photo's chosen face, replacing an older one of the same space.

        Raises NotFoundError when the photo has been erased.
        """
        _check(vector[np.newaxis], facts, space)
        locked = select(photos.c.id).where(photos.c.id == photo.id).with_for_update()
        if self._connection.execute(locked).scalar() is None:
            raise NotFoundError
        space_id = self._space_id(space)
        # A new row and a new id, so that galleries see one go and one come.
        self._connection.execute(
            delete(templates)
            .where(templates.c.photo_id == photo.id)
            .where(templates.c.space_id == space_id)
        )
        added: int = self._connection.execute(
            insert(templates)
            .values(
                case_id=photo.case_id,
                photo_id=photo.id,
                space_id=space_id,
                vector=vector.astype(STORED_VECTOR).tobytes(),
                **{name: int(facts[0][name]) for name in _FACT_COLUMNS},
            )
            .returning(templates.c.id)
        ).scalar_one()
        return TemplateId(added)

    def add_synthetic(self, vectors: Float32, space: TemplateSpace, facts: Facts) -> int:
        """Write templates that belong to nobody, in bulk; how many."""
        _check(vectors, facts, space)
        space_id = self._space_id(space)
        columns = {"space_id": ">i2", "vector": f"V{space.dim * STORED_VECTOR.itemsize}"}
        columns |= _FACT_COLUMNS

        def batches() -> Iterator[Rows]:
            for start in range(0, len(vectors), ROWS_PER_COPY):
                some = slice(start, start + ROWS_PER_COPY)
                rows = new_rows(len(vectors[some]), columns)
                rows["space_id"] = space_id
                stored = np.ascontiguousarray(vectors[some], dtype=STORED_VECTOR)
                rows["vector"] = stored.view(columns["vector"])[:, 0]
                for name in _FACT_COLUMNS:
                    rows[name] = facts[some][name]
                yield rows

        copy_rows(self._connection, "templates", columns, batches())
        return len(vectors)

    def delete_of_case(self, case_id: CaseId) -> list[TemplateId]:
        """Erase the templates of a case; which they were."""
        erased = self._connection.scalars(
            delete(templates).where(templates.c.case_id == case_id).returning(templates.c.id)
        )
        return sorted(TemplateId(template_id) for template_id in erased)

    def delete_synthetic(self) -> int:
        """Erase the templates that belong to nobody; how many."""
        return self._connection.execute(
            delete(templates).where(templates.c.photo_id.is_(None))
        ).rowcount

    def find_of_photo(
        self, photo_id: PhotoId, space: TemplateSpace
    ) -> tuple[TemplateId, Float32] | None:
        found = self._connection.execute(
            _vectors_of(space).where(templates.c.photo_id == photo_id)
        ).one_or_none()
        return None if found is None else (TemplateId(found.id), _vector(found))

    def list_of_case(
        self, case_id: CaseId, space: TemplateSpace
    ) -> list[tuple[TemplateId, PhotoId, Float32]]:
        """Templates with the photo they come from and their vector of shape (dim,)."""
        rows = self._connection.execute(
            _vectors_of(space).where(templates.c.case_id == case_id).order_by(templates.c.id)
        )
        return [(TemplateId(row.id), PhotoId(row.photo_id), _vector(row)) for row in rows]

    def photos_of(self, template_ids: Sequence[int]) -> dict[int, tuple[CaseId, PhotoId]]:
        """The case and photo behind templates; synthetic ones are absent."""
        rows = self._connection.execute(
            text(
                "SELECT id, case_id, photo_id FROM templates"
                " WHERE id = ANY(:ids) AND photo_id IS NOT NULL"
            ),
            {"ids": [int(template_id) for template_id in template_ids]},
        )
        return {row.id: (CaseId(row.case_id), PhotoId(row.photo_id)) for row in rows}

    def count(self) -> Mapping[str, int]:
        """Numbers of templates: ``photo`` and ``synthetic``."""
        return {
            "photo": self._count(templates.c.photo_id.is_not(None)),
            "synthetic": self._count(templates.c.photo_id.is_(None)),
        }

    def iter_enrolments(self, space: TemplateSpace, batch: int = 50_000) -> Iterator[Enrolment]:
        """Everything of one space, in batches of at most so many, by id."""
        space_id = self._find_space_id(space)
        if space_id is None:
            return
        after = 0
        for until in self._connection.scalars(_ENDS, {"batch": batch}).all():
            enrolment = self._read(
                _READ_RANGE, space, {"space_id": space_id, "after": after, "until": until}
            )
            after = until
            if len(enrolment.template_ids):
                yield enrolment

    def get_enrolment(self, template_ids: Sequence[int], space: TemplateSpace) -> Enrolment:
        """These templates, as far as they exist."""
        # No template is of space 0: the answer is empty.
        space_id = self._find_space_id(space) or 0
        ids = [int(template_id) for template_id in template_ids]
        parts = [
            self._read(
                _READ_THESE, space, {"space_id": space_id, "ids": ids[start : start + IDS_PER_READ]}
            )
            for start in range(0, max(1, len(ids)), IDS_PER_READ)
        ]
        return Enrolment(
            space=space,
            template_ids=np.concatenate([part.template_ids for part in parts]),
            vectors=np.concatenate([part.vectors for part in parts]),
            facts=np.concatenate([part.facts for part in parts]),
        )

    def list_ids(self, space: TemplateSpace) -> Int64:
        """Every template id of one space, ascending: int64 array of shape (n,)."""
        packed = self._connection.execute(
            _IDS, {"space_id": self._find_space_id(space) or 0}
        ).scalar_one()
        return np.frombuffer(packed or b"", dtype=">i8").astype(np.int64)

    def position(self) -> int:
        """Where the stream of changes stands now; take it before reading everything."""
        stands: int = self._connection.execute(_POSITION).scalar_one()
        return stands

    def changes_since(self, position: int) -> GalleryChange:
        """What came and went; may repeat changes around ``position``, never misses one.

        The new position is the oldest transaction that is still open: one that commits
        late is then read again, with whatever had overtaken it.
        """
        rows = self._connection.execute(_CHANGES, {"position": position}).all()
        added: list[int] = []
        removed: list[int] = []
        for row in rows:
            if row.first_template_id is not None:
                ids = range(row.first_template_id, row.last_template_id + 1)
                (removed if row.removed else added).extend(ids)
        return GalleryChange(added=added, removed=removed, position=rows[0].position)

    def _count(self, condition: ColumnElement[bool]) -> int:
        counted = select(func.count()).select_from(templates).where(condition)
        return int(self._connection.execute(counted).scalar_one())

    def _find_space_id(self, space: TemplateSpace) -> int | None:
        found: int | None = self._connection.execute(
            select(template_spaces.c.id).where(*_is_space(space))
        ).scalar()
        return found

    def _space_id(self, space: TemplateSpace) -> int:
        known = self._find_space_id(space)
        if known is not None:
            return known
        self._connection.execute(
            insert(template_spaces)
            .values(
                model_digest=space.model_digest, adapter_digest=space.adapter_digest, dim=space.dim
            )
            .on_conflict_do_nothing()
        )
        return int(
            self._connection.execute(
                select(template_spaces.c.id).where(*_is_space(space))
            ).scalar_one()
        )

    def _read(self, query: bytes, space: TemplateSpace, parameters: dict[str, object]) -> Enrolment:
        with psycopg_connection(self._connection).cursor(binary=True) as cursor:
            answer: Any = cursor.execute(query, parameters).fetchone()
        vectors, packed = (part or b"" for part in answer)
        rows = np.frombuffer(packed, dtype=_PACKED_DTYPE)
        facts = np.empty(len(rows), dtype=FACT_DTYPE)
        for name in _FACT_COLUMNS:
            facts[name] = rows[name]
        return Enrolment(
            space=space,
            template_ids=rows["id"].astype(np.int64),
            vectors=np.frombuffer(vectors, dtype=STORED_VECTOR)
            .reshape(len(rows), space.dim)
            .astype(np.float32),
            facts=facts,
        )


def _check(vectors: Float32, facts: Facts, space: TemplateSpace) -> None:
    if vectors.shape[1:] != (space.dim,):
        raise InvalidInputError("vector_dimension", expected=space.dim, got=list(vectors.shape))
    if len(facts) != len(vectors):
        raise InvalidInputError("enrolment_lengths")


def _is_space(space: TemplateSpace) -> tuple[ColumnElement[bool], ...]:
    return (
        template_spaces.c.model_digest == space.model_digest,
        template_spaces.c.adapter_digest == space.adapter_digest,
        template_spaces.c.dim == space.dim,
    )


def _vectors_of(space: TemplateSpace) -> Select[Any]:
    return (
        select(templates.c.id, templates.c.photo_id, templates.c.vector)
        .join(template_spaces, template_spaces.c.id == templates.c.space_id)
        .where(*_is_space(space))
    )


def _vector(row: Row[Any]) -> Float32:
    return np.frombuffer(row.vector, dtype=STORED_VECTOR).astype(np.float32)
