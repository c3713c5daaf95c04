"""The languages that Reunite speaks."""

from enum import StrEnum


class Language(StrEnum):
    """A language of the interface and of notices; values are BCP 47 and URL prefixes."""

    ZH = "zh"
    EN = "en"


DEFAULT_LANGUAGE = Language.ZH
