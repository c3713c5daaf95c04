"""Rare blood for everybody: who may give to whom and why, and when one may give again.

Neither page keeps anything.  The second is a form that is posted: what defers somebody is
nobody's business, not even that of a log of addresses.
"""

from dataclasses import dataclass
from datetime import date

from starlette.responses import Response

from reunite.app.access import PUBLIC
from reunite.blood.compatibility import Need, Verdict, judge
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
from reunite.blood.findings import Finding
from reunite.blood.names import EXAMPLES
from reunite.blood.notation import parse_phenotype
from reunite.blood.phenotype import Phenotype
from reunite.blood.rules import POLICIES, SOURCES, Component
from reunite.blood.spelling import format_phenotype
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.people import Sex
from reunite.web.blood_words import (
    COMPONENTS,
    DEFERRAL_REASONS,
    DISCLAIMER,
    DONATION_KINDS,
    GRADES,
    hindrance_words,
    reason_of,
)
from reunite.web.forms import Form
from reunite.web.page import Context, Page
from reunite.web.routing import Pages

routes = Pages()
_COUNTRY_RULES = {"CN": "china", "GB": "uk", "US": "us"}


@dataclass(frozen=True, slots=True)
class _Reading:
    """A verdict with what was understood of the two types."""

    patient: str
    donor: str
    verdict: Verdict


@routes.get("/blood/compatibility", access=PUBLIC)
def show_compatibility(page: Page) -> Response:
    """Whether a donor suits a patient, with every reason and its source."""
    form = page.query_form()
    page.form = form
    if not form.text("patient") and not form.text("donor"):
        return page.render("blood/compatibility.html", reading=None, **_words(page))
    try:
        patient, donor = _type(form, "patient"), _type(form, "donor")
        policy = form.text("policy") or "default"
        if policy not in POLICIES:
            raise InvalidInputError("choice_unknown", field="policy")
        need = Need(
            patient,
            form.choice("component", Component, Component.RED_CELLS),
            form.flag("childbearing"),
            POLICIES[policy],
        )
    except ReuniteError as error:
        return page.refuse("blood/compatibility.html", error, reading=None, **_words(page))
    reading = _Reading(
        format_phenotype(patient, page.language),
        format_phenotype(donor, page.language),
        judge(donor, need),
    )
    return page.render("blood/compatibility.html", reading=reading, **_words(page))


def _type(form: Form, name: str) -> Phenotype:
    try:
        return parse_phenotype(form.required(name))
    except InvalidInputError as error:
        error.details["field"] = name
        raise


def _words(page: Page) -> Context:
    translations = page.web.renderers[page.language].translations

    def said(finding: Finding) -> str:
        return reason_of(finding, translations)

    return {
        "said": said,
        "grades": GRADES,
        "components": [(one.value, translations.gettext(COMPONENTS[one])) for one in Component],
        "policies": [(name, name) for name in POLICIES],
        "examples": EXAMPLES[:10],
        "sources": SOURCES.values(),
        "disclaimer": DISCLAIMER,
    }


@routes.get("/blood/again", access=PUBLIC)
def show_again(page: Page) -> Response:
    """When one may give again: the empty form."""
    rules = _COUNTRY_RULES.get(page.services.settings.country, "china")
    form = Form.of(rules=rules, kind=DonationKind.WHOLE_BLOOD.value)
    return page.render("blood/again.html", form=form, answer=None, **_choices(page))


@routes.post("/blood/again", access=PUBLIC)
def tell_again(page: Page) -> Response:
    """The first day on which one may give, and what stands in the way until then."""
    form = page.form
    try:
        rules = _rules(form)
        kind = form.choice("kind", DonationKind, DonationKind.WHOLE_BLOOD)
        answer = next_eligible(rules, _facts(form), kind, page.now.date())
    except ReuniteError as error:
        return page.refuse("blood/again.html", error, answer=None, **_choices(page))
    return page.render(
        "blood/again.html", answer=answer, hindrances=_said(page, answer), **_choices(page)
    )


def _rules(form: Form) -> RuleSet:
    name = form.text("rules") or "china"
    if name not in shipped_rules():
        raise InvalidInputError("choice_unknown", field="rules")
    return load_rules(name)


def _facts(form: Form) -> DonorFacts:
    last = _day(form, "last_on")
    kind = form.choice("last_kind", DonationKind, DonationKind.WHOLE_BLOOD)
    reasons: tuple[Reason, ...] = ()
    if form.text("reason"):
        if form.text("reason") not in DEFERRAL_REASONS:
            raise InvalidInputError("choice_unknown", field="reason")
        reasons = (Reason(form.text("reason"), _day(form, "reason_over_on")),)
    return DonorFacts(
        _day(form, "born_on"),
        Sex(form.integer("sex") or 0) if form.text("sex") in {"", "0", "1", "2"} else Sex.UNKNOWN,
        form.decimal("weight_kg"),
        () if last is None else (Donation(kind, last),),
        reasons,
    )


def _day(form: Form, name: str) -> date | None:
    text = form.text(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError("date_invalid", field=name) from error


def _said(page: Page, answer: Eligibility) -> list[tuple[str, str, str]]:
    """What stands in the way: the sentence, and title and address of its source."""
    translations = page.web.renderers[page.language].translations
    return [
        (
            hindrance_words(one, translations, page.formats),
            one.source.title if one.source else "",
            one.source.url if one.source else "",
        )
        for one in answer.hindrances
    ]


def _choices(page: Page) -> Context:
    translate = page.web.renderers[page.language].translations.gettext
    return {
        "rule_sets": [(name, load_rules(name).name) for name in shipped_rules()],
        "kinds": [(kind.value, translate(DONATION_KINDS[kind])) for kind in DonationKind],
        "reasons": [("", "–"), *((c, translate(w)) for c, w in DEFERRAL_REASONS.items())],
        "sexes": [("", "–"), *((str(s.value), s) for s in (Sex.FEMALE, Sex.MALE))],
        "disclaimer": DISCLAIMER,
    }
