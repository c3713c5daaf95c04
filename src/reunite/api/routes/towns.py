"""Towns to choose from while one types."""

from typing import Annotated

from fastapi import APIRouter, Query

from reunite.api.access import AccessRoute, Wired, allow
from reunite.api.render import town_entry
from reunite.api.schemas.basics import Page, TownEntry
from reunite.app.access import PUBLIC
from reunite.kernel.places import Town, list_towns

router = APIRouter(route_class=AccessRoute, tags=["Public"])


@router.get("/towns", summary="Find a town")
@allow(PUBLIC)
def find_towns(
    services: Wired,
    q: Annotated[
        str, Query(max_length=80, description="The beginning of its name, in Chinese or English.")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Page[TownEntry]:
    """Names that begin so, then those that contain it; the most populous first."""
    wanted = q.strip().casefold()
    towns = list_towns(services.settings.country)
    begin = [town for town in towns if any(name.startswith(wanted) for name in _names(town))]
    if len(begin) < limit:
        chosen = {town.geonames_id for town in begin}
        begin += [
            town
            for town in towns
            if town.geonames_id not in chosen and any(wanted in name for name in _names(town))
        ]
    return Page(items=[town_entry(town) for town in begin[:limit]], next=None)


def _names(town: Town) -> tuple[str, str]:
    return town.name_zh.casefold(), town.name_en.casefold()
