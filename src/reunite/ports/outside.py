"""Other people's servers, asked over HTTP."""

from collections.abc import Mapping
from typing import Protocol

from reunite.kernel.errors import ReuniteError


class OutsideWorld(Protocol):
    """Requests to addresses that an operator has entered.

    Both raise ReuniteError ``peer_unreachable``, ``peer_refused`` with the ``status``, or
    ``peer_address_unusable``.  Nothing is followed to another address.
    """

    def get(self, address: str, headers: Mapping[str, str], *, max_bytes: int) -> bytes:
        """What is there.  Raises ReuniteError ``peer_too_large`` beyond ``max_bytes``."""
        ...

    def post(self, address: str, headers: Mapping[str, str], body: bytes) -> None:
        """Hand something in; accepted when this returns."""
        ...


class NoOutsideWorld:
    """Reaches nobody: where nothing has been wired, nothing leaves."""

    def get(self, address: str, headers: Mapping[str, str], *, max_bytes: int) -> bytes:  # noqa: ARG002
        raise ReuniteError("peer_unreachable")

    def post(self, address: str, headers: Mapping[str, str], body: bytes) -> None:  # noqa: ARG002
        raise ReuniteError("peer_unreachable")
