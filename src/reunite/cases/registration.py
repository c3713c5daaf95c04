"""Somebody who may wander, registered ahead of time by the family.

The family prints a card with a code and sews it in.  When the person is gone, one tap opens the
case; whoever meets them scans the code and reaches the family through us.  The code alone tells
nobody who it belongs to, nor where they live.
"""

from dataclasses import dataclass
from datetime import datetime

from reunite.cases.background import Background
from reunite.cases.case import MAX_LABEL_LENGTH, MAX_NAME_LENGTH, MAX_TEXT_LENGTH, Person
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import AccountId, CaseId, RegistrationId
from reunite.kernel.people import EARLIEST_BIRTH_YEAR
from reunite.kernel.places import Point

MAX_CARD_TEXT = 1000
MESSAGES_AN_HOUR = 10  # from one card; a lost card must not become a way to pester a family


@dataclass(slots=True)
class Registration:
    """What the family has laid down for the day on which it is needed."""

    token: str  # unguessable; what the code on the card says
    owner: AccountId
    created_at: datetime
    person: Person
    background: Background
    contact: str
    consent_publish: bool
    place: Point | None = None  # where the person lives: an alert begins there
    place_label: str = ""
    photo_key: str | None = None
    id: RegistrationId = RegistrationId(0)

    def check(self) -> "Registration":
        """Itself.  Raises InvalidInputError naming the field."""
        person = self.person
        if not person.name.strip():
            raise InvalidInputError("required", field="name")
        for name, text, limit in (
            ("name", person.name, MAX_NAME_LENGTH),
            ("marks", person.marks, MAX_TEXT_LENGTH),
            ("dialect", person.dialect, MAX_LABEL_LENGTH),
            ("contact", self.contact, MAX_LABEL_LENGTH),
        ):
            if len(text) > limit:
                raise InvalidInputError("text_too_long", field=name, maximum=limit)
        years = person.birth_years
        if years is not None and years.last > self.created_at.year:
            raise InvalidInputError("date_in_future", field="birth_year")
        if years is not None and years.first < EARLIEST_BIRTH_YEAR:
            raise InvalidInputError(
                "birth_year_too_early", field="birth_year", earliest=EARLIEST_BIRTH_YEAR
            )
        self.background.check()
        return self


@dataclass(frozen=True, slots=True)
class CardMessage:
    """What somebody wrote who scanned the card; only the family and staff read it."""

    registration_id: RegistrationId
    case_id: CaseId
    at: datetime
    text: str
    contact: str = ""
    place: Point | None = None
    place_label: str = ""
