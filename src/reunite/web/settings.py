"""What an operator may change about the pages."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class WebSettings:
    """See ``docs/configuration.md``."""

    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")  # noqa: RUF009  (immutable) of dates in forms
    public_url: str = ""  # e.g. https://reunite.example; empty: as the reader typed it
    hotline: str = ""  # a telephone number on posters and in the footer
    max_body_bytes: int = 20_000_000  # a photo of 15 MB and its form
    patterns_page: bool = False  # /_patterns, for those who work on the design


def read_web_settings(environment: Mapping[str, str] = os.environ) -> WebSettings:
    """The settings that the environment gives; see ``docs/configuration.md``."""
    return WebSettings(
        public_url=environment.get("REUNITE_PUBLIC_URL", "").strip().rstrip("/"),
        hotline=environment.get("REUNITE_HOTLINE", "").strip(),
    )
