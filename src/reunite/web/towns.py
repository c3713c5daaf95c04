"""Find the town that somebody typed."""

from functools import cache

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language
from reunite.kernel.places import Point, Town, list_towns
from reunite.web.forms import Form, at_field

SUGGESTIONS = 12
_ENDINGS = "市县区州盟旗"


@cache
def _by_name(country: str) -> dict[str, Town]:
    names: dict[str, Town] = {}
    # The most populous first: where two towns share a name, that one is meant.
    for town in list_towns(country):
        for name in (town.name_zh, town.name_zh.rstrip(_ENDINGS), town.name_en.casefold()):
            if name:
                names.setdefault(name, town)
    return names


def find_typed_town(text: str, country: str) -> Town | None:
    """The town of this name, in either language, with or without 市."""
    names = _by_name(country)
    typed = text.strip().casefold()
    return names.get(typed) or names.get(typed.rstrip(_ENDINGS))


def suggest_towns(text: str, country: str, language: Language) -> list[str]:
    """Names of towns that begin with ``text``, the most populous first."""
    typed = text.strip().casefold()
    if not typed:
        return []
    matching = (
        town.name(language)
        for town in list_towns(country)
        if town.name_zh.startswith(typed) or town.name_en.casefold().startswith(typed)
    )
    return list(dict.fromkeys(matching))[:SUGGESTIONS]


def read_position(form: Form, field: str, country: str) -> tuple[Point | None, int | None]:
    """Coordinates of the browser, or the GeoNames id of the town that was typed; one of them.

    Raises InvalidInputError ``place_required``, ``town_unknown``, ``place_out_of_range``.
    """
    with at_field("place"):
        point = form.point()
    if point is not None:
        return point, None
    typed = form.text(field)
    if not typed:
        raise InvalidInputError("place_required", field=field)
    town = find_typed_town(typed, country)
    if town is None:
        raise InvalidInputError("town_unknown", field=field)
    return None, town.geonames_id


def read_place(form: Form, country: str, language: Language) -> tuple[Point | None, str]:
    """Position and label from the fields of the ``place`` macro.

    Coordinates win over the town; without either only a label is left, which may be
    empty.  Raises InvalidInputError ``town_unknown``, ``place_out_of_range``,
    ``number_expected``.
    """
    point = form.point()
    typed = form.text("town")
    town = find_typed_town(typed, country) if typed else None
    if typed and town is None and point is None:
        raise InvalidInputError("town_unknown", field="town")
    label = form.text("place_label")
    if town is not None:
        label = f"{town.name(language)} {label}".strip()
        point = point or town.point
    return point, label
