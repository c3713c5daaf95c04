"""Register as a donor, see what is kept, sleep, join a family, leave."""

import json
from datetime import date
from typing import Final

from starlette.responses import Response

from reunite.app.access import SIGNED_IN
from reunite.app.choose_channels import list_channels
from reunite.app.donor_families import join_family, leave_family
from reunite.app.export_donors import export_own_donor
from reunite.app.join_alerts import find_volunteer
from reunite.app.register_donor import (
    DonorForm,
    DonorView,
    defer_donor,
    erase_donor,
    find_own_donor,
    forget_deferral,
    register_donor,
    sleep_donor,
)
from reunite.app.settle_claims import settle_own_claim
from reunite.blood.claims import DonorClaim, Party, Verdict
from reunite.blood.deferral import Donation, DonationKind, DonorFacts, Reason
from reunite.blood.donors import ConsentPurpose, RegisteredDonor
from reunite.blood.names import EXAMPLES
from reunite.blood.phenotype import Phenotype
from reunite.blood.spelling import format_phenotype
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.ids import DonorClaimId
from reunite.kernel.places import find_town
from reunite.web.blood_forms import (
    blood_choices,
    country_rules,
    hindrances_said,
    read_day,
    read_reason,
    read_sex,
    read_type,
)
from reunite.web.blood_words import DEFERRAL_REASONS, DONATION_KINDS
from reunite.web.donor_words import CLAIM_REASONS, CONSENTS, OWN_VERDICTS
from reunite.web.forms import Form
from reunite.web.page import Context, Page
from reunite.web.routing import Pages
from reunite.web.towns import read_position

routes = Pages()

DONE: Final = frozenset(
    {"saved", "asleep", "awake", "away", "deferral", "family", "family-left", "left", "claim"}
)
# What somebody is asked by on the first day; family is joined by its code.
_ASKED_CONSENTS: Final = (ConsentPurpose.ASK, ConsentPurpose.CENTRE)


@routes.get("/blood/donor", access=SIGNED_IN)
def show_donor(page: Page) -> Response:
    """What is kept about the reader as a donor; the form for those who are none."""
    view = find_own_donor(page.services, page.actor)
    if view is None:
        form = _empty(page)
        if page.query("family"):
            form.values = {**form.values, "family_code": [page.query("family")]}
        return _form(page, form=form, new=True)
    return page.render("blood/donor.html", form=Form(), **_own(page, view))


@routes.get("/blood/donor/edit", access=SIGNED_IN)
def show_edit(page: Page) -> Response:
    """The form, filled in."""
    view = find_own_donor(page.services, page.actor)
    if view is None:
        return page.redirect("/blood/donor")
    return _form(page, form=_filled(page, view.donor), new=False)


@routes.post("/blood/donor", access=SIGNED_IN)
def submit_donor(page: Page) -> Response:
    """First show how the type was read; save it once the donor has agreed to that."""
    form, new = page.form, find_own_donor(page.services, page.actor) is None
    try:
        said = _read(page, new=new)
        donor = _checked(page, said)
        if form.text("action") == "save":
            register_donor(page.services, page.actor, said)
            return page.redirect("/blood/donor?done=saved")
    except ReuniteError as error:
        return _refused(page, error, new=new)
    if form.text("action") == "change":
        return _form(page, new=new)
    return page.render(
        "blood/donor_check.html",
        form=form,
        said=said,
        read=format_phenotype(said.declared, page.language),
        unknown=_unknown(said.declared),
        again=_again(page, donor, DonationKind.WHOLE_BLOOD, page.now.date()),
        hidden=[(name, one) for name, values in _kept(form) for one in values],
        **blood_choices(page),
    )


@routes.post("/blood/donor/sleep", access=SIGNED_IN)
def submit_sleep(page: Page) -> Response:
    """Be asked by nobody for a while, or again."""
    try:
        away_until = read_day(page.form, "away_until")
        asleep = page.form.text("action") == "sleep"
        sleep_donor(page.services, page.actor, asleep=asleep, away_until=away_until)
    except InvalidInputError as error:
        return _refused_own(page, error)
    return page.redirect(
        f"/blood/donor?done={'asleep' if asleep else 'away' if away_until else 'awake'}"
    )


@routes.post("/blood/donor/deferral", access=SIGNED_IN)
def submit_deferral(page: Page) -> Response:
    """I have given, or something defers me."""
    try:
        donation = _donation(page.form)
        if donation is None:
            page.form.required("reason")
        code = read_reason(page.form)
        reason = Reason(code, read_day(page.form, "reason_over_on")) if code else None
        defer_donor(page.services, page.actor, donation=donation, reason=reason)
    except InvalidInputError as error:
        return _refused_own(page, error)
    return page.redirect("/blood/donor?done=deferral")


