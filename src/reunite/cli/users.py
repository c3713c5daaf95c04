"""``user``: accounts, from the machine itself."""

import secrets
import sys
from typing import Annotated

import typer
from rich.table import Column, Table

from reunite.accounts.account import Role
from reunite.app.sign_in import change_account, create_account, list_accounts, set_password
from reunite.cli.context import MACHINE, get_account, opened, out
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import DEFAULT_LANGUAGE, Language

app = typer.Typer(no_args_is_help=True, help="Accounts.")

PASSWORD_BYTES = 12

Email = Annotated[str, typer.Argument(help="E-mail address.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
Generate = Annotated[
    bool, typer.Option("--generate", help="Make up a password and print it, this once.")
]


@app.command("add")
def add(
    email: Email,
    role: Annotated[Role, typer.Option(help="What the account is for.")] = Role.FAMILY,
    name: Annotated[str, typer.Option(help="Name to show; asked for unless given.")] = "",
    language: Annotated[Language, typer.Option(help="Of notices.")] = DEFAULT_LANGUAGE,
    organisation: Annotated[str, typer.Option(help="Station or office.")] = "",
    *,
    password_stdin: FromStdin = False,
    generate: Generate = False,
) -> None:
    """Add an account of any role."""
    name = name or typer.prompt("Name")
    password = read_password(from_stdin=password_stdin, generate=generate)
    with opened() as (_, services):
        create_account(services, email, password, name, role, language, organisation)
    out.print(f"Added {email.strip().lower()} as {role.value}.", markup=False, highlight=False)
    _show_generated(password, generated=generate)


@app.command("list")
def list_() -> None:
    """List all accounts."""
    table = Table("No.", Column("E-mail", no_wrap=True), "Role", "Name", "Organisation", "State")
    with opened() as (_, services):
        after = AccountId(0)
        while page := list_accounts(services, MACHINE, after):
            for one in page:
                state = "shut out" if one.disabled else "active"
                table.add_row(
                    str(one.id), one.email, one.role.value, one.display_name, one.organisation,
                    state,
                )  # fmt: skip
            after = page[-1].id
    out.print(table)


@app.command("set-password")
def set_password_command(
    email: Email, *, password_stdin: FromStdin = False, generate: Generate = False
) -> None:
    """Give an account a new password; its sessions end."""
    password = read_password(from_stdin=password_stdin, generate=generate)
    with opened() as (_, services):
        set_password(services, email, password)
    out.print("The password is set; all sessions of the account have ended.", highlight=False)
    _show_generated(password, generated=generate)


@app.command("set-role")
def set_role(email: Email, role: Annotated[Role, typer.Argument(help="The new role.")]) -> None:
    """Give an account another role; its sessions end."""
    with opened() as (_, services):
        change_account(services, MACHINE, get_account(services, email).id, role=role)
    out.print(f"{email.strip().lower()} is {role.value} now.", markup=False, highlight=False)


def read_password(*, from_stdin: bool, generate: bool) -> str:
    """A password, made up, read or asked for; never an argument, which others can see."""
    if generate and from_stdin:
        raise typer.BadParameter("--generate and --password-stdin exclude one another")
    if generate:
        return secrets.token_urlsafe(PASSWORD_BYTES)
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _show_generated(password: str, *, generated: bool) -> None:
    if generated:
        out.print(f"Password (shown this once): {password}", markup=False, highlight=False)
