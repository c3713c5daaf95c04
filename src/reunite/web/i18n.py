"""Languages of the pages: which one a reader gets, its sentences, dates and numbers.

Sentences are written in English in templates and code; ``locales/zh`` holds the Chinese.
Each group of pages has a catalogue of its own there; all of them are read at start.
"""

import io
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from reunite.kernel.languages import DEFAULT_LANGUAGE, Language

LOCALES_DIR = Path(__file__).parent / "locales"
LANGUAGE_COOKIE = "reunite_language"

LOCALES = {Language.ZH: Locale("zh", "CN", script="Hans"), Language.EN: Locale("en", "GB")}
HTML_LANGUAGES = {Language.ZH: "zh-Hans", Language.EN: "en"}


def N_(message: str) -> str:  # noqa: N802  (the customary name, known to extractors)
    """``message`` itself, marked for translation where it is shown later."""
    return message


@cache
def load_translations(language: Language) -> NullTranslations:
    """The sentences of a language; English needs none."""
    merged = NullTranslations()
    for path in sorted((LOCALES_DIR / language.value / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as source:
            catalogue = read_po(source, locale=language.value)
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        translations = Translations(compiled, domain=path.stem)
        if isinstance(merged, Translations):
            merged.merge(translations)
        else:
            merged = translations
    return merged


def find_language(value: str | None) -> Language | None:
    """The language with this code."""
    return next((one for one in Language if one.value == value), None)


def preferred_language(cookie: str | None, accept_language: str) -> Language:
    """What the reader chose before, else what their browser asks for, else the default."""
    chosen = find_language(cookie)
    if chosen is not None:
        return chosen
    weighted: list[tuple[float, int, Language]] = []
    for position, part in enumerate(accept_language.split(",")):
        tag, _, parameters = part.strip().partition(";")
        language = find_language(tag.partition("-")[0].lower())
        quality = _quality(parameters)
        if language is not None and quality > 0:
            weighted.append((-quality, position, language))
    return min(weighted)[2] if weighted else DEFAULT_LANGUAGE


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


class Formats:
    """Dates and numbers as readers of one language write them."""

    def __init__(self, language: Language, zone: ZoneInfo) -> None:
        self._locale = LOCALES[language]
        self._zone = zone

    def day(self, value: datetime | date) -> str:
        """E.g. 22 Nov 2026; of a moment, the day in the reader's zone."""
        if isinstance(value, datetime):
            value = value.astimezone(self._zone).date()
        text: str = format_date(value, "medium", locale=self._locale)
        return text

    def moment(self, value: datetime) -> str:
        """Day and time in the reader's zone."""
        local = value.astimezone(self._zone)
        return f"{self.day(local)} {local:%H:%M}"

    def number(self, value: float, decimals: int = 0) -> str:
        """With the separators of the language."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        text: str = format_decimal(value, pattern, locale=self._locale)
        return text

    def local_input(self, value: datetime) -> str:
        """For a ``datetime-local`` field."""
        return value.astimezone(self._zone).strftime("%Y-%m-%dT%H:%M")
