"""``search``: the likeliest people for a photo."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from reunite.api.render import SIDE_OF
from reunite.api.schemas.basics import SideName
from reunite.app.search_face import SearchResult, choose_probe_face, start_search, view_search
from reunite.cli.context import err, opened, operator, out
from reunite.gallery.port import Filter
from reunite.kernel.errors import InvalidInputError


def search_command(
    photo: Annotated[Path, typer.Argument(help="JPEG, PNG, WebP or HEIC.")],
    face: Annotated[
        int | None, typer.Option(min=1, help="Which face, where there are several; 1 is the first.")
    ] = None,
    side: Annotated[SideName | None, typer.Option(help="Only records of this side.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=30, help="How many people to list.")] = 10,
) -> None:
    """Search everybody for the person in a photo.  A likeness is a lead, never a match."""
    if not photo.is_file():
        raise InvalidInputError("file_missing", path=str(photo))
    with opened() as (_, services):
        actor = operator(services)
        with err.status("Searching …"):
            started = start_search(services, actor, photo.read_bytes())
            if face is not None:
                choose_probe_face(services, actor, started.token, face - 1)
            sides = frozenset() if side is None else frozenset({SIDE_OF[side]})
            result = view_search(services, actor, started.token, Filter(sides=sides))
    if result.chosen is None:
        _print_faces(result)
        raise InvalidInputError("face_choice_needed", count=len(result.faces))
    _print_result(result, limit)


def _print_faces(result: SearchResult) -> None:
    table = Table("Face", "Left", "Top", "Width", "Height", "Quality")
    for number, face in enumerate(result.faces, start=1):
        table.add_row(
            str(number), *(f"{value:.0f}" for value in face.box), f"{face.quality_score:.0f}"
        )
    out.print(table)


def _print_result(result: SearchResult, limit: int) -> None:
    reference = Column("Reference", no_wrap=True)
    table = Table(reference, "Likeness", "Name", "Side", "Module", "State", "Born", "Photo of")
    for one in result.resemblances[:limit]:
        years = one.case.person.birth_years
        born = "" if years is None else str(years.first)
        if years is not None and years.last != years.first:
            born += f"–{years.last}"
        table.add_row(
            one.case.reference,
            f"{one.similarity:.3f}",
            one.case.person.name or "?",
            one.case.side.name.lower(),
            one.case.module.name.lower(),
            one.case.status.value,
            born,
            "" if one.captured_year is None else str(one.captured_year),
        )
    out.print(table)
    milliseconds = result.elapsed_seconds * 1000
    out.print(
        f"{result.searched:,} faces searched in {milliseconds:.1f} ms.  "
        "A likeness is a lead, never a match.",
        highlight=False,
    )
    if result.incomplete:
        err.print("Part of the gallery did not answer: somebody may be missing.", style="yellow")
