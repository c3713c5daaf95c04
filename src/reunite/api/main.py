"""Put the API together."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from reunite.api.access import AccessRoute
from reunite.api.body_limit import BodyLimit
from reunite.api.problems import Describe, Problem, describe_by_code, install_problems
from reunite.api.routes import (
    accounts,
    alerts,
    blood_centre,
    blood_requests,
    cases,
    donors,
    leads,
    photos,
    review,
    searches,
    sightings,
    statistics,
    towns,
)
from reunite.app.services import Services
from reunite.app.throttle import Doorkeeper

ROUTERS: tuple[APIRouter, ...] = (
    accounts.router,
    cases.router,
    photos.router,
    searches.router,
    sightings.router,
    alerts.router,
    donors.router,
    blood_centre.router,
    blood_requests.router,
    review.router,
    leads.router,
    statistics.router,
    towns.router,
)

DESCRIPTION = """
Reunite brings lost people home. This is everything that its pages do, for programs.

**Signing in.** `POST /sessions` hands out a token; send it as `Authorization: Bearer …`.
There are no cookies.

**A face score is a lead, never a match.** `similarity` is the cosine of two templates. It
changes no case and reaches no family: reviewers compare, and a second one confirms.

**Problems** are `application/problem+json` (RFC 9457). Look at `code`, which is stable; show
`detail`, which is written in the language of `Accept-Language` (`zh` or `en`).

**Photos** are JPEG, PNG, WebP or HEIC of up to 15 MB, sent as the part `photo` of a
`multipart/form-data` body; beside one, the JSON travels in the part `report`. Everything
but the pixels is dropped on arrival. A body has at most 20 MB.
"""

TAGS = [
    {"name": "Accounts", "description": "Sign in and out, register, and who may do what."},
    {"name": "Cases", "description": "People who are missing or found, and their photos."},
    {"name": "Face-find", "description": "The likeliest people for a photo, at once."},
    {"name": "Sightings", "description": "What volunteers saw."},
    {"name": "Alerts", "description": "Opt in to be told, and read what one was told."},
    {"name": "Blood", "description": "Donors of rare blood, and the centres that keep them."},
    {
        "name": "Blood requests",
        "description": "From a hospital to donors who come: a recruitment suggestion for a blood "
        "centre, never transfusion advice.",
    },
    {"name": "Review", "description": "Verify, publish and close cases; weigh leads. Staff only."},
    {"name": "Public", "description": "Statistics, and the towns to choose from."},
]


class Api(FastAPI):
    """The application, with problems described once for all operations."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if self.openapi_schema is None:
            document = super().openapi()
            _, problem = models_json_schema(
                [(Problem, "serialization")], ref_template="#/components/schemas/{model}"
            )
            document["components"]["schemas"].update(problem["$defs"])
        return super().openapi()


def create_api(
    services: Services,
    describe: Describe = describe_by_code,
    doorkeeper: Doorkeeper | None = None,
) -> FastAPI:
    """The API over these services; to be mounted, e.g. under ``/api/v1``.

    ``describe`` puts an error into a sentence of a language; ``doorkeeper`` is to be that of
    the pages where both are served.
    """
    app = Api(
        title="Reunite",
        version="1",
        summary="Bring lost people home.",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        openapi_url="/openapi.json",
        # Their pages load scripts from elsewhere, which the readers of this site must not.
        docs_url=None,
        redoc_url=None,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        generate_unique_id_function=_operation_id,
    )
    # Whatever is added later declares its access too.
    app.router.route_class = AccessRoute
    app.state.services = services
    app.state.doorkeeper = doorkeeper or Doorkeeper(services.clock)
    install_problems(app, describe)
    app.add_middleware(BodyLimit, describe=describe)
    for router in ROUTERS:
        app.include_router(router)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
