"""``partners``: keys for other organisations' programs, and whom we exchange records with."""

import sys
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Column, Table

from reunite.app.api_keys import KeyRequest, NewKey, add_key, list_keys, revoke_key, rotate_key
from reunite.app.exchange_records import (
    RepositoryRequest,
    add_repository,
    list_repositories,
    pause_repository,
    pull_due,
    remove_repository,
)
from reunite.app.services import Services
from reunite.app.webhooks import add_webhook, disable_webhook, list_webhooks
from reunite.cli.context import MACHINE, opened, out, staff_member
from reunite.cli.exporting import export_command
from reunite.kernel.ids import ApiKeyId, WebhookId
from reunite.kernel.people import Module
from reunite.partners.keys import DEFAULT_REQUESTS_PER_MINUTE, Scope
from reunite.partners.webhooks import EventName

app = typer.Typer(no_args_is_help=True, help="Other registries: keys, feeds, webhooks.")
keys = typer.Typer(no_args_is_help=True, help="Keys for partners' programs.")
repositories = typer.Typer(no_args_is_help=True, help="Repositories that we pull from.")
webhooks = typer.Typer(no_args_is_help=True, help="Servers that are told what happens.")
app.add_typer(keys, name="key")
app.add_typer(repositories, name="repository")
app.add_typer(webhooks, name="webhook")
app.command("export")(export_command)

MODULES = {module.name.lower(): module for module in Module}

Domain = Annotated[str, typer.Argument(help="Of the repository, e.g. registry.example.org.")]
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
    photos_agreed: Annotated[
        bool, typer.Option(help="Photos that its records point at may be fetched.")
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
            photos_agreed=photos_agreed,
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


@repositories.command("add")
def add_repository_command(
    domain: Domain,
    address: Annotated[str, typer.Argument(help="Of its PFIF person feed.")],
    account: Annotated[
        str, typer.Option(help="E-mail of the officer or reviewer who answers for what it brings.")
    ],
    module: Annotated[
        str, typer.Option(help="child or elder, for people whose age is not known.")
    ] = "child",
    every_minutes: Annotated[int, typer.Option(help="How often it is read.")] = 15,
    *,
    key_stdin: Annotated[
        bool, typer.Option("--key-stdin", help="Read our key there from standard input.")
    ] = False,
    publication_agreed: Annotated[
        bool, typer.Option(help="It has the families' consent to publication.")
    ] = False,
    photos_agreed: Annotated[
        bool, typer.Option(help="Photos that its records point at may be fetched.")
    ] = False,
) -> None:
    """Pull from a repository from now on, or on other terms."""
    if module not in MODULES:
        raise typer.BadParameter("child or elder")
    with opened() as (_, services):
        wanted = RepositoryRequest(
            domain=domain,
            address=address,
            account_id=staff_member(services, account).account_id,
            secret=sys.stdin.readline().strip() if key_stdin else "",
            publication_agreed=publication_agreed,
            photos_agreed=photos_agreed,
            module=MODULES[module],
            every=timedelta(minutes=every_minutes),
        )
        add_repository(services, MACHINE, wanted)
    out.print(f"{domain} is read every {every_minutes} minutes.", markup=False, highlight=False)


@repositories.command("list")
def list_repositories_command() -> None:
    """List repositories, with how far we have read and what went wrong."""
    table = Table("Domain", "Address", "Read until", "Last read", "State")
    with opened() as (_, services):
        for one in list_repositories(services, MACHINE):
            table.add_row(
                one.domain, one.address, str(one.since or ""), str(one.pulled_at or ""),
                "paused" if one.paused else one.error or "fine",
            )  # fmt: skip
    out.print(table)


@repositories.command("pause")
def pause_command(domain: Domain) -> None:
    """Stop reading for a while."""
    with opened() as (_, services):
        pause_repository(services, MACHINE, domain, paused=True)


@repositories.command("resume")
def resume_command(domain: Domain) -> None:
    """Go on reading, at once."""
    with opened() as (_, services):
        pause_repository(services, MACHINE, domain, paused=False)


@repositories.command("remove")
def remove_command(domain: Domain) -> None:
    """Read no more; records that have come stay until they expire."""
    with opened() as (_, services):
        remove_repository(services, MACHINE, domain)


@app.command("pull")
def pull_command() -> None:
    """Read everything that is due now, without waiting for the worker."""
    with opened() as (_, services):
        while report := pull_due(services):
            counts = ", ".join(f"{n} {arrival.value}" for arrival, n in report.counts.items())
            out.print(
                f"{report.received} records: {counts or 'nothing'}; {len(report.refused)} refused.",
                highlight=False,
            )


@webhooks.command("add")
def add_webhook_command(
    address: Annotated[str, typer.Argument(help="Of the partner's server.")],
    event: Annotated[list[EventName], typer.Option(help="What to tell; may be repeated.")],
) -> None:
    """Tell a server what happens; the secret for its signatures is shown this once."""
    with opened() as (_, services):
        made = add_webhook(services, MACHINE, address, frozenset(event))
    out.print(f"Webhook {made.id}.", highlight=False)
    out.print(f"Secret (shown this once): {made.secret}", markup=False, highlight=False)


@webhooks.command("list")
def list_webhooks_command() -> None:
    """List webhooks."""
    table = Table("No.", "Address", "Events", "Failures", "State")
    with opened() as (_, services):
        for one in list_webhooks(services, MACHINE):
            table.add_row(
                str(one.id), one.address, ", ".join(sorted(one.events)), str(one.failures),
                "off" if one.disabled_at else "on",
            )  # fmt: skip
    out.print(table)


@webhooks.command("disable")
def disable_webhook_command(
    number: Annotated[int, typer.Argument(help="From `partners webhook list`.")],
) -> None:
    """Tell a server nothing more."""
    with opened() as (_, services):
        disable_webhook(services, MACHINE, WebhookId(number))


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
