"""Errors that a person can act on.

Each carries a stable ``code``; the edges turn the code and its ``details`` into
a sentence in the reader's language (``web/locales``), so that no capability
writes prose and no message exists in one language only.
"""


class ReuniteError(Exception):
    """Something a person asked for could not be done; ``code`` says why."""

    code = "error"

    def __init__(self, code: str | None = None, /, **details: object) -> None:
        self.code = code or self.code
        self.details = details
        super().__init__(f"{self.code} {details}" if details else self.code)


class InvalidInputError(ReuniteError):
    """What was sent cannot be used; the sender can mend it.

    ``field`` in ``details`` names the form field at fault where there is one.
    """

    code = "invalid_input"


class NotFoundError(ReuniteError):
    """No such thing, or not for this person to see: the two look alike on purpose."""

    code = "not_found"


class ForbiddenError(ReuniteError):
    """This person may not do that."""

    code = "forbidden"


class ConflictError(ReuniteError):
    """The thing has changed, or is not in a state that allows this."""

    code = "conflict"


class TooManyRequestsError(ReuniteError):
    """Asked too often; ``retry_after_seconds`` in ``details`` says when to come back."""

    code = "too_many_requests"
