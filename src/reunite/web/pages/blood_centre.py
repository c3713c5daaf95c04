"""A blood centre and its donors: the roll, one donor, types from the laboratory, claims."""

from typing import Final

from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.app.blood_centres import find_own_centre
from reunite.app.donor_families import make_family
from reunite.app.keep_donors import (
    KeptDonor,
    confirm_type,
    get_kept_donor,
    list_own_donors,
    record_deferral,
    record_donation,
    release_donor,
    take_on_donor,
)
from reunite.app.settle_claims import ClaimView, list_claims, settle_claim
from reunite.blood.claims import DonorClaim, Verdict
from reunite.blood.deferral import Donation, DonationKind
from reunite.blood.donors import RegisteredDonor, TypingMethod
from reunite.blood.spelling import format_phenotype
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.ids import DonorClaimId, DonorId
from reunite.kernel.places import find_town
from reunite.web.blood_forms import (
    blood_choices,
    hindrances_said,
    read_day,
    read_reason,
    read_type,
)
from reunite.web.blood_words import DEFERRAL_REASONS, DONATION_KINDS
from reunite.web.donor_words import CLAIM_REASONS, METHODS, VERDICTS
from reunite.web.forms import Form
from reunite.web.page import Context, Page
from reunite.web.routing import Pages

routes = Pages()

DONE: Final = frozenset({"taken", "claimed", "typed", "written", "released", "settled", "family"})


@routes.get("/blood/centre", access=STAFF_ONLY)
def show_centre(page: Page) -> Response:
    """The reader's centre and its donors."""
    centre = find_own_centre(page.services, page.actor)
    if centre is None or not centre.is_verified:
        return page.render("blood/no_centre.html", centre=centre, **blood_choices(page))
    return page.render("blood/centre.html", form=Form(), **_roll(page))


@routes.post("/blood/centre/donors", access=STAFF_ONLY)
def submit_code(page: Page) -> Response:
    """Take on the donor who showed a code, or claim them where another centre keeps them."""
    form = page.form
    try:
        taken = take_on_donor(
            page.services, page.actor, form.required("code"), form.text("reference")
        )
    except ReuniteError as error:
        return page.refuse("blood/centre.html", error, **_roll(page))
    if isinstance(taken, DonorClaim):
        return page.redirect("/blood/centre/claims?done=claimed")
    return page.redirect(f"/blood/centre/donors/{taken.id}?done=taken")


@routes.get("/blood/centre/donors/{donor_id:int}", access=STAFF_ONLY)
def show_kept(page: Page, donor_id: int) -> Response:
    """One donor of the centre."""
    kept = get_kept_donor(page.services, page.actor, DonorId(donor_id))
    return page.render("blood/kept_donor.html", form=Form(), **_kept(page, kept))


@routes.post("/blood/centre/donors/{donor_id:int}/type", access=STAFF_ONLY)
def submit_type(page: Page, donor_id: int) -> Response:
    """A laboratory result: shown as it was read, then kept."""
    form = page.form
    kept = get_kept_donor(page.services, page.actor, DonorId(donor_id))
    try:
        found = read_type(form, "found")
        method = form.choice("method", TypingMethod, TypingMethod.SEROLOGY)
    except InvalidInputError as error:
        return page.refuse("blood/kept_donor.html", error, **_kept(page, kept))
    read = format_phenotype(found, page.language)
    if form.text("action") != "save":
        return page.render("blood/kept_donor.html", **{**_kept(page, kept), "read": read})
    confirm_type(page.services, page.actor, DonorId(donor_id), found, method)
    return page.redirect(f"/blood/centre/donors/{donor_id}?done=typed")


@routes.post("/blood/centre/donors/{donor_id:int}/deferral", access=STAFF_ONLY)
def submit_kept_deferral(page: Page, donor_id: int) -> Response:
    """The donor has given here, or the centre's doctor defers them."""
    form, key = page.form, DonorId(donor_id)
    try:
        code, over_on = read_reason(form), read_day(form, "reason_over_on")
        if not code:
            form.required("last_on")
        day = read_day(form, "last_on")
        if day is not None:
            kind = form.choice("last_kind", DonationKind, DonationKind.WHOLE_BLOOD)
            record_donation(page.services, page.actor, key, Donation(kind, day))
        if code:
            record_deferral(page.services, page.actor, key, code, over_on)
    except InvalidInputError as error:
        if error.details.get("field") == "last_given_on":
            error.details["field"] = "last_on"
        kept = get_kept_donor(page.services, page.actor, key)
        return page.refuse("blood/kept_donor.html", error, **_kept(page, kept))
    return page.redirect(f"/blood/centre/donors/{donor_id}?done=written")


