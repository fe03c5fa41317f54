"""A receiver, whatever it says and however slowly, costs seconds (W19)."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import replace

import pytest

from lib.errors import BadConfiguration
from lib.webhooks import receiver_of
from lib.webhooks.receiver import NotDelivered


class Trickle:
    """A listener that says some bytes at once, and then a zero every twentieth of a second, for ever."""

    def __init__(self, first: bytes) -> None:
        self._first, self._ended = first, threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.getsockname()[1]}/"

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.close()
        self._thread.join()

    def _run(self) -> None:
        connection, _ = self._server.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(self._first)
            while self._first and not self._ended.wait(0.05):
                connection.sendall(b"\0")
            self._ended.wait()


TLS_RECORD = b"\x16\x03\x03\x40\x00"  # a handshake of 16 KiB, of which a byte comes now and then


@pytest.mark.parametrize(
    ("scheme", "says"), [("http", b"HTTP/1.1 200 OK"), ("http", b""), ("https", TLS_RECORD), ("https", b"")]
)
def test_whoever_trickles_or_says_nothing_is_left_in_time(scheme: str, says: bytes) -> None:
    with Trickle(says) as url:
        receiver = replace(receiver_of(url.replace("http", scheme)), within_s=0.2)
        began = time.monotonic()
        with pytest.raises(NotDelivered, match="it took too long"):
            receiver.post(b"{}", {})
    assert time.monotonic() - began < 15  # it would be 20 s, or for ever


def test_an_announcement_is_no_answer() -> None:
    with Trickle(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.0 204\r\n"
    ) as url:
        receiver_of(url).post(b"{}", {})
    with Trickle(b"SSH-2.0-OpenSSH_9.2\r\n") as url, pytest.raises(NotDelivered, match="speaks no HTTP"):
        receiver_of(url).post(b"{}", {})


@pytest.mark.parametrize("url", ["ftp://h/", "http://", "nothing", "http://h:99999/", "http://h/a b"])
def test_what_is_no_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(BadConfiguration, match="WEBHOOK_URL") as refused:
        receiver_of(url)
    assert "hidden" in str(refused.value)
