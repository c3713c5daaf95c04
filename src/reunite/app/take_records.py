"""Records of other registries come in: judged, kept, made into cases, corrected, taken back.

A record of a partner is never public by itself: it becomes a case that a reviewer has to
verify, with its source and time on record for every field.  What its repository says later,
or that it takes the record back, reaches the case and all that was made from it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.alerts.notices import NoticeKind
from reunite.app.case_from_pfif import Facts, corrected, facts_of, module_of, side_of
from reunite.app.close_case import end_case
from reunite.app.describe_case import enter_for_matching
from reunite.app.fetch_photo import queue_photo
from reunite.app.services import Services
from reunite.app.suggest_linked import case_of_record, suggest_linked
from reunite.cases.case import Case, open_case
from reunite.kernel.errors import ReuniteError
from reunite.kernel.ids import CaseId, new_reference
from reunite.kernel.people import Module
from reunite.partners.exchange import Arrival, PartnerRecord, RecordState, judge
from reunite.partners.pfif.fields import Kind
from reunite.partners.pfif.life import placeholder
from reunite.partners.pfif.reading import PfifDocument, Refusal, read_checked
from reunite.partners.pfif.records import PfifRecord
from reunite.partners.webhooks import EventName
from reunite.ports import Transaction

BATCH = 50  # persons to a transaction


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms records come in.

    ``actor`` answers for them; ``may_speak_for`` are the domains whose records the sender may
    bring; ``publication_agreed``: the families' consent to publication is warranted by contract;
    ``photos_agreed``: photos that the records point at may be fetched.
    """

    actor: Actor
    via: str
    may_speak_for: frozenset[str]
    publication_agreed: bool = False
    photos_agreed: bool = False
    module: Module = Module.CHILD  # of persons whose age does not say


@dataclass(slots=True)
class TakeReport:
    """What became of the records of a document."""

    counts: Counter[Arrival] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)

    @property
    def received(self) -> int:
        return self.counts.total() + len(self.refused)


def take_document(services: Services, terms: Terms, pieces: Iterable[bytes]) -> TakeReport:
    """Take in everything that a document holds.

    Raises ForbiddenError where nobody of the staff answers for it; InvalidInputError where it
    cannot be read as a whole, and then nothing has been written.
    """
    require_role(terms.actor, STAFF)
    return take_records(services, terms, read_checked(pieces, services.clock.now()))


def take_records(services: Services, terms: Terms, document: PfifDocument) -> TakeReport:
    """Take in records that have been read and checked."""
    report = TakeReport(refused=list(document.refused))
    about: dict[str, list[PfifRecord]] = {}
    for note in document.notes:
        about.setdefault(note.text("person_record_id"), []).append(note)
    for start in range(0, len(document.persons), BATCH):
        with services.database.transaction() as transaction:
            for person in document.persons[start : start + BATCH]:
                _take_person(services, transaction, terms, person, about, report)
    alone = [note for notes in about.values() for note in notes]
    for start in range(0, len(alone), BATCH):
        with services.database.transaction() as transaction:
            for note in alone[start : start + BATCH]:
                report.counts[_take_note(services, transaction, terms, note)] += 1
    return report


def _take_person(
    services: Services,
    transaction: Transaction,
    terms: Terms,
    person: PfifRecord,
    about: dict[str, list[PfifRecord]],
    report: TakeReport,
) -> None:
    arrival, known = _judge(services, transaction, terms, person)
    if arrival in (Arrival.NEW, Arrival.CHANGED):
        notes = [
            note for note in about.get(person.record_id, ()) if note.domain in terms.may_speak_for
        ]
        try:
            case_id = _keep(services, transaction, terms, person, notes, known)
        except ReuniteError as error:
            # What a case cannot hold is for the sender to mend; the others go on.
            report.refused.append(Refusal.of(person, error))
            return
        now = services.clock.now()
        transaction.partners.save_record(
            PartnerRecord(person, now, terms.via, RecordState.LIVE, case_id)
        )
        if _has_new_photo(terms, person, known):
            queue_photo(transaction, person.record_id)
        for note in transaction.partners.list_of_person(person.record_id):
            suggest_linked(services, transaction, note.record)
    elif arrival is Arrival.GONE and known is not None:
        take_back(services, transaction, terms.actor, known, terms.via)
    report.counts[arrival] += 1


def _has_new_photo(terms: Terms, person: PfifRecord, known: PartnerRecord | None) -> bool:
    address = person.text("photo_url")
    if not terms.photos_agreed or not address.startswith(("https://", "http://")):
        return False
    return (
        known is None
        or known.state is not RecordState.LIVE
        or known.record.text("photo_url") != address
    )


def _judge(
    services: Services, transaction: Transaction, terms: Terms, record: PfifRecord
) -> tuple[Arrival, PartnerRecord | None]:
    known = transaction.partners.find_record(record.record_id, lock=True)
    arrival = judge(
        record,
        known,
        own_domain=services.settings.domain,
        may_speak_for=terms.may_speak_for,
        now=services.clock.now(),
    )
    return arrival, known


