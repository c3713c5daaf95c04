"""Read CAP 1.2 messages of others."""

from lxml import etree

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.places import Point
from reunite.partners.cap.alert import (
    NAMESPACE,
    CapAlert,
    CapArea,
    CapCircle,
    CapInfo,
    MessageScope,
    MessageType,
    Reference,
    Status,
    check,
    parse_time,
)
from reunite.partners.xml import XmlLimits, parse_document

ALERT_LIMITS = XmlLimits(max_bytes=2_000_000, max_depth=20, max_elements=50_000)
MAX_INFOS = 20
MAX_REFERENCES = 200
REFERENCE_PARTS = 3


def read_alert(data: bytes) -> CapAlert:
    """The message in ``data``; elements that CAP does not have are passed over.

    Raises InvalidInputError ``cap_not_cap``, ``required`` or ``cap_word_unknown`` with the
    ``field``, what ``check`` raises, and what ``partners.xml`` refuses.
    """
    return from_element(parse_document(data, ALERT_LIMITS))


def from_element(root: etree._Element) -> CapAlert:
    """The message in an element; errors as in ``read_alert``."""
    if root.tag != f"{{{NAMESPACE}}}alert":
        raise InvalidInputError("cap_not_cap")
    infos = _children(root, "info")
    if len(infos) > MAX_INFOS:
        raise InvalidInputError("text_too_long", field="info", maximum=MAX_INFOS)
    return check(
        CapAlert(
            identifier=_required(root, "identifier"),
            sender=_required(root, "sender"),
            sent=parse_time(_required(root, "sent"), "sent"),
            status=Status(_word(root, "status", frozenset(Status))),
            message_type=MessageType(_word(root, "msgType", frozenset(MessageType))),
            scope=MessageScope(_word(root, "scope", frozenset(MessageScope))),
            note=_text(root, "note"),
            references=_references(_text(root, "references")),
            incidents=_text(root, "incidents"),
            infos=tuple(_info(info) for info in infos),
        )
    )


def _info(element: etree._Element) -> CapInfo:
    expires = _text(element, "expires")
    return CapInfo(
        # CAP 1.2, 3.2.2: without a language the block is in English of the United States.
        language=_text(element, "language") or "en-US",
        category=_required(element, "category"),
        event=_required(element, "event"),
        urgency=_required(element, "urgency"),
        severity=_required(element, "severity"),
        certainty=_required(element, "certainty"),
        response=_text(element, "responseType"),
        expires=parse_time(expires, "expires") if expires else None,
        sender_name=_text(element, "senderName"),
        headline=_text(element, "headline"),
        description=_text(element, "description"),
        instruction=_text(element, "instruction"),
        web=_text(element, "web"),
        contact=_text(element, "contact"),
        parameters=_pairs(element, "parameter"),
        areas=tuple(_area(area) for area in _children(element, "area")),
    )


def _area(element: etree._Element) -> CapArea:
    return CapArea(
        description=_required(element, "areaDesc"),
        circles=tuple(_circle(_content(one)) for one in _children(element, "circle")),
        polygons=tuple(
            tuple(_point(pair, "polygon") for pair in _content(one).split())
            for one in _children(element, "polygon")
        ),
        geocodes=_pairs(element, "geocode"),
    )


def _circle(text: str) -> CapCircle:
    centre, _, radius = text.partition(" ")
    return CapCircle(_point(centre, "circle"), _float(radius, "circle"))


def _point(text: str, field: str) -> Point:
    latitude, _, longitude = text.partition(",")
    return Point(_float(latitude, field), _float(longitude, field))


def _float(text: str, field: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidInputError("number_expected", field=field) from error


def _references(text: str) -> tuple[Reference, ...]:
    found = []
    for one in text.split()[:MAX_REFERENCES]:
        parts = one.split(",")
        if len(parts) != REFERENCE_PARTS:
            raise InvalidInputError("cap_reference_missing", field="references")
        found.append(Reference(parts[0], parts[1], parse_time(parts[2], "references")))
    return tuple(found)


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return list(element.findall(f"{{{NAMESPACE}}}{name}"))


def _content(element: etree._Element) -> str:
    return str(element.text or "").strip()


def _text(element: etree._Element, name: str) -> str:
    child = element.find(f"{{{NAMESPACE}}}{name}")
    return "" if child is None else _content(child)


def _required(element: etree._Element, name: str) -> str:
    text = _text(element, name)
    if not text:
        raise InvalidInputError("required", field=name)
    return text


def _word(element: etree._Element, name: str, words: frozenset[str]) -> str:
    text = _required(element, name)
    if text not in words:
        raise InvalidInputError("cap_word_unknown", field=name)
    return text


def _pairs(element: etree._Element, name: str) -> tuple[tuple[str, str], ...]:
    return tuple((_text(one, "valueName"), _text(one, "value")) for one in _children(element, name))
