"""From donors and claims to bodies."""

from datetime import date

from reunite.api.render import SEXES
from reunite.api.schemas.blood import (
    ClaimBody,
    ConfirmationBody,
    DeferralBody,
    DonationBody,
    DonorDetail,
    DonorFileBody,
    DonorRowBody,
    DonorSummary,
    EligibilityBody,
    HindranceBody,
    RowFaultBody,
)
from reunite.app.import_donors import DonorFileReport
from reunite.app.settle_claims import ClaimView
from reunite.blood.deferral import DonationKind
from reunite.blood.donors import RegisteredDonor, stored_type


def donor_summary(donor: RegisteredDonor) -> DonorSummary:
    """A donor in a list; types are written as laboratories do, in English."""
    return DonorSummary(
        id=donor.id,
        reference=donor.reference,
        type=stored_type(donor.phenotype),
        confirmed=donor.is_confirmed,
        disagrees=donor.disagrees,
        may_be_asked=donor.may_be_asked,
        town_id=int(donor.place_label) if donor.place_label.isdigit() else None,
    )


def donor_detail(donor: RegisteredDonor, today: date) -> DonorDetail:
    """A donor whole, with the days on which they may give again."""
    facts, found = donor.facts, donor.confirmation
    return DonorDetail(
        **donor_summary(donor).model_dump(),
        code=donor.code,
        declared=None if donor.declared is None else stored_type(donor.declared),
        confirmation=None
        if found is None
        else ConfirmationBody(type=stored_type(found.phenotype), at=found.at, method=found.method),
        born_on=facts.born_on,
        sex=SEXES[facts.sex],
        weight_kg=facts.weight_kg,
        donations=[DonationBody(kind=one.kind, on=one.on) for one in facts.donations],
        deferrals=[DeferralBody(reason=one.code, over_on=one.over_on) for one in facts.reasons],
        consents=sorted(donor.consents),
        gives=sorted(donor.kinds),
        travel_km=donor.travel_km,
        rules=donor.rules,
        asleep=donor.asleep,
        away_until=donor.away_until,
        family_code=donor.family_code,
        contact=donor.contact,
        last_asked_at=donor.last_asked_at,
        eligibility=[_eligibility(donor, kind, today) for kind in sorted(donor.kinds)],
    )


def _eligibility(donor: RegisteredDonor, kind: DonationKind, today: date) -> EligibilityBody:
    answer = donor.next_eligible(kind, today)
    return EligibilityBody(
        kind=kind,
        earliest=answer.earliest,
        hindrances=[
            HindranceBody(
                code=one.code,
                about=one.about,
                until=one.until,
                source=one.source.title if one.source else "",
                source_url=one.source.url if one.source else "",
            )
            for one in answer.hindrances
        ],
    )


def claim_body(view: ClaimView) -> ClaimBody:
    """A claim as one of its centres sees it."""
    return ClaimBody(
        id=view.claim.id,
        why=view.claim.why,
        party=view.party,
        other_centre="" if view.other_centre is None else view.other_centre.name,
        made_at=view.claim.made_at,
        answers=sorted(view.answers),
    )


def file_body(report: DonorFileReport) -> DonorFileBody:
    """What became of a file."""
    return DonorFileBody(
        written=report.written,
        counts=report.counts,
        rows=[
            DonorRowBody(
                row=row.row,
                reference=row.reference,
                outcome=row.outcome,
                faults=[
                    RowFaultBody(column=one.column, got=one.got, code=one.error.code)
                    for one in row.faults
                ],
                claim=row.claim,
            )
            for row in report.rows
        ],
    )
