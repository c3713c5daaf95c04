"""What goes wrong is told as RFC 9457 says."""

from collections.abc import AsyncIterator, Callable
from enum import Enum

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from reunite.api.access import allow
from reunite.api.problems import (
    MAX_BODY_BYTES,
    describe_by_code,
    plain_details,
    preferred_language,
)
from reunite.app.access import PUBLIC
from reunite.app.view_case import CaseClosedError
from reunite.faces.registry import FaceModelError
from reunite.kernel.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    ReuniteError,
    TooManyRequestsError,
)
from reunite.kernel.languages import Language
from tests.unit.api.conftest import Client

ERRORS: list[tuple[Callable[[], ReuniteError], int]] = [
    (lambda: InvalidInputError("photo_no_face", field="photo"), 422),
    (NotFoundError, 404),
    (lambda: NotFoundError("search_expired"), 404),
    (CaseClosedError, 410),
    (lambda: ForbiddenError("sign_in_required"), 401),
    (lambda: ForbiddenError("sign_in_failed"), 401),
    (lambda: ForbiddenError("role_required", roles=["admin"]), 403),
    (lambda: ConflictError("lead_closed", status="rejected"), 409),
    (lambda: TooManyRequestsError("too_many_searches", limit=60, retry_after_seconds=3600), 429),
    (lambda: ReuniteError("database_unreachable"), 503),
    (lambda: FaceModelError("model_missing"), 503),
]


def raising(api: FastAPI, make: Callable[[], Exception]) -> Client:
    @api.get("/raises")
    @allow(PUBLIC)
    def raises() -> None:
        raise make()

    return Client(api)


@pytest.mark.parametrize(("make", "status"), ERRORS)
def test_each_error_has_its_status_and_a_sentence(
    api: FastAPI, make: Callable[[], ReuniteError], status: int
) -> None:
    error = make()
    answer = raising(api, make).get("/raises", headers={"Accept-Language": "en"})
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Content-Language"] == "en"
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "code", "detail", "details"}
    assert body["type"] == f"urn:reunite:problem:{error.code}"
    assert (body["status"], body["code"]) == (status, error.code)
    assert body["detail"] == f"en: {error.code}"
    assert body["details"] == error.details


def test_a_limit_says_when_to_come_back(api: FastAPI) -> None:
    answer = raising(
        api, lambda: TooManyRequestsError("too_many_searches", limit=60, retry_after_seconds=90)
    ).get("/raises")
    assert answer.headers["Retry-After"] == "90"
    assert answer.headers["RateLimit"] == '"too_many_searches";r=0;t=90'
    assert answer.headers["RateLimit-Policy"] == '"too_many_searches";q=60'


def test_a_database_that_is_away_is_worth_another_try(api: FastAPI) -> None:
    answer = raising(api, lambda: ReuniteError("database_unreachable")).get("/raises")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_crash_tells_nothing_of_the_inside(api: FastAPI) -> None:
    answer = raising(api, lambda: ValueError("secret of somebody")).get("/raises")
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_what_does_not_fit_the_schema_is_named_without_its_value(client: Client) -> None:
    answer = client.post("/sessions", json={"email": "a@example.org", "password": {"my": "pw"}})
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "invalid_input"
    assert body["details"]["field"] == "password"
    assert body["details"]["errors"] == [{"field": "password", "reason": "string_type"}]
    assert "pw" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {"email": "a\x00b@example.org", "password": "x"},
        {"email": "a@example.org", "password": "x", "extra": 1},
        {"email": "a@example.org"},
        [],
        None,
    ],
)
def test_malformed_bodies_are_refused(client: Client, body: object) -> None:
    assert client.post("/sessions", json=body).status_code == 422


def test_a_body_that_is_no_json_is_refused(client: Client) -> None:
    answer = client.post(
        "/sessions", content=b'{"email": "\\ud800', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("PUT", "/towns", 405, "method_not_allowed"),
        ("GET", "/cases/UUUU", 422, "invalid_input"),
        ("GET", "/photos/99999999999999999999/picture", 422, "invalid_input"),
        ("GET", "/photos/0/picture", 422, "invalid_input"),
        ("GET", "/cases?limit=0", 422, "invalid_input"),
        ("GET", "/cases?before=-1", 422, "invalid_input"),
        ("GET", "/cases?side=both", 422, "invalid_input"),
    ],
)
def test_what_the_framework_refuses_is_a_problem_too(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code


def test_a_large_body_is_refused_by_its_announcement(client: Client) -> None:
    with capture_logs() as logs:
        answer = client.post(
            "/sessions", content=b"", headers={"Content-Length": str(MAX_BODY_BYTES + 1)}
        )
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"
    [log] = [one for one in logs if one["event"] == "body_refused"]
    assert log["announced_bytes"] == MAX_BODY_BYTES + 1


@pytest.mark.parametrize("length", ["²", "-1", "9" * 5000])
def test_a_length_that_is_no_number_is_refused(client: Client, length: str) -> None:
    answer = client.post(
        "/sessions", content=b"", headers={"Content-Length": length.encode("latin-1")}
    )
    assert answer.status_code == 413


def test_a_large_body_is_refused_while_it_comes_in(client: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1_000_000 + 1):
            yield b" " * 1_000_000

    answer = client.post(
        "/sessions", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, Language.ZH),
        ("", Language.ZH),
        ("en", Language.EN),
        ("en-GB,en;q=0.9,zh;q=0.8", Language.EN),
        ("de, en;q=0.5, zh;q=0.7", Language.ZH),
        ("en;q=0, zh;q=0.1", Language.ZH),
        ("ZH-Hans-CN", Language.ZH),
        ("fr", Language.ZH),
        ("en;q=nonsense", Language.EN),
        ("," * 5000 + "en", Language.ZH),
    ],
)
def test_the_language_that_is_liked_best(header: str | None, language: Language) -> None:
    assert preferred_language(header) is language


class Colour(Enum):
    RED = "red"


def test_details_are_written_as_json_can() -> None:
    details = {"a": Colour.RED, "b": (1, "x"), "c": frozenset({2}), "d": {1: None}, "e": object}
    plain = plain_details(details)
    assert plain["a"] == "red"
    assert plain["b"] == [1, "x"]
    assert plain["c"] == [2]
    assert plain["d"] == {"1": None}
    assert isinstance(plain["e"], str)


def test_without_a_catalogue_the_code_is_the_sentence() -> None:
    assert describe_by_code(NotFoundError(), Language.EN) == "Not found."
