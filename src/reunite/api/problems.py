"""What goes wrong, as ``application/problem+json`` (RFC 9457).

The sentence for people (``detail``) comes from the function that ``create_api`` is given,
because the catalogue of messages belongs to another edge; without one it is made from
the code.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from reunite.app.view_case import CaseClosedError
from reunite.kernel.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    ReuniteError,
    TooManyRequestsError,
)
from reunite.kernel.languages import DEFAULT_LANGUAGE, Language

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
Describe = Callable[[ReuniteError, Language], str]

# Errors of the machine that pass: worth another try.
BUSY_CODES = frozenset({"database_unreachable", "database_busy"})
RETRY_AFTER_SECONDS = 5
# The most special first: the first class that fits decides.
STATUS_BY_CLASS: tuple[tuple[type[ReuniteError], HTTPStatus], ...] = (
    (CaseClosedError, HTTPStatus.GONE),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (InvalidInputError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ConflictError, HTTPStatus.CONFLICT),
    (TooManyRequestsError, HTTPStatus.TOO_MANY_REQUESTS),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
)
# Nobody is known yet, as opposed to somebody who may not.
UNKNOWN_CALLER_CODES = frozenset(
    {"sign_in_required", "sign_in_failed", "key_required", "key_unknown"}
)
MAX_BODY_BYTES = 20_000_000  # a photo of 15 MB, and its report
# What the framework itself refuses, as the errors that have a sentence.
ERROR_BY_HTTP_STATUS: Mapping[int, Callable[[], ReuniteError]] = {
    400: lambda: InvalidInputError("form_unreadable"),
    404: NotFoundError,
    413: lambda: InvalidInputError("body_too_large", max_bytes=MAX_BODY_BYTES),
}


class Problem(BaseModel):
    """Why a request failed: a stable code for programs and a sentence for people."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:reunite:problem:photo_no_face",
                    "title": "Photo no face",
                    "status": 422,
                    "code": "photo_no_face",
                    "detail": "No face was found in this photo. Choose one that shows the face.",
                    "details": {"field": "photo"},
                }
            ]
        }
    )

    type: str = Field(description="A URI that stands for the kind of problem.")
    title: str = Field(description="The code in English words; the same for every occurrence.")
    status: int = Field(description="The HTTP status, repeated.")
    code: str = Field(description="Stable and snake_case; what a program should look at.")
    detail: str = Field(description="A sentence in the language of `Accept-Language`.")
    details: dict[str, Any] = Field(
        default_factory=dict,
        description="What the code leaves open, e.g. the `field` at fault or a `maximum`.",
    )


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These statuses as an operation's ``responses``."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def status_of(error: ReuniteError) -> HTTPStatus:
    """The HTTP status of an error."""
    if error.code in UNKNOWN_CALLER_CODES:
        return HTTPStatus.UNAUTHORIZED
    for kind, status in STATUS_BY_CLASS:
        if isinstance(error, kind):
            return status
    # What is left is the machine's fault: the database, the disk, a model.
    return HTTPStatus.SERVICE_UNAVAILABLE


def humanised(code: str) -> str:
    """The code as English words."""
    return code.replace("_", " ").capitalize()


def describe_by_code(error: ReuniteError, language: Language) -> str:  # noqa: ARG001
    """A sentence of sorts, where there is no catalogue."""
    return humanised(error.code) + "."


def preferred_language(header: str | None) -> Language:
    """The language that an ``Accept-Language`` header likes best (RFC 9110, 12.5.4)."""
    best, best_weight = DEFAULT_LANGUAGE, 0.0
    for part in (header or "").split(",")[:20]:
        tag, _, parameters = part.partition(";")
        weight = re.search(r"q\s*=\s*([01](?:\.\d{0,3})?)", parameters)
        value = float(weight[1]) if weight else 1.0
        primary = tag.strip().lower().partition("-")[0]
        if value > best_weight and primary in set(Language):
            best, best_weight = Language(primary), value
    return best


def install_problems(app: FastAPI, describe: Describe) -> None:
    """Have every error of ``app`` answered as a problem."""

    async def on_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ReuniteError)  # noqa: S101  (for the type checker)
        return answer(request, error, describe)

    async def on_invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101  (for the type checker)
        return answer(request, invalid_request(error), describe)

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101  (for the type checker)
        known = ERROR_BY_HTTP_STATUS.get(error.status_code)
        if known is not None:
            return answer(request, known(), describe, error.status_code)
        phrase = HTTPStatus(error.status_code).phrase
        code = re.sub(r"\W+", "_", phrase.lower()).strip("_")
        response = answer(request, ReuniteError(code), describe_by_code, error.status_code)
        response.headers.update(error.headers or {})  # e.g. Allow
        return response

    async def on_crash(request: Request, error: Exception) -> JSONResponse:
        # The traceback is logged by the server; the reader learns nothing of the inside.
        log.error("request_failed", method=request.method, error=type(error).__name__)
        return answer(request, ReuniteError(), describe, 500)

    app.add_exception_handler(ReuniteError, on_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_crash)


def invalid_request(error: RequestValidationError) -> InvalidInputError:
    """What does not fit the schema; without the values, which may be a password."""
    errors = [
        {"field": ".".join(str(part) for part in one["loc"][1:]), "reason": one["type"]}
        for one in error.errors()
    ]
    return InvalidInputError(field=errors[0]["field"] if errors else "", errors=errors)


def answer(
    request: Request, error: ReuniteError, describe: Describe, status: int | None = None
) -> JSONResponse:
    """The error as a problem, in the reader's language."""
    status = status or int(status_of(error))
    language = preferred_language(request.headers.get("Accept-Language"))
    problem = Problem(
        type=f"urn:reunite:problem:{error.code}",
        title=humanised(error.code),
        status=status,
        code=error.code,
        detail=describe(error, language),
        details=plain_details(error.details),
    )
    return JSONResponse(
        problem.model_dump(),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={
            "Cache-Control": "no-store",
            "Content-Language": language.value,
            "Vary": "Accept-Language",
            "X-Content-Type-Options": "nosniff",
            **_headers_of(error, status),
        },
    )


def _headers_of(error: ReuniteError, status: int) -> dict[str, str]:
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="reunite"'}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = int(str(error.details.get("retry_after_seconds", 60)))
        headers = {"Retry-After": str(seconds), "RateLimit": f'"{error.code}";r=0;t={seconds}'}
        if "limit" in error.details:
            headers["RateLimit-Policy"] = f'"{error.code}";q={error.details["limit"]}'
        return headers
    if error.code in BUSY_CODES:
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return {}


def plain_details(details: Mapping[str, object]) -> dict[str, Any]:
    """The details of an error as JSON can write them."""
    return {name: _plain(value) for name, value in details.items()}


def _plain(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return str(value)
