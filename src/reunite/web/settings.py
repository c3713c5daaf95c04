"""What an operator may change about the pages."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class WebSettings:
    """See ``docs/configuration.md``."""

    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")  # noqa: RUF009  (immutable) of dates in forms
    public_url: str = ""  # e.g. https://reunite.example; empty: as the reader typed it
    hotline: str = ""  # a telephone number on posters and in the footer
    max_body_bytes: int = 20_000_000  # a photo of 15 MB and its form
    sign_in_attempts: int = 8  # per address and client, within the window below
    sign_in_window_seconds: float = 600.0
    patterns_page: bool = False  # /_patterns, for those who work on the design
