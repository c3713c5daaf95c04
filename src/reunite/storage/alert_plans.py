"""Plans of alerts in PostgreSQL."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from reunite.alerts.drawing import Drawing
from reunite.alerts.plan import AlertPlan, StopReason
from reunite.alerts.radius import Category, TravelMode, Wave
from reunite.kernel.ids import AccountId, CaseId
from reunite.storage.tables import alert_plans


class PostgresAlertPlans:
    """Implements ``AlertPlanRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, plan: AlertPlan) -> None:
        """Write a plan; a case has one."""
        said = _columns(plan)
        self._connection.execute(
            insert(alert_plans)
            .values(case_id=plan.case_id, **said)
            .on_conflict_do_update(index_elements=["case_id"], set_=said)
        )

    def find(self, case_id: CaseId, *, lock: bool = False) -> AlertPlan | None:
        """The plan of a case; ``lock`` holds it until the transaction ends."""
        wanted = select(alert_plans).where(alert_plans.c.case_id == case_id)
        row = (
            self._connection.execute(wanted.with_for_update() if lock else wanted)
            .mappings()
            .one_or_none()
        )
        return None if row is None else _plan(row)

    def list_imminent(self, case_ids: Collection[CaseId]) -> frozenset[CaseId]:
        """Those of the cases whose alert overrides quiet hours and weekly limits."""
        if not case_ids:
            return frozenset()
        found = self._connection.scalars(
            select(alert_plans.c.case_id)
            .where(alert_plans.c.case_id == func.any(bindparam("ids", list(case_ids))))
            .where(alert_plans.c.is_imminent)
        )
        return frozenset(CaseId(case_id) for case_id in found)


def _columns(plan: AlertPlan) -> dict[str, Any]:
    return {
        "decided_by": plan.decided_by,
        "decided_at": plan.decided_at,
        "radius_km": float(plan.drawing.radius_km),
        "area": plan.drawing.area,
        "without": plan.drawing.without,
        "suggested_km": float(plan.suggested_km),
        "category": plan.category.value,
        "mode": plan.mode.value,
        "source": plan.source,
        "reason": plan.reason,
        "is_imminent": plan.is_imminent,
        "schedule": [[wave.after.total_seconds(), wave.radius_km] for wave in plan.schedule],
        "waves_sent": plan.waves_sent,
        "stopped_at": plan.stopped_at,
        "stopped_by": plan.stopped_by,
        "stop_reason": None if plan.stop_reason is None else plan.stop_reason.value,
    }


def _plan(row: RowMapping) -> AlertPlan:
    stopped_by, stop_reason = row["stopped_by"], row["stop_reason"]
    return AlertPlan(
        case_id=CaseId(row["case_id"]),
        decided_by=AccountId(row["decided_by"]),
        decided_at=row["decided_at"],
        drawing=Drawing(row["radius_km"], row["area"], row["without"]),
        suggested_km=row["suggested_km"],
        category=Category(row["category"]),
        mode=TravelMode(row["mode"]),
        source=row["source"],
        reason=row["reason"],
        is_imminent=row["is_imminent"],
        schedule=tuple(
            Wave(timedelta(seconds=seconds), radius_km) for seconds, radius_km in row["schedule"]
        ),
        waves_sent=row["waves_sent"],
        stopped_at=row["stopped_at"],
        stopped_by=None if stopped_by is None else AccountId(stopped_by),
        stop_reason=None if stop_reason is None else StopReason(stop_reason),
    )
