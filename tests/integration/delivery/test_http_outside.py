"""Requests to servers of others, on the loopback address."""

import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reunite.delivery.http_outside import HttpOutside
from reunite.delivery.outbound import OutboundSettings
from reunite.kernel.errors import ReuniteError


class Peer(BaseHTTPRequestHandler):
    """Answers by the path."""

    received: list[tuple[str, str, bytes]]

    def do_GET(self) -> None:
        if self.path == "/there":
            self._answer(200, b"hello " + self.headers["Authorization"].encode())
        elif self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "/there")
            self.end_headers()
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(1000):
                    self.wfile.write(b"x" * 65536)
            except OSError:
                return
        else:
            self._answer(404, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).received.append((self.path, self.headers["webhook-id"], body))
        self._answer(204 if self.path == "/hook" else 500, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    Peer.received = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Peer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def outside() -> Iterator[HttpOutside]:
    with closing(HttpOutside(OutboundSettings(allow_private=True))) as opened:
        yield opened


def failure(outside: HttpOutside, address: str, max_bytes: int = 1000) -> ReuniteError:
    with pytest.raises(ReuniteError) as caught:
        outside.get(address, {"Authorization": "me"}, max_bytes=max_bytes)
    return caught.value


def test_what_is_there_is_read(outside: HttpOutside, address: str) -> None:
    assert outside.get(f"{address}/there", {"Authorization": "me"}, max_bytes=99) == b"hello me"


def test_what_goes_wrong_has_a_name(outside: HttpOutside, address: str) -> None:
    missing = failure(outside, f"{address}/missing")
    assert (missing.code, missing.details["status"]) == ("peer_refused", 404)
    # Nobody sends us to an address that no operator has entered.
    assert failure(outside, f"{address}/elsewhere").details["status"] == 302
    assert failure(outside, f"{address}/endless").code == "peer_too_large"
    assert failure(outside, "http://127.0.0.1:1/").code == "peer_unreachable"
    assert failure(outside, "http://[broken/").code == "peer_address_unusable"
    assert failure(outside, "file:///etc/passwd").code == "peer_address_unusable"


def test_nobody_has_us_call_our_own_network(address: str) -> None:
    with closing(HttpOutside()) as guarded:
        for there in (address, address.replace("http:", "https:"), "https://localhost/there"):
            assert failure(guarded, there).code == "peer_address_unusable"
        with pytest.raises(ReuniteError, match="peer_address_unusable"):
            guarded.post("https://10.0.0.1/hook", {}, b"{}")


def test_something_is_handed_in(outside: HttpOutside, address: str) -> None:
    outside.post(f"{address}/hook", {"webhook-id": "1"}, "名".encode())
    assert Peer.received == [("/hook", "1", "名".encode())]
    with pytest.raises(ReuniteError, match="peer_refused"):
        outside.post(f"{address}/full", {"webhook-id": "2"}, b"")
    with pytest.raises(ReuniteError, match="peer_unreachable"):
        outside.post("http://127.0.0.1:1/", {}, b"")
