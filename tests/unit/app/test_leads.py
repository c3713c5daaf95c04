"""From two photos to a confirmed lead, and no further."""

import numpy as np
import pytest

from reunite.app.close_case import resolve_case, withdraw_case
from reunite.app.fill_gallery import add_synthetic_templates
from reunite.app.match_record import match_record
from reunite.app.open_case import add_photo
from reunite.app.review_lead import decide_lead, get_lead, list_leads
from reunite.app.services import Settings
from reunite.cases.case import CaseStatus, Outcome, Person, ResolutionCause
from reunite.cases.leads import LeadStatus, Verdict
from reunite.gallery.port import make_facts
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import LeadId
from reunite.kernel.people import Sex, Side, YearRange
from reunite.ports import LookPurpose
from reunite.testing.faces import paint_person
from tests.unit.app.world import World, a_report

ACCEPT, REJECT = Verdict.ACCEPT, Verdict.REJECT


def pair(world: World, tag: int = 5) -> tuple[str, str, LeadId]:
    """A missing and a found record of one person, and their lead."""
    missing, found = world.open(tag), world.open_found(tag, 1)
    world.drain()
    [lead] = world.leads(missing)
    return missing, found, lead.id


@pytest.mark.parametrize("missing_first", [True, False])
def test_whichever_comes_second_finds_the_first(world: World, missing_first: bool) -> None:
    world.open(1)
    world.open_found(2)
    if missing_first:
        missing = world.open(5)
        world.drain()
        found = world.open_found(5, 1)
    else:
        found = world.open_found(5, 1)
        world.drain()
        missing = world.open(5)
    world.drain()
    [lead] = world.leads(missing)
    assert lead == world.leads(found)[0]
    assert lead.missing_case_id == world.case(missing).id
    assert lead.found_case_id == world.case(found).id
    assert lead.status is LeadStatus.OPEN
    assert lead.similarity > 0.6
    with world.database.transaction() as transaction:
        assert transaction.photos.get(lead.missing_photo_id).case_id == lead.missing_case_id
        assert transaction.photos.get(lead.found_photo_id).case_id == lead.found_case_id
    assert {world.case(r).status for r in (missing, found)} == {CaseStatus.REPORTED}


def test_records_of_the_same_side_are_no_lead(world: World) -> None:
    first, second = world.open(5), world.open(5, 1)
    world.drain()
    assert world.leads(first) == world.leads(second) == []


def test_a_better_photo_improves_the_lead(world: World) -> None:
    missing, found, lead_id = pair(world)
    before = world.leads(missing)[0].similarity
    add_photo(world.services, world.family, missing, paint_person(5, 1))
    world.drain()
    [lead] = world.leads(found)
    assert lead.id == lead_id
    assert lead.similarity > before


def test_a_partner_with_many_photos_is_one_lead(world: World) -> None:
    found = world.open_found(5, 1)
    for variant in (2, 3):
        add_photo(world.services, world.officer, found, paint_person(5, variant))
    world.drain()
    missing = world.open(5, 3)
    world.drain()
    [lead] = world.leads(missing)
    assert lead.similarity > 0.99


def test_closed_cases_and_nobodies_faces_are_no_leads(world: World) -> None:
    closed = world.open_found(5, 1)
    withdraw_case(world.services, world.officer, closed)
    add_synthetic_templates(world.services, 500)
    missing = world.open(5)
    world.drain()
    assert world.leads(missing) == []


def test_a_case_that_closed_before_its_turn_is_not_matched(world: World) -> None:
    world.open_found(5, 1)
    world.drain()
    missing = world.open(5)
    withdraw_case(world.services, world.family, missing)
    world.drain()
    assert world.leads(missing) == []
    assert world.count_waiting() == 0


