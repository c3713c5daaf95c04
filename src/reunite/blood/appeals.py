"""A request on its way: whom it reached, what they answered, what came of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from reunite.blood.deferral import Eligibility
from reunite.blood.requests import BloodRequest, donors_needed
from reunite.blood.rules import Grade
from reunite.blood.waves import Answer, Ask, Recruitment, Why, is_rarest
from reunite.kernel.errors import ConflictError, InvalidInputError
from reunite.kernel.ids import BloodRequestId, CaseId, DonorAskId, DonorId

MAX_REMARK: Final = 200  # characters
MAX_CONTACT: Final = 60
MOST_UNITS_PER_DONATION: Final = 2
# Whoever says that they come is expected within a week; more is a mistake in the form.
LATEST_COMING: Final = timedelta(days=7)


class CannotReason(StrEnum):
    """Why somebody does not come."""

    NO_TIME = "no_time"
    AWAY = "away"
    UNWELL = "unwell"
    GAVE_LATELY = "gave_lately"
    OTHER = "other"
    DID_NOT_COME = "did_not_come"  # the centre waited
    DEFERRED = "deferred"  # said that they come, and may not give yet


SAID_BY_DONORS: Final = frozenset(CannotReason) - {CannotReason.DID_NOT_COME, CannotReason.DEFERRED}

_NEXT: Final[Mapping[Answer | None, frozenset[Answer]]] = {
    None: frozenset({Answer.COMING, Answer.CANNOT, Answer.NOT_ME}),
    Answer.COMING: frozenset(
        {Answer.COMING, Answer.CANNOT, Answer.ARRIVED, Answer.UNSUITABLE, Answer.GIVEN}
    ),
    Answer.CANNOT: frozenset({Answer.COMING, Answer.CANNOT, Answer.NOT_ME}),
    Answer.NOT_ME: frozenset(),
    Answer.ARRIVED: frozenset({Answer.UNSUITABLE, Answer.GIVEN}),
    Answer.UNSUITABLE: frozenset({Answer.ARRIVED}),  # a mistake at the desk
    Answer.GIVEN: frozenset(),
}
_BY_CENTRE: Final = frozenset({Answer.ARRIVED, Answer.UNSUITABLE, Answer.GIVEN})
# Only now may the centre know who it is.
CONTACT_SHARED: Final = frozenset({Answer.COMING, *_BY_CENTRE})


@dataclass(slots=True)
class DonorAsk:
    """One donor, asked for one request.

    ``by_phone``: a donor without an account, whom the centre calls.  ``hindrance`` is the code
    of what defers somebody who said that they come, until ``deferred_until``.
    """

    request_id: BloodRequestId
    donor_id: DonorId
    asked_at: datetime
    wave: int
    grade: Grade
    distance_km: float | None  # None where nobody knows the place
    probability: float
    sibling: bool = False
    by_phone: bool = False
    answer: Answer | None = None
    answered_at: datetime | None = None
    comes_at: datetime | None = None
    reason: CannotReason | None = None
    hindrance: str = ""
    deferred_until: date | None = None
    remark: str = ""
    contact: str = ""  # given with the answer, for this centre
    thanked_at: datetime | None = None
    id: DonorAskId = DonorAskId(0)

    @property
    def is_silent(self) -> bool:
        return self.answer is None

    @property
    def standing(self) -> Answer | None:
        """The answer as it counts now: whoever has left the register does not come."""
        has_left = self.donor_id == 0 and self.answer in {None, Answer.COMING}
        return Answer.NOT_ME if has_left else self.answer

    @property
    def shares_contact(self) -> bool:
        """Whether the centre may see who it is."""
        return self.answer in CONTACT_SHARED

    @property
    def may_change(self) -> bool:
        """Whether the donor may still say something else."""
        return self.answer in {None, Answer.COMING, Answer.CANNOT}

    def come(self, at: datetime, comes_at: datetime | None, contact: str = "") -> None:
        """They come, and may be reached by ``contact``.

        Raises ConflictError ``answer_settled``, InvalidInputError ``coming_in_past``,
        ``coming_too_late`` or ``text_too_long``.
        """
        if len(contact) > MAX_CONTACT:
            raise InvalidInputError("text_too_long", field="contact", maximum=MAX_CONTACT)
        if comes_at is not None and comes_at < at - timedelta(minutes=5):
            raise InvalidInputError("coming_in_past", field="comes_at")
        if comes_at is not None and comes_at - at > LATEST_COMING:
            raise InvalidInputError("coming_too_late", field="comes_at", days=LATEST_COMING.days)
        self._move(Answer.COMING, at)
        self.comes_at, self.contact = comes_at, contact

    def decline(self, at: datetime, reason: CannotReason, remark: str = "") -> None:
        """They do not come this time.  Raises as ``come``, and ``text_too_long``."""
        if len(remark) > MAX_REMARK:
            raise InvalidInputError("text_too_long", field="remark", maximum=MAX_REMARK)
        self._move(Answer.CANNOT, at)
        self.reason, self.remark = reason, remark

    def be_deferred(self, at: datetime, eligibility: Eligibility) -> None:
        """They would come, and may not give: the centre sees both."""
        self._move(Answer.CANNOT, at)
        first = eligibility.hindrances[0]
        self.reason, self.hindrance = CannotReason.DEFERRED, first.code
        self.deferred_until = eligibility.earliest

    def leave(self, at: datetime) -> None:
        """Not me any more.  Raises ConflictError ``answer_settled``."""
        self._move(Answer.NOT_ME, at)

    def record(self, answer: Answer, at: datetime, remark: str = "") -> None:
        """What the centre saw: arrived, unsuitable or given.  Raises as ``decline``."""
        if answer not in _BY_CENTRE:
            raise InvalidInputError("choice_unknown", field="answer")
        if len(remark) > MAX_REMARK:
            raise InvalidInputError("text_too_long", field="remark", maximum=MAX_REMARK)
        comes_at, contact = self.comes_at, self.contact
        self._move(answer, at)
        self.comes_at, self.contact, self.remark = comes_at, contact, remark

    def _move(self, answer: Answer, at: datetime) -> None:
        if answer not in _NEXT[self.answer]:
            now = "" if self.answer is None else self.answer.value
            raise ConflictError("answer_settled", answer=now)
        self.answer, self.answered_at = answer, at
        self.comes_at, self.contact, self.reason, self.remark = None, "", None, ""
        self.hindrance, self.deferred_until = "", None


@dataclass(slots=True)
class Appeal:
    """A request that has been opened, and how far the search for donors has come.

    ``asking_since`` None: the centre has not begun, because there may be units in stock or the
    same request already.  ``why`` and ``next_look_at`` are what the last look at it decided.
    """

    request: BloodRequest
    case_id: CaseId
    units_per_donation: int = 1
    asking_since: datetime | None = None
    filled_at: datetime | None = None
    waves: int = 0
    why: Why | None = None
    next_look_at: datetime | None = None
    id: BloodRequestId = BloodRequestId(0)

    def check(self) -> "Appeal":
        """Itself.  Raises InvalidInputError ``number_out_of_range``."""
        if not 1 <= self.units_per_donation <= MOST_UNITS_PER_DONATION:
            raise InvalidInputError(
                "number_out_of_range",
                field="units_per_donation",
                least=1,
                most=MOST_UNITS_PER_DONATION,
            )
        return self

    @property
    def is_rarest(self) -> bool:
        """Whether its few donors are asked for every request."""
        return is_rarest(self.request.need)

    def is_late(self, now: datetime) -> bool:
        """Whether the time by which it was needed has passed: nobody is asked any more."""
        return now >= self.request.needed_by

    def donors_needed(self, promised_units: int = 0) -> int:
        """How many donors give what stock does not."""
        missing = self.request.units - promised_units
        return donors_needed(missing, self.units_per_donation) if missing > 0 else 0

    def recruitment(
        self, asks: Iterable[DonorAsk], promised_units: int = 0, *, closed: bool = False
    ) -> Recruitment:
        """The same as ``waves`` looks at it."""
        return Recruitment(
            needed=self.donors_needed(promised_units),
            urgency=self.request.urgency,
            opened_at=self.asking_since or self.request.opened_at,
            needed_by=self.request.needed_by,
            rarest=self.is_rarest,
            override_reason=self.request.override_reason,
            asks=tuple(
                Ask(one.donor_id, one.asked_at, one.probability, one.standing) for one in asks
            ),
            closed=closed,
        )

    def forget(self) -> None:
        """Erase what points to a patient; what is counted stays."""
        self.request = replace(
            self.request, patient_code="", family_code="", note="", override_reason=""
        )
