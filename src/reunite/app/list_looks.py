"""Who has looked at the faces of a case; for those who answer for it."""

from dataclasses import dataclass

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.app.name_accounts import names_in
from reunite.app.services import Services
from reunite.ports import Look


@dataclass(frozen=True, slots=True)
class NamedLook:
    """A look with the name of whoever looked; empty where nobody was signed in."""

    look: Look
    name: str


def list_looks(
    services: Services, actor: Actor | None, reference: str, *, limit: int = 100
) -> list[NamedLook]:
    """The newest first.  Raises NotFoundError."""
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
        looks = transaction.looks.list_of_case(case.id, limit=limit)
        names = names_in(
            transaction, {look.account_id for look in looks if look.account_id is not None}
        )
    return [
        NamedLook(look, "" if look.account_id is None else names.get(look.account_id, ""))
        for look in looks
    ]
