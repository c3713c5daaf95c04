"""Feeds for other registries: PFIF, CAP, and what else a partner's key opens."""

from collections.abc import Iterable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from reunite.api.body_limit import BodyLimit
from reunite.api.key_access import KeyRoute, count_records, key_of, opened_by
from reunite.api.problems import Describe, describe_by_code, install_problems
from reunite.app.count_outcomes import count_outcomes
from reunite.app.exchange_records import list_fates, push_records
from reunite.app.issue_alerts import get_alert, list_alerts
from reunite.app.pfif_of_case import Site
from reunite.app.publish_feeds import FeedPage, FeedQuery, read_feed, search_people
from reunite.app.services import Services
from reunite.app.take_alert import take_alert
from reunite.app.use_key import KeyGate
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import CapMessageId
from reunite.kernel.languages import Language
from reunite.partners.cap.alert import MEDIA_TYPE as CAP_TYPE
from reunite.partners.cap.writing import AlertEntry, AlertFeedHead, write_atom, write_rss
from reunite.partners.exchange import Arrival
from reunite.partners.keys import Scope
from reunite.partners.pfif.fields import LATEST, VERSIONS
from reunite.partners.pfif.records import MAX_ID_CHARACTERS, PfifRecord, format_time, parse_time
from reunite.partners.pfif.writing import (
    FeedHead,
    write_document,
    write_note_feed,
    write_person_feed,
)

ATOM_TYPE = "application/atom+xml; charset=utf-8"
XML_TYPE = "application/xml; charset=utf-8"
PATH = "/feeds"
LARGEST_ID = 2**63 - 1
REFUSALS_SHOWN = 1000

MinEntryDate = Annotated[str, Query(description="Entries from then on, oldest first (PFIF 1.4).")]
MaxResults = Annotated[int, Query(description="How many; at most 200.")]
Skip = Annotated[int, Query(description="How many to pass over.")]
Form = Annotated[str, Query(alias="format", description="`atom` or `pfif`.")]
VersionName = Annotated[str, Query(description="Of PFIF: 1.1 to 1.4.")]


def create_feeds(
    services: Services,
    describe: Describe = describe_by_code,
    *,
    public_url: str = "",
    gate: KeyGate | None = None,
) -> FastAPI:
    """The feeds over these services, to be mounted under ``/feeds``.

    ``public_url`` is the address of the site for readers; without it, as the request has it.
    """
    app = FastAPI(
        title="Reunite: feeds", openapi_url=None, docs_url=None, redoc_url=None, version="1"
    )
    app.router.route_class = KeyRoute
    app.state.services = services
    app.state.gate = gate or KeyGate(services.clock)
    app.state.public_url = public_url
    install_problems(app, describe)
    app.add_middleware(BodyLimit, describe=describe)
    app.add_api_route("/pfif/persons", persons, methods=["GET"])
    app.add_api_route("/pfif/notes", notes, methods=["GET"])
    app.add_api_route("/pfif/write", write, methods=["POST"])
    app.add_api_route("/pfif/records", records, methods=["GET"])
    app.add_api_route("/cap/write", cap_write, methods=["POST"])
    app.add_api_route("/search", search, methods=["GET"])
    app.add_api_route("/statistics", statistics, methods=["GET"])
    app.add_api_route("/cap", cap_index, methods=["GET"])
    app.add_api_route("/cap.rss", cap_rss, methods=["GET"])
    app.add_api_route("/cap/{number}.xml", cap_message, methods=["GET"])
    return app


@opened_by(Scope.READ_PUBLIC, Scope.READ_FULL)
def persons(
    request: Request,
    min_entry_date: MinEntryDate = "",
    max_results: MaxResults = 50,
    skip: Skip = 0,
    form: Form = "atom",
    version: VersionName = LATEST,
) -> Response:
    """Everybody who is sought or was found, each with the notes about them."""
    query = _query(min_entry_date, max_results, skip)
    _check_form(form, version)
    page = read_feed(_services(request), key_of(request), site_of(request), query)
    count_records(request, len(page.persons))
    by_person = _by_person(page.notes)
    if form == "pfif":
        return _xml(write_document(page.persons, by_person, version), XML_TYPE)
    head = _head(request, page, query, "People")
    return _xml(write_person_feed(head, page.persons, by_person, version), ATOM_TYPE)


@opened_by(Scope.READ_PUBLIC, Scope.READ_FULL)
def notes(
    request: Request,
    min_entry_date: MinEntryDate = "",
    max_results: MaxResults = 50,
    skip: Skip = 0,
    form: Form = "atom",
    version: VersionName = LATEST,
) -> Response:
    """What is said of them now."""
    query = _query(min_entry_date, max_results, skip)
    _check_form(form, version)
    page = read_feed(_services(request), key_of(request), site_of(request), query)
    count_records(request, len(page.notes))
    if form == "pfif":
        return _xml(write_document([], _by_person(page.notes), version), XML_TYPE)
    return _xml(
        write_note_feed(_head(request, page, query, "Notes"), page.notes, version), ATOM_TYPE
    )


