"""From Reunite's own notices to CAP messages, in Chinese and English.

No name and no photo: whoever relays an alert keeps copies, and what a broadcast has said
about a child nobody can take back.  The address leads to the page of the case, which is
gone when the case closes; the Cancel goes to everyone who had the Alert.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reunite.kernel.languages import Language
from reunite.kernel.people import Module, Sex
from reunite.kernel.places import Point
from reunite.partners.cap.alert import (
    CapAlert,
    CapArea,
    CapCircle,
    CapInfo,
    MessageType,
    Reference,
    Status,
)

VALID_FOR = timedelta(days=7)  # CAP 1.2 wants an end; the alert is sent again while it goes on
LANGUAGE_TAGS: Mapping[Language, str] = {Language.ZH: "zh-CN", Language.EN: "en"}


@dataclass(frozen=True, slots=True)
class PublicFacts:
    """What the public page says of somebody sought, as far as an alert repeats it."""

    module: Module
    sex: Sex
    age_years: tuple[int, int] | None
    seen_at: datetime | None
    place_words: Mapping[Language, str]
    clothing: str
    marks: str


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """One notice of Reunite.

    ``addresses`` lead to the case by language; ``references`` are the messages it replaces.
    """

    identifier: str
    sender: str
    sender_name: str
    sent: datetime
    kind: MessageType
    incident: str
    person: PublicFacts | None  # None: the case is over, nothing is said of the person
    centre: Point | None
    radius_km: float
    addresses: Mapping[Language, str]
    references: Sequence[Reference] = ()
    status: Status = Status.ACTUAL
    contact: str = ""


_EVENTS: Mapping[Module, Mapping[Language, str]] = {
    Module.CHILD: {Language.ZH: "儿童走失", Language.EN: "Missing child"},
    Module.ELDER: {Language.ZH: "老人走失", Language.EN: "Missing elderly person"},
    Module.BLOOD: {Language.ZH: "急需稀有血型", Language.EN: "Rare blood needed"},
}
_SEXES: Mapping[Sex, Mapping[Language, str]] = {
    Sex.UNKNOWN: {Language.ZH: "", Language.EN: ""},
    Sex.FEMALE: {Language.ZH: "女", Language.EN: "female"},
    Sex.MALE: {Language.ZH: "男", Language.EN: "male"},
}
_INSTRUCTIONS: Mapping[Module, Mapping[Language, str]] = {
    module: {
        Language.ZH: "如有线索，请通过链接页面或报警告知，请勿自行接触。",
        Language.EN: "If you have seen this person, say so on the page linked here or tell the "
        "police. Do not act on your own.",
    }
    for module in (Module.CHILD, Module.ELDER)
} | {
    Module.BLOOD: {
        Language.ZH: "如果您可以献血，请通过链接页面回应。",
        Language.EN: "If you can give blood, answer on the page linked here.",
    }
}
_OVER: Mapping[Language, str] = {
    Language.ZH: "寻找已结束，请停止转发。谢谢。",
    Language.EN: "The search is over. Please stop sharing. Thank you.",
}
_NEAR: Mapping[Language, str] = {Language.ZH: "{place}附近", Language.EN: "Around {place}"}
_ANYWHERE: Mapping[Language, str] = {Language.ZH: "全国", Language.EN: "Everywhere"}


def alert_of(notice: NoticeFacts, module: Module) -> CapAlert:
    """The notice as a CAP message: one block of information for each language."""
    return CapAlert(
        identifier=notice.identifier,
        sender=notice.sender,
        sent=notice.sent,
        message_type=notice.kind,
        status=notice.status,
        references=tuple(notice.references),
        incidents=notice.incident,
        infos=tuple(_info(notice, module, language) for language in Language),
    )


def _info(notice: NoticeFacts, module: Module, language: Language) -> CapInfo:
    over = notice.person is None
    event = _EVENTS[module][language]
    return CapInfo(
        language=LANGUAGE_TAGS[language],
        category="Health" if module is Module.BLOOD else "Rescue",
        event=event,
        # Whoever is told is to keep an eye out, and in the end that there is no need to.
        response="AllClear" if over else "Monitor",
        urgency="Past" if over else "Immediate",
        severity="Minor" if over else "Severe",
        certainty="Observed",
        expires=notice.sent + VALID_FOR,
        sender_name=notice.sender_name,
        headline=event if over else _headline(notice, event, language),
        description=_OVER[language] if over else _description(notice, language),
        instruction="" if over else _INSTRUCTIONS[module][language],
        web="" if over else notice.addresses.get(language, ""),
        contact="" if over else notice.contact,
        areas=(_area(notice, language),),
    )


def _headline(notice: NoticeFacts, event: str, language: Language) -> str:
    place = _place(notice, language)
    if not place:
        return event
    return f"{event}：{place}" if language is Language.ZH else f"{event}: {place}"


def _description(notice: NoticeFacts, language: Language) -> str:
    person = notice.person
    if person is None:
        return _OVER[language]
    zh = language is Language.ZH
    parts = [_SEXES[person.sex][language], _age(person.age_years, zh=zh)]
    if person.seen_at is not None:
        when = person.seen_at.date().isoformat()
        parts.append(f"{when} 最后出现" if zh else f"last seen on {when}")
    parts += [person.clothing, person.marks]
    return ("，" if zh else "; ").join(part.strip() for part in parts if part.strip())


def _age(years: tuple[int, int] | None, *, zh: bool) -> str:
    if years is None:
        return ""
    text = str(years[0]) if years[0] == years[1] else f"{years[0]}-{years[1]}"
    return f"{text} 岁" if zh else f"{text} years old"


def _place(notice: NoticeFacts, language: Language) -> str:
    return "" if notice.person is None else notice.person.place_words.get(language, "")


def _area(notice: NoticeFacts, language: Language) -> CapArea:
    place = _place(notice, language)
    words = _NEAR[language].format(place=place) if place else _ANYWHERE[language]
    circles = () if notice.centre is None else (CapCircle(notice.centre, notice.radius_km),)
    return CapArea(words, circles=circles)
