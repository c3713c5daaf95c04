"""E-mail through a real SMTP server."""

import asyncio
import email
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from reunite.delivery.email import EmailChannel, SmtpSecurity, SmtpSettings, parse_smtp_url
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language
from reunite.ports import ChannelName, Delivery, Receipt, ReceiptStatus
from reunite.testing.channels import make_delivery, make_message
from tests.contract.channel_contract import ChannelContract, Wired
from tests.servers import free_port

SENDER = "重逢 <alerts@reunite.example>"


@dataclass
class MailServer:
    """Takes mail, except for those whose name says otherwise."""

    letters: list[tuple[str, EmailMessage]] = field(default_factory=list)
    connections: int = 0
    dies_after: int | None = None  # letters; then every connection breaks
    breaks_at: set[int] = field(default_factory=set)  # letters at which the connection breaks
    tried: int = 0

    async def handle_EHLO(  # noqa: N802  (aiosmtpd's name)
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        if self.dies_after is not None and len(self.letters) >= self.dies_after:
            cast("Any", server.transport).abort()
        return responses

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        name = address.partition("@")[0]
        answers = {
            "busy": "451 4.3.2 later",
            "dead": "550 5.1.1 no such user",
            "blocked": "554 5.7.1 not wanted",
            "plain": "550 no such user here",
        }
        if name == "hangs":
            await asyncio.sleep(5)
        if name in answers:
            return answers[name]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.tried += 1
        if self.tried in self.breaks_at or (
            self.dies_after is not None and len(self.letters) >= self.dies_after
        ):
            cast("Any", server.transport).abort()
            return "250 never heard"
        letter = email.message_from_bytes(cast("bytes", envelope.content), policy=default)
        self.letters.append((envelope.rcpt_tos[0], letter))
        return "250 OK"


@pytest.fixture
def mail() -> MailServer:
    return MailServer()


@pytest.fixture
def controller(mail: MailServer) -> Iterator[Controller]:
    made = Controller(mail, hostname="127.0.0.1", port=free_port())
    made.start()
    yield made
    made.stop(no_assert=True)


def settings(controller: Controller) -> SmtpSettings:
    return SmtpSettings("127.0.0.1", controller.port, SmtpSecurity.NONE, "", "", SENDER)


def stop_link(delivery: Delivery) -> str:
    return f"https://reunite.example/zh/unsubscribe/{delivery.volunteer_id}"


@pytest.fixture
def channel(controller: Controller) -> EmailChannel:
    return EmailChannel(settings(controller), stop_link, operation_seconds=1.0)


def ids(mail: MailServer) -> list[str]:
    return [str(letter["Message-ID"]) for _, letter in mail.letters]


class TestEmailChannel(ChannelContract):
    @pytest.fixture
    def wired(self, mail: MailServer, channel: EmailChannel) -> Wired:
        sent: dict[str, str] = {}
        compose = channel._compose

        def remember(delivery: Delivery) -> EmailMessage:
            letter = compose(delivery)
            sent[str(letter["Message-ID"])] = delivery.delivery_id
            return letter

        channel._compose = remember  # type: ignore[method-assign]
        return Wired(
            channel,
            ChannelName.EMAIL,
            good=["ann@x.example", "bo@x.example"],
            arrived=lambda: [sent[one] for one in ids(mail)],
            busy="busy@x.example",
            dead="dead@x.example",
            hanging="hangs@x.example",
            senseless=[
                "",
                "nonsense",
                "a@b",
                "a@x.example\r\nBcc: b@x.example",
                "räuber@x.example",
                "a" * 300 + "@x.example",
            ],
        )


def test_a_letter_says_what_it_is_and_how_to_end_it(
    mail: MailServer, channel: EmailChannel
) -> None:
    message = make_message(title="走失儿童：王乐乐\r\nBcc: everybody@x.example", body="男孩<6岁>")
    delivery = make_delivery("ann@x.example", message=message, volunteer_id=7)
    channel.send([delivery])
    [(to, letter)] = mail.letters
    assert to == "ann@x.example"
    assert letter["Subject"] == "走失儿童：王乐乐 Bcc: everybody@x.example"
    assert letter["Bcc"] is None
    assert letter["From"] == SENDER
    # RFC 8058: one POST, from the mail program itself.
    assert letter["List-Unsubscribe"] == "<https://reunite.example/zh/unsubscribe/7>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["Auto-Submitted"] == "auto-generated"
    plain, page = (
        cast("EmailMessage", letter.get_body((kind,))).get_content() for kind in ("plain", "html")
    )
    assert message.url in plain
    assert message.url in page
    assert "unsubscribe/7" in plain
    assert "unsubscribe/7" in page
    assert "男孩&lt;6岁&gt;" in page
    assert "您收到这封邮件" in plain


def test_what_is_sent_twice_is_the_same_letter(mail: MailServer, channel: EmailChannel) -> None:
    first = make_delivery("ann@x.example", delivery_id="notice-1-7")
    thanks = make_delivery("ann@x.example", message=make_message(kind="resolved"))
    channel.send([first, first, thanks])
    assert ids(mail)[0] == ids(mail)[1] != ids(mail)[2]
    # One alert is one conversation.
    assert len({str(letter["References"]) for _, letter in mail.letters}) == 1
    other = make_delivery("bo@x.example", delivery_id="notice-1-7")
    channel.send([other])
    assert ids(mail)[3] != ids(mail)[0]


def test_whoever_has_not_agreed_has_nothing_to_end(mail: MailServer, channel: EmailChannel) -> None:
    question = make_message(kind="confirm", language=Language.EN)
    channel.send([make_delivery("ann@x.example", message=question)])
    [(_, letter)] = mail.letters
    assert letter["List-Unsubscribe"] is None
    assert "unsubscribe" not in letter.as_string()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dead", Receipt(ReceiptStatus.GONE, reason="gone")),
        ("plain", Receipt(ReceiptStatus.GONE, reason="gone")),
        # Refused by a filter: the address is alive.
        ("blocked", Receipt(ReceiptStatus.REFUSED, reason="rejected")),
        ("busy", Receipt(ReceiptStatus.RETRY, reason="server_error")),
    ],
)
def test_refusals_are_told_apart(channel: EmailChannel, name: str, expected: Receipt) -> None:
    assert channel.send([make_delivery(f"{name}@x.example")]) == [expected]