def test_only_the_likeliest_become_leads() -> None:
    world = World(Settings(leads_per_record=2, lead_similarity=-1.0))
    station = [world.open_found(tag) for tag in (5, 6, 7, 8)]
    missing = world.open(5, 1)
    world.worker.run_once()  # not yet: those of the station come first
    world.drain()
    with world.database.transaction() as transaction:
        for found in station:
            for lead in transaction.leads.list_of_case(world.case(found).id):
                assert lead.missing_case_id == world.case(missing).id
    best = max(world.leads(missing), key=lambda lead: lead.similarity)
    assert best.found_case_id == world.case(station[0]).id


def test_matching_again_changes_nothing(world: World) -> None:
    missing, _, _ = pair(world)
    before = world.leads(missing)
    with world.database.transaction() as transaction:
        match_record(
            world.services,
            transaction,
            {"case_id": before[0].missing_case_id, "photo_id": before[0].missing_photo_id},
        )
    assert world.leads(missing) == before


def test_a_rejected_pair_never_comes_back(world: World) -> None:
    missing, found, lead_id = pair(world)
    assert (
        decide_lead(world.services, world.reviewer, lead_id, REJECT, " other ears ") == "rejected"
    )
    for variant in (1, 2, 3):
        add_photo(world.services, world.family, missing, paint_person(5, 10 + variant))
        add_photo(world.services, world.officer, found, paint_person(5, 20 + variant))
    world.drain()
    assert [lead.status for lead in world.leads(missing)] == [LeadStatus.REJECTED]
    assert list_leads(world.services, world.reviewer) == []
    [lead] = world.leads(found)
    assert [(d.by, d.note) for d in lead.decisions] == [(world.reviewer.account_id, "other ears")]


def test_a_rejected_pair_makes_room_for_the_next_best() -> None:
    world = World(Settings(leads_per_record=1, lead_similarity=-1.0))
    missing, alike = world.open(5), world.open_found(5, 1)
    world.drain()
    [lead] = world.leads(missing)
    assert lead.found_case_id == world.case(alike).id
    decide_lead(world.services, world.reviewer, lead.id, REJECT)
    next_best = world.open_found(6)
    with world.database.transaction() as transaction:
        # Matched from its own side it would be a lead anyway.
        message = transaction.outbox.claim(world.clock.now())
        assert message is not None
        transaction.outbox.finish(message)
    add_photo(world.services, world.family, missing, paint_person(5, 2))
    world.drain()
    partners = {lead.found_case_id for lead in world.leads(missing)}
    assert partners == {world.case(alike).id, world.case(next_best).id}


def test_two_reviewers_confirm_and_no_case_changes(world: World) -> None:
    missing, found, lead_id = pair(world)
    cases = [world.case(missing), world.case(found)]
    assert decide_lead(world.services, world.reviewer, lead_id, ACCEPT) == "second_opinion"
    with pytest.raises(ConflictError, match="same_reviewer"):
        decide_lead(world.services, world.reviewer, lead_id, ACCEPT)
    assert decide_lead(world.services, world.second_reviewer, lead_id, ACCEPT) == "confirmed"
    with pytest.raises(ConflictError, match="lead_closed"):
        decide_lead(world.services, world.admin, lead_id, REJECT)
    assert [world.case(missing), world.case(found)] == cases
    # Whoever brought either record hears that there is hope; nothing else follows.
    assert world.count_waiting() == 2
    assert len(world.leads(missing)[0].decisions) == 2


def test_nobody_decides_on_a_record_of_their_own(world: World) -> None:
    missing, _ = world.open_public(1), world.open_found(1, 1)
    world.drain()
    [lead] = world.leads(missing)
    for verdict in Verdict:
        with pytest.raises(ConflictError, match="own_case"):
            decide_lead(world.services, world.officer, lead.id, verdict, "mine")
    assert not get_lead(world.services, world.officer, lead.id).may_decide
    withdraw_case(world.services, world.family, missing)
    with pytest.raises(ConflictError, match="case_closed"):
        decide_lead(world.services, world.reviewer, lead.id, Verdict.ACCEPT)


