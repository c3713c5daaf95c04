"""Every sentence exists in both languages, and every error code has a sentence."""

import ast
import re
from functools import cache

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from reunite.kernel import errors
from reunite.kernel.errors import ReuniteError
from reunite.kernel.languages import Language
from reunite.web.i18n import LOCALES_DIR, Formats, load_translations
from reunite.web.messages import MESSAGES, message_of
from reunite.web.settings import WebSettings
from tests.architecture.modules import PACKAGE, modules

WEB = PACKAGE / "web"
CATALOGUES = sorted(LOCALES_DIR.glob("*/LC_MESSAGES/*.po"))
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
# Said by those who start the program, on its terminal.
FOR_OPERATORS = ("cli/",)


Sentence = str | tuple[str, ...]  # plurals as pairs


@cache
def sentences() -> frozenset[Sentence]:
    """Every sentence of templates and code."""
    found = extract_from_dir(
        WEB,
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2")],
        options_map={"templates/**.html": {"extensions": "jinja2.ext.do", "silent": "false"}},
        keywords={**DEFAULT_KEYWORDS, "N_": None},
    )
    return frozenset(message for _, _, message, _, _ in found)


@cache
def chinese() -> dict[Sentence, Message]:
    merged: dict[Sentence, Message] = {}
    for path in CATALOGUES:
        with path.open("rb") as source:
            for message in read_po(source):
                if message.id:
                    ids = _ids(message)
                    merged[ids if len(ids) > 1 else ids[0]] = message
    return merged


def test_there_are_sentences() -> None:
    assert len(sentences()) > 200


def test_every_sentence_is_in_chinese() -> None:
    missing = {
        sentence
        for sentence in sentences()
        if sentence not in chinese() or not any(_strings(chinese()[sentence]))
    }
    assert not missing


def test_no_translation_is_in_doubt() -> None:
    assert not [message.id for message in chinese().values() if message.fuzzy]


def test_no_translation_is_left_over() -> None:
    assert not set(chinese()) - sentences()


def test_translations_have_the_same_blanks_to_fill() -> None:
    for message in chinese().values():
        wanted = set(PLACEHOLDER.findall(" ".join(_ids(message))))
        for string in _strings(message):
            assert set(PLACEHOLDER.findall(string)) == wanted, message.id


def _ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _strings(message: Message) -> tuple[str, ...]:
    if message.string is None or isinstance(message.string, str):
        return (message.string or "",)
    return tuple(message.string)


def codes_raised() -> set[str]:
    """The codes that the package gives to errors, written out or as a class's own."""
    codes: set[str] = set()
    for module in modules():
        if module.name.startswith(FOR_OPERATORS):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _name(node.func).endswith("Error") and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and re.fullmatch(r"[a-z_]+", str(first.value)):
                    codes.add(str(first.value))
            if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
                codes |= {
                    str(statement.value.value)
                    for statement in node.body
                    if isinstance(statement, ast.Assign)
                    and isinstance(statement.value, ast.Constant)
                    and any(_name(target) == "code" for target in statement.targets)
                }
    return codes


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def test_codes_are_found() -> None:
    assert {"required", "photo_no_face", "case_over", "not_found"} <= codes_raised()
    assert errors.NotFoundError.code in codes_raised()


def test_every_error_has_a_sentence() -> None:
    assert not codes_raised() - set(MESSAGES)


@pytest.mark.parametrize("language", list(Language))
def test_sentences_can_be_said_without_details(language: Language) -> None:
    translations = load_translations(language)
    formats = Formats(language, WebSettings().zone)
    for code in MESSAGES:
        said = message_of(ReuniteError(code), translations, formats)
        assert said
        assert "%(" not in said
