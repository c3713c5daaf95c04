"""Other people's servers over HTTP, with a limit on everything."""

import time
from collections.abc import Mapping

import httpx

from reunite.kernel.errors import ReuniteError

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0  # between two pieces of an answer
# Of one answer: somebody may send a byte every four seconds, and the worker has alerts to send.
WHOLE_SECONDS = 20.0
PIECE_BYTES = 64 * 1024


class HttpOutside:
    """Implements ``OutsideWorld``.  May be used from several threads."""

    def __init__(self) -> None:
        self._client = httpx.Client(
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            # An answer may not send us somewhere that no operator has entered.
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "Reunite"},
        )

    def get(self, address: str, headers: Mapping[str, str], *, max_bytes: int) -> bytes:
        """What is there.  Raises ReuniteError ``peer_too_large`` beyond ``max_bytes``."""
        until = time.monotonic() + WHOLE_SECONDS
        body = bytearray()
        try:
            with self._client.stream("GET", _checked(address), headers=dict(headers)) as answer:
                _require_success(answer)
                for piece in answer.iter_bytes(PIECE_BYTES):
                    body += piece
                    if len(body) > max_bytes:
                        raise ReuniteError("peer_too_large", max_bytes=max_bytes)
                    if time.monotonic() > until:
                        raise ReuniteError("peer_unreachable")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ReuniteError("peer_unreachable") from error
        return bytes(body)

    def post(self, address: str, headers: Mapping[str, str], body: bytes) -> None:
        """Hand something in; accepted when this returns."""
        try:
            with self._client.stream(
                "POST", _checked(address), headers=dict(headers), content=body
            ) as answer:
                _require_success(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ReuniteError("peer_unreachable") from error

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()


def _checked(address: str) -> str:
    if not address.startswith(("https://", "http://")):
        raise ReuniteError("peer_address_unusable")
    return address


def _require_success(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise ReuniteError("peer_refused", status=answer.status_code)
