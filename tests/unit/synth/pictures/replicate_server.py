"""A server that speaks as much of Replicate's API as the backend uses, and misbehaves on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lib.clock import rfc3339

TOKEN = "r8_a-token-of-nobody"


@dataclass
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class FakeReplicate:
    """What the account holds, and how the next requests are answered."""

    now: Callable[[], float]
    png: bytes = b""
    url: str = ""
    #: How the next orders go: "ok", "starting", "lost" (taken, no reply), "dropped", "garbled" or a status.
    orders: list[str | int] = field(default_factory=list)
    polls: list[str | int] = field(default_factory=list)  # a status of a prediction, or of HTTP
    lists: list[int] = field(default_factory=list)  # statuses of HTTP
    files: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)  # of refusals
    detail: str = "Refused."
    error: str = ""
    output: Any = None
    made: list[dict[str, Any]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    @property
    def ordered(self) -> list[Seen]:
        """The requests that order something."""
        return [each for each in self.seen if each.method == "POST" and not each.path.endswith("/cancel")]

    def count(self, method: str, ending: str) -> int:
        return sum(1 for each in self.seen if each.method == method and each.path.endswith(ending))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeReplicate

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_GET(self) -> None:
        self._saw(None)
        if self.path == "/v1/predictions":
            status = self.fake.lists.pop(0) if self.fake.lists else 200
            self._json(status, {"results": self.fake.made[::-1], "next": None})
        elif self.path.startswith("/v1/predictions/"):
            self._poll(self.path.rpartition("/")[2])
        else:
            status, headers, body = self.fake.files.get(self.path, (200, {}, self.fake.png))
            self._answer(status, body, headers)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._saw(json.loads(self.rfile.read(length)) if length else None)
        if self.path.endswith("/cancel"):
            made = next(each for each in self.fake.made if each["id"] == self.path.split("/")[-2])
            made["status"] = "canceled"
            self._json(200, made)
            return
        self._order()

    def _order(self) -> None:
        way = self.fake.orders.pop(0) if self.fake.orders else "ok"
        if isinstance(way, int):
            self._json(way, {"detail": self.fake.detail, "status": way}, self.fake.headers)
            return
        if way == "dropped":
            self.close_connection = True
            return
        made = self._take("starting" if way == "starting" else "succeeded")
        if way == "lost":
            self.close_connection = True
        elif way == "garbled":
            self._answer(201, b'{"id": "half')
        else:
            self._json(201, made)

    def _take(self, status: str) -> dict[str, Any]:
        model = "/".join(self.path.split("/")[3:5])
        made: dict[str, Any] = {
            "id": f"p{len(self.fake.made)}",
            "model": model,
            "input": self.fake.seen[-1].body["input"],
            "created_at": rfc3339(self.fake.now()),
            "status": "",
            "error": None,
            "output": None,
        }
        self.fake.made.append(made)
        self._become(made, status)
        return made

    def _become(self, made: dict[str, Any], status: str) -> None:
        made["status"] = status
        if status == "succeeded":
            made["output"] = self.fake.output or [f"{self.fake.url}/files/{made['id']}.png"]
        if status == "failed":
            made["error"] = self.fake.error

    def _poll(self, name: str) -> None:
        made = next(each for each in self.fake.made if each["id"] == name)
        way = self.fake.polls.pop(0) if self.fake.polls else made["status"]
        if isinstance(way, int):
            self._json(way, {"detail": self.fake.detail}, self.fake.headers)
            return
        self._become(made, way)
        self._json(200, made)

    def _saw(self, body: Any) -> None:
        self.fake.seen.append(Seen(self.command, self.path, dict(self.headers.items()), body))

    def _json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self._answer(status, json.dumps(value).encode(), headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(fake: FakeReplicate) -> Iterator[FakeReplicate]:
    """The server on a port of its own, as long as the context lasts."""
    handler = type("Handler", (_Handler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