def test_one_connection_serves_a_batch(mail: MailServer, channel: EmailChannel) -> None:
    channel.send([make_delivery(f"v{number}@x.example") for number in range(20)])
    assert len(mail.letters) == 20
    assert mail.connections == 1


def test_a_connection_that_breaks_mid_way_loses_nobody(
    mail: MailServer, channel: EmailChannel
) -> None:
    mail.breaks_at = {3}
    deliveries = [make_delivery(f"v{number}@x.example") for number in range(6)]
    receipts = channel.send(deliveries)
    lost = Receipt(ReceiptStatus.RETRY, reason="connection_lost")
    assert [receipt for receipt in receipts if receipt.status is not ReceiptStatus.SENT] == [lost]
    assert receipts[2] == lost
    assert [to for to, _ in mail.letters] == [f"v{n}@x.example" for n in (0, 1, 3, 4, 5)]
    # The next attempt brings what was lost, and nothing twice.
    channel.send([deliveries[2]])
    assert len(set(ids(mail))) == 6


def test_a_server_that_dies_mid_way_is_tried_a_few_times_and_left_alone(
    mail: MailServer, channel: EmailChannel
) -> None:
    mail.dies_after = 2
    receipts = channel.send([make_delivery(f"v{number}@x.example") for number in range(30)])
    statuses = [receipt.status for receipt in receipts]
    assert statuses == [ReceiptStatus.SENT] * 2 + [ReceiptStatus.RETRY] * 28
    assert mail.connections <= 3 + 3  # EHLO, and HELO after one that broke


