"""What hostile or broken documents are refused for, and that they are refused early."""

from collections.abc import Iterator

import pytest

from reunite.kernel.errors import InvalidInputError
from reunite.partners.xml import (
    XmlLimits,
    attribute,
    canonical,
    escaped,
    iter_elements,
    local_name,
    namespace_of,
    parse_document,
)

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE pfif [
 <!ENTITY a "ha">
 <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
 <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
 <!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">
 <!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">
]>
<pfif><person>&e;</person></pfif>"""
EXTERNAL = b"""<?xml version="1.0"?>
<!DOCTYPE pfif [<!ENTITY secret SYSTEM "file:///etc/passwd">]>
<pfif><person>&secret;</person></pfif>"""
PARAMETER = b"""<?xml version="1.0"?>
<!DOCTYPE pfif SYSTEM "http://127.0.0.1:9/evil.dtd" [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>
<pfif><person/></pfif>"""


def refused(data: bytes, limits: XmlLimits | None = None) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        list(iter_elements([data], frozenset({"person"}), limits or XmlLimits()))
    return caught.value


@pytest.mark.parametrize("data", [BOMB, EXTERNAL, PARAMETER], ids=["bomb", "external", "parameter"])
def test_a_document_type_is_refused(data: bytes) -> None:
    assert refused(data).code == "xml_has_dtd"
    with pytest.raises(InvalidInputError, match="xml_has_dtd"):
        parse_document(data)


def test_a_document_type_in_utf_16_is_refused_too() -> None:
    assert refused(BOMB.decode().replace("1.0", "1.0").encode("utf-16")).code == "xml_has_dtd"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", 1),
        (b"no xml at all", 1),
        (b"<pfif>\n<person>\n</pfif>", 3),
        (b"<pfif>&undeclared;</pfif>", 1),
        (b"<pfif><person>\xff\xfe</person></pfif>", 1),
        (b"<pfif><person/>", 1),
    ],
)
def test_what_is_no_xml_is_refused_with_the_line(data: bytes, line: int) -> None:
    error = refused(data)
    assert (error.code, error.details["line"]) == ("xml_unreadable", line)


def test_depth_and_number_of_elements_are_limited() -> None:
    deep = b"<a>" * 30 + b"</a>" * 30
    assert refused(deep).code == "xml_too_deep"
    many = b"<a>" + b"<b/>" * 1001 + b"</a>"
    assert refused(many, XmlLimits(max_elements=1000)).code == "xml_too_deep"


def test_an_upload_of_two_gigabytes_is_not_read_to_its_end() -> None:
    handed_out = 0

    def upload() -> Iterator[bytes]:
        nonlocal handed_out
        yield b"<pfif>"
        for _ in range(2048):
            handed_out += 1
            yield b"<person/>" + b" " * (1024 * 1024 - 9)

    with pytest.raises(InvalidInputError, match="xml_too_large"):
        for _ in iter_elements(upload(), frozenset({"person"})):
            pass
    assert handed_out <= 20


def test_elements_come_one_by_one_and_are_let_go() -> None:
    pieces = [b"<pfif>", *[b"<x/><person><note>%d</note></person>" % n for n in range(500)]]
    seen = []
    kept = []
    for element in iter_elements([*pieces, b"</pfif>"], frozenset({"person", "note"})):
        seen.append(element[0].text)
        kept.append(element)
    assert seen == [str(number) for number in range(500)]
    assert not any(len(element) for element in kept)


def test_text_is_escaped_and_what_xml_cannot_hold_is_left_out() -> None:
    assert escaped("a<b>&\x00\x0b\ud800王\U0001f600\n") == "a&lt;b&gt;&amp;王\U0001f600\n"
    assert attribute('say "hi" & go') == "say &quot;hi&quot; &amp; go"


def test_names_without_a_namespace_have_none() -> None:
    element = parse_document(b"<!-- said --><plain>x<?run y?></plain>")
    assert (local_name(element), namespace_of(element)) == ("plain", "")
    assert canonical(element) == "<plain>x</plain>"
