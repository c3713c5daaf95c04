"""Sightings: what a volunteer saw, for reviewers to weigh."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reunite.cases.case import MAX_LABEL_LENGTH
from reunite.kernel.errors import ConflictError, InvalidInputError
from reunite.kernel.ids import AccountId, CaseId, SightingId
from reunite.kernel.places import Point

MAX_SIGHTING_TEXT = 2000
MAX_REPLY_TEXT = 1000
MAX_CLIENT_KEY = 64


class SightingStatus(StrEnum):
    """What reviewers have made of a sighting."""

    NEW = "new"
    PASSED_ON = "passed_on"  # to those who search
    UNLIKELY = "unlikely"


@dataclass(slots=True)
class Sighting:
    """Somebody may have seen the person of a case."""

    case_id: CaseId
    reported_by: AccountId
    reported_at: datetime
    seen_at: datetime
    place: Point | None
    place_label: str
    text: str
    photo_key: str | None = None
    similarity: float | None = None  # of the photo's best face to the case; None without one
    status: SightingStatus = SightingStatus.NEW
    decided_by: AccountId | None = None
    decided_at: datetime | None = None
    # Made by the reporter's device: however often it sends, it is one sighting.
    client_key: str | None = None
    reply: str = ""
    replied_by: AccountId | None = None
    replied_at: datetime | None = None
    id: SightingId = SightingId(0)

    def answer(self, reply: str, by: AccountId, at: datetime) -> None:
        """A reviewer's words to the reporter; new ones replace what was said before.

        Raises InvalidInputError ``required`` or ``text_too_long``.
        """
        if not reply.strip():
            raise InvalidInputError("required", field="reply")
        if len(reply) > MAX_REPLY_TEXT:
            raise InvalidInputError("text_too_long", field="reply", maximum=MAX_REPLY_TEXT)
        self.reply, self.replied_by, self.replied_at = reply.strip(), by, at

    def decide(self, status: SightingStatus, by: AccountId, at: datetime) -> None:
        """A reviewer's word.  Raises ConflictError ``sighting_decided``."""
        if status is SightingStatus.NEW:
            raise ValueError("a sighting is never made new again")
        if self.status is not SightingStatus.NEW:
            raise ConflictError("sighting_decided", status=self.status.value)
        self.status, self.decided_by, self.decided_at = status, by, at


def check_sighting(sighting: Sighting, case_seen_at: datetime | None) -> None:
    """Raise InvalidInputError for a sighting that cannot be right or says nothing."""
    if not sighting.text.strip() and sighting.photo_key is None and sighting.place is None:
        raise InvalidInputError("sighting_empty", field="text")
    if len(sighting.text) > MAX_SIGHTING_TEXT:
        raise InvalidInputError("text_too_long", field="text", maximum=MAX_SIGHTING_TEXT)
    if sighting.client_key is not None and not 0 < len(sighting.client_key) <= MAX_CLIENT_KEY:
        raise InvalidInputError("text_too_long", field="client_key", maximum=MAX_CLIENT_KEY)
    if len(sighting.place_label) > MAX_LABEL_LENGTH:
        raise InvalidInputError("text_too_long", field="place_label", maximum=MAX_LABEL_LENGTH)
    if sighting.seen_at > sighting.reported_at:
        raise InvalidInputError("date_in_future", field="seen_at")
    if case_seen_at is not None and sighting.seen_at < case_seen_at:
        raise InvalidInputError("seen_before_lost", field="seen_at")
