from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from reunite.delivery.outbound import (
    Answer,
    Outbound,
    OutboundSettings,
    is_public,
    origin_of,
    receipt_of,
    retry_after,
)
from reunite.ports import ReceiptStatus

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # where clouds keep the keys of a machine
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "64:ff9b::a00:1",  # NAT64 of 10.0.0.1
    ],
)
def test_addresses_within_networks_are_not_of_the_internet(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "114.114.114.114", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_others_are(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://push.example/x", ""),
        ("https://8.8.8.8/x", ""),
        ("http://push.example/x", "address_invalid"),
        ("https:///x", "address_invalid"),
        ("ftp://push.example/x", "address_invalid"),
        ("file:///etc/passwd", "address_invalid"),
        ("https://user:secret@push.example/", "address_invalid"),
        ("https://push.example:99999/", "address_invalid"),
        ("https://push.example:0/", "address_invalid"),
        ("https://[::1/", "address_invalid"),
        ("", "address_invalid"),
        ("https://127.0.0.1/x", "address_forbidden"),
        ("https://[::1]/x", "address_forbidden"),
        ("https://169.254.169.254/latest/meta-data", "address_forbidden"),
    ],
)
def test_addresses_that_are_never_called(url: str, reason: str) -> None:
    assert Outbound().check(url) == reason


def test_an_operator_may_allow_the_own_network() -> None:
    outbound = Outbound(OutboundSettings(allow_private=True))
    assert outbound.check("http://127.0.0.1:8080/x") == ""
    assert outbound.check("ftp://127.0.0.1/x") == "address_invalid"


def test_origins() -> None:
    assert origin_of("https://push.example/wpush/v2/x?y") == "https://push.example"
    assert origin_of("https://Push.Example:443/") == "https://push.example"
    assert origin_of("http://127.0.0.1:8080/x") == "http://127.0.0.1:8080"
    assert origin_of("https://[2400:3200::1]/x") == "https://[2400:3200::1]"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("99999999999", 86_400.0),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("Mon, 01 Jun 2026 12:01:30 GMT", 90.0),
        ("Mon, 01 Jun 2026 11:00:00 GMT", 0.0),
        ("Mon, 01 Jun 2026 12:00:10", 10.0),
    ],
)
def test_how_long_to_wait(header: str, seconds: float | None) -> None:
    assert retry_after(header, NOON) == seconds


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        (200, ReceiptStatus.SENT, ""),
        (201, ReceiptStatus.SENT, ""),
        (202, ReceiptStatus.SENT, ""),
        (204, ReceiptStatus.SENT, ""),
        (301, ReceiptStatus.REFUSED, "redirected"),
        (308, ReceiptStatus.REFUSED, "redirected"),
        (400, ReceiptStatus.REFUSED, "rejected"),
        (401, ReceiptStatus.REFUSED, "not_authorised"),
        (403, ReceiptStatus.REFUSED, "not_authorised"),
        (404, ReceiptStatus.GONE, "gone"),
        (410, ReceiptStatus.GONE, "gone"),
        (408, ReceiptStatus.RETRY, "server_error"),
        (413, ReceiptStatus.REFUSED, "message_too_large"),
        (429, ReceiptStatus.RETRY, "too_many_requests"),
        (500, ReceiptStatus.RETRY, "server_error"),
        (503, ReceiptStatus.RETRY, "server_error"),
    ],
)
def test_what_a_status_means(status: int, outcome: ReceiptStatus, reason: str) -> None:
    receipt = receipt_of(Answer(status, retry_after_seconds=60.0))
    assert (receipt.status, receipt.reason) == (outcome, reason)
    assert receipt.retry_after_seconds == (60.0 if outcome is ReceiptStatus.RETRY else None)
