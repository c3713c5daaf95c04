"""What the bot answers.  Knows no chat network: text and pictures in, text out."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from reunite.app.chat_accounts import enter_chat, leave_chat, tell_in_chat
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.report_sighting import SightingReport, report_sighting
from reunite.app.search_face import SearchResult, start_search, view_search
from reunite.app.services import Services
from reunite.app.weigh_faces import is_alike
from reunite.bot.words import COMMANDS, say
from reunite.kernel.errors import ReuniteError
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.web.i18n import Formats, load_translations
from reunite.web.messages import message_of
from reunite.web.settings import WebSettings
from reunite.web.towns import find_typed_town

RESULTS = 3  # a chat is no page: more would not be read
LONGEST_TEXT = 1000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """One message to the bot.  ``identity`` names the network and the person in it."""

    identity: str
    text: str
    pictures: Sequence[bytes] = ()
    picture_lost: bool = False  # one was sent that could not be fetched


class Conversation:
    """Answers messages by using Reunite as the person who wrote them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._answers: dict[str, Callable[[Said, str, Language], str]] = {
            "subscribe": self._subscribe,
            "stop": self._stop,
            "sighting": self._sighting,
            "find": self._find,
            "help": lambda _said, _rest, language: say("help", language),
        }

    def knows(self, text: str) -> bool:
        """Whether this is meant for us; a bot that has other plug-ins hears other things too."""
        return _command(text)[0] != ""

    def reply(self, said: Said) -> str:
        """The answer; help for what is not understood."""
        command, rest, language = _command(said.text)
        try:
            return self._answers[command or "help"](said, rest, language)
        except ReuniteError as error:
            formats = Formats(language, WebSettings().zone)
            return message_of(error, load_translations(language), formats)
        except Exception:
            # Whoever wrote must not wait for an answer that never comes.
            log.exception("bot_failed", command=command)
            return say("failed", language)

    def _subscribe(self, said: Said, rest: str, language: Language) -> str:
        if not rest:
            return say("which_town", language)
        town = find_typed_town(rest, self._services.settings.country)
        if town is None:
            return say("town_unknown", language, town=rest[:30])
        actor = enter_chat(self._services, said.identity, language)
        request = JoinRequest(frozenset(Module), town_id=town.geonames_id)
        join_alerts(self._services, actor, request)
        tell_in_chat(self._services, said.identity, actor)
        return say("subscribed", language, town=town.name(language))

    def _stop(self, said: Said, _rest: str, language: Language) -> str:
        leave_chat(self._services, said.identity)
        return say("stopped", language)

    def _sighting(self, said: Said, rest: str, language: Language) -> str:
        reference, _, text = rest.partition(" ")
        if not reference or not (text.strip() or said.pictures):
            return say("which_case", language)
        if said.picture_lost:
            return say("picture_lost", language)
        actor = enter_chat(self._services, said.identity, language)
        report = SightingReport(
            seen_at=self._services.clock.now(),
            place=None,
            place_label="",
            text=text.strip()[:LONGEST_TEXT],
            photo=said.pictures[0] if said.pictures else None,
        )
        report_sighting(self._services, actor, reference.upper(), report)
        return say("sighting_sent", language)

    def _find(self, said: Said, _rest: str, language: Language) -> str:
        if not said.pictures:
            return say("picture_lost" if said.picture_lost else "which_photo", language)
        actor = enter_chat(self._services, said.identity, language)
        started = start_search(self._services, actor, said.pictures[0])
        result = view_search(self._services, actor, started.token)
        if result.chosen is None:
            return say("several_faces", language, count=len(result.faces))
        return self._resemblances(result, language)

    def _resemblances(self, result: SearchResult, language: Language) -> str:
        likely = [
            one
            for one in result.resemblances
            if is_alike(self._services, one.similarity, one.likelihood)
        ][:RESULTS]
        if not likely:
            return say("nobody_alike", language, searched=result.searched)
        site = self._services.settings.public_url
        lines = [say("alike", language, searched=result.searched)]
        lines += [
            say(
                "alike_one",
                language,
                name=one.case.person.name or say("unnamed", language),
                url=f"{site}/{language.value}/cases/{one.case.reference}",
            )
            for one in likely
        ]
        return "\n".join(lines)


def _command(text: str) -> tuple[str, str, Language]:
    """Which command a text begins with, what follows, and in which language it was given."""
    # Full-width letters and spaces are what a Chinese keyboard gives.
    plain = unicodedata.normalize("NFKC", text).strip().lstrip("/").strip()
    for command, names in COMMANDS.items():
        for name in names:
            after = plain[len(name) :]
            is_chinese = not name.isascii()
            # "订阅杭州" is written without a space, "finding" is another word.
            if plain[: len(name)].casefold() == name and (
                is_chinese or not after or after[0].isspace()
            ):
                language = Language.ZH if is_chinese else Language.EN
                return command, " ".join(after.split()), language
    return "", plain, Language.ZH
