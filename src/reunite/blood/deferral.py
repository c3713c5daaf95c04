"""When somebody may give, and when again, to the day.

A rule set is a file: those of ``deferral_rules`` are read by name, a centre's own by path.  The
answer is a courtesy to donors and never overrides the centre's doctor.

Everything that stands in the way is a day from which it no longer does; the answer is the
latest of them.  So a further reason never makes it earlier.
"""

import calendar
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex


class DonationKind(StrEnum):
    """What is given."""

    WHOLE_BLOOD = "whole_blood"
    PLATELETS = "platelets"
    PLASMA = "plasma"
    DOUBLE_RED = "double_red"


@dataclass(frozen=True, slots=True)
class Donation:
    """One donation of the past."""

    kind: DonationKind
    on: date


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that defers a donor; ``over_on`` is None while it lasts."""

    code: str  # a key of the rule set, such as tattoo_or_piercing
    over_on: date | None


@dataclass(frozen=True, slots=True)
class DonorFacts:
    """What deferral looks at.  An unknown age or weight is left to the centre."""

    born_on: date | None
    sex: Sex = Sex.UNKNOWN
    weight_kg: float | None = None
    donations: tuple[Donation, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSource:
    """Where a rule of deferral is published; ``url`` is empty where its text was not at hand."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Wait:
    """A time that must have passed; ``permanent`` means never."""

    source: RuleSource
    months: int = 0
    days: int = 0
    permanent: bool = False
    approved_days: int | None = None  # with a doctor's approval for one patient
    after: frozenset[DonationKind] = frozenset()
    next: frozenset[DonationKind] = frozenset(DonationKind)

    def over_on(self, since: date, *, approved: bool = False) -> date | None:
        """The first day on which it has passed."""
        if self.permanent:
            return None
        if approved and self.approved_days is not None:
            return since + timedelta(days=self.approved_days)
        return add_months(since, self.months) + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class YearlyLimit:
    """At most so many donations of these kinds within twelve months."""

    source: RuleSource
    kinds: frozenset[DonationKind]
    most: int
    sex: Sex = Sex.UNKNOWN


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one country or centre."""

    name: str
    country: str
    minimum_years: int
    maximum_years: int
    maximum_years_repeat: int
    age_source: RuleSource
    male_kg: float
    female_kg: float
    weight_source: RuleSource
    intervals: tuple[Wait, ...]
    yearly: tuple[YearlyLimit, ...]
    reasons: Mapping[str, Wait]


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What stands in the way until ``until``, or for good (None).

    ``code``: age_minimum, age_maximum, weight, interval, yearly, reason, reason_permanent,
    reason_lasting, reason_unlisted (the centre must be asked).  ``about`` names the reason or
    the kind of donation.
    """

    code: str
    until: date | None
    about: str = ""
    source: RuleSource | None = None


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The first day on which the donor may give, None where no day can be told.

    ``hindrances`` are those that stand in the way today, the latest first.
    """

    earliest: date | None
    hindrances: tuple[Hindrance, ...]

    def on(self, day: date) -> bool:
        """Whether the donor may give on ``day``."""
        return self.earliest is not None and self.earliest <= day


def add_months(day: date, months: int) -> date:
    """``months`` later; where that month lacks the day, the first of the next: never too early."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    if day.day <= length:
        return date(year, month + 1, day.day)
    return date(year, month + 1, length) + timedelta(days=1)


def next_eligible(
    rules: RuleSet,
    donor: DonorFacts,
    kind: DonationKind,
    today: date,
    *,
    approved: bool = False,
) -> Eligibility:
    """When ``donor`` may give ``kind``, at the earliest today.

    ``approved``: a doctor approved the shorter interval for one patient's matched donor.

    Raises InvalidInputError ``date_in_future`` for a birth or donation after today.
    """
    if donor.born_on is not None and donor.born_on > today:
        raise InvalidInputError("date_in_future", field="born_on")
    if any(donation.on > today for donation in donor.donations):
        raise InvalidInputError("date_in_future", field="donations")
    found = [
        *_by_age(rules, donor),
        *_by_weight(rules, donor),
        *_by_donations(rules, donor, kind, approved=approved),
        *_by_reasons(rules, donor, kind),
    ]
    standing = [one for one in found if one.until is None or one.until > today]
    standing.sort(key=lambda one: one.until or date.max, reverse=True)
    earliest: date | None = today
    if standing:
        earliest = standing[0].until
    limit = too_old_from(rules, donor)
    if earliest is not None and earliest >= limit:
        standing.insert(0, Hindrance("age_maximum", None, source=rules.age_source))
        earliest = None
    return Eligibility(earliest, tuple(standing))


def _by_age(rules: RuleSet, donor: DonorFacts) -> Iterable[Hindrance]:
    if donor.born_on is not None:
        grown = add_months(donor.born_on, 12 * rules.minimum_years)
        yield Hindrance("age_minimum", grown, source=rules.age_source)


