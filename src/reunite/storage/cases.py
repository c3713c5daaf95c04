"""Cases and their transitions in PostgreSQL."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert

from reunite.cases.case import (
    OPEN_STATUSES,
    Case,
    CaseStatus,
    Circumstances,
    Outcome,
    Person,
    ResolutionCause,
    Transition,
)
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, CaseId
from reunite.kernel.people import Module, Sex, Side, YearRange
from reunite.ports import CaseCount, CaseQuery
from reunite.storage.rows import columns_of_point, point_of
from reunite.storage.tables import case_transitions, cases


class PostgresCases:
    """Implements ``CaseRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, case: Case) -> CaseId:
        """Write a new case and its transitions; sets ``case.id``.

        Raises ConflictError ``reference_taken``.
        """
        added = self._connection.execute(
            insert(cases)
            .values(version=case.version, **_columns(case))
            .on_conflict_do_nothing(index_elements=["reference"])
            .returning(cases.c.id)
        ).scalar()
        if added is None:
            raise ConflictError("reference_taken")
        case.id = CaseId(added)
        self._add_transitions(case, stored=0)
        return case.id

    def add_many(self, new: Sequence[Case]) -> None:
        """Write new cases at once; sets their ids.  Raises ConflictError ``reference_taken``."""
        if not new:
            return
        wanted = {case.reference for case in new}
        taken = select(cases.c.id).where(cases.c.reference.in_(wanted)).limit(1)
        if len(wanted) < len(new) or self._connection.execute(taken).first() is not None:
            raise ConflictError("reference_taken")
        ids = self._connection.execute(
            insert(cases).returning(cases.c.id, sort_by_parameter_order=True),
            [{"version": case.version, **_columns(case)} for case in new],
        ).scalars()
        for case, case_id in zip(new, ids, strict=True):
            case.id = CaseId(case_id)
        self._connection.execute(
            insert(case_transitions), [row for case in new for row in _steps(case, stored=0)]
        )

    def count_open(self, side: Side, at_most: int) -> int:
        """How many open cases a side has; counting ends at ``at_most``."""
        some = (
            select(cases.c.id)
            .where(cases.c.side == int(side))
            .where(cases.c.status.in_([status.value for status in OPEN_STATUSES]))
            .limit(at_most)
            .subquery()
        )
        return self._connection.execute(select(func.count()).select_from(some)).scalar_one()

    def get(self, case_id: CaseId, *, lock: bool = False) -> Case:
        """Raises NotFoundError.  ``lock`` holds the row until the transaction ends."""
        return self._get(select(cases).where(cases.c.id == case_id), lock=lock)

    def get_by_reference(self, reference: str, *, lock: bool = False) -> Case:
        """Raises NotFoundError."""
        return self._get(select(cases).where(cases.c.reference == reference), lock=lock)

    def get_many(self, case_ids: Sequence[CaseId]) -> dict[CaseId, Case]:
        """Those that exist, by id."""
        ids = [int(case_id) for case_id in set(case_ids)]
        # One array, not a parameter each: a text that differs with their number is parsed anew.
        wanted = select(cases).where(cases.c.id == func.any(ids)).order_by(cases.c.id)
        return {case.id: case for case in self._list(wanted)}

    def save(self, case: Case) -> None:
        """Write state and new transitions.

        Raises ConflictError ``changed_meanwhile`` when ``case.version`` is not the stored one.
        """
        saved = self._connection.execute(
            update(cases)
            .where(cases.c.id == case.id, cases.c.version == case.version)
            .values(version=case.version + 1, **_columns(case))
        )
        if saved.rowcount == 0:
            self.get(case.id)  # or raise NotFoundError
            raise ConflictError("changed_meanwhile")
        case.version += 1
        stored = self._connection.execute(
            select(func.count())
            .select_from(case_transitions)
            .where(case_transitions.c.case_id == case.id)
        ).scalar_one()
        self._add_transitions(case, stored)

    def list_matching(self, query: CaseQuery) -> list[Case]:
        """The newest first; those whose pictures are due to go, the longest closed first."""
        wanted = select(cases).limit(query.limit)
        if query.photos_due is None:
            wanted = wanted.order_by(cases.c.id.desc())
        else:
            wanted = (
                wanted.where(cases.c.closed_at <= query.photos_due)
                .where(cases.c.photos_erased_at.is_(None))
                .order_by(cases.c.closed_at, cases.c.id)
            )
        if query.statuses:
            wanted = wanted.where(cases.c.status.in_([s.value for s in query.statuses]))
        if query.sides:
            wanted = wanted.where(cases.c.side.in_([int(side) for side in query.sides]))
        if query.modules:
            wanted = wanted.where(cases.c.module.in_([int(module) for module in query.modules]))
        if query.opened_by is not None:
            wanted = wanted.where(cases.c.opened_by == query.opened_by)
        if query.before is not None:
            wanted = wanted.where(cases.c.id < query.before)
        return self._list(wanted)

    def count_opened_since(self, account_id: AccountId, at: datetime) -> int:
        """How many cases somebody has opened since then."""
        counted = (
            select(func.count())
            .select_from(cases)
            .where(cases.c.opened_by == account_id, cases.c.opened_at > at)
        )
        return int(self._connection.execute(counted).scalar_one())

    def count(self) -> list[CaseCount]:
        """How many there are of each kind."""
        kind = (cases.c.module, cases.c.side, cases.c.status, cases.c.outcome, cases.c.cause)
        rows = self._connection.execute(
            select(*kind, func.count().label("number")).group_by(*kind).order_by(*kind)
        ).mappings()
        return [
            CaseCount(
                module=Module(row["module"]),
                side=Side(row["side"]),
                status=CaseStatus(row["status"]),
                outcome=row["outcome"],
                cause=row["cause"],
                count=row["number"],
            )
            for row in rows
        ]

    def _get(self, wanted: Select[Any], *, lock: bool) -> Case:
        found = self._list(wanted.with_for_update() if lock else wanted)
        if not found:
            raise NotFoundError
        return found[0]

    def _list(self, wanted: Select[Any]) -> list[Case]:
        rows = self._connection.execute(wanted).mappings().all()
        transitions = self._transitions_of([row["id"] for row in rows])
        return [_case(row, transitions[row["id"]]) for row in rows]

    def _transitions_of(self, case_ids: Iterable[int]) -> dict[int, list[Transition]]:
        steps: dict[int, list[Transition]] = {case_id: [] for case_id in case_ids}
        if not steps:
            return steps
        rows = self._connection.execute(
            select(case_transitions)
            .where(case_transitions.c.case_id == func.any(list(steps)))
            .order_by(case_transitions.c.case_id, case_transitions.c.sequence)
        ).mappings()
        for row in rows:
            steps[row["case_id"]].append(
                Transition(CaseStatus(row["status"]), AccountId(row["by"]), row["at"], row["note"])
            )
        return steps

    def _add_transitions(self, case: Case, stored: int) -> None:
        new = _steps(case, stored)
        if new:
            self._connection.execute(insert(case_transitions), new)


