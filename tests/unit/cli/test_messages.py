"""Operators are told in their language what is wrong and what to do."""

import string

import pytest

from reunite.cli.messages import OPERATOR_MESSAGES, describe, tell, terminal_language
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.languages import Language


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, Language.EN),
        ({"LANG": "C.UTF-8"}, Language.EN),
        ({"LANG": "zh_CN.UTF-8"}, Language.ZH),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, Language.EN),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "zh_TW"}, Language.ZH),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, Language.ZH),
    ],
)
def test_the_language_of_the_terminal(environment: dict[str, str], language: Language) -> None:
    assert terminal_language(environment) is language


@pytest.mark.parametrize("code", OPERATOR_MESSAGES)
def test_both_languages_say_the_same(code: str) -> None:
    fields = [
        {name for _, name, _, _ in string.Formatter().parse(text) if name}
        for text in OPERATOR_MESSAGES[code]
    ]
    assert fields[0] == fields[1]
    assert any("\u4e00" <= character <= "\u9fff" for character in OPERATOR_MESSAGES[code][1])


def test_details_are_filled_in_as_far_as_they_are_known() -> None:
    error = ReuniteError("database_in_use", directory="/data", process_ids=[12, 13])
    assert "(12, 13)" in tell(error, Language.EN)
    assert "/data" in tell(error, Language.ZH)
    assert tell(ReuniteError("database_in_use"), Language.EN)
    assert "None" not in tell(ReuniteError("database_unreachable", reason=None), Language.EN)


def test_braces_in_details_are_only_text() -> None:
    assert "{x}" in tell(ReuniteError("file_missing", path="{x}"), Language.EN)


def test_other_codes_have_the_sentence_of_the_pages() -> None:
    error = InvalidInputError("photo_no_face")
    assert tell(error, Language.EN) == describe(error, Language.EN)
    assert "face" in tell(error, Language.EN)
