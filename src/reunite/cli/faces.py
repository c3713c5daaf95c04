"""``faces``: models and adapters behind the templates."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from reunite.app.bootstrap import (
    adapter_folder,
    open_faces,
    open_fitting_engine,
    open_services,
    read_config,
)
from reunite.app.fit_adapter import FitReport, fit_on_folder, fit_on_own_cases, roll_back_adapter
from reunite.app.reembed import reembed
from reunite.cli.context import MACHINE, err, opened, out
from reunite.faces.fitting import OWN_LICENCE
from reunite.faces.installed_adapters import AdapterFolder
from reunite.faces.registry import DLIB_RESNET, SFACE
from reunite.kernel.errors import InvalidInputError

app = typer.Typer(no_args_is_help=True, help="Face models and adapters.")

REEMBED = "Run `reunite faces re-embed`: until then people enrolled before are not found."


@app.command("show")
def show() -> None:
    """Which models and which adapter make the templates, and under which licences."""
    engine = open_faces(read_config())
    table = Table("Part", "Name", "SHA-256", "Licence", "Made of")
    for model in engine.models:
        table.add_row("model", model.name, model.sha256[:12], model.licence_weights, model.source)
    adapter = engine.adapter
    if adapter is not None:
        table.add_row(
            "adapter", adapter.name, adapter.digest[:12], adapter.licence, adapter.training_data
        )
    out.print(table)


@app.command("fit-adapter")
def fit_adapter_command(
    *,
    data: Annotated[
        Path | None,
        typer.Option(help="A folder of labelled faces; without it, your own confirmed pairs."),
    ] = None,
    aged: Annotated[
        Path | None, typer.Option(help="Faces of known age, in files named as UTKFace's.")
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option(help="An embedder to join to the main one; may repeat.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Under which the data may be used.")] = OWN_LICENCE,
    refit_current: Annotated[
        bool,
        typer.Option(
            "--refit-current",
            help="What is in use was fitted on these very people: try its models fitted anew.",
        ),
    ] = False,
) -> None:
    """Fit an adapter, try it on people left out, and install it only if it is better."""
    if data is not None and not data.is_dir():
        raise InvalidInputError("file_missing", path=str(data))
    config = read_config()
    current = open_faces(config)
    # By default what is joined now stays joined.
    joined = [model.name for model in current.models[1:]]
    if not joined and current.model.sha256 == SFACE.sha256:
        joined = [DLIB_RESNET.name]
    engine = open_fitting_engine(config, joined if also is None else also)
    installed = AdapterFolder(adapter_folder(config))
    with err.status("Reading …") as status:

        def tell(done: int) -> None:
            status.update(f"Reading … {done:,} photos")

        if data is None:
            with open_services(config) as services:
                report = fit_on_own_cases(
                    services, MACHINE, engine, installed, current.adapter, tell
                )
        else:
            report = fit_on_folder(
                MACHINE, engine, installed, current.adapter, data,
                aged_folder=aged, licence=licence, progress=tell, refit_current=refit_current,
            )  # fmt: skip
    _print_report(report)


@app.command("rollback-adapter")
def rollback_adapter() -> None:
    """Take the newest adapter out of use; the one before it is used again."""
    removed = roll_back_adapter(MACHINE, AdapterFolder(adapter_folder(read_config())))
    out.print(f"{removed.name} ({removed.digest[:12]}) is no longer used.", highlight=False)
    out.print(REEMBED, highlight=False)


@app.command("re-embed")
def reembed_command() -> None:
    """Make the templates of all stored photos anew for the present model and adapter.

    Photos that have one are passed over, so it may be stopped and started again.
    """
    with opened() as (_, services), err.status("Reading …") as status:
        report = reembed(services, MACHINE, lambda done: status.update(f"Reading … {done:,}"))
    out.print(
        f"{report.made:,} made, {report.already:,} already there, "
        f"{report.unreadable:,} not readable.",
        highlight=False,
    )


def _print_report(report: FitReport) -> None:
    trial = report.trial
    table = Table("On people left out", "In use", "Fitted now")
    table.add_row(
        "right person first", f"{trial.current.rank1:.3f}", f"{trial.candidate.rank1:.3f}"
    )
    table.add_row(
        "mates found at 1% false ones",
        f"{trial.current.true_positive_rate:.3f}",
        f"{trial.candidate.true_positive_rate:.3f}",
    )
    out.print(table)
    out.print(
        f"{trial.people} people, {trial.photos} photos; {report.unread} photos were not usable. "
        f"Gain of the first line, at least: {trial.rank1_gain_at_least:+.3f}.",
        highlight=False,
    )
    if report.installed:
        out.print(f"Installed as {report.adapter.digest[:12]}. {REEMBED}", highlight=False)
    else:
        out.print("Not surely better: nothing was changed.", highlight=False)
