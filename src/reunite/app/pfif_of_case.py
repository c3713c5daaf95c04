"""A public case as PFIF: what its page shows, and nothing that the page does not.

The full view adds contacts and the exact place; ``partners.pfif.life.public_view`` takes them
away again for everybody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reunite.cases.case import Case
from reunite.cases.duplicates import Duplicate, DuplicateStatus
from reunite.cases.photos import CasePhoto
from reunite.cases.whereabouts import holder_words, place_words
from reunite.kernel.languages import DEFAULT_LANGUAGE
from reunite.kernel.people import Sex, Side
from reunite.partners.exchange import PartnerRecord
from reunite.partners.pfif.fields import Kind
from reunite.partners.pfif.life import placeholder
from reunite.partners.pfif.records import PfifRecord, format_time

NO_NAME = "不详"  # PFIF needs a name; of a found person there may be none
_SEXES: Mapping[Sex, str] = {Sex.FEMALE: "female", Sex.MALE: "male"}


@dataclass(frozen=True, slots=True)
class Site:
    """How this Reunite is called and reached from outside."""

    domain: str
    address: str  # without a slash at the end
    country: str
    name: str = "Reunite"

    def record_id(self, case: Case) -> str:
        """The PFIF id of one of our own cases."""
        return f"{self.domain}/{case.reference}"

    def case_address(self, case: Case, language: str = DEFAULT_LANGUAGE.value) -> str:
        """The page of a case."""
        return f"{self.address}/{language}/cases/{case.reference}"


def person_of(
    site: Site,
    case: Case,
    photos: list[CasePhoto],
    changed_at: datetime,
    origin: PartnerRecord | None,
) -> PfifRecord:
    """The person record of a case, or its placeholder once the case is over.

    A case that was opened from a partner's record keeps that record's id and source: it is a
    clone of theirs, and nobody takes it for another person.
    """
    record_id = site.record_id(case) if origin is None else origin.record.record_id
    stamp = format_time(changed_at)
    if not case.is_public:
        return placeholder(
            PfifRecord(Kind.PERSON, {"person_record_id": record_id, "expiry_date": stamp}),
            changed_at,
        )
    born = case.person.birth_years
    ages = "" if born is None else _range(changed_at.year - born.last, changed_at.year - born.first)
    record = PfifRecord(Kind.PERSON, {}).with_fields(
        person_record_id=record_id,
        entry_date=stamp,
        source_date=stamp,
        source_name=holder_words(case, sees_all=False) or site.name,
        source_url=site.case_address(case),
        author_name=site.name,
        author_phone=case.contact,
        full_name=case.person.name or NO_NAME,
        description=_description(case),
        sex=_SEXES.get(case.person.sex, ""),
        date_of_birth=str(born.first) if born is not None and born.first == born.last else "",
        age=ages,
        photo_url=_photo(site, photos),
    )
    if origin is None:
        return record
    theirs = origin.record
    said = {name: theirs.text(name) for name in ("source_name", "source_url") if theirs.text(name)}
    told = theirs.time("source_date")
    if told is not None:
        # Their own date decides between copies; ours would win over their next correction.
        said["source_date"] = format_time(told)
    return replace(record.with_fields(**said), unknown=theirs.unknown)


def note_of(site: Site, case: Case, changed_at: datetime, person_record_id: str) -> PfifRecord:
    """What is to be said of a public case now: sought, or found and well."""
    seen = case.circumstances.seen_at
    place = place_words(case, DEFAULT_LANGUAGE, site.country, sees_all=False)
    exact = place_words(case, DEFAULT_LANGUAGE, site.country, sees_all=True)
    verb = "最后出现" if case.side is Side.MISSING else "发现"
    day = "" if seen is None else seen.date().isoformat()
    words = " ".join(part for part in (day, place) if part)
    return PfifRecord(Kind.NOTE, {}).with_fields(
        note_record_id=f"{site.record_id(case)}.status",
        person_record_id=person_record_id,
        entry_date=format_time(changed_at),
        author_name=site.name,
        source_date=format_time(changed_at),
        status="information_sought" if case.side is Side.MISSING else "believed_alive",
        last_known_location=exact,
        text=f"{verb}：{words}" if words else verb,
    )


def link_note_of(
    site: Site, pair: Duplicate, case: Case, person_record_id: str, other_record_id: str
) -> PfifRecord:
    """That another record is about the same person, or is not any more (PFIF 1.4, linked records).

    A link that was undone keeps its note id, so that copies of the note are replaced.
    """
    decided = format_time(pair.decisions[-1].at)
    is_linked = pair.status is DuplicateStatus.LINKED
    return PfifRecord(Kind.NOTE, {}).with_fields(
        note_record_id=f"{site.record_id(case)}.link.{pair.id}",
        person_record_id=person_record_id,
        linked_person_record_id=other_record_id if is_linked else "",
        entry_date=decided,
        author_name=site.name,
        source_date=decided,
        text="与另一条记录为同一人" if is_linked else "与另一条记录的关联已撤销",
    )


def _range(youngest: int, oldest: int) -> str:
    youngest = max(0, youngest)
    return str(youngest) if youngest >= oldest else f"{youngest}-{oldest}"


def _photo(site: Site, photos: list[CasePhoto]) -> str:
    shown = next((photo.id for photo in photos if photo.chosen is not None), None)
    return "" if shown is None else f"{site.address}/photos/{shown}/full.jpg"


def _description(case: Case) -> str:
    person = case.person
    height = "" if person.height_cm is None else f"{person.height_cm} cm"
    lines = (
        ("身高", height),
        ("特征", person.marks),
        ("衣着", person.clothing),
        ("口音", person.dialect),
        ("经过", case.circumstances.story),
    )
    return "\n".join(f"{words}：{value.strip()}" for words, value in lines if value.strip())
