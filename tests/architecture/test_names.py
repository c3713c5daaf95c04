"""``get_`` raises, ``find_`` returns None: whoever reads a call knows what to expect."""

import ast

import pytest

from tests.architecture.modules import functions, modules

FORBIDDEN_NAMES = ("Manager", "Helper")


def admits_none(annotation: ast.expr | None) -> bool:
    """Whether a return annotation is ``X | None`` or ``Optional[X]``."""
    match annotation:
        case ast.Constant(value=None):
            return True
        case ast.Constant(value=str(text)):
            return admits_none(ast.parse(text, mode="eval").body)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return admits_none(left) or admits_none(right)
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional")):
            return True
    return False


def raises_not_found(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the body itself raises NotFoundError."""
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and node.exc is not None:
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(error, ast.Name) and error.id == "NotFoundError":
                return True
    return False


def faults(prefix: str) -> list[str]:
    """Functions with this prefix that do not do what it promises."""
    return [
        f"{module.name}:{function.name}"
        for module in modules()
        for function in functions(module.tree)
        if function.name.lstrip("_").startswith(prefix)
        and (admits_none(function.returns) if prefix == "get_" else raises_not_found(function))
    ]


def test_get_never_returns_none() -> None:
    assert faults("get_") == []


def test_find_never_raises_not_found() -> None:
    assert faults("find_") == []


def test_iter_streams() -> None:
    wrong = [
        f"{module.name}:{function.name}"
        for module in modules()
        for function in functions(module.tree)
        if function.name.lstrip("_").startswith("iter_")
        and not (function.returns and "Iterator" in ast.unparse(function.returns))
    ]
    assert wrong == []


def test_classes_are_named_after_what_they_are() -> None:
    wrong = [
        f"{module.name}:{node.name}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        and (node.name.endswith(FORBIDDEN_NAMES) or node.name.startswith("Base"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("Case", False),
        ("Case | None", True),
        ("None | Case", True),
        ("int | str | None", True),
        ("Optional[Case]", True),
        ("typing.Optional[Case]", True),
        ("'Case | None'", True),
        ("dict[str, int | None]", False),
    ],
)
def test_the_rule_reads_annotations(annotation: str, expected: bool) -> None:
    assert admits_none(ast.parse(annotation, mode="eval").body) is expected
