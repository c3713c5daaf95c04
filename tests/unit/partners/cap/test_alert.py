"""CAP messages: what they may say, how they are written, signed, listed and read."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import capvalidator
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language
from reunite.kernel.people import Module, Sex
from reunite.kernel.places import Point
from reunite.partners.cap.alert import (
    CapAlert,
    CapArea,
    CapCircle,
    MessageType,
    Status,
    check,
    closed,
    format_time,
    parse_time,
)
from reunite.partners.cap.notices import alert_of
from reunite.partners.cap.reading import read_alert
from reunite.partners.cap.signing import (
    SignatureState,
    SigningKey,
    make_signing_key,
    read_signed,
    sign,
)
from reunite.partners.cap.writing import (
    AlertEntry,
    AlertFeedHead,
    to_bytes,
    to_element,
    write_atom,
    write_rss,
)
from tests.unit.partners.cap.messages import NOW, a_notice, the_person

RING = closed((Point(30, 120), Point(30, 121), Point(31, 121)))
AN_ALERT = alert_of(a_notice(), Module.CHILD)


@pytest.fixture(scope="module")
def key() -> SigningKey:
    # The certificate has to be valid on the day of the test: verifiers look at their clock.
    return make_signing_key("reunite.example", datetime.now(UTC))


def with_info(**changes: Any) -> CapAlert:
    return replace(AN_ALERT, infos=(replace(AN_ALERT.infos[0], **changes),))


def refusal(alert: CapAlert) -> tuple[str, object]:
    with pytest.raises(InvalidInputError) as caught:
        check(alert)
    return caught.value.code, caught.value.details["field"]


def test_an_alert_speaks_chinese_and_english_and_names_nobody() -> None:
    zh, en = AN_ALERT.infos
    assert (zh.language, zh.headline) == ("zh-CN", "儿童走失：杭州市")
    assert zh.description == "女，7-8 岁，2026-06-01 最后出现，红色外套 <新> & 白鞋，左手有痣"
    assert (en.language, en.headline) == ("en", "Missing child: Hangzhou")
    assert en.description.startswith("female; 7-8 years old; last seen on 2026-06-01; ")
    assert zh.web != en.web
    assert AN_ALERT.info_in("en") == en
    assert AN_ALERT.info_in("fr") == zh
    assert replace(AN_ALERT, infos=()).info_in("en") is None


def test_little_is_said_of_whom_little_is_known() -> None:
    nobody = the_person(
        sex=Sex.UNKNOWN, age_years=None, seen_at=None, place_words={}, clothing="", marks=" "
    )
    zh, en = alert_of(a_notice(person=nobody, centre=None), Module.ELDER).infos
    assert (zh.headline, zh.description) == ("老人走失", "")
    assert (en.headline, en.areas) == ("Missing elderly person", (CapArea("Everywhere"),))
    grown = alert_of(a_notice(person=the_person(age_years=(70, 70))), Module.ELDER)
    assert "70 岁" in grown.infos[0].description
    assert alert_of(a_notice(), Module.BLOOD).infos[0].category == "Health"


def test_a_cancellation_says_only_that_it_is_over() -> None:
    over = alert_of(
        a_notice(
            identifier="reunite.example-2",
            kind=MessageType.CANCEL,
            person=None,
            references=[AN_ALERT.reference],
        ),
        Module.CHILD,
    )
    for info in over.infos:
        assert (info.urgency, info.response, info.web) == ("Past", "AllClear", "")
        assert info.headline in {"儿童走失", "Missing child"}
    assert str(over.references[0]) == "reunite.example,reunite.example-1,2026-06-01T04:00:00-00:00"
    assert capvalidator.check_schema(to_bytes(to_element(over))).passed


def test_every_message_type_is_valid_and_signed_so_that_others_can_tell(key: SigningKey) -> None:
    for kind in (MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL):
        notice = a_notice(kind=kind, references=[AN_ALERT.reference])
        alert = alert_of(notice, Module.CHILD)
        data = to_bytes(sign(to_element(alert), key))
        judged = capvalidator.validate_cap_message(data)
        assert judged.passed, judged.message
        assert read_signed(data, key.certificate) == (alert, SignatureState.VALID)


def test_what_a_signature_is_worth(key: SigningKey) -> None:
    plain = to_bytes(to_element(AN_ALERT))
    signed = to_bytes(sign(to_element(AN_ALERT), key))
    changed = signed.replace("红色".encode(), "蓝色".encode())
    stranger = make_signing_key("stranger", datetime.now(UTC))
    assert read_signed(plain, key.certificate)[1] is SignatureState.UNSIGNED
    assert read_signed(signed, None)[1] is SignatureState.UNKNOWN
    assert read_signed(changed, key.certificate)[1] is SignatureState.INVALID
    assert read_signed(signed, stranger.certificate)[1] is SignatureState.INVALID
    assert read_signed(signed, b"no certificate")[1] is SignatureState.INVALID
    assert not capvalidator.check_signature(changed).passed
    assert b"PRIVATE" not in repr(key).encode()


def test_a_forged_alert_wrapped_around_a_genuine_one_is_not_believed(key: SigningKey) -> None:
    signed = to_bytes(sign(to_element(AN_ALERT), key))
    inner = signed.partition(b"?>")[2].strip()
    forged = to_bytes(to_element(replace(AN_ALERT, identifier="forged")))
    wrapped = forged.replace(b"</alert>", b"<x>" + inner + b"</x></alert>")
    read, state = read_signed(wrapped, key.certificate)
    assert state is SignatureState.INVALID or read.identifier != "forged"


@pytest.mark.parametrize(
    ("alert", "expected"),
    [
        (replace(AN_ALERT, identifier="a b"), ("cap_token", "identifier")),
        (replace(AN_ALERT, identifier=""), ("cap_token", "identifier")),
        (replace(AN_ALERT, sender="a,b"), ("cap_token", "sender")),
        (
            replace(AN_ALERT, message_type=MessageType.CANCEL),
            ("cap_reference_missing", "references"),
        ),
        (replace(AN_ALERT, infos=()), ("cap_info_missing", "info")),
        (with_info(category="Lost"), ("cap_word_unknown", "category")),
        (with_info(urgency="now"), ("cap_word_unknown", "urgency")),
        (with_info(response="Panic"), ("cap_word_unknown", "responseType")),
        (with_info(event=""), ("required", "event")),
        (with_info(description="x" * 20_001), ("text_too_long", "description")),
        (with_info(areas=(CapArea("x"),) * 501), ("text_too_long", "area")),
        (
            with_info(areas=(CapArea("x", polygons=(RING[:-1],)),)),
            ("cap_ring_open", "polygon"),
        ),
        (
            with_info(areas=(CapArea("x", (CapCircle(Point(0, 0), float("nan")),)),)),
            ("radius_out_of_range", "circle"),
        ),
    ],
)
def test_what_breaks_a_rule_is_neither_written_nor_taken(
    alert: CapAlert, expected: tuple[str, str]
) -> None:
    assert refusal(alert) == expected
    with pytest.raises(InvalidInputError):
        to_element(alert)


def test_an_acknowledgement_needs_no_information() -> None:
    assert check(replace(AN_ALERT, message_type=MessageType.ACK, infos=())).infos == ()


def test_times_have_an_offset_and_never_a_z() -> None:
    assert format_time(NOW) == "2026-06-01T04:00:00-00:00"
    china = NOW.astimezone(timezone(timedelta(hours=8)))
    assert format_time(china) == "2026-06-01T12:00:00+08:00"
    for text in ("2026-06-01T12:00:00+08:00", "2026-06-01T04:00:00-00:00", "2026-06-01T04:00:00Z"):
        assert parse_time(text, "sent") == NOW
    for text, code in (
        ("2026-06-01T04:00:00", "date_without_zone"),
        ("1 June 2026", "date_unreadable"),
        ("2026-06-31T04:00:00-00:00", "date_unreadable"),
    ):
        with pytest.raises(InvalidInputError, match=code):
            parse_time(text, "sent")


def test_rings_are_closed() -> None:
    a, b, c = Point(30, 120), Point(30, 121), Point(31, 121)
    assert closed((a, b, c)) == (a, b, c, a)
    assert closed((a, a, b, c, c, a)) == (a, b, c, a)
    assert closed((a,)) == (a, a)


def test_circles_polygons_and_geocodes_are_read_as_written() -> None:
    area = CapArea(
        "西湖",
        (CapCircle(Point(30.123456789, -0.000001), 12.5),),
        (RING,),
        (("ISO 3166-2", "CN-ZJ"),),
    )
    data = to_bytes(
        to_element(with_info(areas=(area,), parameters=(("k", "v"),), contact="110", web=""))
    )
    assert capvalidator.check_schema(data).passed
    read = read_alert(data).infos[0]
    assert read.areas[0].polygons == (RING,)
    assert read.areas[0].circles == (CapCircle(Point(30.12346, 0.0), 12.5),)
    assert read.areas[0].geocodes == (("ISO 3166-2", "CN-ZJ"),)
    assert read.parameters == (("k", "v"),)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("alert xmlns", "alarm xmlns", "cap_not_cap"),
        ("cap:1.2", "cap:1.1", "cap_not_cap"),
        ("<identifier>reunite.example-1</identifier>", "", "required"),
        ("<status>Actual<", "<status>Real<", "cap_word_unknown"),
        ("30.2741,120.1551 30", "here", "number_expected"),
        ("30.2741,120.1551 30", "91,0 1", "place_out_of_range"),
        ("<incidents>", "<references>x</references><incidents>", "cap_reference_missing"),
        ("<alert ", '<!DOCTYPE a [<!ENTITY x "y">]><alert ', "xml_has_dtd"),
    ],
)
def test_messages_of_others_are_refused_with_the_reason(old: str, new: str, code: str) -> None:
    text = to_bytes(to_element(AN_ALERT)).decode()
    assert old in text
    text = text.replace(old, new).replace("</alert>", "</alarm>" if "alarm" in new else "</alert>")
    with pytest.raises(InvalidInputError) as caught:
        read_alert(text.encode())
    assert caught.value.code == code


def test_a_message_has_only_so_many_languages() -> None:
    with pytest.raises(InvalidInputError, match="text_too_long"):
        read_alert(to_bytes(to_element(replace(AN_ALERT, infos=AN_ALERT.infos * 11))))


HEAD = AlertFeedHead("https://reunite.example/feeds/cap?x=1&y=2", "Alerts <1>", "en", NOW)
ENTRIES = [AlertEntry(AN_ALERT, "https://reunite.example/feeds/cap/1.xml")]


def test_the_atom_index_leads_to_each_message() -> None:
    atom = "{http://www.w3.org/2005/Atom}"
    root = ET.fromstring("".join(write_atom(HEAD, ENTRIES)))  # noqa: S314
    (entry,) = root.findall(f"{atom}entry")
    assert entry.findtext(f"{atom}id") == "reunite.example-1"
    assert entry.findtext(f"{atom}title") == "Missing child: Hangzhou"
    link = entry.find(f"{atom}link")
    assert link is not None
    assert link.get("type") == "application/cap+xml"
    assert link.get("href") == ENTRIES[0].address
    assert root.findtext(f"{atom}updated") == "2026-06-01T04:00:00+00:00"


def test_the_rss_index_says_the_same() -> None:
    bare = AlertEntry(replace(AN_ALERT, message_type=MessageType.ACK, infos=()), "https://x/2")
    root = ET.fromstring("".join(write_rss(HEAD, [*ENTRIES, bare])))  # noqa: S314
    first, second = root.findall("channel/item")
    assert first.findtext("title") == "Missing child: Hangzhou"
    assert first.findtext("link") == ENTRIES[0].address
    assert parsedate_to_datetime(first.findtext("pubDate") or "") == NOW
    assert second.findtext("title") == "reunite.example-1"


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60).map(str.strip)
NUMBERS = st.floats(-80, 80).map(lambda value: round(value, 5))


@given(
    TEXTS, TEXTS, NUMBERS, NUMBERS, st.sampled_from(Module), st.sampled_from(Status), st.integers(0)
)
def test_whatever_happens_the_message_is_valid_and_reads_back(
    clothing: str, marks: str, latitude: float, longitude: float, module: Module, status: Status,
    age: int,
) -> None:  # fmt: skip
    person = the_person(clothing=clothing, marks=marks, age_years=(age, age + 1), module=module)
    centre = Point(latitude, longitude)
    alert = alert_of(a_notice(person=person, centre=centre, status=status), module)
    data = to_bytes(to_element(alert))
    assert capvalidator.check_schema(data).passed
    assert read_alert(data) == alert


def test_languages_are_those_of_reunite() -> None:
    assert len(AN_ALERT.infos) == len(Language)
