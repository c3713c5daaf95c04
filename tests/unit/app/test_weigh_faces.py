"""Leads and resemblances carry what their similarity means at the ages of the two photos."""

from dataclasses import replace

from reunite.app.review_lead import list_leads
from reunite.app.search_face import start_search, view_search
from reunite.cases.case import Person
from reunite.faces.calibration import shipped_calibrations
from reunite.kernel.people import Sex, Side, YearRange
from reunite.testing.faces import paint_person
from tests.unit.app.world import World

CALIBRATION = shipped_calibrations()[0]


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
