"""Blood centres and hospitals, and who acts for them; for administrators."""

from enum import StrEnum

from starlette.responses import Response

from reunite.app.access import ADMIN_ONLY
from reunite.app.blood_centres import (
    CentreRequest,
    add_centre,
    list_centres,
    set_centre_member,
    verify_centre,
)
from reunite.blood.centres import CentreKind
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.ids import BloodCentreId
from reunite.web.blood_forms import blood_choices, country_rules
from reunite.web.donor_words import CENTRE_KINDS
from reunite.web.forms import Form
from reunite.web.page import Context, Page
from reunite.web.routing import Pages
from reunite.web.towns import read_position

routes = Pages()


class _Action(StrEnum):
    VERIFY = "verify"
    SUSPEND = "suspend"
    MEMBER = "member"
    NO_MEMBER = "no-member"


@routes.get("/admin/centres", access=ADMIN_ONLY)
def show_centres(page: Page) -> Response:
    """Every centre, and the form for another one."""
    return page.render("admin/centres.html", form=Form(), **_extras(page))


@routes.post("/admin/centres", access=ADMIN_ONLY)
def submit_centre(page: Page) -> Response:
    """Write a centre; it is verified in a second step."""
    form = page.form
    try:
        town_id = None
        if form.text("town"):
            _, town_id = read_position(form, "town", page.services.settings.country)
        add_centre(
            page.services,
            page.actor,
            CentreRequest(
                form.required("name"),
                form.choice("kind", CentreKind, CentreKind.BLOOD_CENTRE),
                town_id,
                form.text("contact"),
                form.text("rules") or country_rules(page),
            ),
        )
    except ReuniteError as error:
        return page.refuse("admin/centres.html", error, **_extras(page))
    return page.redirect("/admin/centres")


@routes.post("/admin/centres/{centre_id:int}", access=ADMIN_ONLY)
def submit_change(page: Page, centre_id: int) -> Response:
    """Verify a centre or suspend it; let somebody act for it, or no longer."""
    form, centre = page.form, BloodCentreId(centre_id)
    try:
        action = form.choice("action", _Action)
        if action in {_Action.VERIFY, _Action.SUSPEND}:
            verified = action is _Action.VERIFY
            verify_centre(page.services, page.actor, centre, verified=verified)
        else:
            wanted = centre if action is _Action.MEMBER else None
            set_centre_member(page.services, page.actor, form.required("email"), wanted)
    except InvalidInputError as error:
        return page.refuse("admin/centres.html", error, **_extras(page))
    return page.redirect("/admin/centres")


def _extras(page: Page) -> Context:
    translate = page.web.renderers[page.language].translations.gettext
    return {
        **blood_choices(page),
        "centres": list_centres(page.services, page.actor),
        "kind_words": CENTRE_KINDS,
        "centre_kinds": [(one.value, translate(CENTRE_KINDS[one])) for one in CentreKind],
    }
