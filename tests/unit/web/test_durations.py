from datetime import UTC, datetime, timedelta

import pytest

from reunite.kernel.languages import Language
from reunite.web.durations import Spans

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "english", "chinese"),
    [
        (timedelta(seconds=-5), "1 minute", "1分钟"),
        (timedelta(0), "1 minute", "1分钟"),
        (timedelta(minutes=59), "59 minutes", "59分钟"),
        (timedelta(hours=2), "2 hours", "2小时"),
        (timedelta(hours=30), "30 hours", "30小时"),
        (timedelta(days=3), "3 days", "3天"),
        (timedelta(days=365 * 12), "12 years", "12年"),
    ],
)
def test_lengths_are_said_in_the_unit_that_matters(
    span: timedelta, english: str, chinese: str
) -> None:
    assert Spans(Language.EN, NOW).length(span) == english
    assert Spans(Language.ZH, NOW).since(NOW - span) == chinese
