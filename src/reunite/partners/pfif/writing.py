"""Write PFIF: plain documents and Atom feeds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reunite.partners.pfif.fields import LATEST, RENAMED, VERSIONS, Version
from reunite.partners.pfif.reading import DESCRIPTION_LABEL
from reunite.partners.pfif.records import PfifRecord, format_time, full_name
from reunite.partners.xml import attribute, escaped

HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
ATOM = "http://www.w3.org/2005/Atom"
TITLE_CHARACTERS = 140

_OLD_NAMES = {new: old for old, new in RENAMED.items()}

Notes = Mapping[str, Sequence[PfifRecord]]  # by the person's record id


def write_document(
    persons: Iterable[PfifRecord], notes: Notes, version: str = LATEST
) -> Iterator[str]:
    """A document in pieces: persons with their notes, then the notes of nobody in it.

    Notes without a person stand alone, which PFIF allows from 1.2 on.
    """
    form = VERSIONS[version]
    yield f'{HEADER}<pfif:pfif xmlns:pfif="{form.namespace}">\n'
    written = set()
    for person in persons:
        written.add(person.record_id)
        yield from _person(person, notes.get(person.record_id, ()), form, "  ")
    for owner, theirs in notes.items():
        if owner not in written:
            for note in theirs:
                yield from _note(note, form, "  ")
    yield "</pfif:pfif>\n"


@dataclass(frozen=True, slots=True)
class FeedHead:
    """What a feed says of itself.  ``address`` is the feed's own."""

    address: str
    title: str
    subtitle: str
    updated: datetime
    next_address: str = ""  # the following page; empty where there is none


def write_person_feed(
    head: FeedHead, persons: Iterable[PfifRecord], notes: Notes, version: str = LATEST
) -> Iterator[str]:
    """An Atom feed of persons (PFIF 1.4, Atom person feeds)."""
    form = VERSIONS[version]
    yield from _feed_head(head, form)
    for person in persons:
        title = full_name(person)
        yield "  <entry>\n"
        yield from _person(person, notes.get(person.record_id, ()), form, "    ")
        yield from _entry(person, title, title, person.text("source_date"), "    ")
        yield "  </entry>\n"
    yield "</feed>\n"


def write_note_feed(
    head: FeedHead, notes: Iterable[PfifRecord], version: str = LATEST
) -> Iterator[str]:
    """An Atom feed of notes (PFIF 1.4, Atom note feeds)."""
    form = VERSIONS[version]
    yield from _feed_head(head, form)
    for note in notes:
        text = note.text("text")
        yield "  <entry>\n"
        yield from _note(note, form, "    ")
        yield from _entry(note, text[:TITLE_CHARACTERS], text, note.text("source_date"), "    ")
        yield "  </entry>\n"
    yield "</feed>\n"


def _feed_head(head: FeedHead, form: Version) -> Iterator[str]:
    yield f'{HEADER}<feed xmlns="{ATOM}" xmlns:pfif="{form.namespace}">\n'
    yield f"  <id>{escaped(head.address)}</id>\n"
    yield f"  <title>{escaped(head.title)}</title>\n"
    yield f"  <subtitle>{escaped(head.subtitle)}</subtitle>\n"
    yield f"  <updated>{format_time(head.updated)}</updated>\n"
    yield f'  <link rel="self" href="{attribute(head.address)}"/>\n'
    if head.next_address:
        yield f'  <link rel="next" href="{attribute(head.next_address)}"/>\n'


def _entry(record: PfifRecord, title: str, content: str, at: str, indent: str) -> Iterator[str]:
    yield f"{indent}<id>{escaped('pfif:' + record.record_id)}</id>\n"
    # RFC 4287, 4.1.2: an entry has a title and an author, be they empty.
    yield f"{indent}<title>{escaped(title)}</title>\n"
    author = record.text("author_name") or record.text("source_name") or record.domain
    yield f"{indent}<author><name>{escaped(author)}</name></author>\n"
    yield f"{indent}<updated>{escaped(at)}</updated>\n"
    yield f"{indent}<content>{escaped(content)}</content>\n"


def _person(
    person: PfifRecord, notes: Iterable[PfifRecord], form: Version, indent: str
) -> Iterator[str]:
    yield f"{indent}<pfif:person>\n"
    yield from _fields(person, form, indent + "  ")
    for note in notes:
        yield from _note(note, form, indent + "  ")
    yield f"{indent}</pfif:person>\n"


def _note(note: PfifRecord, form: Version, indent: str) -> Iterator[str]:
    yield f"{indent}<pfif:note>\n"
    yield from _fields(note, form, indent + "  ")
    yield f"{indent}</pfif:note>\n"


def _fields(record: PfifRecord, form: Version, indent: str) -> Iterator[str]:
    mandatory = form.mandatory(record.kind)
    for name in form.fields(record.kind):
        value = record.fields.get(name, "")
        if not value:
            value = record.fields.get(RENAMED.get(name, ""), "")
        if name == "other":
            value = _other(value)
        if value or name in mandatory:
            yield f"{indent}<pfif:{name}>{escaped(value)}</pfif:{name}>\n"
    for element in record.unknown:
        yield f"{indent}{element}\n"


def _other(description: str) -> str:
    """The description as PFIF 1.3 and before had it: labelled and indented within ``other``."""
    if not description.strip() or description.startswith(DESCRIPTION_LABEL):
        return description
    indented = "\n".join("    " + line for line in description.split("\n"))
    return f"{DESCRIPTION_LABEL}\n{indented.rstrip(' ')}"