@routes.post("/blood/donor/deferral/forget", access=SIGNED_IN)
def submit_forgotten(page: Page) -> Response:
    """A reason that was given by mistake."""
    forget_deferral(page.services, page.actor, page.form.text("reason"))
    return page.redirect("/blood/donor?done=deferral")


@routes.post("/blood/donor/family", access=SIGNED_IN)
def submit_family(page: Page) -> Response:
    """Join a family by its code, or leave it."""
    if page.form.text("action") == "leave":
        leave_family(page.services, page.actor)
        return page.redirect("/blood/donor?done=family-left")
    try:
        join_family(page.services, page.actor, page.form.required("family_code"))
    except InvalidInputError as error:
        return _refused_own(page, error)
    return page.redirect("/blood/donor?done=family")


@routes.post("/blood/donor/claims/{claim_id:int}", access=SIGNED_IN)
def submit_claim(page: Page, claim_id: int) -> Response:
    """Which of two centres is mine."""
    verdict = page.form.choice("verdict", Verdict)
    settle_own_claim(page.services, page.actor, DonorClaimId(claim_id), verdict)
    return page.redirect("/blood/donor?done=claim")


@routes.get("/blood/donor/leave", access=SIGNED_IN)
def show_leave(page: Page) -> Response:
    """What leaving means."""
    return page.render("blood/donor_leave.html", **blood_choices(page))


@routes.post("/blood/donor/leave", access=SIGNED_IN)
def submit_leave(page: Page) -> Response:
    """Leave; everything is erased."""
    erase_donor(page.services, page.actor)
    return page.redirect("/blood/donor?done=left")


@routes.get("/blood/donor/export", access=SIGNED_IN)
def export(page: Page) -> Response:
    """Everything that is kept about a donor, as a file."""
    kept = export_own_donor(page.services, page.actor)
    return Response(
        json.dumps(kept, ensure_ascii=False, indent=2),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="reunite-donor.json"'},
    )


def _empty(page: Page) -> Form:
    values = {
        "rules": [country_rules(page)],
        "kinds": [kind.value for kind in DonationKind],
        "consents": [ConsentPurpose.ASK.value, ConsentPurpose.CENTRE.value],
    }
    volunteer = find_volunteer(page.services, page.actor)
    home = None if volunteer is None else volunteer.main_place
    if home is not None:
        values["town"] = [_town(page, home.place_label)]
    return Form(values)


def _filled(page: Page, donor: RegisteredDonor) -> Form:
    facts = donor.facts
    declared = donor.declared or donor.phenotype
    return Form(
        {
            "type": [format_phenotype(declared, page.language)],
            "born_on": [] if facts.born_on is None else [facts.born_on.isoformat()],
            "sex": [str(facts.sex.value)] if facts.sex else [],
            "weight_kg": [] if facts.weight_kg is None else [f"{facts.weight_kg:g}"],
            "town": [_town(page, donor.place_label)],
            "kinds": [kind.value for kind in donor.kinds],
            "consents": [one.value for one in donor.consents],
            "travel_km": [] if donor.travel_km is None else [str(donor.travel_km)],
            "rules": [donor.rules],
            "contact": [donor.contact],
        }
    )


def _read(page: Page, *, new: bool) -> DonorForm:
    form, country = page.form, page.services.settings.country
    declared = read_type(form, "type")
    consents = form.choices("consents", ConsentPurpose) & set(_ASKED_CONSENTS)
    if new and ConsentPurpose.ASK not in consents:
        raise InvalidInputError("consent_ask_required", field="consents")
    view = None if new else find_own_donor(page.services, page.actor)
    if view is not None:
        consents |= view.donor.consents & {ConsentPurpose.FAMILY}
    point, town_id = read_position(form, "town", country)
    if town_id is not None and _is_same_place(page, view, town_id):
        town_id = None  # as it was: a cell that came from a device is finer than its town
    return DonorForm(
        declared=declared,
        consents=consents,
        born_on=read_day(form, "born_on"),
        sex=read_sex(form),
        weight_kg=form.decimal("weight_kg"),
        last_given=_donation(form),
        kinds=form.choices("kinds", DonationKind) or frozenset(DonationKind),
        travel_km=form.integer("travel_km"),
        rules=form.text("rules") or country_rules(page),
        contact=form.text("contact"),
        point=point,
        town_id=town_id,
        family_code=form.text("family_code"),
    )


def _checked(page: Page, said: DonorForm) -> RegisteredDonor:
    """What is said as a donor who is not stored.  Raises as ``RegisteredDonor.check``."""
    donor = RegisteredDonor(
        page.now,
        declared=said.declared,
        facts=DonorFacts(said.born_on, said.sex, said.weight_kg),
        rules=said.rules,
        travel_km=said.travel_km,
        contact=said.contact,
    )
    if said.last_given is not None:
        donor.has_given(said.last_given)
    return donor.check(page.now.date())


