"""What a notice says, made from the case as it is now."""

from dataclasses import dataclass

from reunite.alerts.notices import NoticeKind
from reunite.app.read_inbox import InboxItem
from reunite.cases.case import Case
from reunite.kernel.people import Module, Side
from reunite.kernel.places import nearest_town
from reunite.web.ages import age_span, seen_year
from reunite.web.page import Page


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """One notice in the reader's language; ``path`` is empty where nothing is left to see."""

    item: InboxItem
    title: str
    text: str
    path: str


def words_of(page: Page, item: InboxItem) -> NoticeWords:
    """The words for a notice.  A case that is over gives away no name."""
    translations = page.web.renderers[page.language].translations
    case, town = item.case, _town(page, item.case)
    if item.kind is NoticeKind.CARD and case.is_open:
        return NoticeWords(
            item,
            translations.gettext("Somebody is with %(name)s") % {"name": case.person.name},
            translations.gettext("The card has been scanned. Read what the finder wrote."),
            page.url("/my/people"),
        )
    if item.kind is NoticeKind.LEAD and case.is_open:
        return NoticeWords(
            item,
            translations.gettext("A record may fit: %(name)s") % {"name": case.person.name or "…"},
            translations.gettext(
                "Two reviewers think that another record may be of the same person. They will "
                "contact you. Nothing is certain until then: please do not set out by yourself."
            ),
            _path(page, case),
        )
    if item.kind in {NoticeKind.BLOOD_ASK, NoticeKind.BLOOD_THANKS}:
        return _to_donor(page, item)
    if not item.kind.is_last and case.is_public:
        headline = _headline(page, case)
        if item.kind is NoticeKind.UPDATED:
            headline = translations.gettext("News: %(headline)s") % {"headline": headline}
        text = _where(page, case)
        if item.is_imminent:
            said = translations.gettext(
                "Sent despite quiet hours and weekly limits: somebody is in imminent danger."
            )
            text = f"{said} {text}"
        return NoticeWords(item, headline, text, _path(page, case))
    if item.kind is NoticeKind.CANCELLED:
        title = translations.gettext("The search was called off")
        text = translations.gettext(
            "The search near %(town)s that you were told about has been called off. "
            "Please stop sharing it."
        )
    elif item.kind is NoticeKind.RESOLVED:
        title = translations.gettext("The search is over, thank you")
        text = translations.gettext(
            "The search near %(town)s that you were told about is over. Thank you for looking."
        )
    else:
        title = translations.gettext("This search is over")
        text = translations.gettext(
            "The search near %(town)s that you were told about here is over: nothing is left to do."
        )
    return NoticeWords(item, title, text % {"town": town}, "")


def _to_donor(page: Page, item: InboxItem) -> NoticeWords:
    """A request for blood: the hospital and the town, and nothing of a patient."""
    translations, case = page.web.renderers[page.language].translations, item.case
    filled = {"hospital": case.organisation, "town": _town(page, case)}
    path = page.url(f"/blood/asks/{case.reference}")
    if item.kind is NoticeKind.BLOOD_THANKS:
        title = translations.gettext("Thank you for standing by")
        text = translations.gettext("%(hospital)s needs nobody else for now. Thank you!")
    elif case.is_open:
        title = translations.gettext("Your blood is needed")
        text = translations.gettext(
            "%(hospital)s, %(town)s. Can you come? Please answer, even with a no."
        )
    else:
        title = translations.gettext("This request is over")
        text = translations.gettext("%(hospital)s needs nobody any more. Nothing is left to do.")
    return NoticeWords(item, title, text % filled, path)


def _headline(page: Page, case: Case) -> str:
    translations = page.web.renderers[page.language].translations
    name = case.person.name
    if case.side is Side.FOUND:
        return translations.gettext("Found: who knows this person?")
    if case.module is Module.BLOOD:
        return translations.gettext("Rare blood is needed: %(name)s") % {"name": name}
    return translations.gettext("Missing: %(name)s") % {"name": name}


def _where(page: Page, case: Case) -> str:
    translations = page.web.renderers[page.language].translations
    age = age_span(case.person.birth_years, seen_year(case))
    parts = [translations.gettext("%(age)s years old") % {"age": age}] if age else []
    place = page.place_of(case)
    if place:
        parts.append(place)
    if case.circumstances.seen_at is not None:
        parts.append(page.formats.moment(case.circumstances.seen_at))
    return " · ".join(parts)


def _path(page: Page, case: Case) -> str:
    return page.url(f"/cases/{case.reference}")


def _town(page: Page, case: Case) -> str:
    # The town and not the label: a street can give away whose search it was.
    place = case.circumstances.place
    if place is None:
        return page.web.renderers[page.language].translations.gettext("your town")
    return nearest_town(place, page.services.settings.country).name(page.language)
