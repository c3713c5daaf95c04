"""E-mail, handed to one SMTP server (RFC 5321).

Alerts can be ended from the mail program itself: ``List-Unsubscribe`` with one click (RFC 2369,
RFC 8058).  Messages of one topic are one conversation, and a message that is sent twice has the
same ``Message-ID``: mail programs show it once.
"""

import hashlib
import html
import re
import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate, parseaddr
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language
from reunite.ports import ChannelMessage, ChannelName, Delivery, Receipt, ReceiptStatus

OPERATION_SECONDS = 10.0
BATCH_SECONDS = 60.0
CONNECTIONS_A_BATCH = 3  # a server that drops every connection is left alone

# ASCII only: SMTPUTF8 (RFC 6531) is refused by too many servers on the way.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_MAX_ADDRESS_CHARACTERS = 254  # RFC 5321, 4.5.3.1.3
# The mailbox does not exist, has moved, is disabled, or its domain takes no mail (RFC 3463).
_GONE = re.compile(r"5\.1\.[1236]|5\.1\.10|5\.2\.1")
_PERMANENT = 500
_MAILBOX_UNAVAILABLE = 550

_WHY = {
    Language.EN: "You get this because you asked Reunite to tell you.",
    Language.ZH: "您收到这封邮件，是因为您请重逢在有人走失时告诉您。",
}
_STOP = {Language.EN: "No more messages", Language.ZH: "不再接收"}
_LOOK = {Language.EN: "Look", Language.ZH: "查看"}
# Sent to people who have not agreed to anything yet: nothing to unsubscribe from.
_UNASKED = "confirm"


class SmtpSecurity(StrEnum):
    """How the way to the server is protected."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    TLS = "smtps"


_PORTS = {SmtpSecurity.NONE: 25, SmtpSecurity.STARTTLS: 587, SmtpSecurity.TLS: 465}


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where mail is handed in, and as whom."""

    host: str
    port: int
    security: SmtpSecurity
    username: str
    password: str
    sender: str  # "Reunite <alerts@reunite.example>" or the address alone

    @property
    def domain(self) -> str:
        return parseaddr(self.sender)[1].rpartition("@")[2]


def parse_smtp_url(url: str, sender: str) -> SmtpSettings:
    """Read e.g. ``smtps://user:password@mail.example`` or ``smtp+starttls://mail.example:587``.

    Raises InvalidInputError ``smtp_url_unreadable``, ``smtp_sender_missing``.
    """
    try:
        parts = urlsplit(url)
        security = SmtpSecurity(parts.scheme)
        port = parts.port or _PORTS[security]
    except ValueError as error:
        raise InvalidInputError("smtp_url_unreadable") from error
    if not parts.hostname:
        raise InvalidInputError("smtp_url_unreadable")
    if not _ADDRESS.fullmatch(parseaddr(sender)[1]):
        raise InvalidInputError("smtp_sender_missing")
    return SmtpSettings(
        parts.hostname,
        port,
        security,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        sender,
    )


