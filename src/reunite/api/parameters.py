"""Parameters that several operations share."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import File, Path, Query, UploadFile

from reunite.api.schemas.basics import LARGEST_ID, Number, Reference
from reunite.app.view_photo import Variant

CaseReference = Annotated[Reference, Path()]
PhotoNumber = Annotated[Number, Path(description="The number of a photo.")]
SearchToken = Annotated[
    str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="As `POST /searches` gave it.")
]
Before = Annotated[
    int | None, Query(ge=1, le=LARGEST_ID, description="`next` of the part before this one.")
]
After = Annotated[int, Query(ge=0, le=LARGEST_ID, description="`next` of the part before.")]
Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=100_000)]
CapturedYear = Annotated[int | None, Query(ge=1800, le=2200)]
PictureVariant = Annotated[Variant, Query(description="`face` is cropped around one face.")]
FaceIndex = Annotated[
    int | None, Query(ge=0, le=10_000, description="Which face; the chosen one unless given.")
]
PhotoFile = Annotated[
    UploadFile, File(description="JPEG, PNG, WebP or HEIC, at most 15 MB.", media_type="image/*")
]


def next_offset(items: Sequence[object], limit: int, offset: int) -> int | None:
    """Where the next part of a list begins; None where this one was not full."""
    return offset + limit if len(items) == limit else None


def jpeg_response(description: str) -> dict[int | str, dict[str, Any]]:
    """The answer of an operation that sends a picture."""
    return {200: {"description": description, "content": {"image/jpeg": {}}}}
