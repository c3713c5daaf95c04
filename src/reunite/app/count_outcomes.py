"""Count results honestly, module by module, with what brought them about."""

from collections import Counter
from dataclasses import dataclass, field

from reunite.app.services import Services
from reunite.cases.case import CaseStatus, Outcome, ResolutionCause
from reunite.kernel.people import Module, Side

# Ends that are not a search that ended well: a report that was never true counts for nobody.
NOT_A_SEARCH = frozenset({Outcome.NOT_MISSING.value, ResolutionCause.MISTAKEN_REPORT.value})


@dataclass(slots=True)
class ModuleCount:
    """The cases of one module, the missing side only: a found person is no search."""

    module: Module
    reported: int = 0  # everything ever opened
    open: int = 0
    resolved: int = 0
    unmet: int = 0  # requests for blood that ended without any
    mistaken: int = 0
    withdrawn: int = 0
    by_cause: Counter[ResolutionCause] = field(default_factory=Counter)
    by_outcome: Counter[Outcome] = field(default_factory=Counter)
    found_records: int = 0  # open records of the other side


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the public statistics page shows."""

    modules: list[ModuleCount]
    volunteers: int
    templates: int
    synthetic_templates: int


def count_outcomes(services: Services) -> Statistics:
    """Everything, counted now."""
    with services.database.transaction() as transaction:
        rows = transaction.cases.count()
        volunteers = transaction.volunteers.count()
        templates = transaction.templates.count()
    modules = {module: ModuleCount(module) for module in Module}
    for row in rows:
        count = modules[row.module]
        is_open = row.status not in (CaseStatus.RESOLVED, CaseStatus.WITHDRAWN)
        if row.side is Side.FOUND:
            count.found_records += row.count if is_open else 0
            continue
        count.reported += row.count
        if is_open:
            count.open += row.count
        elif row.status is CaseStatus.WITHDRAWN:
            count.withdrawn += row.count
        elif row.outcome in NOT_A_SEARCH or row.cause in NOT_A_SEARCH:
            count.mistaken += row.count
        else:
            if row.outcome == Outcome.UNMET:
                count.unmet += row.count
            else:
                count.resolved += row.count
            if row.cause is not None:
                count.by_cause[ResolutionCause(row.cause)] += row.count
            if row.outcome is not None:
                count.by_outcome[Outcome(row.outcome)] += row.count
    return Statistics(
        modules=list(modules.values()),
        volunteers=volunteers,
        templates=templates.get("photo", 0),
        synthetic_templates=templates.get("synthetic", 0),
    )
