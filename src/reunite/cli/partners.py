"""``partners``: keys for other organisations' programs, and whom we exchange records with."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Column, Table

from reunite.app.api_keys import KeyRequest, NewKey, add_key, list_keys, revoke_key, rotate_key
from reunite.app.services import Services
from reunite.cli.context import MACHINE, opened, out, staff_member
from reunite.kernel.ids import ApiKeyId
from reunite.partners.keys import DEFAULT_REQUESTS_PER_MINUTE, Scope

app = typer.Typer(no_args_is_help=True, help="Other registries: keys, feeds, webhooks.")
keys = typer.Typer(no_args_is_help=True, help="Keys for partners' programs.")
app.add_typer(keys, name="key")

KeyNumber = Annotated[int, typer.Argument(help="Number of the key, from `partners key list`.")]


@keys.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The partner, for the list.")],
    account: Annotated[
        str, typer.Option(help="E-mail of the officer or reviewer who answers for the partner.")
    ],
    scope: Annotated[list[Scope], typer.Option(help="What the key opens; may be repeated.")],
    domain: Annotated[str, typer.Option(help="Whose records it may write.")] = "",
    per_minute: Annotated[
        int, typer.Option(help="Requests a minute.")
    ] = DEFAULT_REQUESTS_PER_MINUTE,
    days: Annotated[int, typer.Option(help="Ends after so many days; 0: never.")] = 0,
    *,
    publication_agreed: Annotated[
        bool, typer.Option(help="The partner has the families' consent to publication.")
    ] = False,
) -> None:
    """Make a key; its secret is shown this once."""
    with opened() as (_, services):
        wanted = KeyRequest(
            name=name,
            scopes=frozenset(scope),
            account_id=staff_member(services, account).account_id,
            domain=domain,
            publication_agreed=publication_agreed,
            requests_per_minute=per_minute,
            expires_at=services.clock.now() + timedelta(days=days) if days else None,
        )
        made = add_key(services, MACHINE, wanted)
    _show(made)


@keys.command("rotate")
def rotate(number: KeyNumber) -> None:
    """Make a new secret for the same partner; the old one goes on for a day."""
    with opened() as (_, services):
        made = rotate_key(services, MACHINE, ApiKeyId(number))
    _show(made)


@keys.command("revoke")
def revoke(number: KeyNumber) -> None:
    """End a key at once."""
    with opened() as (_, services):
        revoke_key(services, MACHINE, ApiKeyId(number))
    out.print(f"Key {number} opens nothing any more.", highlight=False)


@keys.command("list")
def list_() -> None:
    """List all keys, with what each opens and how often it was used."""
    with opened() as (_, services):
        table = _table(services)
    out.print(table)


def _table(services: Services) -> Table:
    table = Table(
        "No.", Column("Key", no_wrap=True), "Partner", "Opens", "Domain", "Uses", "Last", "State"
    )
    listed = list_keys(services, MACHINE)
    now = services.clock.now()
    for key in listed.keys:
        state = "open" if key.is_valid(now) else "revoked" if key.revoked_at else "ended"
        last = "" if key.last_used_at is None else f"{key.last_used_at:%Y-%m-%d %H:%M}"
        table.add_row(
            str(key.id), f"{key.hint}…", key.name, ", ".join(sorted(key.scopes)), key.domain,
            str(listed.uses.get(key.id, 0)), last, state,
        )  # fmt: skip
    return table


def _show(made: NewKey) -> None:
    out.print(f"Key {made.key.id} for {made.key.name}.", markup=False, highlight=False)
    out.print(f"Secret (shown this once): {made.secret}", markup=False, highlight=False)
