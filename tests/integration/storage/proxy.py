"""A way to an S3 server that can be made bad: answers lost, refusals, requests that are held up."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Fate(Enum):
    """What becomes of a request."""

    PASS = "pass"
    LOSE = "lose"  # carried out, and its answer lost
    CUT = "cut"  # the connection ends before it is passed on


@dataclass(frozen=True, slots=True)
class Refuse:
    """An answer without asking the server."""

    status: int
    code: str


@dataclass(frozen=True, slots=True)
class Say:
    """An answer of ours that is no refusal."""

    xml: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a rule sees it."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case


Rule = Callable[[Request], Fate | Refuse | Say]


def let_pass(request: Request) -> Fate:
    return Fate.PASS


class Proxy:
    """Listens on loopback; `rule` says what becomes of each request, and may wait. `seen` are all of them."""

    def __init__(self, target: str) -> None:
        self.rule: Rule = let_pass
        self.seen: list[Request] = []
        proxy, host = self, urlsplit(target).netloc

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def _serve(self) -> None:
                proxy._serve(self, host)

            do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve

            def log_message(self, format: str, *words: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def _serve(self, handler: BaseHTTPRequestHandler, host: str) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Request(handler.command, handler.path, headers)
        self.seen.append(request)
        fate = self.rule(request)
        if isinstance(fate, Say):
            _answer(handler, 200, {"content-type": "application/xml"}, fate.xml.encode())
            return
        if isinstance(fate, Refuse):
            text = b"" if request.method == "HEAD" else f"<Error><Code>{fate.code}</Code></Error>".encode()
            _answer(handler, fate.status, {"content-type": "application/xml"}, text)
            return
        if fate is Fate.PASS or fate is Fate.LOSE:
            status, answer, data = _ask(host, handler, body)
        if fate is not Fate.PASS:
            handler.close_connection = True
            handler.connection.close()
            return
        _answer(handler, status, answer, data)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _ask(host: str, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
    for name, value in handler.headers.items():
        if name.lower() not in ("expect", "connection"):
            connection.putheader(name, value)
    connection.endheaders(body or None)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    kept = {
        name: value
        for name, value in answer.getheaders()
        if name.lower() not in ("transfer-encoding", "connection")
    }
    return answer.status, kept, data


def _answer(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], data: bytes) -> None:
    handler.send_response_only(status)
    for name, value in headers.items():
        if name.lower() != "content-length" or handler.command == "HEAD":
            handler.send_header(name, value)
    if handler.command != "HEAD":
        handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
