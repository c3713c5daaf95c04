"""Sign in and out, register, and administer accounts."""

from fastapi import APIRouter, Request

from reunite.accounts.account import Role
from reunite.api.access import AccessRoute, Caller, Wired, allow
from reunite.api.parameters import After, Limit
from reunite.api.problems import problem_responses
from reunite.api.render import account_entry, caller_account
from reunite.api.schemas.basics import (
    AccountChange,
    AccountEntry,
    AccountRequest,
    CallerAccount,
    Created,
    Number,
    Page,
    Session,
    SessionRequest,
)
from reunite.app.access import ADMIN_ONLY, PUBLIC, SIGNED_IN
from reunite.app.sign_in import change_account, list_accounts, register, sign_in, sign_out
from reunite.app.throttle import Doorkeeper
from reunite.kernel.errors import ForbiddenError
from reunite.kernel.ids import AccountId

router = APIRouter(route_class=AccessRoute, tags=["Accounts"])


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


@router.post("/sessions", status_code=201, summary="Sign in", responses=problem_responses(401))
@allow(PUBLIC)
def open_session(services: Wired, request: Request, body: SessionRequest) -> Session:
    """A token for the right address and password.

    After too many attempts, `429` says when to come back.
    """
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    doorkeeper.count_sign_in(body.email, _address(request))
    token = sign_in(services, body.email, body.password)
    doorkeeper.welcome(body.email, _address(request))
    return Session(token=token)


@router.get("/sessions/current", summary="Who is signed in")
@allow(SIGNED_IN)
def get_session(caller: Caller) -> CallerAccount:
    """The account behind the token."""
    if caller is None:
        raise ForbiddenError("sign_in_required")
    return caller_account(caller)


@router.delete("/sessions", status_code=204, summary="Sign out")
@allow(SIGNED_IN)
def close_session(services: Wired, request: Request) -> None:
    """Forget the session of the token that the request carries."""
    sign_out(services, request.state.token)


@router.post(
    "/accounts", status_code=201, summary="Register", responses=problem_responses(403, 409)
)
@allow(PUBLIC)
def add_account(services: Wired, request: Request, body: AccountRequest) -> Created:
    """A new family or volunteer account; other roles are given by an administrator."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    doorkeeper.count_registration(_address(request))
    account_id = register(
        services, body.email, body.password, body.display_name, Role(body.role), body.language
    )
    return Created(id=account_id)


@router.get("/accounts", summary="List accounts")
@allow(ADMIN_ONLY)
def list_all_accounts(
    services: Wired, caller: Caller, after: After = 0, limit: Limit = 100
) -> Page[AccountEntry]:
    """Accounts by number."""
    accounts = list_accounts(services, caller, AccountId(after), limit)
    return Page(
        items=[account_entry(account) for account in accounts],
        next=accounts[-1].id if len(accounts) == limit else None,
    )


@router.patch(
    "/accounts/{account_id}",
    status_code=204,
    summary="Change an account",
    responses=problem_responses(404),
)
@allow(ADMIN_ONLY)
def patch_account(services: Wired, caller: Caller, account_id: Number, body: AccountChange) -> None:
    """Give it another role, or shut it out; its sessions end.  Not one's own."""
    change_account(services, caller, AccountId(account_id), role=body.role, disabled=body.disabled)
