"""``serve``, ``worker`` and ``run``."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.table import Column, Table

from reunite.app.fill_gallery import add_synthetic_templates, count_templates
from reunite.app.make_demo import DemoAccount, make_demo
from reunite.app.services import Services
from reunite.cli.context import err, opened, out
from reunite.cli.logs import configure_logs
from reunite.cli.metrics import metrics_beside
from reunite.cli.server import address_of, bind, serve, warm_up, worker_beside
from reunite.worker.loop import Worker

log = structlog.get_logger(__name__)

# Enough to see that a search really scans; a search takes milliseconds still.
SYNTHETIC_TEMPLATES = 1_000_000

Host = Annotated[str, typer.Option(help="Address to listen at.")]
Port = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Port; the next free one from 8000 on unless given."),
]
Proxies = Annotated[
    str,
    typer.Option(
        "--trusted-proxies",
        help="Addresses, by commas, whose X-Forwarded-* headers are believed.",
    ),
]


def serve_command(
    host: Host = "127.0.0.1",
    port: Port = None,
    *,
    worker: Annotated[bool, typer.Option(help="Run a worker in this process as well.")] = True,
    trusted_proxies: Proxies = "",
) -> None:
    """Serve pages and API until Ctrl-C.  TLS is the business of a proxy in front."""
    configure_logs()
    listening = bind(host, port)
    with (
        opened() as (config, services),
        worker_beside(services, wanted=worker),
        metrics_beside(services, config.metrics_port),
    ):
        warm_up(services)
        err.print(f"Reunite is at {address_of(listening)}", highlight=False)
        serve(services, listening, trusted_proxies=trusted_proxies)


def worker_command() -> None:
    """Do what must happen later (matching, alerts, erasure) until Ctrl-C."""
    configure_logs()
    stop = threading.Event()
    with opened() as (config, services), metrics_beside(services, config.metrics_port):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        err.print("Working.  Ctrl-C stops.", highlight=False)
        services.audience.start()
        services.donors.start()
        Worker(services).run_until(stop)


def run_command(
    host: Host = "127.0.0.1",
    port: Port = None,
    synthetic: Annotated[
        int,
        typer.Option(min=0, help="Synthetic faces to search among, labelled as such; 0 for none."),
    ] = SYNTHETIC_TEMPLATES,
) -> None:
    """Try Reunite: everything at once, with demonstration content and accounts."""
    configure_logs()
    listening = bind(host, port)
    with opened() as (config, services):
        with err.status("Making the demonstration town …"):
            accounts = make_demo(services, config.data_directory, Worker(services).drain)
        print_welcome(address_of(listening), accounts, config.data_directory)
        stop = threading.Event()
        filling = threading.Thread(
            target=_fill, args=(services, synthetic, stop), name="synthetic", daemon=True
        )
        with worker_beside(services):
            warm_up(services)
            filling.start()
            try:
                serve(services, listening)
            finally:
                stop.set()
                filling.join()


def print_welcome(address: str, accounts: list[DemoAccount], data_directory: Path) -> None:
    """Where to go, and as whom."""
    table = Table(
        "Role",
        Column("E-mail", no_wrap=True),
        Column("Password", no_wrap=True),
        "Name",
        title="Accounts to try",
    )
    for account in accounts:
        table.add_row(account.role, account.email, account.password, account.display_name)
    out.print(table)
    out.print(f"Data: {data_directory}", highlight=False, soft_wrap=True)
    out.print(
        f"\nReunite is at [bold]{address}[/bold]  (API: {address}/api/v1/openapi.json)\n"
        "Ctrl-C stops it.",
        highlight=False,
        soft_wrap=True,
    )


class _StoppedError(Exception):
    """The server ends before all synthetic faces are there; the next start adds the rest."""


def _fill(services: Services, wanted: int, stop: threading.Event) -> None:
    """Add the synthetic templates that are missing, while visitors look around already."""

    def go_on(_written: int) -> None:
        if stop.is_set():
            raise _StoppedError

    try:
        _, present = count_templates(services)
        if present < wanted:
            # Another seed each time: the same faces twice would make searches look crowded.
            total = add_synthetic_templates(services, wanted - present, 1 + present, go_on)
            log.info("synthetic_templates_added", total=total)
        services.gallery.refresh()
    except _StoppedError:
        log.info("synthetic_templates_interrupted")
    except Exception:  # the demonstration works without them
        log.exception("synthetic_templates_failed")