@routes.post("/blood/centre/donors/{donor_id:int}/family", access=STAFF_ONLY)
def submit_kept_family(page: Page, donor_id: int) -> Response:
    """Give the donor's family a code."""
    make_family(page.services, page.actor, DonorId(donor_id))
    return page.redirect(f"/blood/centre/donors/{donor_id}?done=family")


@routes.post("/blood/centre/donors/{donor_id:int}/release", access=STAFF_ONLY)
def submit_release(page: Page, donor_id: int) -> Response:
    """Keep the donor no longer."""
    release_donor(page.services, page.actor, DonorId(donor_id))
    return page.redirect("/blood/centre?done=released")


@routes.get("/blood/centre/claims", access=STAFF_ONLY)
def show_claims(page: Page) -> Response:
    """Donors whom two centres have."""
    return page.render("blood/claims.html", form=Form(), **_claims(page))


@routes.post("/blood/centre/claims/{claim_id:int}", access=STAFF_ONLY)
def submit_verdict(page: Page, claim_id: int) -> Response:
    """What is so, in the eyes of this centre."""
    try:
        verdict = page.form.choice("verdict", Verdict)
        settle_claim(page.services, page.actor, DonorClaimId(claim_id), verdict)
    except ReuniteError as error:
        return page.refuse("blood/claims.html", error, **_claims(page))
    return page.redirect("/blood/centre/claims?done=settled")


def _roll(page: Page) -> Context:
    after = page.query("after")
    roll = list_own_donors(
        page.services,
        page.actor,
        after=DonorId(int(after) if after.isdigit() and len(after) <= _ID_DIGITS else 0),
    )
    return {
        **blood_choices(page),
        "roll": roll,
        "donors": [(one, *_line(page, one.donor)) for one in roll.donors],
        "done": _done(page),
    }


_ID_DIGITS: Final = 18


def _line(page: Page, donor: RegisteredDonor) -> tuple[str, str, object]:
    """Type, town and the first day of the next donation of whole blood."""
    today = page.now.date()
    answer = donor.next_eligible(DonationKind.WHOLE_BLOOD, today)
    day = "today" if answer.earliest == today else answer.earliest
    return format_phenotype(donor.phenotype, page.language), town_name(page, donor), day


def _kept(page: Page, kept: KeptDonor) -> Context:
    donor, today = kept.donor, page.now.date()
    names = page.web.renderers[page.language].translations
    answer = donor.next_eligible(DonationKind.WHOLE_BLOOD, today)
    declared = donor.declared
    return {
        **blood_choices(page),
        "kept": kept,
        "donor": donor,
        "type": format_phenotype(donor.phenotype, page.language),
        "declared": "" if declared is None else format_phenotype(declared, page.language),
        "town": town_name(page, donor),
        "methods": [(one.value, names.gettext(METHODS[one])) for one in TypingMethod],
        "method_words": METHODS,
        "kind_words": DONATION_KINDS,
        "reason_words": DEFERRAL_REASONS,
        "earliest": answer.earliest,
        "hindrances": hindrances_said(page, answer.hindrances),
        "today": today.isoformat(),
        "read": "",
        "done": _done(page),
    }


def _claims(page: Page) -> Context:
    names = page.web.renderers[page.language].translations

    def described(donor: RegisteredDonor | None) -> tuple[str, str, object] | None:
        if donor is None:
            return None
        born = donor.facts.born_on
        year = None if born is None else born.year
        return format_phenotype(donor.phenotype, page.language), town_name(page, donor), year

    def answers(view: ClaimView) -> list[tuple[str, str]]:
        return [(one.value, names.gettext(VERDICTS[one])) for one in Verdict if one in view.answers]

    return {
        **blood_choices(page),
        "claims": [
            (
                view,
                names.gettext(CLAIM_REASONS[view.claim.why]),
                described(view.own),
                described(view.other),
                answers(view),
            )
            for view in list_claims(page.services, page.actor)
        ],
        "done": _done(page),
    }


def town_name(page: Page, donor: RegisteredDonor) -> str:
    """The town that a donor's place is named after."""
    if not donor.place_label.isdigit():
        return ""
    town = find_town(int(donor.place_label), page.services.settings.country)
    return "" if town is None else town.name(page.language)


def _done(page: Page) -> str:
    done = page.query("done")
    return done if done in DONE else ""
