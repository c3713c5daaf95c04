"""The pages, one file a subject.  To add one, write its file and list it here."""

from typing import TYPE_CHECKING

from reunite.web.pages import (
    about,
    account,
    accounts,
    alerts,
    blood,
    cases,
    dead_letters,
    find,
    home,
    inbox,
    own_cases,
    partners,
    people,
    pictures,
    previews,
    report,
    review,
    review_alerts,
    review_case,
    review_leads,
    review_publish,
    review_sightings,
    sightings,
    station,
    statistics,
    widget,
)

if TYPE_CHECKING:
    from reunite.web.routing import Pages

ALL_PAGES: tuple["Pages", ...] = (
    home.routes,
    partners.routes,
    widget.routes,
    cases.routes,
    report.routes,
    own_cases.routes,
    find.routes,
    pictures.routes,
    previews.routes,
    sightings.routes,
    alerts.routes,
    inbox.routes,
    review.routes,
    review_alerts.routes,
    review_case.routes,
    review_publish.routes,
    review_leads.routes,
    review_sightings.routes,
    station.routes,
    people.routes,
    account.routes,
    accounts.routes,
    dead_letters.routes,
    blood.routes,
    statistics.routes,
    about.routes,
)
