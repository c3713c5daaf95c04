"""Fetch the pictures that a chat network points to, and nothing else."""

from urllib.parse import urlsplit

from nonebot.adapters import Bot
from nonebot.drivers import Request

MAX_BYTES = 15_000_000  # as the pages take
SECONDS = 20.0
# A message can hold any address; only the networks' own stores are asked.
STORES = ("qq.com", "qq.com.cn", "qpic.cn")


def is_store(url: str) -> bool:
    """Whether an address is one of the networks' own."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        return False
    known = any(host == store or host.endswith(f".{store}") for store in STORES)
    return parts.scheme in {"https", "http"} and known and port in {None, 80, 443}


async def fetch_picture(bot: Bot, url: str) -> bytes | None:
    """The picture at this address; None where there is none to be had."""
    if not is_store(url):
        return None
    try:
        answer = await bot.adapter.request(Request("GET", url, timeout=SECONDS))
    except Exception:  # noqa: BLE001  (each driver has errors of its own)
        return None
    content = answer.content
    if answer.status_code != 200 or not isinstance(content, bytes):  # noqa: PLR2004
        return None
    return content if len(content) <= MAX_BYTES else None
