"""The names behind account ids, so that staff see who took each step."""

from collections.abc import Iterable

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.app.services import Services
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId
from reunite.ports import Transaction


def name_accounts(
    services: Services, actor: Actor | None, account_ids: Iterable[AccountId]
) -> dict[AccountId, str]:
    """Display names by id, of the accounts that exist."""
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        return names_in(transaction, set(account_ids))


def names_in(transaction: Transaction, account_ids: set[AccountId]) -> dict[AccountId, str]:
    """The same within a transaction; one look-up an account, for the few of one page."""
    names = {}
    for account_id in sorted(account_ids):
        try:
            names[account_id] = transaction.accounts.get(account_id).display_name
        except NotFoundError:
            continue
    return names