def _keep(
    services: Services,
    transaction: Transaction,
    terms: Terms,
    person: PfifRecord,
    notes: Sequence[PfifRecord],
    known: PartnerRecord | None,
) -> CaseId:
    """The case of a record, opened or corrected.

    After an expiry a record that its repository brings back is a new case: nothing of the old
    one is left.
    """
    now = services.clock.now()
    if known is not None and known.state is RecordState.LIVE and known.case_id is not None:
        held = [one.record for one in transaction.partners.list_of_person(person.record_id)]
        facts = facts_of(person, [*held, *notes], now)
        _correct(transaction, known.case_id, facts, now)
        return known.case_id
    facts = facts_of(person, notes, now)
    case = open_case(
        reference=new_reference(),
        module=module_of(person, now, terms.module),
        side=side_of(notes),
        person=facts.person,
        circumstances=facts.circumstances,
        opened_by=terms.actor.account_id,
        at=now,
        # A partner hands over records so that they are compared; that is its contract.
        consent_search=True,
        consent_publish=terms.publication_agreed,
        contact=facts.contact,
        organisation=terms.actor.organisation or person.text("source_name")[:200],
    )
    transaction.cases.add(case)
    transaction.partners.put_origins(case.id, facts.origins)
    enter_for_matching(transaction, [case])
    return case.id


def _correct(transaction: Transaction, case_id: CaseId, facts: Facts, now: datetime) -> None:
    case = transaction.cases.get(case_id, lock=True)
    if not case.is_open:
        return  # what is over here is not opened again from elsewhere
    # Origins are of this person's records alone, so all of them may be said otherwise now; a
    # field whose note has been taken back is emptied.
    earlier = transaction.partners.list_origins(case_id)
    new = corrected(case, facts, earlier)
    if (new.person, new.circumstances, new.contact) == (
        case.person, case.circumstances, case.contact,
    ):  # fmt: skip
        return
    case.revise(new.person, new.circumstances, now)
    case.contact = new.contact  # cut to what a case may hold
    transaction.cases.save(case)
    transaction.partners.put_origins(case_id, new.origins)
    enter_for_matching(transaction, [case])
    if case.is_public:
        _tell(transaction, case, EventName.CASE_CHANGED)


def _take_note(
    services: Services, transaction: Transaction, terms: Terms, note: PfifRecord
) -> Arrival:
    """Keep what is said of a person; reviewers read it beside the case."""
    arrival, known = _judge(services, transaction, terms, note)
    if arrival in (Arrival.NEW, Arrival.CHANGED):
        now = services.clock.now()
        case_id = case_of_record(services, transaction, note.text("person_record_id"))
        transaction.partners.save_record(
            PartnerRecord(note, now, terms.via, RecordState.LIVE, case_id)
        )
        _apply_notes(transaction, note.text("person_record_id"), now)
        suggest_linked(services, transaction, note)
    elif arrival is Arrival.GONE and known is not None:
        now = services.clock.now()
        _empty(transaction, known, terms.via, now)
        _apply_notes(transaction, note.text("person_record_id"), now)
    return arrival


def _apply_notes(transaction: Transaction, person_record_id: str, now: datetime) -> None:
    """Have the case of a partner's person say what the notes about them say by now."""
    person = transaction.partners.find_record(person_record_id)
    if person is None or person.case_id is None or person.state is not RecordState.LIVE:
        return
    notes = [one.record for one in transaction.partners.list_of_person(person_record_id)]
    _correct(transaction, person.case_id, facts_of(person.record, notes, now), now)


def take_back(
    services: Services, transaction: Transaction, actor: Actor, known: PartnerRecord, via: str
) -> None:
    """A record has expired, or its repository takes it back: nothing of it stays.

    The case is withdrawn, its faces leave the gallery with this transaction and its pictures
    and words are erased within minutes; whoever was told is told that it is over.
    """
    now = services.clock.now()
    if known.record.kind is Kind.NOTE:
        _empty(transaction, known, via, now)
        return
    for note in transaction.partners.list_of_person(known.record.record_id):
        _empty(transaction, note, via, now)
    _empty(transaction, known, via, now)
    if known.case_id is None:
        return
    case = transaction.cases.get(known.case_id, lock=True)
    if case.is_open:
        was_public = case.is_public
        case.withdraw(actor.account_id, now, f"taken back by {known.record.domain}")
        end_case(transaction, case, NoticeKind.CANCELLED if was_public else None)
        if was_public:
            _tell(transaction, case, EventName.RECORD_WITHDRAWN, known.record.record_id)
    elif case.photos_erased_at is None:
        # Over for another reason, and still within the time in which an error can be put right:
        # that time is not the partner's.  The files go with the next sweep.
        transaction.photos.delete_of_case(case.id)
        transaction.templates.delete_of_case(case.id)
        transaction.sightings.erase_of_case(case.id)
        case.forget(now)
        transaction.cases.save(case)


def _empty(transaction: Transaction, known: PartnerRecord, via: str, now: datetime) -> None:
    if known.state is RecordState.EXPIRED:
        return
    left = placeholder(known.record, now)
    transaction.partners.save_record(
        PartnerRecord(left, now, via, RecordState.EXPIRED, known.case_id)
    )


def _tell(transaction: Transaction, case: Case, event: EventName, record_id: str = "") -> None:
    transaction.outbox.add(
        "tell_partners", {"case_id": case.id, "event": event.value, "record_id": record_id}
    )
