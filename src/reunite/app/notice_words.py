"""What a notice says outside Reunite: on a lock screen, in an e-mail, in a text message.

Made from the case as it is when it is sent.  Pages make their own words, from their catalogues:
these must fit a telephone, and carry no name once the case has left the public side.
"""

from collections.abc import Mapping

from reunite.alerts.notices import Notice, NoticeKind
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.kernel.languages import Language
from reunite.kernel.people import Module, Side
from reunite.kernel.places import nearest_town
from reunite.ports import ChannelMessage, Urgency, topic_of

# Somebody who switches on their phone half a day later can still help; after that the
# thank-you or an update is likelier to be true.
TTL_SECONDS: Mapping[NoticeKind, int] = {
    NoticeKind.PUBLISHED: 12 * 3600,
    NoticeKind.UPDATED: 12 * 3600,
    NoticeKind.BLOOD_ASK: 6 * 3600,
    NoticeKind.BLOOD_THANKS: 3 * 86400,
    NoticeKind.RESOLVED: 3 * 86400,
    NoticeKind.CANCELLED: 3 * 86400,
}

_WORDS: Mapping[Language, Mapping[str, str]] = {
    Language.EN: {
        "missing": "Missing: {name}",
        "somebody": "a person",
        "found": "Found: who knows this person?",
        "blood": "Rare blood is needed: {name}",
        "blood_ask": "Your blood is needed",
        "blood_ask_body": "{hospital}, {town}. Can you come? Please answer, even with a no.",
        "blood_thanks": "Thank you for standing by",
        "blood_thanks_body": "{hospital} needs nobody else for now. Thank you!",
        "updated": "News: {headline}",
        "look": "Near {town}. Please keep an eye out and tell us what you see.",
        "look_anywhere": "Please keep an eye out and tell us what you see.",
        "imminent": ("Sent despite quiet hours and weekly limits: somebody is in imminent danger."),
        "resolved": "The search is over, thank you",
        "resolved_body": "The search that you were told about is over. Thank you for looking.",
        "cancelled": "The search was called off",
        "cancelled_body": "Please stop sharing it.",
    },
    Language.ZH: {
        "missing": "寻人：{name}",
        "somebody": "一位走失者",
        "found": "寻亲：有人认识这位吗？",
        "blood": "急需稀有血型：{name}",
        "blood_ask": "有人需要您的血型",
        "blood_ask_body": "{hospital}（{town}）。您能来吗？不能来也请回复一声。",
        "blood_thanks": "感谢您随时准备相助",
        "blood_thanks_body": "{hospital}目前不再需要更多献血者。谢谢您！",
        "updated": "新消息：{headline}",
        "look": "{town}附近。请留意，看到请告诉我们。",
        "look_anywhere": "请留意，看到请告诉我们。",
        "imminent": "情况紧急，有人正处于危险中，因此不受免打扰时段和每周次数的限制。",
        "resolved": "寻找已结束，谢谢您",
        "resolved_body": "您收到过通知的寻找已经结束。感谢您的留意。",
        "cancelled": "寻找已取消",
        "cancelled_body": "请不要再转发。",
    },
}


def message_of(
    services: Services,
    notice: Notice,
    case: Case,
    language: Language,
    *,
    is_imminent: bool = False,
) -> ChannelMessage | None:
    """The message in one language; None when there is nothing to say any more.

    ``is_imminent``: the alert rings in quiet hours and beyond weekly limits, and says why.

    All notices about one case have its topic: on a device the newest takes the place of those
    before it.
    """
    words = _WORDS[language]
    if notice.kind in {NoticeKind.BLOOD_ASK, NoticeKind.BLOOD_THANKS}:
        return _to_donor(services, notice, case, language)
    if notice.kind.is_last:
        title, body = words[notice.kind.value], words[f"{notice.kind.value}_body"]
        path = "inbox"
    elif not case.is_public:
        return None
    else:
        title = _headline(words, case)
        if notice.kind is NoticeKind.UPDATED:
            title = words["updated"].format(headline=title)
        body, path = _where(words, case, language), f"cases/{case.reference}"
        if is_imminent and notice.kind is NoticeKind.PUBLISHED:
            body = f"{words['imminent']} {body}"
    return ChannelMessage(
        title=title,
        body=body,
        url=f"{services.settings.public_url.rstrip('/')}/{language.value}/{path}",
        language=language,
        topic=topic_of(case.reference),
        urgency=Urgency.NORMAL if notice.kind.is_last else Urgency.HIGH,
        ttl_seconds=TTL_SECONDS[notice.kind],
        kind=notice.kind.value,
    )


def _to_donor(
    services: Services, notice: Notice, case: Case, language: Language
) -> ChannelMessage | None:
    """The hospital and the town, and nothing of a patient; no asking once it is over."""
    asks = notice.kind is NoticeKind.BLOOD_ASK
    if asks and not case.is_open:
        return None
    words, kind = _WORDS[language], notice.kind.value
    place = case.circumstances.place
    town = "" if place is None else nearest_town(place).name(language)
    filled = {"hospital": case.organisation, "town": town}
    path = f"{language.value}/blood/asks/{case.reference}"
    return ChannelMessage(
        title=words[kind],
        body=words[f"{kind}_body"].format(**filled),
        url=f"{services.settings.public_url.rstrip('/')}/{path}",
        language=language,
        topic=topic_of(case.reference),
        urgency=Urgency.HIGH if asks else Urgency.NORMAL,
        ttl_seconds=TTL_SECONDS[notice.kind],
        kind=kind,
    )


def _headline(words: Mapping[str, str], case: Case) -> str:
    name = case.person.name or words["somebody"]
    if case.side is Side.FOUND:
        return words["found"]
    return words["blood" if case.module is Module.BLOOD else "missing"].format(name=name)


def _where(words: Mapping[str, str], case: Case, language: Language) -> str:
    # The town and not the label: a street can give away whose search it was.
    place = case.circumstances.place
    if place is None:
        return words["look_anywhere"]
    return words["look"].format(town=nearest_town(place).name(language))
