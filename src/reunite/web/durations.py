"""Lengths of time in words: how long somebody waits, how long ago something was."""

from datetime import datetime, timedelta

from babel.dates import format_timedelta

from reunite.kernel.languages import Language
from reunite.web.i18n import LOCALES


class Spans:
    """Lengths of time in one language, as seen at one moment."""

    def __init__(self, language: Language, now: datetime) -> None:
        self._locale = LOCALES[language]
        self._now = now

    def length(self, span: timedelta) -> str:
        """E.g. ``3 hours``; at least a minute, so that nothing waits for "0 seconds"."""
        at_least = max(span, timedelta(minutes=1))
        # Changes to days after a day and a half: by then hours say little to a tired reader.
        return format_timedelta(at_least, granularity="minute", threshold=1.5, locale=self._locale)

    def since(self, moment: datetime) -> str:
        """How long ago ``moment`` was, without a word for "ago"."""
        return self.length(self._now - moment)
