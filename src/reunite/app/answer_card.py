"""Somebody has met a confused person and scanned the card that they carry.

Whoever scans learns neither name nor address.  What they write reaches the family, and only the
family and reviewers; an episode begins if the family has not noticed yet.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from reunite.alerts.notices import Notice, NoticeKind, cut
from reunite.app.register_person import open_episode
from reunite.app.services import Services
from reunite.app.sign_in import actor_of
from reunite.cases.case import MAX_LABEL_LENGTH
from reunite.cases.registration import MAX_CARD_TEXT, MESSAGES_AN_HOUR, CardMessage
from reunite.kernel.errors import InvalidInputError, TooManyRequestsError
from reunite.kernel.places import Point, nearest_town, require_on_land

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CardAnswer:
    """What a finder says.  Everything but the text may be left out."""

    text: str
    contact: str = ""
    place: Point | None = None
    place_label: str = ""


def is_card(services: Services, token: str) -> None:
    """Raise NotFoundError for a code that is no card's, or not any more."""
    with services.database.transaction() as transaction:
        transaction.registrations.get_by_token(token.upper())


def answer_card(services: Services, token: str, answer: CardAnswer) -> None:
    """Tell the family what a finder writes.

    Raises NotFoundError, InvalidInputError, and TooManyRequestsError where a card is used more
    than people are met.
    """
    text = answer.text.strip()
    if not text:
        raise InvalidInputError("required", field="text")
    for name, value, limit in (
        ("text", text, MAX_CARD_TEXT),
        ("contact", answer.contact, MAX_LABEL_LENGTH),
        ("place", answer.place_label, MAX_LABEL_LENGTH),
    ):
        if len(value) > limit:
            raise InvalidInputError("text_too_long", field=name, maximum=limit)
    now = services.clock.now()
    with services.database.transaction() as transaction:
        registration = transaction.registrations.get_by_token(token.upper(), lock=True)
        lately = transaction.registrations.count_messages_since(registration.id, now - HOUR)
        if lately >= MESSAGES_AN_HOUR:
            raise TooManyRequestsError(retry_after_seconds=int(HOUR.total_seconds()))
        ids = transaction.registrations.list_episodes([registration.id])[registration.id]
        cases = transaction.cases.get_many(ids)
        case = next((cases[one] for one in ids if one in cases and cases[one].is_open), None)
        owner = transaction.accounts.get(registration.owner)
    if case is None:
        opened = open_episode(services, actor_of(owner), registration, now)
        with services.database.transaction() as transaction:
            case = transaction.cases.get_by_reference(opened.reference)
    label = answer.place_label
    if answer.place is not None:
        require_on_land(answer.place, "place")
        label = label or nearest_town(answer.place, services.settings.country).name_zh
    with services.database.transaction() as transaction:
        transaction.registrations.add_message(
            CardMessage(
                registration.id, case.id, now, text, answer.contact.strip(), answer.place, label
            )
        )
        notice = Notice(case.id, NoticeKind.CARD, now, 0.0, 1)
        transaction.notices.add(notice)
        transaction.notices.add_chunks(cut(notice.id, np.array([owner.id], dtype=np.int64)))
        transaction.outbox.add("open_inboxes", {"notice_id": notice.id})
