"""Registered donors, and the pool that follows them."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.blood.compatibility import Need
from reunite.blood.deferral import Donation, DonationKind, DonorFacts, Reason
from reunite.blood.donors import (
    MAX_DONATIONS,
    Confirmation,
    ConsentPurpose,
    RegisteredDonor,
    contradicts,
    read_type,
    stored_type,
)
from reunite.blood.live_pool import LivePool
from reunite.blood.matching import match
from reunite.blood.notation import parse_phenotype
from reunite.blood.phenotype import Phenotype
from reunite.blood.rules import Component
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import BloodCentreId, DonorId
from reunite.testing.donors import make_donor
from reunite.testing.factories import HANGZHOU, NOW
from tests.unit.blood.types import phenotypes

TODAY = date(2026, 6, 1)
PATIENT = Need(parse_phenotype("AB+"))


@given(phenotypes())
def test_every_type_can_be_stored(phenotype: Phenotype) -> None:
    assert read_type(stored_type(phenotype)) == phenotype


@pytest.mark.parametrize(
    ("found", "said", "expected"),
    [
        ("O+", "O+", False),
        ("O+", "A+", True),
        ("O+", "O-", True),
        ("O DEL", "O-", False),
        ("A2 Rh+", "A", False),
        ("Bombay", "O", True),
        ("O+ Jk(a-)", "O+ Jk(a+)", True),
        ("O+ Jk(a-)", "O+ K-", False),
        ("Rh+", "A", False),
    ],
)
def test_a_laboratory_may_find_something_else(found: str, said: str, *, expected: bool) -> None:
    donor = make_donor(written=said)
    assert not donor.disagrees
    donor.confirmation = Confirmation(parse_phenotype(found), BloodCentreId(1), NOW)
    assert donor.disagrees is expected
    assert donor.phenotype == parse_phenotype(found)
    assert contradicts(parse_phenotype(said), parse_phenotype(found)) is expected


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"declared": None}, "required"),
        ({"facts": DonorFacts(TODAY + timedelta(1))}, "date_in_future"),
        ({"facts": DonorFacts(date(1890, 1, 1))}, "date_too_early"),
        ({"facts": DonorFacts(None, weight_kg=3.0)}, "number_out_of_range"),
        (
            {"facts": DonorFacts(None, donations=(Donation(DonationKind.PLASMA, date.max),))},
            "date_in_future",
        ),
        (
            {"facts": DonorFacts(TODAY, donations=(Donation(DonationKind.PLASMA, NOW.date()),))},
            "date_too_early",
        ),
        (
            {"facts": DonorFacts(None, reasons=(Reason("bad_luck", None),))},
            "deferral_reason_unknown",
        ),
        ({"rules": "/etc/passwd"}, "deferral_rules_missing"),
        ({"travel_km": 0}, "number_out_of_range"),
        ({"reference": "1" * 61}, "text_too_long"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], code: str) -> None:
    make_donor().check(TODAY)
    with pytest.raises(InvalidInputError) as caught:
        make_donor(**changes).check(TODAY)
    assert caught.value.code == code


def test_one_donation_is_written_down_once() -> None:
    donor, given_today = make_donor(), Donation(DonationKind.WHOLE_BLOOD, TODAY)
    donor.has_given(given_today)
    donor.has_given(given_today)
    donor.has_given(Donation(DonationKind.PLASMA, TODAY - timedelta(30)))
    assert [one.on for one in donor.facts.donations] == [TODAY - timedelta(30), TODAY]
    assert donor.next_eligible(DonationKind.WHOLE_BLOOD, TODAY).earliest == date(2026, 12, 1)
    donor.is_deferred_for(Reason("malaria", TODAY))
    donor.is_deferred_for(Reason("malaria", TODAY - timedelta(1)))
    assert donor.facts.reasons == (Reason("malaria", TODAY - timedelta(1)),)
    for days in range(1, MAX_DONATIONS - 1):
        donor.has_given(Donation(DonationKind.PLASMA, TODAY - timedelta(60 + days)))
    with pytest.raises(InvalidInputError, match="donations_too_many"):
        donor.has_given(Donation(DonationKind.PLASMA, date(2000, 1, 1)))


def asked(pool: LivePool, component: Component = Component.RED_CELLS, on: date = TODAY) -> set[int]:
    need = replace(PATIENT, component=component)
    return set(match(pool.for_component(component, on), need, HANGZHOU, on).ids.tolist())


def test_only_those_who_may_be_asked_are_in_the_pool() -> None:
    donors = [
        make_donor(id=DonorId(1)),
        make_donor(id=DonorId(2), asleep=True),
        make_donor(id=DonorId(3), consents=frozenset({ConsentPurpose.CENTRE})),
        make_donor(id=DonorId(4), away_until=TODAY + timedelta(7)),
        make_donor(id=DonorId(5), kinds=frozenset({DonationKind.PLASMA})),
        make_donor(id=DonorId(6), facts=DonorFacts(TODAY)),
    ]
    pool = LivePool.pack(donors, TODAY)
    assert len(pool) == 4
    assert asked(pool) == {1}
    assert asked(pool, on=TODAY + timedelta(7)) == {1, 4}
    assert asked(pool, on=date(2045, 1, 1)) == {1, 4, 6}
    # Somebody born in 1996 is too old in 2052.
    assert asked(pool, on=date(2052, 1, 1)) == {6}


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 6), st.booleans(), phenotypes()), max_size=10))
def test_a_pool_that_follows_is_the_one_that_is_packed(
    steps: list[tuple[int, bool, Phenotype]],
) -> None:
    there: dict[int, RegisteredDonor] = {}
    pool = LivePool.pack([], TODAY)
    for number, goes, phenotype in steps:
        if goes:
            there.pop(number, None)
            pool = pool.changed([], [number], TODAY)
        else:
            there.pop(number, None)
            there[number] = make_donor(
                id=DonorId(number), declared=phenotype, asleep=not phenotype.d
            )
            pool = pool.changed([there[number]], [], TODAY)
    packed = LivePool.pack(there.values(), TODAY)
    for name in ("ids", "basic", "positive", "known", "antibodies", "declared", "vectors"):
        found, wanted = getattr(pool.pool, name), getattr(packed.pool, name)
        assert np.array_equal(found, wanted)
        assert found.dtype == wanted.dtype
    assert {k: v for k, v in pool.pool.unlisted.items() if v} == packed.pool.unlisted
    assert pool.pool.phenotypes == packed.pool.phenotypes
    assert np.array_equal(pool.until_days, packed.until_days)
    assert all(
        np.array_equal(pool.from_days[kind], packed.from_days[kind]) for kind in pool.from_days
    )
