"""Leads and resemblances carry what their similarity means at the ages of the two photos."""

from dataclasses import replace

import pytest

from reunite.app.compare_faces import Faces, are_alike, compare_faces, weigh_compared
from reunite.app.open_case import add_photo
from reunite.app.review_lead import get_lead, list_leads
from reunite.app.search_face import add_search_photo, start_search, view_search
from reunite.app.services import Services, Settings
from reunite.app.weigh_faces import face_evidence, is_alike, least_similarity, likely_age
from reunite.cases.case import Person
from reunite.cases.kinship import Kin
from reunite.cases.photos import EstimatedAge
from reunite.faces.calibration import Likelihood, Pooling, shipped_calibrations
from reunite.kernel.people import Sex, Side, YearRange
from reunite.testing.faces import paint_person
from reunite.worker.loop import Worker
from tests.unit.app.world import World, a_report

CALIBRATION = replace(shipped_calibrations()[0], pooling=Pooling(strangers=0.7, mates=0.6))
RATE = Settings().lead_false_match_rate


def calibrated(world: World) -> Services:
    """The same services, as an installation has them; everybody looks grown up."""
    world.ageing.looks_years = 40.0
    world.services = replace(world.services, calibration=CALIBRATION)
    world.worker = Worker(world.services)
    return world.services


def test_a_lead_is_weighed_at_the_ages_of_its_photos() -> None:
    world = World()
    born = YearRange(2000, 2000)
    person = Person(name="林小雨", sex=Sex.FEMALE, birth_years=born)
    world.open_public(1, 1, person=person, captured_year=2004)
    world.open(1, 2, by=world.officer, side=Side.FOUND, person=person, captured_year=2024)
    world.drain()
    services = replace(world.services, calibration=CALIBRATION)
    [view] = list_leads(services, world.reviewer)
    assert view.likelihood == CALIBRATION.weigh(view.lead.similarity, 4, 24, same_sex=True)
    assert view.likelihood.is_weak
    [uncalibrated] = list_leads(world.services, world.reviewer)
    assert uncalibrated.likelihood is None


def test_a_resemblance_is_weighed_at_the_age_that_the_record_implies() -> None:
    world = World()
    person = Person(name="林小雨", birth_years=YearRange(1990, 1990))
    world.open_public(1, 1, person=person, captured_year=2000)
    services = replace(world.services, calibration=CALIBRATION)
    started = start_search(services, world.family, paint_person(1, 2), 2025)
    [found] = view_search(services, world.family, started.token).resemblances
    assert found.likelihood == CALIBRATION.weigh(found.similarity, 10, 35)


def test_faces_are_one_fact_among_others_in_the_bits_of_the_calibration() -> None:
    world = World()
    calibrated(world)
    person = Person(name="林小雨", sex=Sex.FEMALE, birth_years=YearRange(1990, 1990))
    missing = world.open_public(1, 1, person=person, captured_year=2000)
    world.open(1, 2, by=world.officer, side=Side.FOUND, person=person, captured_year=2024)
    world.drain()
    [lead] = world.leads(missing)
    likelihood = CALIBRATION.weigh(lead.similarity, 10, 34, same_sex=True)
    [face] = [one for one in lead.evidence if one.fact == "face"]
    assert face.bits == pytest.approx(likelihood.bits, abs=1e-3)
    assert face.level == (face_evidence(likelihood) or ("", 0.0))[0]
    assert lead.bits == pytest.approx(sum(one.bits for one in lead.evidence), abs=0.01)
    assert face_evidence(None) is None


def test_what_strangers_of_these_ages_often_reach_is_no_lead() -> None:
    """One threshold would make a lead of any two infants."""
    grown, infants = (CALIBRATION.similarity_at(RATE, age, age) for age in (40, 1))
    between = (grown + infants) / 2
    services = calibrated(World())
    assert least_similarity(services) <= grown < infants
    for age, alike in ((40, True), (1, False)):
        likelihood = CALIBRATION.weigh(between, age, age)
        assert is_alike(services, between, likelihood) is alike


def test_without_a_calibration_there_is_one_threshold() -> None:
    services = World().services
    threshold = services.settings.lead_similarity
    assert least_similarity(services) == threshold
    assert is_alike(services, threshold, None)
    assert not is_alike(services, threshold - 0.01, None)


def test_several_photos_of_both_are_weighed_together() -> None:
    world = World()
    calibrated(world)
    missing = world.open(1, 1)
    world.open_found(1, 2)
    world.drain()
    [one_each] = list_leads(world.services, world.reviewer)
    assert one_each.photos == (1, 1)
    add_photo(world.services, world.family, missing, paint_person(1, 3))
    world.drain()
    [view] = list_leads(world.services, world.reviewer)
    assert view.photos == (2, 1)
    [lead] = world.leads(missing)
    vectors = {}
    with world.database.transaction() as transaction:
        for case_id in (lead.missing_case_id, lead.found_case_id):
            stored = transaction.templates.list_of_case(case_id, world.services.gallery.space)
            vectors[case_id] = [vector for _, _, vector in stored]
    similarities = [
        float(mine @ theirs)
        for mine in vectors[lead.missing_case_id]
        for theirs in vectors[lead.found_case_id]
    ]
    mean = sum(similarities) / len(similarities)
    assert lead.similarity == pytest.approx(max(similarities), abs=1e-3)
    assert view.likelihood is not None
    assert view.likelihood.similarity == pytest.approx(mean, abs=1e-3)
    assert view.likelihood == CALIBRATION.weigh(
        view.likelihood.similarity, None, None, photos=(2, 1)
    )


