"""CAP messages of our cases: recorded when something happens, worded when they are read."""

from dataclasses import dataclass
from datetime import datetime

from reunite.app.pfif_of_case import Site
from reunite.app.services import Services
from reunite.app.view_case import CaseClosedError
from reunite.cases.case import Case
from reunite.cases.whereabouts import place_words
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import CapMessageId, CaseId
from reunite.kernel.languages import Language
from reunite.kernel.people import Side, age_in_years
from reunite.partners.cap.alert import CapAlert, MessageType, Reference
from reunite.partners.cap.ledger import SentMessage
from reunite.partners.cap.notices import NoticeFacts, PublicFacts, alert_of
from reunite.partners.cap.signing import sign
from reunite.partners.cap.writing import to_bytes, to_element
from reunite.ports import Transaction

FEED_LENGTH = 100


def record_alert(
    transaction: Transaction, case_id: CaseId, radius_km: float, at: datetime
) -> SentMessage:
    """An Alert about a case, or an Update where one has been sent."""
    before = transaction.cap_messages.list_sent_of_case(case_id)
    kind = MessageType.UPDATE if before else MessageType.ALERT
    message = SentMessage(case_id, kind, at, radius_km)
    transaction.cap_messages.add_sent(message)
    return message


def record_cancel(transaction: Transaction, case_id: CaseId, at: datetime) -> SentMessage | None:
    """The Cancel of whatever was sent about a case; None where nothing was, or it has gone out."""
    before = transaction.cap_messages.list_sent_of_case(case_id)
    if not before or before[-1].kind is MessageType.CANCEL:
        return None
    message = SentMessage(case_id, MessageType.CANCEL, at, before[-1].radius_km)
    transaction.cap_messages.add_sent(message)
    return message


@dataclass(frozen=True, slots=True)
class ListedAlert:
    """A message in the feed, by its number."""

    number: CapMessageId
    alert: CapAlert


def list_alerts(services: Services, site: Site) -> list[ListedAlert]:
    """What is in force, the newest first: alerts of public cases, and cancellations.

    The Alert of a case that is over has left the feed; its Cancel has taken its place.
    """
    with services.database.transaction() as transaction:
        sent = transaction.cap_messages.list_sent(limit=FEED_LENGTH)
        cases = transaction.cases.get_many([one.case_id for one in sent])
        return [
            ListedAlert(one.id, _alert(transaction, site, one, cases[one.case_id]))
            for one in sent
            if one.case_id in cases and _is_shown(one, cases[one.case_id])
        ]


def get_alert(services: Services, site: Site, number: CapMessageId) -> bytes:
    """One message, signed.

    Raises NotFoundError, or CaseClosedError for the Alert of a case that is over.
    """
    with services.database.transaction() as transaction:
        message = transaction.cap_messages.find_sent(number)
        if message is None:
            raise NotFoundError
        case = transaction.cases.get(message.case_id)
        if not _is_shown(message, case):
            raise CaseClosedError
        element = to_element(_alert(transaction, site, message, case))
    key = services.alert_key
    return to_bytes(element if key is None else sign(element, key))


def _is_shown(message: SentMessage, case: Case) -> bool:
    return case.is_public or message.kind is MessageType.CANCEL


def _alert(transaction: Transaction, site: Site, message: SentMessage, case: Case) -> CapAlert:
    earlier = [
        one for one in transaction.cap_messages.list_sent_of_case(case.id) if one.id < message.id
    ]
    over = message.kind is MessageType.CANCEL
    # Where somebody was found is where somebody else must not find them.
    placed = case.circumstances.place if case.side is Side.MISSING and not over else None
    return alert_of(
        NoticeFacts(
            identifier=_identifier(site, message),
            sender=site.domain,
            sender_name=site.name,
            sent=message.sent_at.replace(microsecond=0),
            kind=message.kind,
            incident=case.reference,
            person=None if over else _facts(case, site, message.sent_at),
            centre=placed,
            radius_km=message.radius_km,
            addresses={language: site.case_address(case, language.value) for language in Language},
            references=[
                Reference(site.domain, _identifier(site, one), one.sent_at.replace(microsecond=0))
                for one in earlier
            ],
        ),
        case.module,
    )


def _identifier(site: Site, message: SentMessage) -> str:
    return f"{site.domain}-{message.id}"


def _facts(case: Case, site: Site, at: datetime) -> PublicFacts:
    born = case.person.birth_years
    ages = None
    if born is not None:
        ages = (age_in_years(born.last, at.date()), age_in_years(born.first, at.date()))
    return PublicFacts(
        module=case.module,
        sex=case.person.sex,
        age_years=ages,
        seen_at=case.circumstances.seen_at,
        place_words={
            language: place_words(case, language, site.country, sees_all=False)
            for language in Language
        },
        clothing=case.person.clothing,
        marks=case.person.marks,
    )