def test_a_reviewer_sees_both_sides(world: World) -> None:
    woman = Person("周爱珍", Sex.FEMALE, YearRange(1946, 1946))
    resident = Person(sex=Sex.MALE, birth_years=YearRange(1940, 1950))
    missing = world.report(
        world.family, a_report(person=woman, photo=paint_person(5), captured_year=2006)
    ).reference
    found = world.report(
        world.officer,
        a_report(side=Side.FOUND, person=resident, photo=paint_person(5, 1), captured_year=2026),
    ).reference
    world.drain()
    [listed] = list_leads(world.services, world.reviewer)
    view = get_lead(world.services, world.reviewer, listed.lead.id)
    assert view == listed
    assert (view.missing.case.reference, view.found.case.reference) == (missing, found)
    assert view.missing.age_at_photo == YearRange(60, 60)
    assert view.found.age_at_photo == YearRange(76, 86)
    assert view.lapse_years == 20
    assert {(f.fact, f.agreement.value) for f in view.facts} >= {
        ("sex", "contradicts"),
        ("birth_year", "agrees"),
    }
    with world.database.transaction() as transaction:
        for reference in (missing, found):
            looks = transaction.looks.list_of_case(world.case(reference).id)
            assert (world.reviewer.account_id, LookPurpose.REVIEW) in {
                (look.account_id, look.purpose) for look in looks
            }


def test_ages_and_lapse_are_left_out_where_a_year_is_unknown(world: World) -> None:
    _, _, lead_id = pair(world)
    view = get_lead(world.services, world.reviewer, lead_id)
    unknown = (view.lapse_years, view.missing.age_at_photo, view.found.age_at_photo)
    assert unknown == (None, None, None)


def test_the_first_reviewer_is_told_that_a_second_is_needed(world: World) -> None:
    _, _, lead_id = pair(world)
    assert get_lead(world.services, world.reviewer, lead_id).may_decide
    decide_lead(world.services, world.reviewer, lead_id, ACCEPT)
    assert not get_lead(world.services, world.reviewer, lead_id).may_decide
    assert get_lead(world.services, world.second_reviewer, lead_id).may_decide
    decide_lead(world.services, world.second_reviewer, lead_id, ACCEPT)
    assert not get_lead(world.services, world.admin, lead_id).may_decide
    confirmed = frozenset({LeadStatus.CONFIRMED})
    assert len(list_leads(world.services, world.admin, confirmed)) == 1
    assert list_leads(world.services, world.admin) == []


def test_the_queue_is_ordered_and_paged(world: World) -> None:
    for tag in (5, 6, 7):
        pair(world, tag)
    views = list_leads(world.services, world.reviewer)
    similarities = [view.lead.similarity for view in views]
    assert similarities == sorted(similarities, reverse=True)
    pages = [
        list_leads(world.services, world.reviewer, limit=2, offset=offset) for offset in (0, 2)
    ]
    assert [view.lead.id for page in pages for view in page] == [v.lead.id for v in views]


def test_leads_of_closed_cases_leave_the_queue(world: World) -> None:
    missing, _, lead_id = pair(world)
    world.verify(missing)
    resolve_case(world.services, world.reviewer, missing, Outcome.REUNITED, ResolutionCause.POLICE)
    assert list_leads(world.services, world.reviewer) == []
    assert get_lead(world.services, world.reviewer, lead_id).lead.id == lead_id


def test_there_is_no_such_lead(world: World) -> None:
    with pytest.raises(NotFoundError):
        get_lead(world.services, world.reviewer, LeadId(99))
    with pytest.raises(NotFoundError):
        decide_lead(world.services, world.reviewer, LeadId(99), ACCEPT)


def test_faces_of_nobody_do_not_crowd_out_a_mate(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reunite.app.match_record.SEARCH_DEPTH", 1)
    found = world.open_found(5, 1)
    with world.database.transaction() as transaction:
        [(_, _, vector)] = transaction.templates.list_of_case(
            world.case(found).id, world.services.gallery.space
        )
        facts = make_facts(3)
        facts["side"] = Side.FOUND
        transaction.templates.add_synthetic(
            np.stack([vector] * 3), world.services.gallery.space, facts
        )
    missing = world.open(5, 1)
    world.drain()
    assert len(world.leads(missing)) == 1
