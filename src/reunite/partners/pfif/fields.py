"""The fields of each PFIF version, in the order of the specifications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

NAMESPACE = "http://zesty.ca/pfif/"
LATEST = "1.4"


class Kind(StrEnum):
    """The two kinds of record: who somebody is, and what is said of them."""

    PERSON = "person"
    NOTE = "note"


# Names of older versions, and what PFIF 1.2 and 1.4 made of them.
RENAMED: Mapping[str, str] = {
    "home_zip": "home_postal_code",
    "first_name": "given_name",
    "last_name": "family_name",
    "found": "author_made_contact",
    "other": "description",
}

SEXES = frozenset({"female", "male", "other"})
STATUSES = frozenset(
    {
        "information_sought",
        "is_note_author",
        "believed_alive",
        "believed_missing",
        "believed_dead",
    }
)

# All that is left of a person record that has expired (PFIF 1.4, data expiry).
PLACEHOLDER_FIELDS = ("person_record_id", "source_date", "entry_date", "expiry_date")

NOTE_MANDATORY = frozenset({"note_record_id", "author_name", "source_date", "text"})


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the format."""

    number: str
    person: Sequence[str]
    note: Sequence[str]
    # Written even where empty: the format asks for the element.
    person_mandatory: frozenset[str]

    @property
    def namespace(self) -> str:
        return NAMESPACE + self.number

    def fields(self, kind: Kind) -> Sequence[str]:
        """The names of a record's fields in their order."""
        return self.person if kind is Kind.PERSON else self.note

    def mandatory(self, kind: Kind) -> frozenset[str]:
        """The fields that a record must have."""
        return self.person_mandatory if kind is Kind.PERSON else NOTE_MANDATORY


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_AUTHOR = "author_name author_email author_phone"
_SOURCE = "source_name source_date source_url"
_FOUND = "email_of_found_person phone_of_found_person last_known_location"
_OLD_MANDATORY = frozenset({"person_record_id", "first_name", "last_name"})
_MANDATORY = frozenset({"person_record_id", "source_date", "full_name"})
_HOME = "home_street home_neighborhood home_city home_state home_postal_code home_country"

VERSIONS: Mapping[str, Version] = {
    "1.1": Version(
        "1.1",
        _words(
            f"person_record_id entry_date {_AUTHOR} {_SOURCE} first_name last_name home_city "
            "home_state home_neighborhood home_street home_zip photo_url other"
        ),
        _words(f"note_record_id entry_date {_AUTHOR} source_date found {_FOUND} text"),
        _OLD_MANDATORY,
    ),
    "1.2": Version(
        "1.2",
        _words(
            f"person_record_id entry_date {_AUTHOR} {_SOURCE} first_name last_name sex "
            f"date_of_birth age {_HOME} photo_url other"
        ),
        _words(
            f"note_record_id person_record_id linked_person_record_id entry_date {_AUTHOR} "
            f"source_date found status {_FOUND} text"
        ),
        _OLD_MANDATORY,
    ),
    "1.3": Version(
        "1.3",
        _words(
            f"person_record_id entry_date expiry_date {_AUTHOR} {_SOURCE} full_name first_name "
            f"last_name sex date_of_birth age {_HOME} photo_url other"
        ),
        _words(
            f"note_record_id person_record_id linked_person_record_id entry_date {_AUTHOR} "
            f"source_date found status {_FOUND} text"
        ),
        _MANDATORY,
    ),
    "1.4": Version(
        "1.4",
        _words(
            f"person_record_id entry_date expiry_date {_AUTHOR} {_SOURCE} full_name given_name "
            "family_name alternate_names description sex date_of_birth age "
            f"{_HOME} photo_url profile_urls"
        ),
        _words(
            f"note_record_id person_record_id linked_person_record_id entry_date {_AUTHOR} "
            f"source_date author_made_contact status {_FOUND} text photo_url"
        ),
        _MANDATORY,
    ),
}

# Every name that some version gives to a field, as PFIF 1.4 calls it.
KNOWN: Mapping[Kind, frozenset[str]] = {
    kind: frozenset(name for one in VERSIONS.values() for name in one.fields(kind)) for kind in Kind
}
