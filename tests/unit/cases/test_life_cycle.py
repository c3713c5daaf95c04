"""The life of a case, in every order that anybody can think of."""

from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from reunite.cases.case import (
    OPEN_STATUSES,
    Case,
    CaseStatus,
    Outcome,
    ResolutionCause,
    Transition,
)
from reunite.kernel.errors import ConflictError
from reunite.kernel.ids import AccountId
from tests.unit.cases.builders import NOON, a_case

people = st.integers(1, 4).map(AccountId)
waits = st.timedeltas(timedelta(0), timedelta(days=400))

# What may follow what, written down a second time.
NEXT = {
    CaseStatus.REPORTED: {CaseStatus.VERIFIED, CaseStatus.WITHDRAWN},
    CaseStatus.VERIFIED: {CaseStatus.PUBLISHED, CaseStatus.RESOLVED, CaseStatus.WITHDRAWN},
    CaseStatus.PUBLISHED: {CaseStatus.RESOLVED, CaseStatus.WITHDRAWN},
    CaseStatus.RESOLVED: set[CaseStatus](),
    CaseStatus.WITHDRAWN: set[CaseStatus](),
}


class LifeOfACase(RuleBasedStateMachine):
    """Tries each step at every moment and keeps a record of its own beside the case's."""

    case: Case
    now: datetime

    @initialize(consent=st.booleans())
    def report(self, consent: bool) -> None:
        self.now = NOON
        self.case = a_case(consent_publish=consent)
        self.expected = [Transition(CaseStatus.REPORTED, self.case.opened_by, NOON)]

    def step(self, to: CaseStatus, by: AccountId, wait: timedelta, *details: Any) -> None:
        self.now += wait
        before = deepcopy(self.case)
        name = {"verified": "verify", "published": "publish", "resolved": "resolve"}.get(
            to.value, "withdraw"
        )
        allowed = (
            to in NEXT[before.status]
            and not (to is CaseStatus.VERIFIED and by == before.opened_by)
            and not (to is CaseStatus.PUBLISHED and not before.consent_publish)
        )
        if not allowed:
            with pytest.raises(ConflictError):
                getattr(self.case, name)(*details, by, self.now, "note")
            assert self.case == before
            return
        getattr(self.case, name)(*details, by, self.now, "note")
        self.expected.append(Transition(to, by, self.now, "note"))

    @rule(by=people, wait=waits)
    def verify(self, by: AccountId, wait: timedelta) -> None:
        self.step(CaseStatus.VERIFIED, by, wait)

    @rule(by=people, wait=waits)
    def publish(self, by: AccountId, wait: timedelta) -> None:
        self.step(CaseStatus.PUBLISHED, by, wait)

    @rule(
        by=people,
        wait=waits,
        outcome=st.sampled_from(Outcome),
        cause=st.sampled_from(ResolutionCause),
    )
    def resolve(
        self, by: AccountId, wait: timedelta, outcome: Outcome, cause: ResolutionCause
    ) -> None:
        self.step(CaseStatus.RESOLVED, by, wait, outcome, cause)

    @rule(by=people, wait=waits)
    def withdraw(self, by: AccountId, wait: timedelta) -> None:
        self.step(CaseStatus.WITHDRAWN, by, wait)

    @invariant()
    def every_step_is_recorded_in_order(self) -> None:
        assert self.case.transitions == self.expected
        assert self.case.status is self.expected[-1].status
        times = [step.at for step in self.case.transitions]
        assert times == sorted(times)

    @invariant()
    def nothing_skips_verification(self) -> None:
        steps = [step.status for step in self.case.transitions]
        for status in (CaseStatus.PUBLISHED, CaseStatus.RESOLVED):
            if status in steps:
                assert CaseStatus.VERIFIED in steps[: steps.index(status)]
        verifier = [s.by for s in self.case.transitions if s.status is CaseStatus.VERIFIED]
        assert self.case.opened_by not in verifier

    @invariant()
    def only_a_resolved_case_has_an_outcome_and_its_cause(self) -> None:
        resolved = self.case.status is CaseStatus.RESOLVED
        assert (self.case.outcome is not None) is (self.case.cause is not None) is resolved
        assert (self.case.closed_at is None) is self.case.is_open
        assert self.case.is_open is (self.case.status in OPEN_STATUSES)
        assert self.case.is_public is (self.case.status is CaseStatus.PUBLISHED)
        assert not self.case.is_public or self.case.consent_publish


LifeOfACase.TestCase.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
TestLifeOfACase = LifeOfACase.TestCase
