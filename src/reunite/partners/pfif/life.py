"""Expiry, links between records, and who may read which field."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from reunite.partners.pfif.fields import PLACEHOLDER_FIELDS, Kind
from reunite.partners.pfif.records import PfifRecord, format_time, is_expired

# PFIF 1.4, data expiry: at the latest this long after the expiry date the data must be gone.
ERASE_WITHIN = timedelta(days=1)

# What anybody with a key may read: what the public page of a case shows, and whose record it is.
# Named one by one, so that a field nobody thought of stays inside.
PUBLIC_FIELDS = frozenset(
    {
        "person_record_id",
        "note_record_id",
        "linked_person_record_id",
        "entry_date",
        "expiry_date",
        "source_name",
        "source_date",
        "source_url",
        "full_name",
        "given_name",
        "family_name",
        "alternate_names",
        "description",
        "sex",
        "age",
        "home_city",
        "home_state",
        "home_country",
        "photo_url",
        "author_made_contact",
        "status",
        "text",
    }
)
# A note has to name an author (PFIF 1.4); the public is not told who that is.
HIDDEN_AUTHOR = "-"


def placeholder(record: PfifRecord, at: datetime) -> PfifRecord:
    """What stays of a record that has expired or was taken back: that it was there.

    Both dates are those of the placeholder, so that it travels with the next update of every
    copy and replaces it (PFIF 1.4, data expiry).  A note keeps its ids and loses its words.
    """
    kept = (
        PLACEHOLDER_FIELDS if record.kind is Kind.PERSON else ("note_record_id", "person_record_id")
    )
    fields = {name: record.fields[name] for name in kept if record.fields.get(name)}
    fields["source_date"] = fields["entry_date"] = format_time(at)
    # One that was taken back before its time expires now.
    if record.kind is Kind.PERSON and not is_expired(record, at):
        fields["expiry_date"] = format_time(at)
    return PfifRecord(record.kind, fields)


def is_placeholder(record: PfifRecord) -> bool:
    """Whether nothing is left of the record but its ids and dates."""
    if record.kind is Kind.NOTE:
        return not (record.text("text") or record.text("status") or record.text("author_name"))
    return not record.unknown and set(record.fields) <= set(PLACEHOLDER_FIELDS)


def public_view(record: PfifRecord) -> PfifRecord:
    """The record without what is for full readers only: contacts, addresses, unknown fields."""
    fields = {name: value for name, value in record.fields.items() if name in PUBLIC_FIELDS}
    if record.kind is Kind.NOTE and record.text("author_name"):
        fields["author_name"] = HIDDEN_AUTHOR
    return PfifRecord(record.kind, fields)


def linked_pairs(notes: Iterable[PfifRecord]) -> set[frozenset[str]]:
    """Pairs of records that are said, from both sides, to be of one person (PFIF 1.4).

    One side alone is somebody's opinion: the other repository has not agreed.
    """
    said = {
        (note.text("person_record_id"), note.text("linked_person_record_id"))
        for note in notes
        if note.text("linked_person_record_id")
    }
    return {frozenset(pair) for pair in said if pair[0] != pair[1] and pair[::-1] in said}
