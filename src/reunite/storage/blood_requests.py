"""Requests for blood, those who were asked, and units in stock, in PostgreSQL."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from reunite.blood.appeals import Appeal, CannotReason, DonorAsk
from reunite.blood.demands import Need
from reunite.blood.donors import read_type, stored_type
from reunite.blood.requests import BloodRequest
from reunite.blood.rules import POLICIES, Component, Grade
from reunite.blood.stock import StockUnit
from reunite.blood.waves import Answer, Urgency, Why
from reunite.cases.case import OPEN_STATUSES
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import BloodCentreId, BloodRequestId, CaseId, DonorAskId, DonorId
from reunite.kernel.places import Point
from reunite.ports import ShelvedUnit
from reunite.storage.rows import columns_of_point, point_of
from reunite.storage.tables import (
    blood_centres,
    blood_requests,
    blood_stock,
    cases,
    donor_asks,
    donors,
)


class PostgresBloodRequests:
    """Implements ``BloodRequestRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, appeal: Appeal) -> BloodRequestId:
        """Sets ``appeal.id``."""
        appeal.id = BloodRequestId(
            self._connection.execute(
                insert(blood_requests)
                .values(case_id=appeal.case_id, **_columns(appeal))
                .returning(blood_requests.c.id)
            ).scalar_one()
        )
        return appeal.id

    def find_of_case(self, case_id: CaseId) -> Appeal | None:
        found = self._list(select(blood_requests).where(blood_requests.c.case_id == case_id))
        return found[0] if found else None

    def get(self, request_id: BloodRequestId) -> Appeal:
        """Raises NotFoundError."""
        found = self._list(select(blood_requests).where(blood_requests.c.id == request_id))
        if not found:
            raise NotFoundError
        return found[0]

    def save(self, appeal: Appeal) -> None:
        """Write everything.  Raises NotFoundError."""
        saved = self._connection.execute(
            update(blood_requests)
            .where(blood_requests.c.id == appeal.id)
            .values(**_columns(appeal))
        )
        if saved.rowcount == 0:
            raise NotFoundError

    def list_of_centre(self, centre_id: BloodCentreId, *, limit: int = 50) -> list[Appeal]:
        """The newest first."""
        return self._list(
            select(blood_requests)
            .where(blood_requests.c.centre_id == centre_id)
            .order_by(blood_requests.c.id.desc())
            .limit(limit)
        )

    def list_open(self) -> list[Appeal]:
        """Those whose case is open, the oldest first."""
        return self._list(
            select(blood_requests)
            .join(cases, cases.c.id == blood_requests.c.case_id)
            .where(cases.c.status.in_([status.value for status in OPEN_STATUSES]))
            .order_by(blood_requests.c.id)
        )

    def _list(self, wanted: Select[Any]) -> list[Appeal]:
        return [_appeal(row) for row in self._connection.execute(wanted).mappings()]