class EmailChannel:
    """Implements ``Channel``; an address is an e-mail address.

    ``unsubscribe_url`` gives the link that puts an end to messages; without one none is offered.
    """

    name = ChannelName.EMAIL

    def __init__(
        self,
        settings: SmtpSettings,
        unsubscribe_url: Callable[[Delivery], str],
        *,
        operation_seconds: float = OPERATION_SECONDS,
        batch_seconds: float = BATCH_SECONDS,
    ) -> None:
        self._settings = settings
        self._unsubscribe_url = unsubscribe_url
        self._operation_seconds = operation_seconds
        self._batch_seconds = batch_seconds
        self._closed = False

    def refuses(self, address: str) -> str:
        """Why an address is not taken, as a code; empty where it is."""
        usable = len(address) <= _MAX_ADDRESS_CHARACTERS and _ADDRESS.fullmatch(address)
        return "" if usable else "address_invalid"

    def send(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        """Hand in each message once, over one connection as long as it holds."""
        if self._closed:
            raise RuntimeError("the channel is closed")
        batch = _Batch(self._settings, self._operation_seconds)
        deadline = time.monotonic() + self._batch_seconds
        receipts = []
        for delivery in deliveries:
            if self.refuses(delivery.address):
                receipts.append(Receipt(ReceiptStatus.REFUSED, reason="address_invalid"))
            elif time.monotonic() > deadline:
                receipts.append(Receipt(ReceiptStatus.RETRY, reason="out_of_time"))
            else:
                receipts.append(batch.send(delivery.address, self._compose(delivery)))
        batch.close()
        return receipts

    def close(self) -> None:
        """Send nothing afterwards; connections last no longer than a batch."""
        self._closed = True

    def _compose(self, delivery: Delivery) -> EmailMessage:
        message, domain = delivery.message, self._settings.domain
        letter = EmailMessage(policy=SMTP)
        letter["Subject"] = _line(message.title)
        name, sender = parseaddr(self._settings.sender)
        letter["From"] = formataddr((name, sender))
        letter["To"] = delivery.address
        letter["Date"] = formatdate()
        letter["Message-ID"] = f"<{_digest(delivery.delivery_id, delivery.address)}@{domain}>"
        conversation = f"<{message.topic}.{_digest(delivery.address)[:16]}@{domain}>"
        letter["In-Reply-To"] = conversation
        letter["References"] = conversation
        letter["Content-Language"] = message.language.value
        # RFC 3834: nobody's holiday notice shall answer.
        letter["Auto-Submitted"] = "auto-generated"
        stop = "" if message.kind == _UNASKED else self._unsubscribe_url(delivery)
        if stop:
            letter["List-Id"] = f"<alerts.{domain}>"
            letter["List-Unsubscribe"] = f"<{stop}>"
            letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        letter.set_content(_plain(message, stop))
        letter.add_alternative(_html(message, stop), subtype="html")
        return letter


class _Batch:
    """One connection, made anew where it breaks, a few times."""

    def __init__(self, settings: SmtpSettings, operation_seconds: float) -> None:
        self._settings = settings
        self._seconds = operation_seconds
        self._server: smtplib.SMTP | None = None
        self._left = CONNECTIONS_A_BATCH
        self._trouble = Receipt(ReceiptStatus.RETRY, reason="unreachable")

    def send(self, address: str, letter: EmailMessage) -> Receipt:
        server = self._connected()
        if server is None:
            return self._trouble
        try:
            server.send_message(letter, to_addrs=[address])
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return _refused(code, text, is_recipient=True)
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            receipt = _refused(error.smtp_code, error.smtp_error, is_recipient=False)
            # After 421 the server closes (RFC 5321, 3.8).
            if error.smtp_code == 421:  # noqa: PLR2004
                self.close()
            return receipt
        except (smtplib.SMTPException, OSError):
            # It may have been taken before the connection broke: the Message-ID tells.
            self.close()
            return Receipt(ReceiptStatus.RETRY, reason="connection_lost")
        return Receipt(ReceiptStatus.SENT)

    def close(self) -> None:
        if self._server is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._server.quit()
            self._server.close()
            self._server = None

    def _connected(self) -> smtplib.SMTP | None:
        if self._server is None and self._left:
            self._left -= 1
            try:
                self._server = self._connect()
            except smtplib.SMTPAuthenticationError:
                self._left = 0
                self._trouble = Receipt(ReceiptStatus.RETRY, reason="not_authorised")
            except (smtplib.SMTPException, OSError):
                self._server = None
        return self._server

    def _connect(self) -> smtplib.SMTP:
        settings, context = self._settings, ssl.create_default_context()
        server: smtplib.SMTP
        if settings.security is SmtpSecurity.TLS:
            server = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=self._seconds, context=context
            )
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=self._seconds)
        try:
            if settings.security is SmtpSecurity.STARTTLS:
                server.starttls(context=context)
            if settings.username:
                server.login(settings.username, settings.password)
        except BaseException:
            server.close()
            raise
        return server


def _refused(code: int, text: bytes | str, *, is_recipient: bool) -> Receipt:
    """What a refusal means (RFC 5321, 4.2.1 and 4.2.3)."""
    said = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    if code < _PERMANENT:
        return Receipt(ReceiptStatus.RETRY, reason="server_error")
    plain = code == _MAILBOX_UNAVAILABLE and not re.match(r"\d\.\d+\.\d+", said)
    if is_recipient and (_GONE.match(said) or plain):
        return Receipt(ReceiptStatus.GONE, reason="gone")
    return Receipt(ReceiptStatus.REFUSED, reason="rejected")


def _plain(message: ChannelMessage, stop: str) -> str:
    lines = [message.body, "", message.url]
    if stop:
        lines += ["", "-- ", _WHY[message.language], f"{_STOP[message.language]}: {stop}"]
    return "\n".join(lines) + "\n"


def _html(message: ChannelMessage, stop: str) -> str:
    body = html.escape(message.body).replace("\n", "<br>")
    look = f'<a href="{html.escape(message.url)}">{_LOOK[message.language]}</a>'
    head = f'<html lang="{message.language.value}"><head><meta charset="utf-8"></head>'
    title = f"<h1>{html.escape(message.title)}</h1>"
    parts = ["<!doctype html>", head, "<body>", title, f"<p>{body}</p><p>{look}</p>"]
    if stop:
        end = f'<a href="{html.escape(stop)}">{_STOP[message.language]}</a>'
        parts.append(f"<hr><p><small>{_WHY[message.language]} {end}</small></p>")
    return "".join(parts) + "</body></html>\n"


def _line(text: str) -> str:
    # A line break in a header would begin another one, of whoever wrote the text.
    return " ".join(text.split())


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]
