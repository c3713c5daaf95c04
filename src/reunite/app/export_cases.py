"""Cases as a table, for a purpose that is named, and no more of them than the purpose needs."""

from collections.abc import Iterator
from enum import StrEnum

from reunite.accounts.account import Actor, Role, require_role
from reunite.app.services import Services
from reunite.cases.case import Case, CaseStatus
from reunite.cases.whereabouts import holder_words, place_words
from reunite.kernel.ids import CaseId
from reunite.kernel.languages import DEFAULT_LANGUAGE
from reunite.kernel.people import Side
from reunite.ports import CaseQuery, Look, LookPurpose

ADMINS = frozenset({Role.ADMIN})
BATCH = 200

Row = dict[str, str | int | None]


class ExportPurpose(StrEnum):
    """What a table is for.  It decides which cases are in it and which columns they have."""

    PUBLICATION = "publication"  # what the public pages show; consent to publication
    SEARCH = "search"  # for those who search with us: contacts too; logged
    STATISTICS = "statistics"  # every case, nobody's name


_FACTS = (
    "reference", "module", "side", "status", "name", "sex", "birth_year_first",
    "birth_year_last", "height_cm", "marks", "clothing", "dialect", "seen_at", "place", "story",
)  # fmt: skip
COLUMNS: dict[ExportPurpose, tuple[str, ...]] = {
    ExportPurpose.PUBLICATION: _FACTS,
    ExportPurpose.SEARCH: (*_FACTS, "contact", "organisation"),
    ExportPurpose.STATISTICS: (
        "module",
        "side",
        "status",
        "sex",
        "birth_decade",
        "region",
        "opened_month",
        "outcome",
        "cause",
    ),
}


def iter_export(services: Services, actor: Actor | None, purpose: ExportPurpose) -> Iterator[Row]:
    """Rows with the columns of ``purpose``, the newest case first.

    ``publication`` and ``search`` hold public cases only: of every other one the family has not
    agreed to anybody's seeing it.  Each person in a table for searching is logged as looked at.
    Raises ForbiddenError before the first row.
    """
    actor = require_role(actor, ADMINS)
    return _rows(services, actor, purpose)


def _rows(services: Services, actor: Actor, purpose: ExportPurpose) -> Iterator[Row]:
    counting = purpose is ExportPurpose.STATISTICS
    before: CaseId | None = None
    while True:
        statuses = frozenset(CaseStatus) if counting else frozenset({CaseStatus.PUBLISHED})
        with services.database.transaction() as transaction:
            cases = transaction.cases.list_matching(
                CaseQuery(statuses=statuses, before=before, limit=BATCH)
            )
            wanted = [case for case in cases if counting or case.consent_publish]
            if purpose is ExportPurpose.SEARCH and wanted:
                now = services.clock.now()
                # The command line has no account of its own.
                by = actor.account_id or None
                transaction.looks.add([Look(by, c.id, LookPurpose.SEARCH, now) for c in wanted])
        for case in wanted:
            values = _counted(case) if counting else _facts(services, case, purpose)
            yield {column: values[column] for column in COLUMNS[purpose]}
        if len(cases) < BATCH:
            return
        before = cases[-1].id


def _facts(services: Services, case: Case, purpose: ExportPurpose) -> Row:
    everything = purpose is ExportPurpose.SEARCH
    person, seen = case.person, case.circumstances
    country = services.settings.country
    years = person.birth_years
    return {
        "reference": case.reference,
        "module": case.module.name.lower(),
        "side": case.side.name.lower(),
        "status": case.status.value,
        "name": person.name,
        "sex": person.sex.name.lower(),
        "birth_year_first": None if years is None else years.first,
        "birth_year_last": None if years is None else years.last,
        "height_cm": person.height_cm,
        "marks": person.marks,
        "clothing": person.clothing,
        "dialect": person.dialect,
        "seen_at": None if seen.seen_at is None else seen.seen_at.isoformat(),
        "place": place_words(case, DEFAULT_LANGUAGE, country, sees_all=everything),
        "story": seen.story,
        "contact": case.contact,
        "organisation": holder_words(case, sees_all=everything),
    }


def _counted(case: Case) -> Row:
    years = case.person.birth_years
    # A decade and a month: few enough people share a day of birth to be told apart by it.
    decade = None if years is None else (years.first + years.last) // 20 * 10
    return {
        "module": case.module.name.lower(),
        "side": case.side.name.lower(),
        "status": case.status.value,
        "sex": case.person.sex.name.lower(),
        "birth_decade": decade,
        "region": case.circumstances.region if case.side is Side.MISSING else 0,
        "opened_month": f"{case.opened_at:%Y-%m}",
        "outcome": None if case.outcome is None else case.outcome.value,
        "cause": None if case.cause is None else case.cause.value,
    }