class PostgresDonorAsks:
    """Implements ``DonorAskRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_many(self, asks: Sequence[DonorAsk]) -> None:
        """Sets their ``id``.  Raises ConflictError ``asked_already``."""
        for ask in asks:
            added = self._connection.execute(
                insert(donor_asks)
                .values(request_id=ask.request_id, donor_id=ask.donor_id, **_facts(ask))
                .on_conflict_do_nothing(index_elements=["request_id", "donor_id"])
                .returning(donor_asks.c.id)
            ).scalar()
            if added is None:
                raise ConflictError("asked_already")
            ask.id = DonorAskId(added)

    def get(self, ask_id: DonorAskId) -> DonorAsk:
        """Raises NotFoundError."""
        found = self._list(select(donor_asks).where(donor_asks.c.id == ask_id))
        if not found:
            raise NotFoundError
        return found[0]

    def find(self, request_id: BloodRequestId, donor_id: DonorId) -> DonorAsk | None:
        found = self._list(
            select(donor_asks)
            .where(donor_asks.c.request_id == request_id)
            .where(donor_asks.c.donor_id == donor_id)
        )
        return found[0] if found else None

    def list_of_request(self, request_id: BloodRequestId) -> list[DonorAsk]:
        """In the order in which they were asked."""
        return self._list(
            select(donor_asks)
            .where(donor_asks.c.request_id == request_id)
            .order_by(donor_asks.c.id)
        )

    def list_of_donor(self, donor_id: DonorId, *, limit: int = 20) -> list[DonorAsk]:
        """The newest first."""
        return self._list(
            select(donor_asks)
            .where(donor_asks.c.donor_id == donor_id)
            .order_by(donor_asks.c.id.desc())
            .limit(limit)
        )

    def list_to_call(self, centre_id: BloodCentreId) -> list[DonorAsk]:
        """Silent donors without an account whom a centre keeps, of open requests; oldest first."""
        return self._list(
            select(donor_asks)
            .join(donors, donors.c.id == donor_asks.c.donor_id)
            .join(blood_requests, blood_requests.c.id == donor_asks.c.request_id)
            .join(cases, cases.c.id == blood_requests.c.case_id)
            .where(donors.c.centre_id == centre_id)
            .where(donor_asks.c.by_phone, donor_asks.c.answer.is_(None))
            .where(cases.c.status.in_([status.value for status in OPEN_STATUSES]))
            .order_by(donor_asks.c.id)
        )

    def save(self, ask: DonorAsk) -> None:
        """Write the answer and what followed.  Raises NotFoundError."""
        saved = self._connection.execute(
            update(donor_asks).where(donor_asks.c.id == ask.id).values(**_facts(ask))
        )
        if saved.rowcount == 0:
            raise NotFoundError

    def delete(self, ask_ids: Iterable[DonorAskId]) -> None:
        """As if they had never been asked."""
        self._connection.execute(
            delete(donor_asks).where(donor_asks.c.id == func.any(bindparam("ids", list(ask_ids))))
        )

    def _list(self, wanted: Select[Any]) -> list[DonorAsk]:
        return [_ask(row) for row in self._connection.execute(wanted).mappings()]


class PostgresBloodStock:
    """Implements ``BloodStockRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def replace(self, centre_id: BloodCentreId, units: Sequence[StockUnit], at: datetime) -> None:
        """The whole inventory of a centre; units that were promised stay so."""
        removed = self._connection.execute(
            delete(blood_stock)
            .where(blood_stock.c.centre_id == centre_id)
            .returning(blood_stock.c.number, blood_stock.c.promised_to)
        ).all()
        promised = {row.number: row.promised_to for row in removed}
        if units:
            self._connection.execute(
                insert(blood_stock),
                [
                    {
                        "centre_id": centre_id,
                        "number": unit.number,
                        "type": stored_type(unit.phenotype),
                        "component": unit.component.value,
                        "expires_on": unit.expires_on,
                        **columns_of_point(unit.point),
                        "reported_at": at,
                        "promised_to": promised.get(unit.number),
                    }
                    for unit in units
                ],
            )

    def list_units(self, on: date) -> list[ShelvedUnit]:
        """Units of every centre that may still be given on that day; by centre and number."""
        rows = self._connection.execute(
            select(
                blood_stock,
                blood_centres.c.name,
                blood_centres.c.latitude.label("centre_latitude"),
                blood_centres.c.longitude.label("centre_longitude"),
            )
            .join(blood_centres, blood_centres.c.id == blood_stock.c.centre_id)
            .where(blood_stock.c.expires_on >= on)
            .order_by(blood_stock.c.centre_id, blood_stock.c.number.collate("C"))
        ).mappings()
        return [_shelved(row) for row in rows]

    def last_report(self, centre_id: BloodCentreId) -> tuple[int, datetime] | None:
        """How many units a centre reported, and when."""
        count, at = self._connection.execute(
            select(func.count(), func.max(blood_stock.c.reported_at)).where(
                blood_stock.c.centre_id == centre_id
            )
        ).one()
        return None if at is None else (count, at)

    def promise(
        self, centre_id: BloodCentreId, number: str, request_id: BloodRequestId | None
    ) -> None:
        """Set a unit aside for a request.  Raises NotFoundError, ConflictError."""
        this_one = (blood_stock.c.centre_id == centre_id) & (blood_stock.c.number == number)
        row = self._connection.execute(
            select(blood_stock.c.promised_to).where(this_one).with_for_update()
        ).one_or_none()
        if row is None:
            raise NotFoundError
        if request_id is not None and row.promised_to not in {None, request_id}:
            raise ConflictError("unit_promised")
        self._connection.execute(update(blood_stock).where(this_one).values(promised_to=request_id))

    def count_promised(self, request_id: BloodRequestId) -> int:
        return self._connection.execute(
            select(func.count())
            .select_from(blood_stock)
            .where(blood_stock.c.promised_to == request_id)
        ).scalar_one()


