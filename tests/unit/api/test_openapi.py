"""The OpenAPI document tells a programmer everything."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from reunite.api.main import TAGS, create_api
from tests.unit.api.conftest import Client
from tests.unit.api.test_security import EXPECTED

METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture
def document(api: FastAPI) -> dict[str, Any]:
    return api.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield f"{method.upper()} {path}", operation


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    assert {name for name, _ in operations(document)} == set(EXPECTED)


def test_every_operation_has_words_and_problems(document: dict[str, Any]) -> None:
    known = {tag["name"] for tag in TAGS}
    names = set()
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= known, name
        assert len(operation["tags"]) == 1, name
        names.add(operation["operationId"])
        problems = {"401", "403"} if EXPECTED[name].roles is not None else {"422"}
        assert problems <= set(operation["responses"]), name
        for status, response in operation["responses"].items():
            assert response["description"], (name, status)
            if int(status) >= 400:
                assert set(response["content"]) == {"application/problem+json"}, (name, status)
    assert len(names) == len(EXPECTED)


def test_operations_that_need_a_session_say_so(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if EXPECTED[name].roles is not None:
            assert "session" in str(operation.get("security")), name


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(references(document)):
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        assert node


def test_schemas_are_described(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if not name.startswith(("Body_", "Page_")):
            assert schema.get("description"), name
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_no_domain_class_is_a_body(document: dict[str, Any]) -> None:
    assert not {"Case", "CasePhoto", "Lead", "Sighting", "Account"} & set(
        document["components"]["schemas"]
    )


def test_it_is_served(client: Client) -> None:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["info"]["title"] == "Reunite"


def test_it_is_made_without_a_catalogue_too(world: Any) -> None:
    assert create_api(world).openapi()["openapi"].startswith("3.1")
