"""A registered donor: what they say of themselves, what a centre has found, what they agree to.

A donor is an account of the application, a record that a centre keeps without one, or both.
"""

import re
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

from reunite.blood.deferral import (
    Donation,
    DonationKind,
    DonorFacts,
    Eligibility,
    Reason,
    RuleSet,
    load_rules,
    next_eligible,
    shipped_rules,
)
from reunite.blood.notation import parse_phenotype
from reunite.blood.phenotype import VARIANTS_OF_D, Phenotype
from reunite.blood.spelling import format_phenotype
from reunite.blood.waves import History
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import AccountId, BloodCentreId, DonorId, new_reference
from reunite.kernel.languages import Language
from reunite.kernel.places import Point, centre_of

MAX_REFERENCE: Final = 60
_LEAST_DIGITS: Final = 7  # of a telephone number; fewer say nothing
_NUMBER_DIGITS: Final = 11  # of a mobile number in China; what stands before is the country
MAX_CONTACT: Final = 200
MAX_DONATIONS: Final = 400  # twenty years of platelets every fortnight would be 520; few get there
FURTHEST_KM: Final = 5000
OLDEST_BIRTH: Final = date(1900, 1, 1)


class ConsentPurpose(StrEnum):
    """What a donor agrees to, each by itself."""

    ASK = "ask"  # to be asked when somebody needs this type
    CENTRE = "centre"  # that verified blood centres see the record and how to reach the donor
    FAMILY = "family"  # to be asked first when a member of the family needs blood


class TypingMethod(StrEnum):
    """How a laboratory found a type."""

    SEROLOGY = "serology"
    GENOTYPING = "genotyping"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A type that the laboratory of a centre has found."""

    phenotype: Phenotype
    centre_id: BloodCentreId
    at: datetime
    method: TypingMethod = TypingMethod.SEROLOGY


@dataclass(slots=True)
class RegisteredDonor:
    """One donor of the register.

    ``declared`` is their own word, ``confirmation`` a laboratory's; one of them is there.
    ``centre_id`` keeps the donor, under its own number ``reference``.  ``cell`` is an H3 cell,
    never a point; ``place_label`` the GeoNames id of the town, as for volunteers.
    ``travel_km`` None: as far as it takes.  ``code`` is what a donor tells a centre, so that it
    can find the record.
    """

    registered_at: datetime
    account_id: AccountId | None = None
    centre_id: BloodCentreId | None = None
    reference: str = ""
    declared: Phenotype | None = None
    confirmation: Confirmation | None = None
    cell: int | None = None
    place_label: str = ""
    facts: DonorFacts = field(default_factory=lambda: DonorFacts(None))
    rules: str = "china"
    consents: frozenset[ConsentPurpose] = frozenset()
    kinds: frozenset[DonationKind] = frozenset(DonationKind)
    travel_km: int | None = None
    asleep: bool = False
    away_until: date | None = None
    family_code: str = ""
    contact: str = ""  # by which the centre reaches the donor: a telephone number or e-mail
    code: str = field(default_factory=new_reference)
    last_asked_at: datetime | None = None
    history: History = field(default_factory=History)
    id: DonorId = DonorId(0)

    @property
    def phenotype(self) -> Phenotype:
        """The type to go by: what a laboratory found, or else their own word."""
        if self.confirmation is not None:
            return self.confirmation.phenotype
        return self.declared or Phenotype()

    @property
    def is_confirmed(self) -> bool:
        return self.confirmation is not None

    @property
    def disagrees(self) -> bool:
        """Whether the laboratory found what the donor's own word excludes."""
        if self.confirmation is None or self.declared is None:
            return False
        return contradicts(self.confirmation.phenotype, self.declared)

    @property
    def point(self) -> Point | None:
        """The middle of the cell."""
        return None if self.cell is None else centre_of(self.cell)

    @property
    def may_be_asked(self) -> bool:
        """Whether they agreed to be asked and are not in sleeping mode."""
        return ConsentPurpose.ASK in self.consents and not self.asleep

    def next_eligible(self, kind: DonationKind, today: date) -> Eligibility:
        """When they may give, by the rules of their country.  Raises as ``next_eligible``."""
        return next_eligible(rules_named(self.rules), self.facts, kind, today)

    def has_given(self, donation: Donation) -> None:
        """Write down a donation; the same one twice is one.

        Raises InvalidInputError ``donations_too_many``.
        """
        known = sorted({*self.facts.donations, donation}, key=lambda one: (one.on, one.kind))
        if len(known) > MAX_DONATIONS:
            raise InvalidInputError("donations_too_many", field="donations", most=MAX_DONATIONS)
        self.facts = replace(self.facts, donations=tuple(known))

    def is_deferred_for(self, reason: Reason) -> None:
        """Write down what defers them; replaces what was said of the same reason."""
        others = [one for one in self.facts.reasons if one.code != reason.code]
        self.facts = replace(self.facts, reasons=(*others, reason))

    def check(self, today: date) -> "RegisteredDonor":
        """Itself.

        Raises InvalidInputError ``required`` (no type), ``date_in_future``, ``date_too_early``,
        ``text_too_long``, ``number_out_of_range``, ``deferral_rules_missing``,
        ``deferral_reason_unknown``.
        """
        if self.declared is None and self.confirmation is None:
            raise InvalidInputError("required", field="phenotype")
        for name, text, most in (
            ("reference", self.reference, MAX_REFERENCE),
            ("contact", self.contact, MAX_CONTACT),
        ):
            if len(text) > most:
                raise InvalidInputError("text_too_long", field=name, maximum=most)
        if self.travel_km is not None and not 1 <= self.travel_km <= FURTHEST_KM:
            raise InvalidInputError(
                "number_out_of_range", field="travel_km", least=1, most=FURTHEST_KM
            )
        _check_facts(self.facts, today)
        if self.rules not in shipped_rules():
            raise InvalidInputError("deferral_rules_missing", field="rules", path=self.rules)
        for reason in self.facts.reasons:
            # Of any country: the centre is asked about what this one's rules do not list.
            if reason.code not in known_reasons():
                raise InvalidInputError(
                    "deferral_reason_unknown", field="reasons", reason=reason.code
                )
        return self