def test_several_photos_of_a_search_count_as_what_they_are() -> None:
    world = World()
    services = calibrated(world)
    world.open_public(1, 1)
    started = start_search(services, world.family, paint_person(1, 2))
    [alone] = view_search(services, world.family, started.token).resemblances
    add_search_photo(services, world.family, started.token, paint_person(1, 3))
    [both] = view_search(services, world.family, started.token).resemblances
    assert alone.likelihood is not None
    assert both.likelihood is not None
    # The mean of the two is what is weighed; the pooled template is more alike than either.
    assert both.likelihood.similarity < both.similarity
    expected = CALIBRATION.weigh(both.likelihood.similarity, None, None, photos=(2, 1))
    assert both.likelihood == expected


def test_an_age_is_recorded_or_looked(world: World) -> None:
    known = Person(name="林小雨", birth_years=YearRange(1990, 1990))
    references = [
        world.open(1, 1, person=known, captured_year=2000),
        world.open(2, 1, person=Person(name="王乐乐")),
    ]
    world.drain()
    ages = []
    for case in map(world.case, references):
        with world.database.transaction() as transaction:
            [photo] = transaction.photos.list_of_case(case.id)
        ages.append(likely_age(case, photo))
        # Beside a record, and of a grown face, an estimate says nothing.
        photo.estimated_age = EstimatedAge(30.0, 20.0, 41.0)
        ages.append(likely_age(case, photo))
    assert ages == [10.0, 10.0, 8.0, None]


def test_a_child_is_weighed_as_one_though_no_year_is_known(world: World) -> None:
    services = calibrated(world)
    world.ageing.looks_years = 4.0
    missing = world.open_public(1, 1)
    world.open_found(1, 2)
    world.drain()
    [view] = list_leads(world.services, world.reviewer)
    assert view.likelihood == CALIBRATION.weigh(view.lead.similarity, 4, 4)
    assert view.likelihood.is_weak
    started = start_search(services, world.family, paint_person(1, 3))
    [found] = view_search(services, world.family, started.token).resemblances
    assert found.case.reference == missing
    assert found.likelihood == CALIBRATION.weigh(found.similarity, 4, 4)
    world.forbid_ageing()
    permissive = replace(world.services, calibration=CALIBRATION)
    [found] = view_search(permissive, world.family, started.token).resemblances
    assert found.likelihood == CALIBRATION.weigh(found.similarity, 4, None)


def test_leads_of_brothers_and_sisters_are_flagged() -> None:
    """One found child is like two whom one family misses."""
    world = World(Settings(lead_bits=1000.0, lead_similarity=-1.0, reports_per_day=100))
    first = world.open(5, person=Person(name="王乐乐"))
    second = world.open(6, person=Person(name="王欢欢"))
    stranger = world.report(
        world.actor(world.family.role), a_report(person=Person(name="赵一"), photo=paint_person(7))
    ).reference
    world.open_found(5, 1)
    world.drain()
    hints = {}
    for reference in (first, second, stranger):
        [lead] = world.leads(reference)
        hints[reference] = [
            (hint.reason, hint.rival.reference if hint.rival else None)
            for hint in get_lead(world.services, world.reviewer, lead.id).kin
        ]
    assert hints == {
        first: [(Kin.SAME_REPORTER, second)],
        second: [(Kin.SAME_REPORTER, first)],
        stranger: [],
    }


def test_a_fact_that_cannot_change_speaks_of_a_relative() -> None:
    world = World()
    boy = Person(name="王乐乐", sex=Sex.MALE)
    world.open(5, person=boy)
    world.open(5, 1, by=world.officer, side=Side.FOUND, person=Person(sex=Sex.FEMALE))
    world.drain()
    [view] = list_leads(world.services, world.reviewer)
    assert [hint.reason for hint in view.kin] == [Kin.FACTS_DIFFER]


def test_bits_make_a_level() -> None:
    rare = Likelihood(0.7, 1e-6, 20_000.0, is_weak=False)
    assert (face_evidence(rare) or ("", 0.0))[0] == "very_alike"
    assert (face_evidence(replace(rare, is_weak=True)) or ("", 0.0))[0] == "slight"


def test_one_bad_photo_does_not_hide_the_others() -> None:
    """The mean over all pairs is as of strangers; the best two are not."""
    world = World()
    calibrated(world)
    missing = world.open(1, 1)
    # Photos of somebody else that the family took for the child's.
    for tag in (50, 51, 52, 53, 54):
        add_photo(world.services, world.family, missing, paint_person(tag))
    world.open_found(1, 2)
    world.drain()
    [lead] = world.leads(missing)
    [view] = list_leads(world.services, world.reviewer)
    assert lead.similarity > CALIBRATION.similarity_at(RATE / 6, None, None)
    assert view.likelihood is not None
    assert view.likelihood.false_match_rate > RATE


def test_the_best_of_many_pairs_must_be_rarer() -> None:
    world = World()
    services = calibrated(world)
    case, partner = world.case(world.open(1, 1)), world.case(world.open_found(2, 1))
    with world.database.transaction() as transaction:
        faces = compare_faces(services, transaction, case, partner)
        just = CALIBRATION.similarity_at(RATE, None, None) + 0.001
        many = replace(faces, similarity=just, mean_similarity=0.0, photos=(3, 3))
        single = replace(faces, similarity=just, mean_similarity=just)

        def alike(one: Faces) -> bool:
            likelihood = weigh_compared(services, transaction, case, partner, one)
            return are_alike(services, transaction, case, partner, one, likelihood)

        assert alike(single)
        assert not alike(many)
        rarer = CALIBRATION.similarity_at(RATE / 9, None, None) + 0.001
        assert alike(replace(many, similarity=rarer))
