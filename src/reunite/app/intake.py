"""Take in a photo: normalise, keep, find the faces, make the template of the one meant.

Faces are always read from the stored picture, never from the upload, so that the
face that somebody points at later is the same one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import numpy as np

from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.photos import CasePhoto, PhotoFace, only_usable_face
from reunite.faces.photo import Photo, decode_photo, encode_jpeg
from reunite.faces.port import FaceView, Template
from reunite.faces.progression.marking import is_marked
from reunite.gallery.port import (
    UNKNOWN_BIRTH_YEAR,
    UNKNOWN_DAY,
    Facts,
    Probes,
    TemplateSpace,
    make_facts,
)
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.ids import CaseId, TemplateId
from reunite.kernel.people import Module, Side, YearRange
from reunite.ports import Transaction

EPOCH = date(1970, 1, 1)
# A guess wider than this says nothing that may hide somebody.
WIDEST_BIRTH_YEARS = 10


@dataclass(frozen=True, slots=True)
class ReadPhoto:
    """A photo that has been read but not kept."""

    jpeg: bytes
    photo: Photo
    captured_year: int | None  # from the camera, where it said
    views: tuple[FaceView, ...]
    faces: list[PhotoFace]
    only_face: int | None  # None where somebody has to choose


def read_photo(services: Services, data: bytes) -> ReadPhoto:
    """Decode an upload and find its faces.

    Raises InvalidInputError for anything that is not a photo with a usable face; its
    ``field`` is ``photo``.
    """
    taken = decode_upload(services, data)
    jpeg = encode_jpeg(taken)
    photo = decode_photo(jpeg)
    views = services.faces.detect(photo)
    faces = [face_of(view) for view in views]
    return ReadPhoto(
        jpeg=jpeg,
        photo=photo,
        captured_year=taken.captured_on.year if taken.captured_on else None,
        views=views,
        faces=faces,
        only_face=only_usable_face(faces),
    )


def decode_upload(services: Services, data: bytes) -> Photo:
    """The picture in an upload.

    Raises InvalidInputError as ``decode_photo`` does, or ``photo_is_preview`` for one of our
    own illustrations; its ``field`` is ``photo``.
    """
    if is_marked(data):
        # Enrolled or searched with, a preview would stand for a person whom nobody has seen.
        raise InvalidInputError("photo_is_preview", field="photo")
    try:
        return decode_photo(data, today=services.clock.now().date())
    except InvalidInputError as error:
        error.details.setdefault("field", "photo")
        raise


def view_stored(services: Services, storage_key: str) -> tuple[Photo, tuple[FaceView, ...]]:
    """A stored picture and its faces, in the order in which they were first found."""
    photo = decode_photo(services.photos.get(storage_key))
    return photo, services.faces.detect(photo)


def face_of(view: FaceView) -> PhotoFace:
    """A face as a case keeps it."""
    left, top, width, height = view.face.box
    return PhotoFace(
        box=(float(left), float(top), float(width), float(height)),
        landmarks=tuple((float(x), float(y)) for x, y in view.face.landmarks),
        quality_score=float(view.quality.score),
        verdict=view.quality.verdict.value,
        reasons=tuple(view.quality.reasons),
    )


def photo_of(services: Services, read: ReadPhoto, key: str, year: int | None) -> CasePhoto:
    """The photo of a case that is about to be written; its case id is still to be set."""
    return CasePhoto(
        case_id=CaseId(0),
        storage_key=key,
        digest=read.photo.digest,
        width=read.photo.width,
        height=read.photo.height,
        added_at=services.clock.now(),
        captured_year=year if year is not None else read.captured_year,
        faces=read.faces,
        chosen=read.only_face,
    )


@contextmanager
def kept(services: Services, jpeg: bytes) -> Iterator[str]:
    """Keep a picture while the block writes the row that refers to it.

    The file goes when the block raises; a crash in between leaves a file without a row,
    which ``sweep_photos`` finds.
    """
    key = services.photos.put(jpeg)
    try:
        yield key
    except BaseException as error:
        # Where the database stopped answering, the row may have been committed: the file
        # stays, and the sweep finds it if there is no row.
        if not (isinstance(error, ReuniteError) and error.code == "database_unreachable"):
            services.photos.delete([key])
        raise


def space_of(template: Template) -> TemplateSpace:
    """The space of a fresh template."""
    return TemplateSpace(template.model_digest, template.adapter_digest, template.dim)


def probe_of(services: Services, view: FaceView) -> Probes:
    """A probe from one face.  Raises InvalidInputError for an unusable one."""
    template = services.faces.template(view)
    return Probes(space_of(template), np.asarray(template.vector)[None, :])


def facts_of(case: Case) -> Facts:
    """What the gallery may filter by, one record."""
    facts = make_facts(1)
    years = case.person.birth_years
    known = years is not None and years.last - years.first <= WIDEST_BIRTH_YEARS
    seen = case.circumstances.seen_at
    facts["subject_id"] = case.id
    facts["side"] = case.side
    facts["module"] = case.module
    facts["sex"] = case.person.sex
    facts["birth_year"] = (
        (years.first + years.last) // 2 if years is not None and known else UNKNOWN_BIRTH_YEAR
    )
    facts["region"] = case.circumstances.region
    facts["seen_day"] = (seen.date() - EPOCH).days if seen else UNKNOWN_DAY
    return facts


def age_at(case: Case, photo: CasePhoto) -> float | None:
    """How old the person was in a photo, as far as the record says."""
    return age_in(case.person.birth_years, photo.captured_year)


def age_in(born: YearRange | None, captured_year: int | None) -> float | None:
    """How old somebody of these years of birth was in a photo of that year."""
    if born is None or captured_year is None or born.last - born.first > WIDEST_BIRTH_YEARS:
        return None
    return max(0.0, captured_year - (born.first + born.last) / 2)


def enrol(
    services: Services, transaction: Transaction, case: Case, photo: CasePhoto, view: FaceView
) -> TemplateId:
    """Make the template of a photo's chosen face, write it and have it matched."""
    template = services.faces.template(view, age_at(case, photo))
    return enrol_template(services, transaction, case, photo, template)


def enrol_template(
    services: Services, transaction: Transaction, case: Case, photo: CasePhoto, template: Template
) -> TemplateId:
    """Write the template of a photo's chosen face and have it matched.

    The match itself happens after the commit: a slow search must not hold up a report.
    """
    template_id = transaction.templates.add(
        photo, template.vector, space_of(template), facts_of(case)
    )
    transaction.outbox.add("match_record", {"case_id": case.id, "photo_id": photo.id})
    # Ages and previews can wait until nobody waits for the worker.
    if case.side is Side.MISSING and case.module is Module.CHILD:
        transaction.previews.set_due(case.id, services.clock.now().date())
    return template_id
