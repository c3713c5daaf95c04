"""Two pairs of eyes, and a no that lasts."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.cases.leads import Decision, Lead, LeadStatus, Verdict
from reunite.kernel.errors import ConflictError
from reunite.kernel.ids import AccountId, CaseId, PhotoId
from tests.unit.cases.builders import NOON, REVIEWER, SECOND_REVIEWER

ACCEPT, REJECT = Verdict.ACCEPT, Verdict.REJECT


def a_lead() -> Lead:
    return Lead(CaseId(1), CaseId(2), PhotoId(1), PhotoId(2), 0.71, NOON)


def test_two_different_reviewers_confirm() -> None:
    lead = a_lead()
    statuses = [lead.status]
    lead.decide(REVIEWER, ACCEPT, NOON, "ears")
    statuses.append(lead.status)
    lead.decide(SECOND_REVIEWER, ACCEPT, NOON + timedelta(hours=1))
    statuses.append(lead.status)
    assert statuses == [LeadStatus.OPEN, LeadStatus.SECOND_OPINION, LeadStatus.CONFIRMED]
    assert lead.decisions == [
        Decision(REVIEWER, ACCEPT, NOON, "ears"),
        Decision(SECOND_REVIEWER, ACCEPT, NOON + timedelta(hours=1)),
    ]


def test_one_reviewer_is_not_two() -> None:
    lead = a_lead()
    lead.decide(REVIEWER, ACCEPT, NOON)
    with pytest.raises(ConflictError, match="same_reviewer"):
        lead.decide(REVIEWER, ACCEPT, NOON)
    assert lead.status is LeadStatus.SECOND_OPINION
    assert len(lead.decisions) == 1


@pytest.mark.parametrize("by", [REVIEWER, SECOND_REVIEWER])
def test_anybody_may_reject_what_one_has_accepted(by: AccountId) -> None:
    lead = a_lead()
    lead.decide(REVIEWER, ACCEPT, NOON)
    lead.decide(by, REJECT, NOON)
    assert lead.status is LeadStatus.REJECTED


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("ends", [(REJECT,), (ACCEPT, REJECT), (ACCEPT, ACCEPT)])
def test_a_decided_lead_stays_decided(ends: tuple[Verdict, ...], verdict: Verdict) -> None:
    lead = a_lead()
    for number, end in enumerate(ends):
        lead.decide(AccountId(10 + number), end, NOON)
    status, decisions = lead.status, list(lead.decisions)
    with pytest.raises(ConflictError) as caught:
        lead.decide(SECOND_REVIEWER, verdict, NOON)
    assert (caught.value.code, caught.value.details) == ("lead_closed", {"status": status.value})
    assert (lead.status, lead.decisions) == (status, decisions)


@given(st.lists(st.tuples(st.integers(1, 3).map(AccountId), st.sampled_from(Verdict))))
def test_whatever_is_tried(words: list[tuple[AccountId, Verdict]]) -> None:
    lead = a_lead()
    for by, verdict in words:
        with suppress(ConflictError):
            lead.decide(by, verdict, NOON)
    accepted = [d.by for d in lead.decisions if d.verdict is ACCEPT]
    rejected = [d.by for d in lead.decisions if d.verdict is REJECT]
    assert len(accepted) == len(set(accepted)) <= 2
    assert len(rejected) <= 1
    expected = (
        LeadStatus.REJECTED
        if rejected
        else (LeadStatus.OPEN, LeadStatus.SECOND_OPINION, LeadStatus.CONFIRMED)[len(accepted)]
    )
    assert lead.status is expected
