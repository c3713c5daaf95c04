"""A case: one person on one side of a reunion, from report to outcome.

reported → verified → published → resolved, or withdrawn on the way.  Nothing skips
verification, and every step names who took it and when.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from reunite.kernel.errors import ConflictError, InvalidInputError
from reunite.kernel.ids import AccountId, CaseId
from reunite.kernel.people import EARLIEST_BIRTH_YEAR, Module, Sex, Side, YearRange
from reunite.kernel.places import Point

MAX_NAME_LENGTH = 80
MAX_TEXT_LENGTH = 4000
MAX_LABEL_LENGTH = 200
LEAST_HEIGHT_CM, MOST_HEIGHT_CM = 20, 260


class CaseStatus(StrEnum):
    """Where a case stands in its life."""

    REPORTED = "reported"
    VERIFIED = "verified"
    PUBLISHED = "published"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


OPEN_STATUSES = frozenset({CaseStatus.REPORTED, CaseStatus.VERIFIED, CaseStatus.PUBLISHED})


class Outcome(StrEnum):
    """How the search ended."""

    REUNITED = "reunited"
    LOCATED = "located"  # found, and does not wish to return or cannot yet
    DECEASED = "deceased"
    HELPED = "helped"  # blood was given
    UNMET = "unmet"  # no blood could be found in time
    NOT_NEEDED = "not_needed"  # the patient needs no blood any more
    NOT_MISSING = "not_missing"


# How a request for blood may end; the others are of people who are sought.
BLOOD_OUTCOMES = (Outcome.HELPED, Outcome.UNMET, Outcome.NOT_NEEDED, Outcome.DECEASED)


class ResolutionCause(StrEnum):
    """What brought the outcome about; without it, numbers of people found mean nothing."""

    VOLUNTEER_TIP = "volunteer_tip"
    FACE_LEAD = "face_lead"
    POLICE = "police"
    RETURNED = "returned_by_themselves"
    DONOR_ASKED = "donor_asked"  # a donor whom a request for blood reached
    STOCK = "stock"  # a unit on the shelf of a partner centre
    NO_DONOR = "no_donor"  # nobody who was asked could come
    UNRELATED = "unrelated"
    MISTAKEN_REPORT = "mistaken_report"


BLOOD_CAUSES = (
    ResolutionCause.DONOR_ASKED,
    ResolutionCause.STOCK,
    ResolutionCause.NO_DONOR,
    ResolutionCause.UNRELATED,
    ResolutionCause.MISTAKEN_REPORT,
)


@dataclass(frozen=True, slots=True)
class Person:
    """What is known about the person, apart from photos."""

    name: str = ""  # empty where a found person cannot or does not say
    sex: Sex = Sex.UNKNOWN
    birth_years: YearRange | None = None  # one year when known, a range when estimated
    height_cm: int | None = None
    marks: str = ""  # scars, moles, a limp
    clothing: str = ""
    dialect: str = ""
    blood_group: str = ""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When and where the person was last seen, or found."""

    seen_at: datetime | None = None
    place: Point | None = None
    place_label: str = ""
    region: int = 0  # province, GeoNames admin1 as a number; 0 unknown
    story: str = ""  # published with the case
    private_note: str = ""  # for reviewers only


@dataclass(frozen=True, slots=True)
class Transition:
    """One step in the life of a case."""

    status: CaseStatus
    by: AccountId
    at: datetime
    note: str = ""


@dataclass(slots=True)
class Case:
    """One person on one side of a reunion.

    Change it through its methods only: they keep the life cycle and record each step.
    """

    reference: str
    module: Module
    side: Side
    person: Person
    circumstances: Circumstances
    opened_by: AccountId
    opened_at: datetime
    consent_search: bool  # the family agreed that faces are compared
    consent_publish: bool  # the family agreed that name and photo are shown
    contact: str = ""  # how reviewers reach the reporter; never shown to the public
    organisation: str = ""  # the station or office that holds the record
    id: CaseId = CaseId(0)  # given by the database
    status: CaseStatus = CaseStatus.REPORTED
    outcome: Outcome | None = None
    cause: ResolutionCause | None = None
    closed_at: datetime | None = None
    photos_erased_at: datetime | None = None
    version: int = 0
    transitions: list[Transition] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def is_public(self) -> bool:
        """Whether anybody may see it."""
        return self.status is CaseStatus.PUBLISHED

    def verify(self, by: AccountId, at: datetime, note: str = "") -> None:
        """A reviewer has made sure that the report is true.

        Raises ConflictError ``case_transition``, or ``own_case`` for the reporter.
        """
        if by == self.opened_by:
            # A false report is the oldest way to hunt somebody down.
            raise ConflictError("own_case")
        self._move(CaseStatus.VERIFIED, {CaseStatus.REPORTED}, by, at, note)

    def vouch(self, by: AccountId, at: datetime, note: str = "") -> None:
        """An organisation that an administrator has verified reports for itself.

        Raises ConflictError ``case_transition``.
        """
        self._move(CaseStatus.VERIFIED, {CaseStatus.REPORTED}, by, at, note)

    def publish(self, by: AccountId, at: datetime, note: str = "") -> None:
        """Show the case to everyone.

        Raises ConflictError ``case_transition``, or ``consent_missing`` where the family has
        not agreed.
        """
        if not self.consent_publish:
            raise ConflictError("consent_missing")
        self._move(CaseStatus.PUBLISHED, {CaseStatus.VERIFIED}, by, at, note)

    def resolve(
        self, outcome: Outcome, cause: ResolutionCause, by: AccountId, at: datetime, note: str = ""
    ) -> None:
        """End the search and start the erasure of what was public.

        Raises ConflictError ``case_transition``.
        """
        self._move(CaseStatus.RESOLVED, {CaseStatus.VERIFIED, CaseStatus.PUBLISHED}, by, at, note)
        self.outcome, self.cause, self.closed_at = outcome, cause, at

    def withdraw(self, by: AccountId, at: datetime, note: str = "") -> None:
        """Take the case back without an outcome.  Raises ConflictError ``case_transition``."""
        self._move(CaseStatus.WITHDRAWN, OPEN_STATUSES, by, at, note)
        self.closed_at = at

    def revise(self, person: Person, circumstances: Circumstances, at: datetime) -> None:
        """Write down what is known better now.

        Raises ConflictError ``case_closed``, and InvalidInputError as ``open_case`` does.
        """
        if not self.is_open:
            raise ConflictError("case_closed", status=self.status.value)
        _check_facts(person, circumstances, at)
        self.person, self.circumstances = person, circumstances

    def forget(self, at: datetime) -> None:
        """Erase who the person was and how to reach the family; what is counted stays.

        Raises ConflictError ``case_transition`` for an open case.
        """
        if self.is_open:
            raise ConflictError("case_transition", status=self.status.value, wanted="erased")
        self.person = Person(sex=self.person.sex, birth_years=self.person.birth_years)
        self.circumstances = Circumstances(
            seen_at=self.circumstances.seen_at, region=self.circumstances.region
        )
        self.contact = ""
        self.photos_erased_at = at

    def _move(
        self,
        to: CaseStatus,
        allowed: frozenset[CaseStatus] | set[CaseStatus],
        by: AccountId,
        at: datetime,
        note: str,
    ) -> None:
        if self.status not in allowed:
            raise ConflictError("case_transition", status=self.status.value, wanted=to.value)
        self.status = to
        self.transitions.append(Transition(to, by, at, note))


