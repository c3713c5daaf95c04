"""Static files under addresses that change with their content, so they may be kept for ever."""

import hashlib
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC_DIR = Path(__file__).parent / "static"
DIGEST_CHARACTERS = 12
_YEAR_SECONDS = 31_536_000


class Assets:
    """The files of one directory, read once."""

    def __init__(self, directory: Path = STATIC_DIR) -> None:
        self._digests = {
            path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[
                :DIGEST_CHARACTERS
            ]
            for path in sorted(directory.rglob("*"))
            if path.is_file()
        }

    def __contains__(self, name: str) -> bool:
        return name in self._digests

    def url(self, name: str) -> str:
        """The address of a file.  Raises KeyError for one that does not exist."""
        return f"/static/{name}?v={self._digests[name]}"


class CachedStaticFiles(StaticFiles):
    """Static files; one asked for with its version never changes."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = scope.get("query_string", b"").startswith(b"v=")
        response.headers["Cache-Control"] = (
            f"public, max-age={_YEAR_SECONDS}, immutable" if versioned else "no-cache"
        )
        return response
