"""Donors as files: a centre's own roll, and what is kept about oneself."""

from collections.abc import Iterator
from enum import StrEnum

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.app.blood_centres import require_centre
from reunite.app.choose_channels import export_channels
from reunite.app.services import Services
from reunite.blood.centres import BloodCentre
from reunite.blood.donors import RegisteredDonor, stored_type
from reunite.blood.register_writing import register_row, write_csv, write_xlsx
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import DonorId
from reunite.kernel.languages import Language
from reunite.kernel.places import resolution_of
from reunite.ports import Transaction

_BATCH = 1000
_EVERY_ASK = 100_000


class FileFormat(StrEnum):
    """How a roll is written."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """As HTTP names it (IANA)."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def export_donors(
    services: Services, actor: Actor | None, form: FileFormat, language: Language | None = None
) -> bytes:
    """The donors of the actor's centre, as a file that it can bring again.

    Types are written in ``language``, or else the actor's.  Raises ForbiddenError as
    ``require_centre``.
    """
    with services.database.transaction() as transaction:
        actor, centre = require_centre(transaction, actor)
        rows = (
            register_row(donor, language or actor.language)
            for donor in _everybody(transaction, centre)
        )
        return write_csv(rows) if form is FileFormat.CSV else write_xlsx(rows)


def export_own_donor(services: Services, actor: Actor | None) -> dict[str, object]:
    """Everything that is kept about the actor as a donor.  Raises NotFoundError."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        donor = transaction.donors.find_of_account(actor.account_id)
        if donor is None:
            raise NotFoundError
        claims = transaction.donors.list_claims_of_donor(donor.id)
        asks = transaction.donor_asks.list_of_donor(donor.id, limit=_EVERY_ASK)
        names = {one.id: one.name for one in transaction.blood_centres.list_all()}
    facts, found = donor.facts, donor.confirmation
    return {
        "registered_at": donor.registered_at.isoformat(),
        "code": donor.code,
        "declared_type": None if donor.declared is None else stored_type(donor.declared),
        "confirmed_type": None
        if found is None
        else {
            "type": stored_type(found.phenotype),
            "by": names.get(found.centre_id, ""),
            "at": found.at.isoformat(),
            "method": found.method.value,
        },
        "born_on": None if facts.born_on is None else facts.born_on.isoformat(),
        "sex": facts.sex.name.lower(),
        "weight_kg": facts.weight_kg,
        "donations": [{"kind": d.kind.value, "on": d.on.isoformat()} for d in facts.donations],
        "deferrals": [
            {"reason": r.code, "over_on": None if r.over_on is None else r.over_on.isoformat()}
            for r in facts.reasons
        ],
        "rules": donor.rules,
        "consents": sorted(donor.consents),
        "gives": sorted(donor.kinds),
        "travel_km": donor.travel_km,
        "asleep": donor.asleep,
        "away_until": None if donor.away_until is None else donor.away_until.isoformat(),
        "place": None
        if donor.cell is None
        else {
            "h3_cell": f"{donor.cell:x}",
            "resolution": resolution_of(donor.cell),
            "nearest_town_geonames_id": donor.place_label,
        },
        "contact": donor.contact,
        "kept_by": None if donor.centre_id is None else names.get(donor.centre_id, ""),
        "number_there": donor.reference,
        "family_code": donor.family_code,
        "last_asked_at": None if donor.last_asked_at is None else donor.last_asked_at.isoformat(),
        "times_asked": donor.history.asked,
        "times_willing": donor.history.yes,
        "asked": [
            {
                "at": ask.asked_at.isoformat(),
                "answer": ask.answer,
                "answered_at": None if ask.answered_at is None else ask.answered_at.isoformat(),
                "reason": ask.reason,
                "remark": ask.remark,
                "contact": ask.contact,
            }
            for ask in asks
        ],
        "claims": [
            {
                "by": names.get(claim.centre_id, ""),
                "at": claim.made_at.isoformat(),
                "outcome": claim.outcome,
            }
            for claim in claims
        ],
        "channels": export_channels(services, actor),
    }


def _everybody(transaction: Transaction, centre: BloodCentre) -> Iterator[RegisteredDonor]:
    after = DonorId(0)
    while True:
        batch = transaction.donors.list_of_centre(centre.id, after=after, limit=_BATCH)
        yield from batch
        if len(batch) < _BATCH:
            return
        after = batch[-1].id
