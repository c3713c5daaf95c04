"""SMS, WeCom, DingTalk, Telegram and many more, through the library Apprise.

An address is one of two things.  Either a URL as Apprise writes it, with somebody's own token,
of a service whose servers are fixed: others would have this server call wherever the address
says.  Or ``sms:+8613800000000``, where the operator has an account with a gateway and gave
its URL the name ``sms``.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reunite.ports import ChannelName, Delivery, Receipt, ReceiptStatus

if TYPE_CHECKING:
    import apprise

AT_ONCE = 8
BATCH_SECONDS = 45.0
OPERATION_SECONDS = 5.0

# Each of these talks to the servers of its maker only; looked up in Apprise 2.2.
OWN_TOKEN_SCHEMES = frozenset(
    {
        "dingtalk",
        "discord",
        "feishu",
        "lark",
        "line",
        "pbul",
        "pover",
        "pushplus",
        "qq",
        "schan",
        "slack",
        "tgram",
        "wecombot",
        "wxpusher",
    }
)

_GATEWAY_ADDRESS = re.compile(r"([a-z][a-z0-9]{1,15}):([+0-9A-Za-z_.@-]{3,64})")
_SCHEME = re.compile(r"([a-z][a-z0-9]{1,15})://[^\s?#]{3,}")


@cache
def _apprise() -> Any:
    """The library: a hundred services to load, for whoever sends and nobody else."""
    import apprise  # noqa: PLC0415

    return apprise


class MessageServiceChannel:
    """Implements ``Channel``.

    ``gateways`` are the operator's own, by name: URLs of Apprise in which ``{address}`` stands
    for the recipient.
    """

    name = ChannelName.APPRISE

    def __init__(
        self,
        gateways: Mapping[str, str] | None = None,
        schemes: frozenset[str] = OWN_TOKEN_SCHEMES,
        *,
        operation_seconds: float = OPERATION_SECONDS,
    ) -> None:
        self._gateways = dict(gateways or {})
        self._schemes = schemes
        self._seconds = operation_seconds
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="apprise")
        # It writes addresses, which are tokens, into the log.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)

    @property
    def services(self) -> list[str]:
        """What addresses may begin with."""
        return sorted({f"{name}:" for name in self._gateways} | self._schemes)

    def refuses(self, address: str) -> str:
        """Why an address is not taken, as a code; empty where it is."""
        return "" if self._plugin(address) is not None else "address_invalid"

    def send(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        """Try each delivery once, several at a time; receipts in the same order."""
        tries = [self._threads.submit(self._send, delivery) for delivery in deliveries]
        _, late = wait(tries, timeout=BATCH_SECONDS)
        for one in late:
            one.cancel()
        return [self._receipt(one, is_late=one in late) for one in tries]

    def close(self) -> None:
        """End the threads; what is on its way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _receipt(self, one: "Future[Receipt]", *, is_late: bool) -> Receipt:
        if is_late:
            return Receipt(ReceiptStatus.RETRY, reason="out_of_time")
        if one.exception() is not None:
            return Receipt(ReceiptStatus.RETRY, reason="service_failed")
        return one.result()

    def _send(self, delivery: Delivery) -> Receipt:
        plugin = self._plugin(delivery.address)
        if plugin is None:
            return Receipt(ReceiptStatus.REFUSED, reason="address_invalid")
        message = delivery.message
        accepted = plugin.notify(
            body=f"{message.body}\n{message.url}",
            title=message.title,
            notify_type=_apprise().NotifyType.INFO,
        )
        # Apprise says no more than that: whether it will work later is not known.
        if accepted:
            return Receipt(ReceiptStatus.SENT)
        return Receipt(ReceiptStatus.RETRY, reason="not_accepted")

    def _plugin(self, address: str) -> "apprise.NotifyBase | None":
        url = self._url(address)
        if url is None:
            return None
        limits = f"cto={self._seconds}&rto={self._seconds}"
        made = _apprise().Apprise.instantiate(f"{url}{'&' if '?' in url else '?'}{limits}")
        return made if isinstance(made, _apprise().NotifyBase) else None

    def _url(self, address: str) -> str | None:
        known = _GATEWAY_ADDRESS.fullmatch(address)
        if known is not None and known[1] in self._gateways:
            return self._gateways[known[1]].replace("{address}", quote(known[2], safe=""))
        own = _SCHEME.fullmatch(address)
        # No query: options of a plug-in could lead elsewhere, or to files of this machine.
        return address if own is not None and own[1] in self._schemes else None
