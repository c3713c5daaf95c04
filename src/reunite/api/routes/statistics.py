"""Results, counted honestly."""

from fastapi import APIRouter

from reunite.api.access import AccessRoute, Wired, allow
from reunite.api.render import statistics_body
from reunite.api.schemas.alerts import StatisticsBody
from reunite.app.access import PUBLIC
from reunite.app.count_outcomes import count_outcomes

router = APIRouter(route_class=AccessRoute, tags=["Public"])


@router.get("/statistics", summary="Statistics")
@allow(PUBLIC)
def get_statistics(services: Wired) -> StatisticsBody:
    """Cases, how they ended and what brought that about, module by module."""
    return statistics_body(count_outcomes(services))
