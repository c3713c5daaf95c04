"""The PFIF feeds of what is public here, for partners who keep a copy."""

from dataclasses import dataclass, replace
from datetime import datetime

from reunite.app.pfif_of_case import Site, link_note_of, note_of, person_of
from reunite.app.services import Services
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import CaseId
from reunite.partners.exchange import PartnerRecord, PublicChange
from reunite.partners.keys import ApiKey, Scope
from reunite.partners.pfif.fields import Kind
from reunite.partners.pfif.life import public_view
from reunite.partners.pfif.records import PfifRecord
from reunite.ports import Look, LookPurpose, Transaction

DEFAULT_RESULTS, MOST_RESULTS = 50, 200
MOST_SKIPPED = 1_000_000


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """Which part of a feed.

    With ``min_entry_date`` the oldest entries from then on; without it the newest.
    """

    min_entry_date: datetime | None = None
    max_results: int = DEFAULT_RESULTS
    skip: int = 0


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page of a feed.  ``updated`` is the entry date of its last change."""

    persons: list[PfifRecord]
    notes: list[PfifRecord]
    updated: datetime
    is_full: bool  # there may be more


def read_feed(services: Services, key: ApiKey, site: Site, query: FeedQuery) -> FeedPage:
    """Persons and the notes about them, as far as the key may read.

    Cases that are over appear as placeholders, so that copies are wiped.  Whoever reads
    everything is logged as having looked.  Raises ForbiddenError ``key_scope_missing``;
    InvalidInputError ``number_out_of_range``.
    """
    key.require(Scope.READ_PUBLIC, Scope.READ_FULL)
    if not query.max_results >= 1:
        raise InvalidInputError(
            "number_out_of_range", field="max_results", least=1, most=MOST_RESULTS
        )
    if not 0 <= query.skip <= MOST_SKIPPED:
        raise InvalidInputError("number_out_of_range", field="skip", least=0, most=MOST_SKIPPED)
    limit = min(query.max_results, MOST_RESULTS)
    with services.database.transaction() as transaction:
        changes = transaction.partners.list_public_changes(
            query.min_entry_date, skip=query.skip, limit=limit
        )
        page = _page(services, transaction, key, site, changes)
    return replace(page, is_full=len(changes) == limit)


def search_people(services: Services, key: ApiKey, site: Site, name: str) -> FeedPage:
    """Published people whose name holds these words.

    Raises ForbiddenError ``key_scope_missing``; InvalidInputError ``required``.
    """
    key.require(Scope.SEARCH)
    if not name.strip():
        raise InvalidInputError("required", field="name")
    with services.database.transaction() as transaction:
        found = transaction.partners.list_public_named(name.strip(), limit=DEFAULT_RESULTS)
        cases = transaction.cases.get_many(found)
        changes = [
            PublicChange(one, cases[one].transitions[-1].at) for one in found if one in cases
        ]
        return _page(services, transaction, key, site, changes)


def _page(
    services: Services,
    transaction: Transaction,
    key: ApiKey,
    site: Site,
    changes: list[PublicChange],
) -> FeedPage:
    ids = [change.case_id for change in changes]
    cases = transaction.cases.get_many(ids)
    public = [one for one in ids if one in cases and cases[one].is_public]
    photos = transaction.photos.list_of_cases(public)
    origins = _origins(transaction, ids)
    persons, notes = [], []
    for change in changes:
        case = cases.get(change.case_id)
        if case is None:
            continue
        theirs = origins.get(case.id)
        person = person_of(site, case, photos.get(case.id, []), change.at, theirs)
        persons.append(person)
        if case.is_public:
            notes.append(note_of(site, case, change.at, person.record_id))
    notes += _links(transaction, site, public)
    if Scope.READ_FULL in key.scopes:
        now = services.clock.now()
        transaction.looks.add([Look(key.account_id, one, LookPurpose.VIEW, now) for one in public])
    else:
        persons = [public_view(one) for one in persons]
        notes = [public_view(one) for one in notes]
    updated = max((change.at for change in changes), default=services.clock.now())
    return FeedPage(persons, notes, updated, is_full=False)


def _links(transaction: Transaction, site: Site, case_ids: list[CaseId]) -> list[PfifRecord]:
    """Notes that tie public records of one person together, one for each of the two."""
    pairs = [one for one in transaction.duplicates.list_of_cases(case_ids) if one.was_linked]
    both = transaction.cases.get_many([case_id for pair in pairs for case_id in pair.case_ids])
    theirs = transaction.partners.record_ids_of(list(both))
    record_ids = {one: theirs.get(one, site.record_id(case)) for one, case in both.items()}
    shown = set(case_ids)
    return [
        link_note_of(site, pair, both[one], record_ids[one], record_ids[pair.other(one)])
        for pair in pairs
        for one in pair.case_ids
        if one in shown and all(both[case_id].is_public for case_id in pair.case_ids)
    ]


def _origins(transaction: Transaction, case_ids: list[CaseId]) -> dict[CaseId, PartnerRecord]:
    known = transaction.partners.record_ids_of(case_ids)
    found = {}
    for case_id in known:
        for one in transaction.partners.list_of_case(case_id):
            if one.record.kind is Kind.PERSON:
                found[case_id] = one
    return found