def test_without_a_server_all_wait() -> None:
    gone = SmtpSettings("127.0.0.1", free_port(), SmtpSecurity.NONE, "", "", SENDER)
    channel = EmailChannel(gone, stop_link, operation_seconds=1.0)
    receipts = channel.send([make_delivery("ann@x.example"), make_delivery("nonsense")])
    assert receipts == [
        Receipt(ReceiptStatus.RETRY, reason="unreachable"),
        Receipt(ReceiptStatus.REFUSED, reason="address_invalid"),
    ]


def test_a_slow_server_takes_no_more_than_its_time(controller: Controller) -> None:
    channel = EmailChannel(
        settings(controller), stop_link, operation_seconds=0.3, batch_seconds=0.5
    )
    started = time.monotonic()
    receipts = channel.send([make_delivery("hangs@x.example") for _ in range(20)])
    assert time.monotonic() - started < 5
    assert {receipt.status for receipt in receipts} == {ReceiptStatus.RETRY}
    assert receipts[-1].reason in {"out_of_time", "unreachable"}


# On the loopback address nobody listens.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_server_that_asks_who_we_are_is_told(mail: MailServer) -> None:
    def authenticate(
        _server: SMTP, _session: Session, _envelope: Envelope, _kind: str, data: object
    ) -> AuthResult:
        given = data if isinstance(data, LoginPassword) else LoginPassword(b"", b"")
        return AuthResult(
            success=(given.login, given.password) == (b"lin@x", b"pass:word"), handled=False
        )

    made = Controller(
        mail,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=authenticate,
        auth_required=True,
        auth_require_tls=False,
    )
    made.start()
    try:
        port = settings(made).port
        right = parse_smtp_url(f"smtp://lin%40x:pass%3Aword@127.0.0.1:{port}", SENDER)
        wrong = parse_smtp_url(f"smtp://lin%40x:guess@127.0.0.1:{port}", SENDER)
        delivery = make_delivery("ann@x.example")
        assert EmailChannel(right, stop_link).send([delivery]) == [Receipt(ReceiptStatus.SENT)]
        assert (
            EmailChannel(wrong, stop_link).send([delivery, delivery])
            == [Receipt(ReceiptStatus.RETRY, reason="not_authorised")] * 2
        )
    finally:
        made.stop()


def test_nothing_is_sent_once_it_is_closed(channel: EmailChannel) -> None:
    channel.close()
    with pytest.raises(RuntimeError, match="closed"):
        channel.send([make_delivery("ann@x.example")])


@pytest.mark.parametrize(
    ("url", "sender", "code"),
    [
        ("http://mail.example", "a@x.example", "smtp_url_unreadable"),
        ("smtps://", "a@x.example", "smtp_url_unreadable"),
        ("smtps://mail.example:99999", "a@x.example", "smtp_url_unreadable"),
        ("smtps://mail.example", "", "smtp_sender_missing"),
        ("smtps://mail.example", "Reunite", "smtp_sender_missing"),
    ],
)
def test_settings_that_cannot_work_are_named(url: str, sender: str, code: str) -> None:
    with pytest.raises(InvalidInputError, match=code):
        parse_smtp_url(url, sender)


@pytest.mark.parametrize(
    ("url", "port", "security"),
    [
        ("smtps://mail.example", 465, SmtpSecurity.TLS),
        ("smtp+starttls://mail.example", 587, SmtpSecurity.STARTTLS),
        ("smtp://localhost:2525", 2525, SmtpSecurity.NONE),
    ],
)
def test_settings_are_read(url: str, port: int, security: SmtpSecurity) -> None:
    read = parse_smtp_url(url, SENDER)
    assert (read.port, read.security, read.domain) == (port, security, "reunite.example")
