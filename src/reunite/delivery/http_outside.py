"""Servers of partners: asked through the same guarded client as all that goes out."""

from collections.abc import Mapping
from http import HTTPStatus

from reunite.delivery.outbound import Answer, Outbound, OutboundSettings, Question
from reunite.kernel.errors import ReuniteError

_UNUSABLE = frozenset({"address_invalid", "address_forbidden"})


class HttpOutside:
    """Implements ``OutsideWorld``.  May be used from several threads."""

    def __init__(self, settings: OutboundSettings | None = None) -> None:
        self._outbound = Outbound(settings)

    def get(self, address: str, headers: Mapping[str, str], *, max_bytes: int) -> bytes:
        """What is there.  Raises ReuniteError ``peer_too_large`` beyond ``max_bytes``."""
        answer = self._outbound.ask(Question(address, b"", _ours(headers), "GET", max_bytes))
        if answer.reason == "too_large":
            raise ReuniteError("peer_too_large", max_bytes=max_bytes)
        _require_success(answer)
        return answer.body

    def post(self, address: str, headers: Mapping[str, str], body: bytes) -> None:
        """Hand something in; accepted when this returns."""
        _require_success(self._outbound.ask(Question(address, body, _ours(headers), "POST")))

    def close(self) -> None:
        """Give back connections and the thread."""
        self._outbound.close()


def _ours(headers: Mapping[str, str]) -> dict[str, str]:
    return {"User-Agent": "Reunite", **headers}


def _require_success(answer: Answer) -> None:
    if answer.reason in _UNUSABLE:
        raise ReuniteError("peer_address_unusable")
    if not answer.status:
        raise ReuniteError("peer_unreachable")
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise ReuniteError("peer_refused", status=answer.status)
