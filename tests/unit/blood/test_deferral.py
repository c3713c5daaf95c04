"""When one may give again, to the day; and never sooner for one reason more."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.blood.deferral import (
    Donation,
    DonationKind,
    DonorFacts,
    Reason,
    RuleSet,
    add_months,
    load_rules,
    next_eligible,
    shipped_rules,
)
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex

TODAY = date(2026, 3, 15)
CHINA, UK, US = (load_rules(name) for name in ("china", "uk", "us"))
WHOLE, PLATELETS = DonationKind.WHOLE_BLOOD, DonationKind.PLATELETS
ADULT = DonorFacts(date(1990, 5, 1), Sex.FEMALE, 55)
days = st.dates(date(2023, 1, 1), TODAY)
facts = st.builds(
    DonorFacts,
    born_on=st.none() | st.dates(date(1950, 1, 1), date(2012, 1, 1)),
    sex=st.sampled_from(Sex),
    weight_kg=st.none() | st.floats(35, 120),
    donations=st.lists(st.builds(Donation, st.sampled_from(DonationKind), days), max_size=4).map(
        tuple
    ),
    reasons=st.lists(
        st.builds(Reason, st.sampled_from(sorted(CHINA.reasons)), st.none() | days), max_size=3
    ).map(tuple),
)


def earliest(
    rules: RuleSet, donor: DonorFacts, kind: DonationKind = WHOLE, *, approved: bool = False
) -> date | None:
    return next_eligible(rules, donor, kind, TODAY, approved=approved).earliest


def gave(kind: DonationKind, *on: date) -> DonorFacts:
    return replace(ADULT, donations=tuple(Donation(kind, day) for day in on))


def test_the_shipped_rule_sets() -> None:
    assert shipped_rules() == ("china", "uk", "us")
    for rules in (CHINA, UK, US):
        assert earliest(rules, ADULT) == TODAY


@pytest.mark.parametrize(
    ("rules", "kind", "next_kind", "on", "again"),
    [
        (CHINA, WHOLE, WHOLE, date(2025, 12, 1), date(2026, 6, 1)),
        (CHINA, WHOLE, WHOLE, date(2025, 8, 31), TODAY),
        (CHINA, WHOLE, WHOLE, date(2025, 9, 30), date(2026, 3, 30)),
        (CHINA, WHOLE, PLATELETS, date(2026, 1, 31), date(2026, 5, 1)),
        (CHINA, PLATELETS, WHOLE, date(2026, 3, 1), date(2026, 3, 29)),
        (CHINA, PLATELETS, PLATELETS, date(2026, 3, 10), date(2026, 3, 24)),
        (UK, WHOLE, WHOLE, date(2026, 3, 1), date(2026, 5, 24)),
        (UK, DonationKind.DOUBLE_RED, WHOLE, date(2026, 3, 1), date(2026, 8, 30)),
        (US, WHOLE, WHOLE, date(2026, 3, 1), date(2026, 4, 26)),
        (US, DonationKind.DOUBLE_RED, WHOLE, date(2026, 3, 1), date(2026, 6, 21)),
        (US, PLATELETS, PLATELETS, date(2026, 3, 14), date(2026, 3, 21)),
    ],
)
def test_intervals(
    rules: RuleSet, kind: DonationKind, next_kind: DonationKind, on: date, again: date
) -> None:
    assert earliest(rules, gave(kind, on), next_kind) == again


def test_a_doctor_may_shorten_the_interval_of_platelets_in_china() -> None:
    donor = gave(PLATELETS, date(2026, 3, 10))
    assert earliest(CHINA, donor, PLATELETS, approved=True) == date(2026, 3, 17)
    assert earliest(CHINA, gave(WHOLE, date(2026, 3, 10)), approved=True) == date(2026, 9, 10)


def test_yearly_limits() -> None:
    often = [TODAY - timedelta(days=14 * n) for n in range(1, 25)]
    assert earliest(CHINA, gave(PLATELETS, *often), PLATELETS) == add_months(min(often), 12)
    three = (date(2025, 5, 1), date(2025, 8, 1), date(2025, 11, 1))
    assert earliest(UK, gave(WHOLE, *three)) == date(2026, 5, 1)
    assert earliest(UK, replace(gave(WHOLE, *three), sex=Sex.MALE)) == TODAY


@pytest.mark.parametrize(
    ("rules", "born", "donations", "expected"),
    [
        (CHINA, date(2009, 3, 16), (), date(2027, 3, 16)),
        (CHINA, date(2008, 3, 15), (), TODAY),
        (CHINA, date(1970, 3, 16), (), TODAY),
        (CHINA, date(1970, 3, 15), (), None),
        (CHINA, date(1968, 3, 15), (Donation(WHOLE, date(2020, 1, 1)),), TODAY),
        (CHINA, date(1965, 3, 15), (Donation(WHOLE, date(2020, 1, 1)),), None),
        (UK, date(1955, 1, 1), (Donation(WHOLE, date(2020, 1, 1)),), TODAY),
        (US, date(1940, 1, 1), (), TODAY),
        (US, date(2008, 2, 29), (), TODAY),
    ],
)
def test_age(
    rules: RuleSet, born: date, donations: tuple[Donation, ...], expected: date | None
) -> None:
    assert earliest(rules, replace(ADULT, born_on=born, donations=donations)) == expected


def test_too_old_by_the_time_the_interval_is_over() -> None:
    donor = replace(gave(WHOLE, date(2026, 3, 1)), born_on=date(1965, 6, 1))
    found = next_eligible(CHINA, donor, WHOLE, TODAY)
    assert found.earliest is None
    assert [one.code for one in found.hindrances] == ["age_maximum", "interval"]


def test_an_unknown_age_is_left_to_the_centre() -> None:
    assert earliest(CHINA, replace(ADULT, born_on=None)) == TODAY


def test_weight() -> None:
    light = replace(ADULT, weight_kg=47)
    assert earliest(CHINA, light) == TODAY
    assert earliest(CHINA, replace(light, sex=Sex.MALE)) is None
    assert earliest(CHINA, replace(light, sex=Sex.UNKNOWN)) is None
    assert earliest(UK, light) is None
    assert earliest(UK, replace(light, weight_kg=None)) == TODAY


def test_reasons() -> None:
    def deferred(code: str, over_on: date | None, kind: DonationKind = WHOLE) -> list[object]:
        donor = replace(ADULT, reasons=(Reason(code, over_on),))
        found = next_eligible(CHINA, donor, kind, TODAY)
        return [found.earliest, *[one.code for one in found.hindrances]]

    assert deferred("tattoo_or_piercing", date(2026, 1, 1)) == [date(2027, 1, 1), "reason"]
    assert deferred("cold_or_flu", date(2026, 3, 1)) == [TODAY]
    assert deferred("pregnancy", None) == [None, "reason_lasting"]
    assert deferred("hiv", date(2001, 1, 1)) == [None, "reason_permanent"]
    assert deferred("struck_by_lightning", None) == [None, "reason_unlisted"]
    assert deferred("aspirin", date(2026, 3, 14)) == [TODAY]
    assert deferred("aspirin", date(2026, 3, 14), PLATELETS)[0] == date(2026, 3, 19)


@settings(deadline=None)
@given(
    donor=facts,
    code=st.sampled_from([*sorted(CHINA.reasons), "unheard_of"]),
    over_on=st.none() | days,
    donation=st.builds(Donation, st.sampled_from(DonationKind), days),
    kind=st.sampled_from(DonationKind),
    rules=st.sampled_from([CHINA, UK, US]),
)
def test_one_reason_more_is_never_sooner(
    donor: DonorFacts,
    code: str,
    over_on: date | None,
    donation: Donation,
    kind: DonationKind,
    rules: RuleSet,
) -> None:
    before = next_eligible(rules, donor, kind, TODAY)
    more = [replace(donor, reasons=(*donor.reasons, Reason(code, over_on)))]
    if donor.donations:  # the first donation of all makes a repeat donor, who may be older
        more.append(replace(donor, donations=(*donor.donations, donation)))
    for one in more:
        after = next_eligible(rules, one, kind, TODAY)
        assert (after.earliest or date.max) >= (before.earliest or date.max)
        if after.earliest is not None:
            assert after.earliest >= TODAY
            # On that very day nothing stands in the way any more, and on the day before it does.
            assert next_eligible(rules, one, kind, after.earliest).earliest == after.earliest
        assert bool(after.hindrances) == (after.earliest != TODAY)


@settings(deadline=None)
@given(day=st.dates(date(1990, 1, 1), date(2030, 1, 1)), months=st.integers(0, 60))
def test_months_are_never_short(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month in {months, months + 1}
    assert later.day in {day.day, 1}


@pytest.mark.parametrize(
    "donor",
    [
        gave(WHOLE, TODAY + timedelta(days=1)),
        replace(ADULT, born_on=TODAY + timedelta(days=1)),
    ],
)
def test_dates_of_the_future_are_refused(donor: DonorFacts) -> None:
    with pytest.raises(InvalidInputError) as caught:
        next_eligible(CHINA, donor, WHOLE, TODAY)
    assert caught.value.code == "date_in_future"


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (("months = 6", "months = -6"), "deferral_rules_invalid"),
        (("months = 6", "fortnights = 6"), "deferral_rules_invalid"),
        (('source = "fuzhou"', 'source = "nobody"'), "deferral_rules_invalid"),
        (("[age]", "[ages]"), "deferral_rules_invalid"),
        (("[age]", "[age"), "deferral_rules_invalid"),
    ],
)
def test_a_centres_own_rules(tmp_path: Path, edit: tuple[str, str], code: str) -> None:
    shipped = Path("src/reunite/blood/deferral_rules/china.toml").read_text("utf-8")
    own = tmp_path / "own.toml"
    own.write_text(shipped, "utf-8")
    assert load_rules(own) == CHINA
    own.write_text(shipped.replace(*edit), "utf-8")
    with pytest.raises(InvalidInputError) as caught:
        load_rules(own)
    assert caught.value.code == code
    with pytest.raises(InvalidInputError) as missing:
        load_rules(tmp_path / "none.toml")
    assert missing.value.code == "deferral_rules_missing"