def too_old_from(rules: RuleSet, donor: DonorFacts) -> date:
    """The day from which the donor is too old; never where nobody knows the age."""
    if donor.born_on is None:
        return date.max
    years = rules.maximum_years_repeat if donor.donations else rules.maximum_years
    return add_months(donor.born_on, 12 * (years + 1))


def _by_weight(rules: RuleSet, donor: DonorFacts) -> Iterable[Hindrance]:
    # Of unknown sex: the higher of the two.
    least = {Sex.MALE: rules.male_kg, Sex.FEMALE: rules.female_kg}.get(
        donor.sex, max(rules.male_kg, rules.female_kg)
    )
    if donor.weight_kg is not None and donor.weight_kg < least:
        yield Hindrance("weight", None, f"{least:g}", rules.weight_source)


def _by_donations(
    rules: RuleSet, donor: DonorFacts, kind: DonationKind, *, approved: bool
) -> Iterable[Hindrance]:
    for wait in rules.intervals:
        if kind in wait.next:
            for donation in donor.donations:
                if donation.kind in wait.after:
                    until = wait.over_on(donation.on, approved=approved)
                    yield Hindrance("interval", until, donation.kind, wait.source)
    for limit in rules.yearly:
        if kind not in limit.kinds or limit.sex not in {Sex.UNKNOWN, donor.sex}:
            continue
        days = sorted(d.on for d in donor.donations if d.kind in limit.kinds)
        if len(days) >= limit.most:
            until = add_months(days[-limit.most], 12)
            yield Hindrance("yearly", until, kind, limit.source)


def _by_reasons(rules: RuleSet, donor: DonorFacts, kind: DonationKind) -> Iterable[Hindrance]:
    for reason in donor.reasons:
        wait = rules.reasons.get(reason.code)
        if wait is None:
            yield Hindrance("reason_unlisted", None, reason.code)
        elif kind not in wait.next:
            continue
        elif wait.permanent:
            yield Hindrance("reason_permanent", None, reason.code, wait.source)
        elif reason.over_on is None:
            yield Hindrance("reason_lasting", None, reason.code, wait.source)
        else:
            yield Hindrance("reason", wait.over_on(reason.over_on), reason.code, wait.source)


def shipped_rules() -> tuple[str, ...]:
    """Names of the rule sets that come with Reunite."""
    folder = files("reunite.blood.deferral_rules")
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_rules(source: str | Path) -> RuleSet:
    """A shipped rule set by its name, or a centre's own by its path.

    Raises InvalidInputError ``deferral_rules_missing`` or ``deferral_rules_invalid``.
    """
    if isinstance(source, str) and source in shipped_rules():
        text = files("reunite.blood.deferral_rules").joinpath(f"{source}.toml").read_text("utf-8")
    else:
        try:
            text = Path(source).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInputError("deferral_rules_missing", path=str(source)) from error
    try:
        return _rule_set(tomllib.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            "deferral_rules_invalid", path=str(source), problem=str(error)
        ) from error


def _rule_set(data: Mapping[str, Any]) -> RuleSet:
    sources = {key: RuleSource(**entry) for key, entry in data["sources"].items()}
    age, weight = data["age"], data["weight"]
    return RuleSet(
        name=data["name"],
        country=data["country"],
        minimum_years=age["minimum_years"],
        maximum_years=age["maximum_years"],
        maximum_years_repeat=age["maximum_years_repeat"],
        age_source=sources[age["source"]],
        male_kg=weight["male_kg"],
        female_kg=weight["female_kg"],
        weight_source=sources[weight["source"]],
        intervals=tuple(_wait(entry, sources) for entry in data["interval"]),
        yearly=tuple(
            YearlyLimit(
                sources[entry["source"]],
                frozenset(map(DonationKind, entry["kinds"])),
                entry["most"],
                Sex[entry["sex"].upper()] if "sex" in entry else Sex.UNKNOWN,
            )
            for entry in data["yearly"]
        ),
        reasons={code: _wait(entry, sources) for code, entry in data["reason"].items()},
    )


def _wait(entry: Mapping[str, Any], sources: Mapping[str, RuleSource]) -> Wait:
    known = {"source", "months", "days", "permanent", "approved_days", "after", "next", "kinds"}
    if set(entry) - known:
        raise ValueError(f"unknown: {sorted(set(entry) - known)}")
    wait = Wait(
        sources[entry["source"]],
        entry.get("months", 0),
        entry.get("days", 0),
        permanent=entry.get("permanent", False),
        approved_days=entry.get("approved_days"),
        after=frozenset(map(DonationKind, entry.get("after", ()))),
        next=frozenset(map(DonationKind, entry.get("next", entry.get("kinds", DonationKind)))),
    )
    if wait.months < 0 or wait.days < 0 or not (wait.months or wait.days or wait.permanent):
        raise ValueError(f"no time to wait: {dict(entry)}")
    return wait