def _steps(case: Case, stored: int) -> list[dict[str, Any]]:
    return [
        {
            "case_id": case.id,
            "sequence": sequence,
            "status": step.status.value,
            "by": step.by,
            "at": step.at,
            "note": step.note,
        }
        for sequence, step in enumerate(case.transitions)
        if sequence >= stored
    ]


def _columns(case: Case) -> dict[str, Any]:
    person, circumstances = case.person, case.circumstances
    years = person.birth_years
    return {
        "reference": case.reference,
        "module": int(case.module),
        "side": int(case.side),
        "status": case.status.value,
        "outcome": None if case.outcome is None else case.outcome.value,
        "cause": None if case.cause is None else case.cause.value,
        "name": person.name,
        "sex": int(person.sex),
        "birth_year_first": None if years is None else years.first,
        "birth_year_last": None if years is None else years.last,
        "height_cm": person.height_cm,
        "marks": person.marks,
        "clothing": person.clothing,
        "dialect": person.dialect,
        "blood_group": person.blood_group,
        "seen_at": circumstances.seen_at,
        **columns_of_point(circumstances.place),
        "place_label": circumstances.place_label,
        "region": circumstances.region,
        "story": circumstances.story,
        "private_note": circumstances.private_note,
        "opened_by": case.opened_by,
        "opened_at": case.opened_at,
        "consent_search": case.consent_search,
        "consent_publish": case.consent_publish,
        "contact": case.contact,
        "organisation": case.organisation,
        "closed_at": case.closed_at,
        "photos_erased_at": case.photos_erased_at,
    }


def _case(row: RowMapping, transitions: list[Transition]) -> Case:
    first, last = row["birth_year_first"], row["birth_year_last"]
    return Case(
        reference=row["reference"],
        module=Module(row["module"]),
        side=Side(row["side"]),
        person=Person(
            name=row["name"],
            sex=Sex(row["sex"]),
            birth_years=None if first is None else YearRange(first, last),
            height_cm=row["height_cm"],
            marks=row["marks"],
            clothing=row["clothing"],
            dialect=row["dialect"],
            blood_group=row["blood_group"],
        ),
        circumstances=Circumstances(
            seen_at=row["seen_at"],
            place=point_of(row["latitude"], row["longitude"]),
            place_label=row["place_label"],
            region=row["region"],
            story=row["story"],
            private_note=row["private_note"],
        ),
        opened_by=AccountId(row["opened_by"]),
        opened_at=row["opened_at"],
        consent_search=row["consent_search"],
        consent_publish=row["consent_publish"],
        contact=row["contact"],
        organisation=row["organisation"],
        id=CaseId(row["id"]),
        status=CaseStatus(row["status"]),
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        cause=None if row["cause"] is None else ResolutionCause(row["cause"]),
        closed_at=row["closed_at"],
        photos_erased_at=row["photos_erased_at"],
        version=row["version"],
        transitions=transitions,
    )