def _check_facts(facts: DonorFacts, today: date) -> None:
    if facts.born_on is not None and facts.born_on > today:
        raise InvalidInputError("date_in_future", field="born_on")
    if facts.born_on is not None and facts.born_on < OLDEST_BIRTH:
        raise InvalidInputError("date_too_early", field="born_on")
    if any(one.on > today for one in facts.donations):
        raise InvalidInputError("date_in_future", field="last_given_on")
    if any(one.on < (facts.born_on or OLDEST_BIRTH) for one in facts.donations):
        raise InvalidInputError("date_too_early", field="last_given_on")
    least, most = 20.0, 400.0
    if facts.weight_kg is not None and not least <= facts.weight_kg <= most:
        raise InvalidInputError("number_out_of_range", field="weight_kg", least=least, most=most)


@lru_cache(maxsize=16)
def rules_named(name: str) -> RuleSet:
    """A shipped rule set, read once."""
    return load_rules(name)


@lru_cache(maxsize=1)
def known_reasons() -> frozenset[str]:
    """Reasons of deferral of all shipped rule sets."""
    return frozenset(code for name in shipped_rules() for code in rules_named(name).reasons)


def contradicts(found: Phenotype, said: Phenotype) -> bool:
    """Whether both cannot be true of one person; what either does not know contradicts nothing."""
    if found.abo and said.abo and (found.abo is not said.abo or found.h is not said.h):
        return True
    # Routine typing calls DEL and some weak D negative, and weak D positive.
    is_variant = found.d in VARIANTS_OF_D or said.d in VARIANTS_OF_D
    if found.d and said.d and found.d is not said.d and not is_variant:
        return True
    return bool(found.positive & said.negative or found.negative & said.positive)


def contact_key(contact: str) -> str:
    """The same for all ways of writing one telephone number or address; empty for neither."""
    if "@" in contact:
        return contact.strip().lower()
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", contact))
    return digits[-_NUMBER_DIGITS:] if len(digits) >= _LEAST_DIGITS else ""


def stored_type(phenotype: Phenotype) -> str:
    """A type as text that ``read_type`` reads back."""
    return format_phenotype(phenotype, Language.EN)


@lru_cache(maxsize=65536)  # a million donors share a few thousand types
def read_type(text: str) -> Phenotype:
    """A type that ``stored_type`` wrote."""
    return parse_phenotype(text) if text else Phenotype()