@opened_by(Scope.WRITE_OWN)
async def write(request: Request) -> dict[str, object]:
    """Take in a PFIF document of the partner's own records; what became of them."""
    # At most what ``BodyLimit`` lets through; the rest of a larger body is never read.
    document = await request.body()
    report = await run_in_threadpool(push_records, _services(request), key_of(request), document)
    count_records(request, report.received)
    return {
        "received": report.received,
        **{arrival.value: report.counts[arrival] for arrival in Arrival},
        "refused": [
            {
                "kind": one.kind.value,
                "record_id": one.record_id[:MAX_ID_CHARACTERS],
                "code": one.error.code,
                "field": str(one.error.details.get("field", "")),
            }
            for one in report.refused[:REFUSALS_SHOWN]
        ],
        "refused_count": len(report.refused),
    }


@opened_by(Scope.WRITE_OWN)
def records(request: Request, after: str = "") -> dict[str, object]:
    """What became of the partner's own records; ``after`` is the last record id of a page."""
    fates = list_fates(_services(request), key_of(request), after)
    count_records(request, len(fates))
    return {
        "records": [
            {
                "record_id": one.record_id,
                "state": one.state.value,
                "received_at": format_time(one.received_at),
                "case_reference": one.case_reference,
                "case_status": one.case_status,
                "outcome": one.outcome,
            }
            for one in fates
        ]
    }


@opened_by(Scope.WRITE_OWN)
async def cap_write(request: Request) -> dict[str, object]:
    """Take in a CAP message whose sender belongs to the partner's domain."""
    document = await request.body()
    taken = await run_in_threadpool(take_alert, _services(request), key_of(request), document)
    count_records(request, 1)
    return {"new": taken.is_new, "cancelled": taken.cancelled, "signature": taken.signature.value}


@opened_by(Scope.SEARCH)
def search(request: Request, name: str = "") -> Response:
    """Published people of a name, as a PFIF document; contacts are never in it."""
    page = search_people(_services(request), key_of(request), site_of(request), name)
    count_records(request, len(page.persons))
    return _xml(write_document(page.persons, {}), XML_TYPE)


@opened_by(Scope.STATISTICS)
def statistics(request: Request) -> dict[str, object]:
    """How many cases there are and how they ended, by module."""
    counted = count_outcomes(_services(request))
    return {
        "modules": {
            one.module.name.lower(): {
                "reported": one.reported,
                "open": one.open,
                "resolved": one.resolved,
                "mistaken": one.mistaken,
                "withdrawn": one.withdrawn,
                "found_records": one.found_records,
                "by_cause": {cause.value: number for cause, number in one.by_cause.items()},
                "by_outcome": {end.value: number for end, number in one.by_outcome.items()},
            }
            for one in counted.modules
        },
        "volunteers": counted.volunteers,
    }


@opened_by()
def cap_index(request: Request, language: Language = Language.ZH) -> Response:
    """Alerts in force, as an Atom index of signed CAP 1.2 messages; open to everybody."""
    return _xml(write_atom(*_alerts(request, language)), ATOM_TYPE)


@opened_by()
def cap_rss(request: Request, language: Language = Language.ZH) -> Response:
    """The same as RSS 2.0."""
    return _xml(write_rss(*_alerts(request, language)), "application/rss+xml; charset=utf-8")


@opened_by()
def cap_message(request: Request, number: int) -> Response:
    """One CAP message with its signature; gone when its case is over."""
    wanted = CapMessageId(number if 0 <= number <= LARGEST_ID else 0)
    return Response(get_alert(_services(request), site_of(request), wanted), media_type=CAP_TYPE)


def site_of(request: Request) -> Site:
    """How this Reunite is called and reached."""
    services = _services(request)
    address: str = request.app.state.public_url or (
        f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"
    )
    settings = services.settings
    return Site(settings.domain, address.rstrip("/"), settings.country)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _by_person(notes: Iterable[PfifRecord]) -> dict[str, list[PfifRecord]]:
    """Notes under the record of the person of whom they speak."""
    found: dict[str, list[PfifRecord]] = {}
    for note in notes:
        found.setdefault(note.text("person_record_id"), []).append(note)
    return found


def _query(min_entry_date: str, max_results: int, skip: int) -> FeedQuery:
    since = parse_time(min_entry_date, "min_entry_date") if min_entry_date else None
    return FeedQuery(since, max_results, skip)


def _check_form(form: str, version: str) -> None:
    if form not in ("atom", "pfif"):
        raise InvalidInputError("choice_unknown", field="format")
    if version not in VERSIONS:
        raise InvalidInputError("pfif_version_unknown", field="version", version=version[:20])


def _head(request: Request, page: FeedPage, query: FeedQuery, subtitle: str) -> FeedHead:
    site = site_of(request)
    here = f"{site.address}{request.url.path}"
    asked = dict(request.query_params)
    more = ""
    if page.is_full:
        more = f"{here}?{urlencode({**asked, 'skip': query.skip + len(page.persons)})}"
    address = f"{here}?{urlencode(asked)}" if asked else here
    return FeedHead(address, site.name, subtitle, page.updated, more)


def _alerts(request: Request, language: Language) -> tuple[AlertFeedHead, list[AlertEntry]]:
    services, site = _services(request), site_of(request)
    listed = list_alerts(services, site)
    here = f"{site.address}{request.url.path}"
    updated = listed[0].alert.sent if listed else services.clock.now()
    entries = [
        AlertEntry(one.alert, f"{site.address}{PATH}/cap/{one.number}.xml") for one in listed
    ]
    return AlertFeedHead(here, f"{site.name}: CAP", language.value, updated), entries


def _xml(pieces: Iterable[str], media_type: str) -> Response:
    return Response("".join(pieces), media_type=media_type)