def _is_same_place(page: Page, view: DonorView | None, town_id: int) -> bool:
    if view is not None:
        return view.donor.place_label == str(town_id)
    volunteer = find_volunteer(page.services, page.actor)
    home = None if volunteer is None else volunteer.main_place
    return home is not None and home.place_label == str(town_id)


def _donation(form: Form) -> Donation | None:
    day = read_day(form, "last_on")
    kind = form.choice("last_kind", DonationKind, DonationKind.WHOLE_BLOOD)
    return None if day is None else Donation(kind, day)


def _unknown(declared: Phenotype) -> list[str]:
    """What was left open of what matters most."""
    return [name for name, known in (("ABO", declared.abo), ("RhD", declared.d)) if not known]


def _kept(form: Form) -> list[tuple[str, list[str]]]:
    return [(name, values) for name, values in form.values.items() if name not in _OWN_FIELDS]


_OWN_FIELDS: Final = frozenset({"csrf", "action"})


def _form(page: Page, *, new: bool, form: Form | None = None) -> Response:
    return page.render("blood/donor_form.html", form=form or page.form, **_form_words(page, new))


def _refused(page: Page, error: ReuniteError, *, new: bool) -> Response:
    fields = {"consent": "consents", "last_given_on": "last_on", "place": "town"}
    told = str(error.details.get("field", ""))
    error.details["field"] = fields.get(told, told)
    return page.refuse("blood/donor_form.html", error, **_form_words(page, new))


def _form_words(page: Page, new: bool) -> Context:  # noqa: FBT001
    translate = page.web.renderers[page.language].translations.gettext
    return {
        **blood_choices(page),
        "new": new,
        "done": "left" if page.query("done") == "left" else "",
        "examples": EXAMPLES[:12],
        "consents": [(one.value, translate(CONSENTS[one])) for one in _ASKED_CONSENTS],
        "today": page.now.date().isoformat(),
    }


def _refused_own(page: Page, error: InvalidInputError) -> Response:
    view = find_own_donor(page.services, page.actor)
    if view is None:
        return page.redirect("/blood/donor")
    return page.refuse("blood/donor.html", error, **_own(page, view))


def _own(page: Page, view: DonorView) -> Context:
    donor, today = view.donor, page.now.date()
    names = page.web.renderers[page.language].translations
    done = page.query("done")
    return {
        **blood_choices(page),
        "view": view,
        "donor": donor,
        "type": format_phenotype(donor.phenotype, page.language),
        "declared": ""
        if donor.declared is None
        else format_phenotype(donor.declared, page.language),
        "town": _town(page, donor.place_label),
        "again": [_again(page, donor, kind, today) for kind in DonationKind if kind in donor.kinds],
        "deferrals": [
            (one.code, names.gettext(DEFERRAL_REASONS.get(one.code, one.code)), one.over_on)
            for one in donor.facts.reasons
        ],
        "claims": [
            (claim, centre.name, names.gettext(CLAIM_REASONS[claim.why]), _answers(page, claim))
            for claim, centre in view.claims
        ],
        "channels": len(list_channels(page.services, page.actor)),
        "consent_words": [
            (names.gettext(words), purpose in donor.consents) for purpose, words in CONSENTS.items()
        ],
        "invitation": page.absolute(page.url(f"/blood/donor?family={donor.family_code}"))
        if donor.family_code
        else "",
        "done": done if done in DONE else "",
        "today": today.isoformat(),
    }


def _answers(page: Page, claim: DonorClaim) -> list[tuple[str, str]]:
    names = page.web.renderers[page.language].translations
    return [
        (verdict.value, names.gettext(OWN_VERDICTS[verdict]))
        for verdict in Verdict
        if verdict in claim.may_say(Party.DONOR)
    ]


def _again(
    page: Page, donor: RegisteredDonor, kind: DonationKind, today: date
) -> tuple[str, date | None, list[tuple[str, str, str]]]:
    """A kind of donation, the first day, and what stands in the way until then."""
    answer = donor.next_eligible(kind, today)
    names = page.web.renderers[page.language].translations
    day = answer.earliest
    if day is not None and donor.away_until is not None:
        day = max(day, donor.away_until)
    said = hindrances_said(page, answer.hindrances)
    return names.gettext(DONATION_KINDS[kind]), day, said


def _town(page: Page, label: str) -> str:
    """The name of the town whose GeoNames id a place is labelled with."""
    if not label.isdigit():
        return ""
    town = find_town(int(label), page.services.settings.country)
    return "" if town is None else town.name(page.language)
