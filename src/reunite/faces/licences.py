"""Which licences let anybody use a model or an adapter for anything."""

import re
from typing import Final

PERMISSIVE: Final = frozenset(
    {"apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "cc0", "cc0-1.0", "public domain",
     "operator's own"}
)  # fmt: skip


def is_permissive(licence: str) -> bool:
    """Whether every licence named in ``licence`` is permissive; in doubt it is not.

    Several are separated by commas, remarks stand in brackets: ``Apache-2.0 (OpenCV Zoo), MIT``.
    """
    named = [part.strip().lower() for part in re.sub(r"\([^)]*\)", "", licence).split(",")]
    return all(part in PERMISSIVE for part in named)
