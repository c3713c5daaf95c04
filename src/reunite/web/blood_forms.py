"""Blood types, days and deferrals as pages on blood read and show them."""

from collections.abc import Iterable
from datetime import date

from reunite.blood.deferral import DonationKind, Hindrance, RuleSet, load_rules, shipped_rules
from reunite.blood.notation import parse_phenotype
from reunite.blood.phenotype import Phenotype
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex
from reunite.web.blood_words import DEFERRAL_REASONS, DISCLAIMER, DONATION_KINDS, hindrance_words
from reunite.web.forms import Form
from reunite.web.page import Context, Page

_COUNTRY_RULES = {"CN": "china", "GB": "uk", "US": "us"}


def country_rules(page: Page) -> str:
    """The name of the rule set of the country that this installation is for."""
    return _COUNTRY_RULES.get(page.services.settings.country, "china")


def read_type(form: Form, name: str) -> Phenotype:
    """The type that was typed.  Raises as ``parse_phenotype``, with the field at fault."""
    try:
        return parse_phenotype(form.required(name))
    except InvalidInputError as error:
        error.details["field"] = name
        raise


def read_day(form: Form, name: str) -> date | None:
    """A day, None for nothing.  Raises InvalidInputError ``date_invalid``."""
    text = form.text(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError("date_invalid", field=name) from error


def read_sex(form: Form) -> Sex:
    """Sex as it was chosen; not known where it was not."""
    text = form.text("sex")
    return Sex(int(text)) if text in {"0", "1", "2"} else Sex.UNKNOWN


def read_rules(form: Form) -> RuleSet:
    """The rule set that was chosen.  Raises InvalidInputError ``choice_unknown``."""
    name = form.text("rules") or "china"
    if name not in shipped_rules():
        raise InvalidInputError("choice_unknown", field="rules")
    return load_rules(name)


def read_reason(form: Form) -> str:
    """The code of a reason of deferral; empty for none.  Raises ``choice_unknown``."""
    code = form.text("reason")
    if code and code not in DEFERRAL_REASONS:
        raise InvalidInputError("choice_unknown", field="reason")
    return code


def hindrances_said(page: Page, hindrances: Iterable[Hindrance]) -> list[tuple[str, str, str]]:
    """What stands in the way: the sentence, and title and address of its source."""
    translations = page.web.renderers[page.language].translations
    return [
        (
            hindrance_words(one, translations, page.formats),
            one.source.title if one.source else "",
            one.source.url if one.source else "",
        )
        for one in hindrances
    ]


def blood_choices(page: Page) -> Context:
    """What the selects of donors' forms offer, and what every page on blood says."""
    translate = page.web.renderers[page.language].translations.gettext
    return {
        "rule_sets": [(name, load_rules(name).name) for name in shipped_rules()],
        "kinds": [(kind.value, translate(DONATION_KINDS[kind])) for kind in DonationKind],
        "reasons": [("", "–"), *((c, translate(w)) for c, w in DEFERRAL_REASONS.items())],
        "sexes": [("", "–"), *((str(s.value), s) for s in (Sex.FEMALE, Sex.MALE))],
        "disclaimer": DISCLAIMER,
    }