def _columns(appeal: Appeal) -> dict[str, Any]:
    request = appeal.request
    return {
        "centre_id": request.centre_id,
        "patient": stored_type(request.need.patient),
        "component": request.need.component.value,
        "childbearing": request.need.childbearing,
        "policy": request.need.policy.name,
        "units": request.units,
        "units_per_donation": appeal.units_per_donation,
        **columns_of_point(request.place),
        "opened_at": request.opened_at,
        "needed_by": request.needed_by,
        "urgency": request.urgency.value,
        "patient_code": request.patient_code,
        "family_code": request.family_code,
        "note": request.note,
        "override_reason": request.override_reason,
        "asking_since": appeal.asking_since,
        "filled_at": appeal.filled_at,
        "waves": appeal.waves,
        "why": None if appeal.why is None else appeal.why.value,
        "next_look_at": appeal.next_look_at,
    }


def _appeal(row: RowMapping) -> Appeal:
    need = Need(
        read_type(row["patient"]),
        Component(row["component"]),
        row["childbearing"],
        POLICIES[row["policy"]],
    )
    request = BloodRequest(
        centre_id=BloodCentreId(row["centre_id"]),
        need=need,
        units=row["units"],
        place=Point(row["latitude"], row["longitude"]),
        opened_at=row["opened_at"],
        needed_by=row["needed_by"],
        urgency=Urgency(row["urgency"]),
        patient_code=row["patient_code"],
        family_code=row["family_code"],
        note=row["note"],
        override_reason=row["override_reason"],
    )
    return Appeal(
        request=request,
        case_id=CaseId(row["case_id"]),
        units_per_donation=row["units_per_donation"],
        asking_since=row["asking_since"],
        filled_at=row["filled_at"],
        waves=row["waves"],
        why=None if row["why"] is None else Why(row["why"]),
        next_look_at=row["next_look_at"],
        id=BloodRequestId(row["id"]),
    )


def _facts(ask: DonorAsk) -> dict[str, Any]:
    return {
        "asked_at": ask.asked_at,
        "wave": ask.wave,
        "grade": int(ask.grade),
        "distance_km": None if ask.distance_km is None else float(ask.distance_km),
        "probability": float(ask.probability),
        "sibling": ask.sibling,
        "by_phone": ask.by_phone,
        "answer": None if ask.answer is None else ask.answer.value,
        "answered_at": ask.answered_at,
        "comes_at": ask.comes_at,
        "reason": None if ask.reason is None else ask.reason.value,
        "hindrance": ask.hindrance,
        "deferred_until": ask.deferred_until,
        "remark": ask.remark,
        "contact": ask.contact,
        "thanked_at": ask.thanked_at,
    }


def _ask(row: RowMapping) -> DonorAsk:
    return DonorAsk(
        request_id=BloodRequestId(row["request_id"]),
        donor_id=DonorId(row["donor_id"] or 0),
        asked_at=row["asked_at"],
        wave=row["wave"],
        grade=Grade(row["grade"]),
        distance_km=row["distance_km"],
        probability=row["probability"],
        sibling=row["sibling"],
        by_phone=row["by_phone"],
        answer=None if row["answer"] is None else Answer(row["answer"]),
        answered_at=row["answered_at"],
        comes_at=row["comes_at"],
        reason=None if row["reason"] is None else CannotReason(row["reason"]),
        hindrance=row["hindrance"],
        deferred_until=row["deferred_until"],
        remark=row["remark"],
        contact=row["contact"],
        thanked_at=row["thanked_at"],
        id=DonorAskId(row["id"]),
    )


def _shelved(row: RowMapping) -> ShelvedUnit:
    own = point_of(row["latitude"], row["longitude"])
    unit = StockUnit(
        number=row["number"],
        phenotype=read_type(row["type"]),
        component=Component(row["component"]),
        expires_on=row["expires_on"],
        centre=row["name"],
        point=own or point_of(row["centre_latitude"], row["centre_longitude"]),
    )
    promised_to = row["promised_to"]
    return ShelvedUnit(
        BloodCentreId(row["centre_id"]),
        unit,
        None if promised_to is None else BloodRequestId(promised_to),
    )
