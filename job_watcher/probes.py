"""Answers `/metrics`, `/livez` and `/readyz` over HTTP, in threads of its own.

Who asks is a stranger: a request is at most 8 KiB, a connection lasts seconds, and there are few at once; so
no scraper, slow or hostile, costs the loop anything. Nor does it keep others out: whoever is slow to say what
he wants gives way to whoever comes. Whatever else is asked for does not exist.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple

from lib.errors import BadConfiguration

log = logging.getLogger(__name__)

_REQUEST_BYTES: Final = 8192
_PATIENCE_S: Final = 5.0  # for a whole request, and again for a whole answer
_AT_ONCE: Final = 8
_BACKLOG: Final = 128  # a crowd must not fill it before it is hung up on
_LISTEN: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})(?:-(\d{1,5}))?")
_WORDS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Error",
    503: "Unavailable",
}


class PageAnswer(NamedTuple):
    """What a page says."""

    status: int
    body: bytes
    content_type: str = "application/json"


#: Makes a page's answer, in the thread of the request.
Page = Callable[[], PageAnswer]


def verdict(passed: bool, **facts: object) -> PageAnswer:
    """A probe's answer: 200 when it passed, else 503, with the facts as JSON."""
    body = json.dumps({"ok": passed, **facts}, sort_keys=True).encode() + b"\n"
    return PageAnswer(200 if passed else 503, body)


class ProbeServer:
    """Serves some pages from the first free port of a range, until it is closed.

    `quick` are those that are made at once, and so are never refused because others are being made.

    Threads: any.

    Raises:
        BadConfiguration: from the constructor: no port is free, or the address is not of this machine.
    """

    def __init__(self, listen: str, pages: Mapping[str, Page], *, quick: Collection[str] = ()) -> None:
        self._pages, self._quick = dict(pages), frozenset(quick)
        self._making = threading.BoundedSemaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._reading: dict[
            socket.socket, None
        ] = {}  # those whose request is not there yet, the oldest first
        self._server = _bound(listen)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="probes", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        host, port = self._server.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def close(self) -> None:
        """Listen no more. Answers under way end by themselves."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._server.close()
        self._thread.join(_PATIENCE_S)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError as error:
                if self._closed.is_set():
                    return
                log.warning("a connection to %s was not taken: %s", "the probes", error)
                time.sleep(0.1)  # out of descriptors: others give some back
                continue
            self._make_room(connection)
            try:
                threading.Thread(target=self._serve, args=(connection,), name="probe", daemon=True).start()
            except RuntimeError as error:
                log.warning("a connection to %s was not taken: %s", "the probes", error)
                self._forget(connection)
                connection.close()

    def _make_room(self, connection: socket.socket) -> None:
        """Let a new connection in; of too many that say nothing yet, the oldest is hung up on."""
        with self._lock:
            self._reading[connection] = None
            if len(self._reading) > _AT_ONCE:
                oldest = next(iter(self._reading))
                del self._reading[oldest]
                with contextlib.suppress(OSError):
                    oldest.shutdown(socket.SHUT_RDWR)  # its thread closes it

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._reading.pop(connection, None)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            try:
                line = _request_line(connection)
            finally:
                self._forget(connection)
            answer = self._answer(line)
            connection.settimeout(_PATIENCE_S)  # of `sendall` it is the whole time
            connection.sendall(_head(answer) + (b"" if line.startswith("HEAD ") else answer.body))
            connection.shutdown(socket.SHUT_WR)

    def _answer(self, line: str) -> PageAnswer:
        parts = line.split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            return PageAnswer(400, b"not HTTP\n", "text/plain")
        if parts[0] not in ("GET", "HEAD"):
            return PageAnswer(405, b"only GET\n", "text/plain")
        path = parts[1].partition("?")[0]
        page = self._pages.get(path)
        if page is None:
            return PageAnswer(404, f"there are {', '.join(sorted(self._pages))}\n".encode(), "text/plain")
        if path in self._quick:
            return _made(path, page)
        if not self._making.acquire(blocking=False):
            return PageAnswer(503, b"too many ask at once\n", "text/plain")
        try:
            return _made(path, page)
        finally:
            self._making.release()


def _made(path: str, page: Page) -> PageAnswer:
    """The page; one that fails is an answer too."""
    try:
        return page()
    except Exception as error:  # whatever it is, the next one may do better
        log.warning("%s could not be answered: %s: %s", path, type(error).__name__, error)
        return PageAnswer(500, b"see the log\n", "text/plain")


def _request_line(connection: socket.socket) -> str:
    """The first line of a request that was read to its end. Raises OSError when it takes too long."""
    give_up = time.monotonic() + _PATIENCE_S
    request = b""
    while b"\r\n\r\n" not in request and len(request) < _REQUEST_BYTES:
        left = give_up - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        more = connection.recv(_REQUEST_BYTES - len(request))
        if not more:
            break
        request += more
    return request.partition(b"\r\n")[0].decode("latin-1")


def _head(answer: PageAnswer) -> bytes:
    lines = (
        f"HTTP/1.1 {answer.status} {_WORDS[answer.status]}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        *(("Allow: GET, HEAD",) if answer.status == 405 else ()),
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def listen_places(listen: str) -> tuple[str, range]:
    """The host and the ports that WATCHER_LISTEN names."""
    found = _LISTEN.fullmatch(listen)
    assert found is not None, "the setting was checked"
    return found[1].strip("[]"), range(int(found[2]), int(found[3] or found[2]) + 1)


def _bound(listen: str) -> socket.socket:
    """A listening socket on the first free port."""
    host, ports = listen_places(listen)
    why = ""
    for port in ports:
        try:
            family, kind, _, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            server = socket.socket(family, kind)
        except OSError as error:
            why = error.strerror or str(error)
            break
        try:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(address)
            server.listen(_BACKLOG)
        except OSError as error:
            server.close()
            why = error.strerror or str(error)
            continue
        return server
    raise BadConfiguration(
        f"WATCHER_LISTEN is {listen}, where this watcher cannot listen: {why}. Another watcher may: give a "
        "range of ports, like 127.0.0.1:9464-9471, of which each takes the first free one, or unset it"
    )
