"""Accounts: register, sign in, sign out, who is asking."""

import re
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from reunite.accounts.account import Account, Actor, Role, require_role
from reunite.app.search_face import TOKEN_BYTES, digest_of
from reunite.app.services import Services
from reunite.kernel.errors import ForbiddenError, InvalidInputError
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 200  # argon2 reads all of it: a megabyte would be an attack
MAX_EMAIL_LENGTH = 254  # RFC 5321, 4.5.3.1.3
MAX_DISPLAY_NAME_LENGTH = 60
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
SELF_SERVICE_ROLES = frozenset({Role.FAMILY, Role.VOLUNTEER})

_hasher = PasswordHasher()  # RFC 9106, second recommended option


@cache
def _nobodys_hash() -> str:
    """Checked when nobody has that address, so that the time taken does not tell."""
    # Not at import: every process would pay for it, most of which sign nobody in.
    return _hasher.hash(secrets.token_hex(16))


def register(
    services: Services,
    email: str,
    password: str,
    display_name: str,
    role: Role,
    language: Language,
) -> AccountId:
    """A new family or volunteer account.

    Raises InvalidInputError ``email_invalid``, ``password_too_short``, ``required``;
    ConflictError ``email_taken``; ForbiddenError ``role_required`` for a role that only an
    administrator gives.
    """
    if role not in SELF_SERVICE_ROLES:
        raise ForbiddenError("role_required")
    return create_account(services, email, password, display_name, role, language)


def create_account(
    services: Services,
    email: str,
    password: str,
    display_name: str,
    role: Role,
    language: Language,
    organisation: str = "",
) -> AccountId:
    """A new account of any role; for the command line and administrators."""
    address = email.strip().lower()
    if len(address) > MAX_EMAIL_LENGTH or not EMAIL.fullmatch(address):
        raise InvalidInputError("email_invalid", field="email")
    check_password(password)
    name = display_name.strip()
    if not name:
        raise InvalidInputError("required", field="display_name")
    if len(name) > MAX_DISPLAY_NAME_LENGTH:
        raise InvalidInputError(
            "text_too_long", field="display_name", maximum=MAX_DISPLAY_NAME_LENGTH
        )
    account = Account(
        email=address,
        display_name=name,
        password_hash=_hasher.hash(password),
        role=role,
        created_at=services.clock.now(),
        language=language,
        organisation=organisation.strip(),
    )
    with services.database.transaction() as transaction:
        return transaction.accounts.add(account)


def check_password(password: str) -> None:
    """Raise InvalidInputError for a password that is too short or absurdly long."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise InvalidInputError("password_too_short", field="password", minimum=MIN_PASSWORD_LENGTH)
    if len(password) > MAX_PASSWORD_LENGTH:
        raise InvalidInputError("text_too_long", field="password", maximum=MAX_PASSWORD_LENGTH)


def sign_in(services: Services, email: str, password: str) -> str:
    """A session token for the right address and password.

    Raises ForbiddenError ``sign_in_failed``, which does not say which of the two was wrong.
    """
    with services.database.transaction() as transaction:
        account = transaction.accounts.find_by_email(email.strip().lower())
    nobodys = _nobodys_hash()  # the first time it takes as long for those who are known
    try:
        # One character more than any password has: it cannot be right, and costs no more.
        tried = password[: MAX_PASSWORD_LENGTH + 1]
        _hasher.verify(nobodys if account is None else account.password_hash, tried)
    except (VerificationError, InvalidHashError):
        account = None
    if account is None or account.disabled:
        raise ForbiddenError("sign_in_failed", field="password")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with services.database.transaction() as transaction:
        transaction.accounts.add_session(
            digest_of(token),
            account.id,
            services.clock.now() + services.settings.session_ttl,
        )
    return token


def find_actor(services: Services, token: str | None) -> Actor | None:
    """Who holds this session token; None for nobody."""
    if not token:
        return None
    with services.database.transaction() as transaction:
        account = transaction.accounts.find_session(digest_of(token), services.clock.now())
    return None if account is None else actor_of(account)


def actor_of(account: Account) -> Actor:
    """The account as one who asks."""
    return Actor(
        account.id, account.role, account.display_name, account.language, account.organisation
    )


def sign_out(services: Services, token: str) -> None:
    """Forget a session."""
    with services.database.transaction() as transaction:
        transaction.accounts.delete_session(digest_of(token))


def set_password(services: Services, email: str, password: str) -> None:
    """Give an account a new password and end its sessions.

    Raises InvalidInputError ``email_unknown``.
    """
    check_password(password)
    with services.database.transaction() as transaction:
        account = transaction.accounts.find_by_email(email.strip().lower())
        if account is None:
            raise InvalidInputError("email_unknown", field="email")
        account.password_hash = _hasher.hash(password)
        transaction.accounts.save(account)
        transaction.accounts.delete_sessions_of(account.id)


def change_account(
    services: Services,
    actor: Actor | None,
    account_id: AccountId,
    *,
    role: Role | None = None,
    disabled: bool | None = None,
) -> None:
    """Give an account another role, or shut it out; for administrators.

    Raises InvalidInputError ``own_account``: nobody locks themselves out.
    """
    actor = require_role(actor, frozenset({Role.ADMIN}))
    if account_id == actor.account_id:
        raise InvalidInputError("own_account")
    with services.database.transaction() as transaction:
        account = transaction.accounts.get(account_id)
        if role is not None:
            account.role = role
        if disabled is not None:
            account.disabled = disabled
        transaction.accounts.save(account)
        if account.disabled:
            # Nobody who is shut out goes on hearing who is lost, and where.
            transaction.volunteers.delete(account_id)
            addresses = transaction.channel_addresses.list_of(account_id)
            transaction.channel_addresses.remove([address.id for address in addresses])
        if account.disabled or role is not None:
            transaction.accounts.delete_sessions_of(account_id)


def list_accounts(
    services: Services, actor: Actor | None, after: AccountId = AccountId(0), limit: int = 100
) -> list[Account]:
    """All accounts by id; for administrators."""
    require_role(actor, frozenset({Role.ADMIN}))
    with services.database.transaction() as transaction:
        return transaction.accounts.list_all(after=after, limit=limit)
