"""Photos of cases in PostgreSQL; their pixels are in the photo store."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, RowMapping, delete, select, union_all, update
from sqlalchemy.dialects.postgresql import insert

from reunite.cases.photos import CasePhoto, EstimatedAge
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import CaseId, PhotoId
from reunite.storage.rows import faces_from_json, faces_to_json
from reunite.storage.tables import age_previews, photos, probes, registrations, sightings

KEYS_PER_FETCH = 5000


class PostgresPhotos:
    """Implements ``PhotoRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, photo: CasePhoto) -> PhotoId:
        """Sets ``photo.id``.

        Raises ConflictError ``photo_already_there`` for the same digest on the same case.
        """
        added = self._connection.execute(
            insert(photos)
            .values(
                case_id=photo.case_id,
                storage_key=photo.storage_key,
                digest=photo.digest,
                width=photo.width,
                height=photo.height,
                added_at=photo.added_at,
                captured_year=photo.captured_year,
                faces=faces_to_json(photo.faces),
                chosen=photo.chosen,
                estimated_age=_numbers(photo.estimated_age),
            )
            .on_conflict_do_nothing(index_elements=["case_id", "digest"])
            .returning(photos.c.id)
        ).scalar()
        if added is None:
            raise ConflictError("photo_already_there", field="photo")
        photo.id = PhotoId(added)
        return photo.id

    def get(self, photo_id: PhotoId) -> CasePhoto:
        """Raises NotFoundError."""
        row = (
            self._connection.execute(select(photos).where(photos.c.id == photo_id))
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise NotFoundError
        return _photo(row)

    def list_of_case(self, case_id: CaseId) -> list[CasePhoto]:
        return self.list_of_cases([case_id])[case_id]

    def list_of_cases(self, case_ids: Sequence[CaseId]) -> dict[CaseId, list[CasePhoto]]:
        """The photos of each case in the order they were added."""
        listed: dict[CaseId, list[CasePhoto]] = {case_id: [] for case_id in case_ids}
        if not listed:
            return listed
        rows = self._connection.execute(
            select(photos).where(photos.c.case_id.in_(listed)).order_by(photos.c.id)
        ).mappings()
        for row in rows:
            photo = _photo(row)
            listed[photo.case_id].append(photo)
        return listed

    def has_digest(self, digests: Sequence[str]) -> set[str]:
        """Which of these pictures any case holds already; for imports."""
        if not digests:
            return set()
        return set(
            self._connection.scalars(
                select(photos.c.digest).where(photos.c.digest.in_(set(digests)))
            )
        )

    def save(self, photo: CasePhoto) -> None:
        """Write the chosen face, the year and the estimated age.  Raises NotFoundError."""
        saved = self._connection.execute(
            update(photos)
            .where(photos.c.id == photo.id)
            .values(
                chosen=photo.chosen,
                captured_year=photo.captured_year,
                estimated_age=_numbers(photo.estimated_age),
            )
        )
        if saved.rowcount == 0:
            raise NotFoundError

    def delete_of_case(self, case_id: CaseId) -> list[str]:
        """Forget all photos of a case, and with them their templates; their storage keys."""
        return list(
            self._connection.scalars(
                delete(photos).where(photos.c.case_id == case_id).returning(photos.c.storage_key)
            )
        )

    def iter_storage_keys(self) -> Iterator[str]:
        """Every key that a photo, a preview, a probe or a sighting refers to."""
        keys = union_all(
            select(photos.c.storage_key),
            select(age_previews.c.storage_key),
            select(probes.c.storage_key),
            select(sightings.c.photo_key).where(sightings.c.photo_key.is_not(None)),
            select(registrations.c.photo_key).where(registrations.c.photo_key.is_not(None)),
        )
        with self._connection.execute(
            keys, execution_options={"yield_per": KEYS_PER_FETCH}
        ) as rows:
            yield from rows.scalars()


def _photo(row: RowMapping) -> CasePhoto:
    return CasePhoto(
        case_id=CaseId(row["case_id"]),
        storage_key=row["storage_key"],
        digest=row["digest"],
        width=row["width"],
        height=row["height"],
        added_at=row["added_at"],
        captured_year=row["captured_year"],
        faces=faces_from_json(row["faces"]),
        chosen=row["chosen"],
        estimated_age=_estimated(row["estimated_age"]),
        id=PhotoId(row["id"]),
    )


def _numbers(age: EstimatedAge | None) -> list[float] | None:
    return None if age is None else [age.years, age.low, age.high]


def _estimated(numbers: list[float] | None) -> EstimatedAge | None:
    return None if numbers is None else EstimatedAge(*numbers)
