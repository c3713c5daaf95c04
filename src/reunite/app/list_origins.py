"""Where a case comes from: each field's source and time, and what partners say of the person."""

from dataclasses import dataclass

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.app.services import Services
from reunite.partners.exchange import FieldOrigin, PartnerRecord
from reunite.partners.pfif.fields import Kind


@dataclass(frozen=True, slots=True)
class CaseOrigins:
    """Fields that came from partners, and the partners' notes about the person."""

    fields: list[FieldOrigin]
    notes: list[PartnerRecord]


def list_origins(services: Services, actor: Actor | None, reference: str) -> CaseOrigins:
    """The origins of a case.  Raises NotFoundError."""
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
        records = transaction.partners.list_of_case(case.id)
        notes = [one for one in records if one.record.kind is Kind.NOTE]
        return CaseOrigins(
            fields=transaction.partners.list_origins(case.id),
            notes=[one for one in notes if one.record.text("text")],
        )
