"""Messages for the tests of CAP."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reunite.kernel.languages import Language
from reunite.kernel.people import Module, Sex
from reunite.kernel.places import Point
from reunite.partners.cap.alert import MessageType
from reunite.partners.cap.notices import NoticeFacts, PublicFacts

NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)
HANGZHOU = Point(30.2741, 120.1551)


def the_person(**changes: Any) -> PublicFacts:
    facts: dict[str, Any] = {
        "module": Module.CHILD,
        "sex": Sex.FEMALE,
        "age_years": (7, 8),
        "seen_at": NOW - timedelta(hours=3),
        "place_words": {Language.ZH: "杭州市", Language.EN: "Hangzhou"},
        "clothing": "红色外套 <新> & 白鞋",
        "marks": "左手有痣",
    }
    return PublicFacts(**{**facts, **changes})


def a_notice(**changes: Any) -> NoticeFacts:
    facts: dict[str, Any] = {
        "identifier": "reunite.example-1",
        "sender": "reunite.example",
        "sender_name": "Reunite",
        "sent": NOW,
        "kind": MessageType.ALERT,
        "incident": "7K3M9QX2TB",
        "person": the_person(),
        "centre": HANGZHOU,
        "radius_km": 30.0,
        "addresses": {
            Language.ZH: "https://reunite.example/zh/cases/7K3M9QX2TB",
            Language.EN: "https://reunite.example/en/cases/7K3M9QX2TB",
        },
    }
    return NoticeFacts(**{**facts, **changes})
