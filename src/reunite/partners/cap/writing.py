"""Write CAP messages and the feeds that list them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from lxml import etree

from reunite.kernel.places import Point
from reunite.partners.cap.alert import (
    MEDIA_TYPE,
    NAMESPACE,
    CapAlert,
    CapArea,
    CapInfo,
    check,
    format_time,
)
from reunite.partners.xml import attribute, escaped

DECIMALS = 5  # of degrees: a metre, which is finer than anybody knows
HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'


def to_element(alert: CapAlert) -> etree._Element:
    """The message as an element, in the order of the schema and without space between elements.

    Space would change the digest for a reader that drops it before the signature is checked.
    Raises what ``check`` raises.
    """
    check(alert)
    root = etree.Element(_name("alert"), nsmap={None: NAMESPACE})
    _add(root, "identifier", alert.identifier)
    _add(root, "sender", alert.sender)
    _add(root, "sent", format_time(alert.sent))
    _add(root, "status", alert.status.value)
    _add(root, "msgType", alert.message_type.value)
    _add(root, "scope", alert.scope.value)
    _add_known(root, "note", alert.note)
    _add_known(root, "references", " ".join(map(str, alert.references)))
    _add_known(root, "incidents", alert.incidents)
    for info in alert.infos:
        _add_info(root, info)
    return root


def to_bytes(element: etree._Element) -> bytes:
    """An element as a document."""
    return bytes(etree.tostring(element, xml_declaration=True, encoding="UTF-8"))


def _add_info(root: etree._Element, info: CapInfo) -> None:
    element = etree.SubElement(root, _name("info"))
    _add(element, "language", info.language)
    _add(element, "category", info.category)
    _add(element, "event", info.event)
    _add_known(element, "responseType", info.response)
    _add(element, "urgency", info.urgency)
    _add(element, "severity", info.severity)
    _add(element, "certainty", info.certainty)
    if info.expires is not None:
        _add(element, "expires", format_time(info.expires))
    _add_known(element, "senderName", info.sender_name)
    _add_known(element, "headline", info.headline)
    _add_known(element, "description", info.description)
    _add_known(element, "instruction", info.instruction)
    _add_known(element, "web", info.web)
    _add_known(element, "contact", info.contact)
    for name, value in info.parameters:
        _add_pair(element, "parameter", name, value)
    for area in info.areas:
        _add_area(element, area)


def _add_area(parent: etree._Element, area: CapArea) -> None:
    element = etree.SubElement(parent, _name("area"))
    _add(element, "areaDesc", area.description)
    for ring in area.polygons:
        _add(element, "polygon", " ".join(map(_point, ring)))
    for circle in area.circles:
        _add(element, "circle", f"{_point(circle.centre)} {_number(circle.radius_km)}")
    for name, value in area.geocodes:
        _add_pair(element, "geocode", name, value)


def _add(parent: etree._Element, name: str, text: str) -> None:
    # Characters that XML cannot hold are left out, then the builder escapes by itself.
    plain = "".join(c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or c >= "\ue000")
    etree.SubElement(parent, _name(name)).text = plain


def _add_known(parent: etree._Element, name: str, text: str) -> None:
    if text:
        _add(parent, name, text)


def _add_pair(parent: etree._Element, name: str, key: str, value: str) -> None:
    pair = etree.SubElement(parent, _name(name))
    _add(pair, "valueName", key)
    _add(pair, "value", value)


def _name(local: str) -> str:
    return f"{{{NAMESPACE}}}{local}"


def _point(point: Point) -> str:
    return f"{_number(point.latitude)},{_number(point.longitude)}"


def _number(value: float) -> str:
    text = f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@dataclass(frozen=True, slots=True)
class AlertEntry:
    """A message in a feed.  ``address`` is where the signed message itself is."""

    alert: CapAlert
    address: str


@dataclass(frozen=True, slots=True)
class AlertFeedHead:
    """What a feed says of itself."""

    address: str
    title: str
    language: str  # whose words the entries have
    updated: datetime


def write_atom(head: AlertFeedHead, entries: Iterable[AlertEntry]) -> Iterator[str]:
    """An Atom index of alerts (RFC 4287), each entry leading to its message."""
    yield f'{HEADER}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{head.language}">\n'
    yield f"  <id>{escaped(head.address)}</id>\n  <title>{escaped(head.title)}</title>\n"
    yield f"  <updated>{_atom_time(head.updated)}</updated>\n"
    yield f'  <link rel="self" href="{attribute(head.address)}"/>\n'
    for entry in entries:
        alert = entry.alert
        title, summary = _words(alert, head.language)
        yield f"  <entry>\n    <id>{escaped(alert.identifier)}</id>\n"
        yield f"    <title>{escaped(title)}</title>\n"
        yield f"    <updated>{_atom_time(alert.sent)}</updated>\n"
        yield f"    <author><name>{escaped(alert.sender)}</name></author>\n"
        yield f"    <summary>{escaped(summary)}</summary>\n"
        yield f'    <category term="{alert.message_type.value}"/>\n'
        yield f'    <link rel="alternate" type="{MEDIA_TYPE}" href="{attribute(entry.address)}"/>\n'
        yield "  </entry>\n"
    yield "</feed>\n"


def write_rss(head: AlertFeedHead, entries: Iterable[AlertEntry]) -> Iterator[str]:
    """The same as RSS 2.0."""
    yield f'{HEADER}<rss version="2.0"><channel>\n'
    yield f"  <title>{escaped(head.title)}</title>\n  <link>{escaped(head.address)}</link>\n"
    yield f"  <description>{escaped(head.title)}</description>\n"
    yield f"  <language>{head.language}</language>\n"
    yield f"  <lastBuildDate>{format_datetime(head.updated)}</lastBuildDate>\n"
    for entry in entries:
        alert = entry.alert
        title, summary = _words(alert, head.language)
        yield f"  <item>\n    <title>{escaped(title)}</title>\n"
        yield f"    <link>{escaped(entry.address)}</link>\n"
        yield f"    <description>{escaped(summary)}</description>\n"
        yield f"    <category>{alert.message_type.value}</category>\n"
        yield f'    <guid isPermaLink="false">{escaped(alert.identifier)}</guid>\n'
        yield f"    <pubDate>{format_datetime(alert.sent)}</pubDate>\n  </item>\n"
    yield "</channel></rss>\n"


def _words(alert: CapAlert, language: str) -> tuple[str, str]:
    info = alert.info_in(language)
    if info is None:
        return alert.identifier, ""
    return info.headline or info.event, info.description


def _atom_time(at: datetime) -> str:
    # RFC 4287, 3.3: unlike CAP, Atom has nothing against an offset of +00:00.
    return at.replace(microsecond=0).isoformat()
