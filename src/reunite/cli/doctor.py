"""``doctor``: is everything as it should be, and what to do where it is not."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import typer
from rich.table import Table

from reunite.app.bootstrap import (
    Config,
    DatabaseState,
    inspect_database,
    open_services,
    read_config,
)
from reunite.app.count_outcomes import count_outcomes
from reunite.app.services import Services
from reunite.cli.context import err, out
from reunite.cli.messages import tell, terminal_language
from reunite.faces.registry import load_registry
from reunite.kernel.errors import ReuniteError
from reunite.ports import CaseQuery

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
LITTLE_DISK_BYTES = 5_000_000_000  # a photo takes about 0.5 MB, so room for 10,000
TOO_LITTLE_DISK_BYTES = 500_000_000  # PostgreSQL stops when it cannot write
LONG_BACKLOG = 1000  # messages: more than a worker does in half a minute
CLOCK_TOLERANCE = timedelta(minutes=5)


class State(StrEnum):
    """How a check came out."""

    GOOD = "good"
    DOUBTFUL = "doubtful"  # it works, and somebody should look
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do about it."""

    check: str
    state: State
    found: str
    remedy: str = ""


Check = Callable[[Services], Finding]


def doctor_command() -> None:
    """Check everything that Reunite needs; exit code 1 when something is wrong."""
    table = Table("Check", "State", "Found", "What to do")
    style = {State.GOOD: "green", State.DOUBTFUL: "yellow", State.BAD: "bold red"}
    findings = []
    with err.status("Looking …"):
        for finding in examine(read_config()):
            findings.append(finding)
            state = f"[{style[finding.state]}]{finding.state.value}[/]"
            table.add_row(finding.check, state, finding.found, finding.remedy)
    out.print(table)
    if any(finding.state is State.BAD for finding in findings):
        raise typer.Exit(1)


def examine(config: Config) -> Iterator[Finding]:
    """Every check, the ones that need nothing else first."""
    yield check_python()
    yield check_disk(config.data_directory)
    yield from check_models(config)
    try:
        with inspect_database(config) as state:
            yield check_migrations(state)
        with open_services(config) as services:
            place = "REUNITE_DATABASE_URL" if config.database_url else "our own"
            yield Finding("Database", State.GOOD, f"{place}; reachable")
            for check in (check_photos, check_gallery, check_clock, check_backlog):
                yield _guarded(check, services)
    except ReuniteError as error:
        yield Finding("Database", State.BAD, error.code, tell(error, terminal_language()))


def check_migrations(state: DatabaseState) -> Finding:
    """Whether the tables are those of this release."""
    if state.is_current:
        return Finding("Migrations", State.GOOD, f"current ({state.revision})")
    found = f"{state.revision or 'empty'}; this release needs {state.newest}"
    return Finding("Migrations", State.DOUBTFUL, found, "This check applied what was missing.")


def _guarded(check: Check, services: Services) -> Finding:
    try:
        return check(services)
    except (ReuniteError, OSError) as error:
        name = check.__name__.removeprefix("check_").capitalize()
        if isinstance(error, ReuniteError):
            return Finding(name, State.BAD, error.code, tell(error, terminal_language()))
        return Finding(name, State.BAD, str(error), "Look at the file or directory named.")


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether this Python is one that Reunite is tested with."""
    found = ".".join(str(part) for part in version)
    if version[:2] < OLDEST_PYTHON:
        return Finding("Python", State.BAD, found, "Install Python 3.11 or newer.")
    if version[:2] > NEWEST_PYTHON:
        return Finding("Python", State.DOUBTFUL, found, "Newer than what is tested: 3.11 to 3.13.")
    return Finding("Python", State.GOOD, found)


def check_disk(directory: Path, free_bytes: int | None = None) -> Finding:
    """Whether the data directory has room."""
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(existing).free if free_bytes is None else free_bytes
    found = f"{directory}: {free / 1e9:.1f} GB free"
    remedy = "Free some space, or choose another directory with REUNITE_DATA."
    if free < TOO_LITTLE_DISK_BYTES:
        return Finding("Disk", State.BAD, found, remedy)
    if free < LITTLE_DISK_BYTES:
        return Finding("Disk", State.DOUBTFUL, found, remedy)
    return Finding("Disk", State.GOOD, found)


def check_models(config: Config) -> Iterator[Finding]:
    """Whether every face model is there and is the file that it should be."""
    try:
        models = load_registry(config.models_file).models.values()
    except ReuniteError as error:
        yield Finding("Models", State.BAD, error.code, tell(error, terminal_language()))
        return
    for model in models:
        try:
            model.read()
        except ReuniteError as error:
            remedy = tell(error, terminal_language())
            yield Finding(f"Model {model.name}", State.BAD, error.code, remedy)
        else:
            yield Finding(f"Model {model.name}", State.GOOD, f"SHA-256 {model.sha256[:12]}…")


def check_photos(services: Services) -> Finding:
    """Whether a picture can be kept, read and erased."""
    content = b"doctor"
    key = services.photos.put(content)
    try:
        same = services.photos.get(key) == content
    finally:
        services.photos.delete([key])
    if not same:
        return Finding("Photos", State.BAD, "came back changed", "Check the disk.")
    return Finding("Photos", State.GOOD, "can be written, read and erased")


def check_gallery(services: Services) -> Finding:
    """Whether the gallery loads and holds as many faces as the database."""
    seconds = services.gallery.refresh()
    held = services.gallery.state().templates
    counted = count_outcomes(services)
    stored = counted.templates + counted.synthetic_templates
    found = f"{held:,} of {stored:,} faces, loaded in {seconds:.1f} s"
    if held != stored:
        return Finding(
            "Gallery",
            State.DOUBTFUL,
            found,
            "Faces of another model are not searched; `reunite gallery rebuild` reads all anew.",
        )
    return Finding("Gallery", State.GOOD, found)


def check_clock(services: Services) -> Finding:
    """Whether the clock is behind what has been written."""
    now = services.clock.now()
    with services.database.transaction() as transaction:
        newest = transaction.cases.list_matching(CaseQuery(limit=1))
    found = f"{now:%Y-%m-%d %H:%M} UTC"
    if newest and newest[0].opened_at > now + CLOCK_TOLERANCE:
        return Finding(
            "Clock",
            State.BAD,
            f"{found}, but a case was opened {newest[0].opened_at:%Y-%m-%d %H:%M}",
            "Set the clock; switch on time synchronisation.",
        )
    return Finding("Clock", State.GOOD, found)


def check_backlog(services: Services) -> Finding:
    """Whether somebody does what must happen later."""
    with services.database.transaction() as transaction:
        waiting = transaction.outbox.count_waiting()
    found = f"{waiting:,} messages wait"
    if waiting > LONG_BACKLOG:
        return Finding("Outbox", State.DOUBTFUL, found, "Start a worker: `reunite worker`.")
    return Finding("Outbox", State.GOOD, found)
