"""Every module of the package, read but not imported."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "reunite"


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str  # below the package, e.g. app/open_case.py
    lines: int
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.split("/", maxsplit=1)[0]


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text("utf-8")
        name = path.relative_to(PACKAGE).as_posix()
        found.append(Module(name, len(text.splitlines()), ast.parse(text, filename=name)))
    return tuple(found)


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
