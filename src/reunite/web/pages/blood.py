"""Rare blood for everybody: who may give to whom and why, and when one may give again.

Neither page keeps anything.  The second is a form that is posted: what defers somebody is
nobody's business, not even that of a log of addresses.
"""

from dataclasses import dataclass

from starlette.responses import Response

from reunite.app.access import PUBLIC
from reunite.blood.compatibility import Need, Verdict, judge
from reunite.blood.deferral import (
    Donation,
    DonationKind,
    DonorFacts,
    Reason,
    load_rules,
    next_eligible,
    shipped_rules,
)
from reunite.blood.findings import Finding
from reunite.blood.names import EXAMPLES
from reunite.blood.rules import POLICIES, SOURCES, Component
from reunite.blood.spelling import format_phenotype
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.web.blood_forms import (
    blood_choices,
    country_rules,
    hindrances_said,
    read_day,
    read_reason,
    read_rules,
    read_sex,
    read_type,
)
from reunite.web.blood_words import (
    COMPONENTS,
    DEFERRAL_REASONS,
    DISCLAIMER,
    DONATION_KINDS,
    GRADES,
    reason_of,
)
from reunite.web.forms import Form
from reunite.web.page import Context, Page
from reunite.web.routing import Pages

routes = Pages()


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
        patient, donor = read_type(form, "patient"), read_type(form, "donor")
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


@routes.get("/blood", access=PUBLIC)
def show_blood(page: Page) -> Response:
    """What rare blood is about, and where to go."""
    return page.render("blood/index.html", disclaimer=DISCLAIMER)


@routes.get("/blood/sources", access=PUBLIC)
def show_sources(page: Page) -> Response:
    """Where every rule comes from: those of compatibility and those of each country."""
    return page.render(
        "blood/sources.html",
        sources=list(SOURCES.values()),
        rule_sets=[load_rules(name) for name in shipped_rules()],
        reason_words=DEFERRAL_REASONS,
        kind_words=DONATION_KINDS,
        disclaimer=DISCLAIMER,
    )


@routes.get("/blood/again", access=PUBLIC)
def show_again(page: Page) -> Response:
    """When one may give again: the empty form."""
    form = Form.of(rules=country_rules(page), kind=DonationKind.WHOLE_BLOOD.value)
    return page.render("blood/again.html", form=form, answer=None, **blood_choices(page))


@routes.post("/blood/again", access=PUBLIC)
def tell_again(page: Page) -> Response:
    """The first day on which one may give, and what stands in the way until then."""
    form = page.form
    try:
        rules = read_rules(form)
        kind = form.choice("kind", DonationKind, DonationKind.WHOLE_BLOOD)
        answer = next_eligible(rules, _facts(form), kind, page.now.date())
    except ReuniteError as error:
        return page.refuse("blood/again.html", error, answer=None, **blood_choices(page))
    return page.render(
        "blood/again.html",
        answer=answer,
        hindrances=hindrances_said(page, answer.hindrances),
        **blood_choices(page),
    )


def _facts(form: Form) -> DonorFacts:
    last = read_day(form, "last_on")
    kind = form.choice("last_kind", DonationKind, DonationKind.WHOLE_BLOOD)
    reasons: tuple[Reason, ...] = ()
    code = read_reason(form)
    if code:
        reasons = (Reason(code, read_day(form, "reason_over_on")),)
    return DonorFacts(
        read_day(form, "born_on"),
        read_sex(form),
        form.decimal("weight_kg"),
        () if last is None else (Donation(kind, last),),
        reasons,
    )
