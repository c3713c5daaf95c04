"""What every command needs: the configuration, the services, and who is acting."""

import logging
import secrets
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from reunite.accounts.account import STAFF, Account, Actor, Role
from reunite.app.bootstrap import Config, open_services, read_config
from reunite.app.services import Services
from reunite.app.sign_in import actor_of, change_account, create_account
from reunite.cli.logs import configure_logs
from reunite.cli.messages import tell, terminal_language
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.ids import AccountId

INTERRUPTED = 130  # as a shell reports SIGINT

out = Console()
err = Console(stderr=True)

# Stands for whoever may use the machine itself; is never stored and signs in nowhere.
MACHINE = Actor(AccountId(0), Role.ADMIN, "command line", terminal_language())
# What the command line opens and looks at is logged under this account, which nobody can
# sign in to.  The domain is reserved (RFC 2606): it cannot be anybody's.
OPERATOR_EMAIL = "operator@command-line.invalid"


class Commands(TyperGroup):
    """The command line: errors that a person can act on become sentences, not tracebacks."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        # Commands that go on for long say more; the others speak for themselves.
        configure_logs(logging.WARNING)
        try:
            with stopping_on_signals():
                return super().invoke(ctx)
        except ReuniteError as error:
            err.print(tell(error, terminal_language()), style="red", markup=False, soft_wrap=True)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(INTERRUPTED) from error


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Have SIGTERM and SIGHUP unwind like Ctrl-C, so that the database is stopped cleanly."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def opened() -> Iterator[tuple[Config, Services]]:
    """The configuration of the environment and everything running."""
    config = read_config()
    with ExitStack() as running:
        with err.status("Opening the database …"):
            services = running.enter_context(open_services(config))
        yield config, services


def operator(services: Services) -> Actor:
    """The account under which the command line acts."""
    known = find_account(services, OPERATOR_EMAIL)
    if known is None:
        account_id = create_account(
            services,
            OPERATOR_EMAIL,
            secrets.token_urlsafe(32),
            MACHINE.display_name,
            Role.OFFICER,
            MACHINE.language,
        )
        change_account(services, MACHINE, account_id, disabled=True)
        known = get_account(services, OPERATOR_EMAIL)
    return actor_of(known)


def staff_member(services: Services, email: str) -> Actor:
    """The reviewer, officer or administrator with this address.

    Raises InvalidInputError ``email_unknown`` or ``account_not_staff``.
    """
    account = get_account(services, email)
    if account.role not in STAFF or account.disabled:
        raise InvalidInputError("account_not_staff", email=account.email)
    return actor_of(account)


def get_account(services: Services, email: str) -> Account:
    """The account with this address.  Raises InvalidInputError ``email_unknown``."""
    account = find_account(services, email)
    if account is None:
        raise InvalidInputError("email_unknown", field="email")
    return account


def find_account(services: Services, email: str) -> Account | None:
    """The account with this address."""
    with services.database.transaction() as transaction:
        return transaction.accounts.find_by_email(email.strip().lower())
