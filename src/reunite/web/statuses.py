"""HTTP statuses of errors."""

from reunite.app.view_case import CaseClosedError
from reunite.kernel.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    ReuniteError,
    TooManyRequestsError,
)

# The first that fits counts, so subclasses come before their parents.
STATUSES: tuple[tuple[type[ReuniteError], int], ...] = (
    (CaseClosedError, 410),
    (NotFoundError, 404),
    (ForbiddenError, 403),
    (ConflictError, 409),
    (TooManyRequestsError, 429),
    (InvalidInputError, 422),
)
STATUS_BY_CODE = {
    "body_too_large": 413,
    "form_unreadable": 400,
    "database_full": 507,
    "photo_store_full": 507,
}
UNAVAILABLE = 503  # everything else is the machine's fault, and may pass


def status_of(error: ReuniteError) -> int:
    """The HTTP status of an error."""
    if error.code in STATUS_BY_CODE:
        return STATUS_BY_CODE[error.code]
    return next((status for kind, status in STATUSES if isinstance(error, kind)), UNAVAILABLE)
