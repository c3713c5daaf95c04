"""What a PFIF person with its notes says, as the facts of a case, each with its origin."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from reunite.cases.case import (
    MAX_LABEL_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TEXT_LENGTH,
    Case,
    Circumstances,
    Person,
)
from reunite.kernel.people import Module, Side
from reunite.partners.exchange import FieldOrigin
from reunite.partners.pfif.records import (
    PfifRecord,
    birth_years,
    full_name,
    sex_of,
    status_of,
)

T = TypeVar("T")

CHILD_BELOW_YEARS = 18
ELDER_FROM_YEARS = 60
# The person is there and somebody has seen or spoken to them.
FOUND_STATUSES = frozenset({"believed_alive", "is_note_author"})


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts for a case.  ``origins`` tell of every field that is not empty."""

    person: Person
    circumstances: Circumstances
    contact: str
    origins: list[FieldOrigin]


def facts_of(person: PfifRecord, notes: Sequence[PfifRecord], now: datetime) -> Facts:
    """Everything that a person record and its notes say.

    Text that is longer than a case may hold is cut; the record itself is kept whole.  The
    latest note that names a place tells where the person was seen.
    """
    placed = max(
        (note for note in notes if note.text("last_known_location")),
        key=lambda note: (note.text("source_date"), note.record_id),
        default=None,
    )
    seen = None if placed is None else _not_after(placed.time("source_date"), now)
    years = birth_years(person, now)
    if years is not None and seen is not None and years.first > seen.year:
        years = None
    who = Person(
        name=full_name(person)[:MAX_NAME_LENGTH],
        sex=sex_of(person),
        birth_years=years,
    )
    circumstances = Circumstances(
        seen_at=seen,
        place_label="" if placed is None else _line(placed.text("last_known_location")),
        story=person.text("description")[:MAX_TEXT_LENGTH],
        private_note=person.text("source_url")[:MAX_TEXT_LENGTH],
    )
    contact = _line(
        " ".join(
            part
            for part in (person.text(f"author_{what}") for what in ("name", "phone", "email"))
            if part
        )
    )
    said = {
        "name": (who.name, person),
        "sex": (int(who.sex), person),
        "birth_years": (years, person),
        "story": (circumstances.story, person),
        "private_note": (circumstances.private_note, person),
        "contact": (contact, person),
        "place_label": (circumstances.place_label, placed),
        "seen_at": (seen, placed),
    }
    origins = [
        FieldOrigin(name, source.record_id, source.time("source_date"), now)
        for name, (value, source) in said.items()
        if value and source is not None
    ]
    return Facts(who, circumstances, contact, origins)


def side_of(notes: Sequence[PfifRecord]) -> Side:
    """Found where the latest word is that the person is alive; else somebody looks for them."""
    said = [note for note in notes if status_of(note)]
    if not said:
        return Side.MISSING
    latest = max(said, key=lambda note: (note.text("source_date"), note.record_id))
    return Side.FOUND if status_of(latest) in FOUND_STATUSES else Side.MISSING


def module_of(person: PfifRecord, now: datetime, otherwise: Module) -> Module:
    """Child or elder by age where it is known; what the partner deals with otherwise."""
    years = birth_years(person, now)
    if years is None:
        return otherwise
    if now.year - years.first < CHILD_BELOW_YEARS:
        return Module.CHILD
    return Module.ELDER if now.year - years.last >= ELDER_FROM_YEARS else otherwise


def corrected(case: Case, facts: Facts, earlier: Sequence[FieldOrigin]) -> Facts:
    """The case's facts with those of a partner that the partner says otherwise now.

    ``earlier`` are the fields that came from this partner before; what has come from
    elsewhere since, or was added here, stays as it is.
    """
    theirs = {origin.field for origin in earlier}
    person, circumstances = case.person, case.circumstances

    def mine(name: str, now: T, before: T) -> T:
        return now if name in theirs or not before else before

    changed = replace(
        person,
        name=mine("name", facts.person.name, person.name),
        sex=mine("sex", facts.person.sex, person.sex),
        birth_years=mine("birth_years", facts.person.birth_years, person.birth_years),
    )
    there = replace(
        circumstances,
        story=mine("story", facts.circumstances.story, circumstances.story),
        private_note=mine(
            "private_note", facts.circumstances.private_note, circumstances.private_note
        ),
        place_label=mine("place_label", facts.circumstances.place_label, circumstances.place_label),
        seen_at=mine("seen_at", facts.circumstances.seen_at, circumstances.seen_at),
    )
    contact = mine("contact", facts.contact, case.contact)
    return Facts(changed, there, contact, facts.origins)


def _line(text: str) -> str:
    return " ".join(text.split())[:MAX_LABEL_LENGTH]


def _not_after(at: datetime | None, now: datetime) -> datetime | None:
    # A clock that is ahead of ours must not put the last sighting into the future.
    return None if at is None else min(at, now)
