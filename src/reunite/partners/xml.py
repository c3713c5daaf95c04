"""XML from outside, read so that it can do no harm.

Refused: a document type (and with it every entity, bomb and external reference), more bytes
than agreed, elements nested deeper or more numerous than any honest document's.  Nothing is
ever fetched.  Documents are read in pieces, so that an upload of gigabytes is refused after the
first few megabytes and never held.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from reunite.kernel.errors import InvalidInputError

PIECE_BYTES = 64 * 1024
# What XML 1.0 (2.2) cannot hold, not even escaped; a partner's parser would refuse the feed.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """The most that a document may have."""

    max_bytes: int = 20_000_000
    max_depth: int = 20
    max_elements: int = 1_000_000


DEFAULT_LIMITS = XmlLimits()


def iter_elements(
    pieces: Iterable[bytes], wanted: frozenset[str], limits: XmlLimits = DEFAULT_LIMITS
) -> Iterator[etree._Element]:
    """Elements with one of the local names ``wanted``, once complete, outermost ones only.

    An element is emptied after the consumer has gone on to the next one.

    Raises InvalidInputError ``xml_too_large``, ``xml_has_dtd``, ``xml_too_deep``,
    ``xml_unreadable`` with the ``line``.
    """
    parser = etree.XMLPullParser(
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    watch = _Watch(wanted, limits)
    received = 0
    try:
        for piece in _cut(pieces):
            received += len(piece)
            if received > limits.max_bytes:
                raise InvalidInputError("xml_too_large", max_bytes=limits.max_bytes)
            parser.feed(piece)
            yield from watch.complete(parser)
        parser.close()
        yield from watch.complete(parser)
    except etree.XMLSyntaxError as error:
        raise InvalidInputError("xml_unreadable", line=error.lineno or 1) from error


class _Watch:
    """Follows the parser through the document."""

    def __init__(self, wanted: frozenset[str], limits: XmlLimits) -> None:
        self._wanted = wanted
        self._limits = limits
        self._depth = 0
        self._elements = 0
        self._inside: etree._Element | None = None  # the wanted element that is being read

    def complete(self, parser: "etree.XMLPullParser[etree._Element]") -> Iterator[etree._Element]:
        for event, element in parser.read_events():
            if event == "start":
                self._open(element)
                continue
            self._depth -= 1
            if element is self._inside:
                self._inside = None
                yield element
                _forget(element)

    def _open(self, element: etree._Element) -> None:
        if self._elements == 0 and element.getroottree().docinfo.internalDTD is not None:
            raise InvalidInputError("xml_has_dtd")
        self._depth += 1
        self._elements += 1
        if self._depth > self._limits.max_depth or self._elements > self._limits.max_elements:
            raise InvalidInputError("xml_too_deep", max_depth=self._limits.max_depth)
        if self._inside is None and local_name(element) in self._wanted:
            self._inside = element


def _forget(element: etree._Element) -> None:
    # Its text is no longer needed, nor are the elements before it.
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    # The document type is looked for between pieces: none may be so large that what it
    # declares is already in use within the same one.
    for piece in pieces:
        for start in range(0, len(piece), PIECE_BYTES):
            yield piece[start : start + PIECE_BYTES]


def parse_document(data: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> etree._Element:
    """A whole small document, e.g. one alert; limits and errors as in ``iter_elements``."""
    for _ in iter_elements([data], frozenset(), limits):
        pass
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    return etree.fromstring(data, parser)


def local_name(element: etree._Element) -> str:
    """The name without its namespace."""
    return str(etree.QName(element).localname)


def namespace_of(element: etree._Element) -> str:
    """The namespace; empty where there is none."""
    return str(etree.QName(element).namespace or "")


def canonical(element: etree._Element) -> str:
    """An element as text that stands by itself (exclusive C14N), whatever was around it."""
    return bytes(etree.tostring(element, method="c14n", exclusive=True, with_tail=False)).decode()


def escaped(text: str) -> str:
    """Text as the content of an element; characters that XML cannot hold are left out."""
    plain = _NO_XML.sub("", text)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def attribute(text: str) -> str:
    """Text as the value of an attribute in double quotes."""
    return escaped(text).replace('"', "&quot;")
