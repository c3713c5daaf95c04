"""Plans of alerts in memory."""

from collections.abc import Collection

from reunite.alerts.plan import AlertPlan
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import CaseId
from reunite.testing.memory_accounts import require_account
from reunite.testing.memory_tables import MemorySession, Table


class MemoryAlertPlans:
    """Implements ``AlertPlanRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._plans: Table[CaseId, AlertPlan] = session.table("alert_plans")

    def save(self, plan: AlertPlan) -> None:
        if plan.case_id not in self._session.table("cases"):
            raise NotFoundError
        require_account(self._session, plan.decided_by)
        require_account(self._session, plan.stopped_by)
        self._plans.put(plan.case_id, plan)

    def find(self, case_id: CaseId, *, lock: bool = False) -> AlertPlan | None:
        if lock and case_id in self._plans:
            self._session.hold("alert_plans", case_id)
        return self._plans.get(case_id)

    def list_imminent(self, case_ids: Collection[CaseId]) -> frozenset[CaseId]:
        plans = (self._plans.get(case_id) for case_id in case_ids)
        return frozenset(plan.case_id for plan in plans if plan is not None and plan.is_imminent)
