"""Cases to start a test from."""

from datetime import UTC, datetime

from reunite.cases.case import Case, Circumstances, Person, open_case
from reunite.kernel.ids import AccountId
from reunite.kernel.people import Module, Sex, Side, YearRange

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
REPORTER, REVIEWER, SECOND_REVIEWER = AccountId(1), AccountId(2), AccountId(3)


def a_case(
    *,
    side: Side = Side.MISSING,
    person: Person | None = None,
    circumstances: Circumstances | None = None,
    consent_search: bool = True,
    consent_publish: bool = True,
    contact: str = "",
    at: datetime = NOON,
) -> Case:
    return open_case(
        reference="7K3M9QX2TB",
        module=Module.CHILD,
        side=side,
        person=person if person is not None else Person(name="王乐乐"),
        circumstances=circumstances if circumstances is not None else Circumstances(),
        opened_by=REPORTER,
        at=at,
        consent_search=consent_search,
        consent_publish=consent_publish,
        contact=contact,
        organisation="湖滨救助站",
    )


def a_person(
    *,
    name: str = "王乐乐",
    sex: Sex = Sex.UNKNOWN,
    born: tuple[int, int] | None = None,
    blood_group: str = "",
) -> Person:
    return Person(
        name=name,
        sex=sex,
        birth_years=YearRange(*born) if born is not None else None,
        blood_group=blood_group,
    )
