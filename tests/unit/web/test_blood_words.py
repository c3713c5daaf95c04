"""Every reason that the engine can give has its sentence, filled in."""

import re
from importlib.resources import files

import pytest

from reunite.blood.compatibility import Need, judge
from reunite.blood.notation import parse_phenotype
from reunite.blood.rules import RULES
from reunite.kernel.languages import Language
from reunite.web.blood_words import REASONS, reason_of
from reunite.web.i18n import load_translations

_CODE = re.compile(r'"((?:abo|bombay|para_bombay|rhd|antibody|rh|k|null|donor)_[a-z_]+)"')


def test_every_code_of_the_engine_has_a_sentence() -> None:
    found: set[str] = set()
    for module in ("groups.py", "demands.py"):
        found |= set(_CODE.findall(files("reunite.blood").joinpath(module).read_text("utf-8")))
    assert found - set(RULES) <= set(REASONS)
    assert set(REASONS) <= found


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.EN, "The patient has anti-Jk3; not known of the donor: Jk(a)."),
        (Language.ZH, "患者有抗-Jk3；献血者以下抗原未知：Jk(a)。"),
    ],
)
def test_what_is_missing_is_said(language: Language, said: str) -> None:
    need = Need(parse_phenotype("B+ anti-Jk3"))
    verdict = judge(parse_phenotype("B+ Jk(b-)"), need)
    assert reason_of(verdict.deciding[0], load_translations(language)) == said
