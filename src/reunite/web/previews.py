"""What a reviewer wants of an alert, as the form says it, and whether that was counted."""

import hashlib
from typing import Any

from reunite.alerts.plan import overrides
from reunite.alerts.radius import Category, TravelMode
from reunite.app.publish_case import AlertPreview, AlertWish
from reunite.kernel.datum import Datum
from reunite.web.forms import Form, at_field

_DIGEST_CHARACTERS = 16


def read_wish(form: Form) -> AlertWish:
    """What a reviewer wants of an alert.  Raises InvalidInputError with the field at fault."""
    with at_field("radius_km"):
        radius_km = form.decimal("radius_km")
    category = form.text("category")
    return AlertWish(
        radius_km=radius_km,
        category=form.choice("category", Category) if category else None,
        mode=form.choice("mode", TravelMode, TravelMode.FOOT),
        area=form.text("area"),
        without=form.text("without"),
        datum=form.choice("datum", Datum, Datum.WGS84),
        reason=form.text("reason"),
        is_imminent=form.flag("imminent"),
    )


def digest_of(wish: AlertWish) -> str:
    """Tells whether an alert is the one that was counted."""
    said = repr((wish.radius_km, wish.area, wish.without, wish.datum, wish.category, wish.mode))
    return hashlib.sha256(said.encode()).hexdigest()[:_DIGEST_CHARACTERS]


def fill_in(form: Form, preview: AlertPreview) -> None:
    """Write what the rules suggest into the fields that are not there yet.

    The form then says in full what was counted, and sends that.
    """
    first = not form.values
    suggested = {
        "radius_km": str(round(preview.radius_km, 3)),
        "category": preview.suggestion.category.value,
        "mode": preview.suggestion.mode.value,
        "datum": Datum.WGS84.value,
    }
    form.values = {name: [value] for name, value in suggested.items()} | dict(form.values)
    if first and preview.suggestion.is_imminent:
        form.values = {**form.values, "imminent": ["1"]}


def preview_extras(form: Form, preview: AlertPreview | None) -> dict[str, Any]:
    """What the count needs beside the numbers."""
    if preview is None:
        return {"preview": None, "counted": "", "is_override": False}
    wish = AlertWish(preview.radius_km)
    if form.error is None and form.values:
        wish = read_wish(form)
    return {
        "preview": preview,
        "counted": digest_of(wish),
        "is_override": overrides(preview.suggestion, preview.plan.drawing),
    }
