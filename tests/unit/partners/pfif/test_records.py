"""What a PFIF record says, what makes it usable, and what stays of it in the end."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex, YearRange
from reunite.partners.pfif.fields import PLACEHOLDER_FIELDS, VERSIONS, Kind
from reunite.partners.pfif.life import (
    HIDDEN_AUTHOR,
    is_placeholder,
    linked_pairs,
    placeholder,
    public_view,
)
from reunite.partners.pfif.reading import MAX_RECORDS, iter_records, read_checked
from reunite.partners.pfif.records import (
    PfifRecord,
    birth_years,
    check,
    domain_of,
    format_time,
    full_name,
    has_known_sex,
    is_expired,
    parse_time,
    sex_of,
    status_of,
)
from reunite.partners.pfif.writing import write_document

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PERSON = {
    "person_record_id": "example.org/p1",
    "source_date": "2026-05-30T08:00:00Z",
    "full_name": "王小明",
}
NOTE = {
    "note_record_id": "example.org/n1",
    "person_record_id": "example.org/p1",
    "author_name": "李警官",
    "source_date": "2026-05-31T08:00:00Z",
    "text": "在火车站见过。",
}


def person(**changes: str) -> PfifRecord:
    return PfifRecord(Kind.PERSON, PERSON).with_fields(**changes)


def note(**changes: str) -> PfifRecord:
    return PfifRecord(Kind.NOTE, NOTE).with_fields(**changes)


def refusal(record: PfifRecord, version: str = "1.4") -> tuple[str, object]:
    with pytest.raises(InvalidInputError) as caught:
        check(record, NOW, version)
    return caught.value.code, caught.value.details.get("field")


@pytest.mark.parametrize("field", sorted(PERSON))
def test_a_person_without_a_mandatory_field_is_refused(field: str) -> None:
    assert refusal(person(**{field: ""})) == ("required", field)


@pytest.mark.parametrize("field", sorted(NOTE))
def test_a_note_without_a_mandatory_field_is_refused(field: str) -> None:
    assert refusal(note(**{field: ""})) == ("required", field)


def test_older_versions_need_less() -> None:
    old = person(source_date="", full_name="", given_name="小明", family_name="王")
    assert check(old, NOW, "1.2").text("full_name") == "王小明"
    assert refusal(old, "1.3") == ("required", "source_date")


@pytest.mark.parametrize("bad", ["p1", "/p1", "example.org/", "ex ample/p", "-.org/1", "a" * 300])
def test_a_record_id_names_its_repository(bad: str) -> None:
    code, field = refusal(person(person_record_id=bad))
    assert field == "person_record_id"
    assert code in {"record_id_unreadable", "text_too_long"}
    assert refusal(note(linked_person_record_id="nowhere"))[1] == "linked_person_record_id"


def test_domains_are_read_without_regard_to_case() -> None:
    assert domain_of(" Example.ORG/p/1 ") == "example.org"
    assert person(person_record_id="Example.ORG/p1").domain == "example.org"
    assert domain_of("") == ""


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-05-30T08:00:00Z", "2026-05-30T08:00:00Z"),
        ("2026-05-30T16:00:00+08:00", "2026-05-30T08:00:00Z"),
        ("2026-05-29T22:30:00-09:30", "2026-05-30T08:00:00Z"),
        ("2026-05-30T08:00:00.75Z", "2026-05-30T08:00:00Z"),
    ],
)
def test_clocks_of_other_zones_are_put_into_utc(text: str, utc: str) -> None:
    assert check(person(source_date=text), NOW).text("source_date") == utc


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-05-30T08:00:00", "date_without_zone"),
        ("2026-05-30", "date_unreadable"),
        ("yesterday", "date_unreadable"),
        ("2026-13-30T08:00:00Z", "date_unreadable"),
        ("0001-01-01T00:00:00+14:00", "date_unreadable"),
        ("2026-06-03T08:00:00Z", "date_in_future"),
    ],
)
def test_times_that_tell_nothing_are_refused(text: str, code: str) -> None:
    assert refusal(person(source_date=text)) == (code, "source_date")


def test_a_clock_that_is_some_hours_ahead_is_believed() -> None:
    ahead = format_time(NOW + timedelta(hours=14))
    assert check(person(source_date=ahead), NOW).text("source_date") == ahead


def test_an_expiry_date_lies_in_the_future() -> None:
    record = check(person(expiry_date="2027-01-01T00:00:00Z"), NOW)
    assert not is_expired(record, NOW)
    assert is_expired(record, datetime(2027, 1, 1, tzinfo=UTC))
    assert not is_expired(person(), NOW)


def test_an_expired_person_needs_no_name() -> None:
    gone = person(full_name="", expiry_date="2026-05-31T00:00:00Z")
    assert check(gone, NOW) == gone


def test_too_much_text_is_refused() -> None:
    assert refusal(person(description="x" * 20_001)) == ("text_too_long", "description")
    crowded = PfifRecord(Kind.PERSON, PERSON, ("<x>" + "y" * 20_000 + "</x>",))
    assert refusal(crowded) == ("text_too_long", "unknown")


def test_what_is_optional_and_makes_no_sense_turns_nobody_away() -> None:
    odd = person(sex="?", date_of_birth="spring", age="9-3", home_country="Narnia")
    assert check(odd, NOW) == odd
    assert sex_of(odd) is Sex.UNKNOWN
    assert not has_known_sex(odd)
    assert birth_years(odd, NOW) is None


@pytest.mark.parametrize(
    ("said", "years"),
    [
        ({"date_of_birth": "2015"}, (2015, 2015)),
        ({"date_of_birth": "2015-07"}, (2015, 2015)),
        ({"date_of_birth": "2015-07-20", "age": "50"}, (2015, 2015)),
        ({"date_of_birth": "1066", "age": "7"}, (2018, 2019)),
        ({"date_of_birth": "2031", "age": "7"}, (2018, 2019)),
        ({"age": "7"}, (2018, 2019)),
        ({"age": "60-70"}, (1955, 1966)),
        ({"age": "130"}, (1895, 1896)),
        ({"age": "131"}, None),
        ({"age": "seven"}, None),
        ({}, None),
    ],
)
def test_years_of_birth(said: dict[str, str], years: tuple[int, int] | None) -> None:
    expected = None if years is None else YearRange(*years)
    assert birth_years(person(**said), NOW) == expected


def test_very_old_people_of_very_old_records() -> None:
    assert birth_years(person(age="129", source_date="1900-01-01T00:00:00Z"), NOW) is None
    old = person(age="20-129", source_date="1905-01-01T00:00:00Z")
    assert birth_years(old, NOW) == YearRange(1880, 1885)
    assert birth_years(person(age="7", source_date=""), NOW) is None


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({"full_name": "王小明\nWang Xiaoming"}, "王小明"),
        ({"given_name": "小明", "family_name": "王"}, "王小明"),
        ({"given_name": "Jane", "family_name": "Doe"}, "Jane Doe"),
        ({"given_name": "Jane"}, "Jane"),
        ({}, ""),
    ],
)
def test_the_name_to_show(names: dict[str, str], shown: str) -> None:
    assert full_name(PfifRecord(Kind.PERSON, names)) == shown


def test_words_of_pfif() -> None:
    assert sex_of(person(sex="Female")) is Sex.FEMALE
    assert sex_of(person(sex="male")) is Sex.MALE
    assert sex_of(person(sex="other")) is Sex.UNKNOWN
    assert status_of(note(status="Believed_Alive")) == "believed_alive"
    assert status_of(note(status="fine")) == ""


def test_a_placeholder_keeps_that_the_record_was_there_and_nothing_else() -> None:
    full = person(
        expiry_date="2026-05-31T00:00:00Z", entry_date="2026-05-30T09:00:00Z", description="痣"
    )
    left = placeholder(full, NOW)
    assert left.fields == {
        "person_record_id": "example.org/p1",
        "expiry_date": "2026-05-31T00:00:00Z",
        "source_date": "2026-06-01T12:00:00Z",
        "entry_date": "2026-06-01T12:00:00Z",
    }
    assert is_placeholder(left)
    assert is_placeholder(check(left, NOW))
    assert not is_placeholder(full)


def test_a_record_taken_back_early_expires_then() -> None:
    left = placeholder(person(expiry_date="2027-01-01T00:00:00Z"), NOW)
    assert left.text("expiry_date") == format_time(NOW)
    assert is_expired(left, NOW)


def test_an_emptied_note_is_still_a_note() -> None:
    left = placeholder(note(status="believed_alive"), NOW)
    assert set(left.fields) == {"note_record_id", "person_record_id", "source_date", "entry_date"}
    assert is_placeholder(left)
    assert not is_placeholder(note())
    assert check(left, NOW) == left


def test_only_what_the_public_page_shows_is_for_everybody() -> None:
    everything = {name: name for name in VERSIONS["1.4"].person}
    seen = public_view(PfifRecord(Kind.PERSON, everything, ("<x>secret</x>",)))
    assert seen.unknown == ()
    hidden = set(everything) - set(seen.fields)
    assert hidden == {
        "author_name", "author_email", "author_phone", "date_of_birth", "home_street",
        "home_neighborhood", "home_postal_code", "profile_urls",
    }  # fmt: skip
    of_note = public_view(note(phone_of_found_person="138", last_known_location="桥下"))
    assert set(of_note.fields) == set(NOTE)
    assert of_note.text("author_name") == HIDDEN_AUTHOR
    assert "author_name" not in public_view(placeholder(note(), NOW)).fields


def test_two_records_are_linked_when_both_sides_say_so() -> None:
    here = note(person_record_id="a.org/1", linked_person_record_id="b.org/1")
    there = note(person_record_id="b.org/1", linked_person_record_id="a.org/1")
    alone = note(person_record_id="a.org/2", linked_person_record_id="b.org/2")
    itself = note(person_record_id="a.org/3", linked_person_record_id="a.org/3")
    assert linked_pairs([here, there, alone, itself, note()]) == {frozenset({"a.org/1", "b.org/1"})}


def document(inside: str, namespace: str = "http://zesty.ca/pfif/1.4") -> bytes:
    return f'<p:pfif xmlns:p="{namespace}" xmlns:o="urn:other">{inside}</p:pfif>'.encode()


def test_unknown_fields_are_kept_word_for_word() -> None:
    inside = (
        "<p:person><p:person_record_id>example.org/p1</p:person_record_id>"
        "<p:shoe_size>36 &amp; a half</p:shoe_size>"
        '<o:scar where="left"><o:on>hand</o:on></o:scar>'
        "<p:full_name>王</p:full_name><p:full_name>twice</p:full_name></p:person>"
    )
    (read,) = iter_records([document(inside)])
    assert read.record.fields == {"person_record_id": "example.org/p1", "full_name": "王"}
    assert len(read.record.unknown) == 3
    again = "".join(write_document([read.record], {}))
    (second,) = iter_records([again.encode()])
    assert second.record == read.record
    assert "36 &amp; a half" in again


def test_a_later_version_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidInputError) as caught:
        list(iter_records([document("<p:person/>", "http://zesty.ca/pfif/2.0")]))
    assert (caught.value.code, caught.value.details["version"]) == ("pfif_version_unknown", "2.0")


def test_persons_of_other_formats_are_passed_over() -> None:
    assert not list(iter_records([document("<o:person><o:note/></o:person>")]))


def test_a_document_has_only_so_many_records() -> None:
    with pytest.raises(InvalidInputError, match="pfif_too_many_records"):
        for _ in iter_records([document("<p:note/>" * (MAX_RECORDS + 1))]):
            pass


def test_bad_records_do_not_spoil_the_good_ones() -> None:
    good = "".join(f"<p:{name}>{value}</p:{name}>" for name, value in PERSON.items())
    bad = "<p:person_record_id>example.org/p2</p:person_record_id>"
    read = read_checked([document(f"<p:person>{bad}</p:person><p:person>{good}</p:person>")], NOW)
    assert [one.record_id for one in read.persons] == ["example.org/p1"]
    assert [(one.record_id, one.error.code) for one in read.refused] == [
        ("example.org/p2", "required")
    ]


def test_times_are_written_as_pfif_asks() -> None:
    assert format_time(parse_time("2026-05-30T16:00:00+08:00", "x")) == "2026-05-30T08:00:00Z"


TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), min_size=1
).filter(lambda text: "\r" not in text)
PERSONS = st.dictionaries(st.sampled_from(VERSIONS["1.4"].person), TEXTS)
NOTES = st.dictionaries(st.sampled_from(VERSIONS["1.4"].note), TEXTS)


@given(PERSONS, st.lists(NOTES, max_size=3))
def test_whatever_a_record_says_it_says_again(
    fields: dict[str, str], notes: list[dict[str, str]]
) -> None:
    record = PfifRecord(Kind.PERSON, {**fields, "person_record_id": "example.org/p1"})
    theirs = [PfifRecord(Kind.NOTE, {**one, "person_record_id": "example.org/p1"}) for one in notes]
    text = "".join(write_document([record], {"example.org/p1": theirs}))
    first, *rest = [one.record for one in iter_records([text.encode()])]
    assert first == record
    assert rest == theirs


def test_a_placeholder_has_the_fields_that_pfif_names() -> None:
    assert set(placeholder(person(), NOW).fields) == set(PLACEHOLDER_FIELDS)


@pytest.mark.parametrize(
    ("other", "description"),
    [
        ("Grey coat.", "Grey coat."),
        ("description: Grey coat.\n  With a stick.\n", "Grey coat.\nWith a stick.\n"),
        ("description:\n    Grey coat.", "Grey coat."),
        ("description: Grey coat.\nshoes: black", "description: Grey coat.\nshoes: black"),
        ("eyes: brown\ndescription: x", "eyes: brown\ndescription: x"),
    ],
)
def test_older_versions_kept_the_description_among_other_things(
    other: str, description: str
) -> None:
    inside = f"<p:person><p:other>{other}</p:other></p:person>"
    (read,) = iter_records([document(inside, "http://zesty.ca/pfif/1.3")])
    assert read.record.text("description") == description.strip()
    again = "".join(write_document([read.record], {}, "1.3")).encode()
    (second,) = iter_records([again])
    assert second.record.text("description") == description.strip()
