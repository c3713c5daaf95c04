"""Whether a donor's blood may be looked at for a patient, and every reason for it.

The result is a recruitment suggestion to a blood centre, never transfusion advice: no unit is
given without the centre's own typing and crossmatch.

A verdict is the worst of its findings.  An antibody only ever adds findings (or waives the
reserve of donors whom it makes necessary), so that knowing more of a patient's antibodies
never enlarges the set of usable donors.  What is unknown is never taken for negative.

``judge`` is the reference.  ``matching`` compiles the same ``group_findings`` and ``demands``
into masks; both must say the same of everybody.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reunite.blood.antigens import FAMILIES, Status
from reunite.blood.demands import Demand, Need, demands, donor_antibody_grade
from reunite.blood.findings import Finding
from reunite.blood.groups import group_findings
from reunite.blood.phenotype import Phenotype
from reunite.blood.rules import Component, Grade

__all__ = ["Finding", "Grade", "Need", "Verdict", "judge"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one donor for one patient; ``findings`` has the worst first."""

    grade: Grade
    findings: tuple[Finding, ...]

    @property
    def usable(self) -> bool:
        """Whether the donor may be suggested."""
        return self.grade.usable

    @property
    def crossmatch(self) -> bool:
        """Whether an antiglobulin crossmatch at 37 °C is asked for in particular."""
        return any(finding.crossmatch for finding in self.findings)

    @property
    def deciding(self) -> tuple[Finding, ...]:
        """The findings that made the grade what it is."""
        return tuple(finding for finding in self.findings if finding.grade is self.grade)


def judge(donor: Phenotype, need: Need) -> Verdict:
    """The verdict on ``donor`` for the patient of ``need``, with a reason for every yes and no."""
    findings = [
        *group_findings(donor, need),
        *(_meet(donor, demand) for demand in demands(need)),
        *_donor_antibodies(donor, need),
    ]
    told = [finding for finding in findings if finding is not None]
    told.sort(key=lambda finding: -finding.grade)
    return Verdict(Grade(max(finding.grade for finding in told)), tuple(told))


def _meet(donor: Phenotype, demand: Demand) -> Finding | None:
    """What a demand on one antigen says of this donor; None where there is nothing to say."""
    match donor.status(demand.antigen):
        case Status.POSITIVE:
            grade, code = demand.if_positive
        case Status.NEGATIVE:
            grade, code = demand.if_negative
        case _:
            grade, code = demand.if_unknown
    if not code:
        return None
    shown: tuple[str, ...] = (demand.antigen,)
    if code == "antibody_unknown" and demand.antigen in FAMILIES:
        # "anti-Jk3, and the donor's Jk(a) is unknown" tells the laboratory what to test.
        missing = [a for a in FAMILIES[demand.antigen] if donor.status(a) is Status.UNKNOWN]
        shown = (demand.antigen, *missing)
    return Finding(demand.rule, code, grade, shown, crossmatch=demand.crossmatch)


def _donor_antibodies(donor: Phenotype, need: Need) -> Iterator[Finding]:
    """Plasma carries the donor's antibodies to the patient's cells."""
    if need.component is Component.RED_CELLS:
        return
    for name in sorted(donor.antibodies):
        grade, code = donor_antibody_grade(name, need)
        if code:
            yield Finding("donor_antibody", code, grade, (name,))
