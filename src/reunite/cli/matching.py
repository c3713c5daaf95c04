"""``match``: compare all records with all others."""

from typing import Annotated

import typer

from reunite.app.match_all import MatchProgress, match_all
from reunite.cli.context import MACHINE, opened, out
from reunite.cli.reports import progress_bar


def match_command(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every open record; a worker does it every night.")
    ] = False,
) -> None:
    """Compare records of both sides, and those of one side among one another, by facts and faces.

    Leads and duplicates go to the reviewers.  Cut off, it may be run again.
    """
    if not everything:
        raise typer.BadParameter("say --all")
    with opened() as (_, services), progress_bar() as bar:
        task = bar.add_task("Comparing", total=None, rate="")

        def show(state: MatchProgress) -> None:
            rate = f"{state.records_per_second:.0f} records/s"
            bar.update(task, completed=state.records, rate=rate)

        state = match_all(services, MACHINE, show)
    out.print(
        f"{state.records:,} records, {state.pairs:,} pairs weighed, "
        f"{state.records_per_second:.0f} records/s.",
        highlight=False,
    )
