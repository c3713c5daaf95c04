"""Accounts: who may do what; for administrators."""

from typing import Any

from starlette.responses import Response

from reunite.accounts.account import Role
from reunite.app.access import ADMIN_ONLY
from reunite.app.sign_in import change_account, list_accounts
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.ids import AccountId
from reunite.web.forms import Form
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()

PAGE_ACCOUNTS = 50
CHANGES = ("role", "disable", "enable")


@routes.get("/admin/accounts", access=ADMIN_ONLY)
def show_accounts(page: Page) -> Response:
    """All accounts by age, a page at a time."""
    return page.render("admin/accounts.html", **_extras(page))


@routes.post("/admin/accounts/{account_id:int}", access=ADMIN_ONLY)
def submit_change(page: Page, account_id: int) -> Response:
    """Another role, or shut out, or let in again; either ends the account's sessions."""
    form = page.form
    try:
        change = form.required("change")
        if change not in CHANGES:
            raise InvalidInputError("choice_unknown", field="change")
        change_account(
            page.services,
            page.actor,
            AccountId(account_id),
            role=form.choice("role", Role) if change == "role" else None,
            disabled=None if change == "role" else change == "disable",
        )
    except ReuniteError as error:
        return page.refuse("admin/accounts.html", error, **_extras(page, account_id))
    after = _after(form)
    return page.redirect(f"/admin/accounts?after={after}&changed={account_id}#account-{account_id}")


def _after(form: Form) -> AccountId:
    return AccountId(max(0, form.integer("after") or 0))


def _extras(page: Page, changed: int | None = None) -> dict[str, Any]:
    wanted = page.query_form() if changed is None else page.form
    after = _after(wanted)
    accounts = list_accounts(page.services, page.actor, after, PAGE_ACCOUNTS + 1)
    return {
        "accounts": accounts[:PAGE_ACCOUNTS],
        "next_after": accounts[PAGE_ACCOUNTS - 1].id if len(accounts) > PAGE_ACCOUNTS else None,
        "after": after,
        "changed": wanted.integer("changed") if changed is None else changed,
        "roles": list(Role),
    }