def open_case(
    *,
    reference: str,
    module: Module,
    side: Side,
    person: Person,
    circumstances: Circumstances,
    opened_by: AccountId,
    at: datetime,
    consent_search: bool,
    consent_publish: bool,
    contact: str = "",
    organisation: str = "",
) -> Case:
    """A new case in the state ``reported``.

    Raises InvalidInputError naming the first ``field`` that cannot be right.
    """
    if side is Side.MISSING and not person.name.strip():
        raise InvalidInputError("required", field="name")
    if not consent_search:
        raise InvalidInputError("consent_search_required", field="consent_search")
    _require_length(contact, MAX_LABEL_LENGTH, "contact")
    _check_facts(person, circumstances, at)
    case = Case(
        reference=reference,
        module=module,
        side=side,
        person=person,
        circumstances=circumstances,
        opened_by=opened_by,
        opened_at=at,
        consent_search=consent_search,
        consent_publish=consent_publish,
        contact=contact,
        organisation=organisation,
    )
    case.transitions.append(Transition(CaseStatus.REPORTED, opened_by, at))
    return case


def _check_facts(person: Person, circumstances: Circumstances, at: datetime) -> None:
    _require_length(person.name, MAX_NAME_LENGTH, "name")
    for name, text, limit in (
        ("marks", person.marks, MAX_TEXT_LENGTH),
        ("clothing", person.clothing, MAX_TEXT_LENGTH),
        ("dialect", person.dialect, MAX_LABEL_LENGTH),
        ("blood_group", person.blood_group, MAX_LABEL_LENGTH),
        ("story", circumstances.story, MAX_TEXT_LENGTH),
        ("private_note", circumstances.private_note, MAX_TEXT_LENGTH),
        ("place_label", circumstances.place_label, MAX_LABEL_LENGTH),
    ):
        _require_length(text, limit, name)
    height_cm = person.height_cm
    if height_cm is not None and not LEAST_HEIGHT_CM <= height_cm <= MOST_HEIGHT_CM:
        raise InvalidInputError(
            "number_out_of_range", field="height_cm", least=LEAST_HEIGHT_CM, most=MOST_HEIGHT_CM
        )
    _check_times(person, circumstances, at)


def _check_times(person: Person, circumstances: Circumstances, at: datetime) -> None:
    if circumstances.seen_at is not None and circumstances.seen_at > at:
        raise InvalidInputError("date_in_future", field="seen_at")
    if person.birth_years is None:
        return
    if person.birth_years.last > at.year:
        raise InvalidInputError("date_in_future", field="birth_year")
    if person.birth_years.first < EARLIEST_BIRTH_YEAR:
        raise InvalidInputError(
            "birth_year_too_early", field="birth_year", earliest=EARLIEST_BIRTH_YEAR
        )
    if circumstances.seen_at and person.birth_years.first > circumstances.seen_at.year:
        raise InvalidInputError("born_after_seen", field="birth_year")


def check_photo_year(
    person: Person, captured_year: int | None, today: date, field_name: str
) -> None:
    """Raise InvalidInputError where a photo was taken before birth or after today."""
    if captured_year is None:
        return
    if captured_year > today.year:
        raise InvalidInputError("date_in_future", field=field_name)
    if person.birth_years is not None and captured_year < person.birth_years.first:
        raise InvalidInputError(
            "photo_before_birth",
            field=field_name,
            born=person.birth_years.first,
            captured=captured_year,
        )


def _require_length(text: str, limit: int, field_name: str) -> None:
    if len(text) > limit:
        raise InvalidInputError("text_too_long", field=field_name, maximum=limit)
