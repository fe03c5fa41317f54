"""The web server of the fake Vast: reads a request, asks who may, does it, breaks what is to be broken.

Loopback only, a thread for each connection, a connection for each request, as Vast's client makes them.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from job_watcher.rehearsal.vast import managing, personal, renting
from job_watcher.rehearsal.vast.account import FakeAccount
from job_watcher.rehearsal.vast.faults import FaultPlan, RequestFault
from job_watcher.rehearsal.vast.refusal import ApiRefusal
from job_watcher.rehearsal.vast.request_log import JournalEntry, RequestJournal
from job_watcher.rehearsal.vast.routes import ApiCall, ApiRoute, route_of
from lib.foreign import parse_json

_MOST_BYTES: Final = 1 << 20  # of a request's body
_PATIENCE_S: Final = 30.0

#: What each route does.
HANDLERS: Final[dict[str, Callable[[FakeAccount, ApiCall], Any]]] = {
    "search": renting.search,
    "create": renting.create,
    "list": managing.list_page,
    "old_list": managing.old_list,
    "show": managing.show,
    "manage": managing.manage,
    "destroy": managing.destroy,
    "reboot": managing.reboot,
    "recycle": managing.recycle,
    "bid": managing.change_bid,
    "command": managing.command,
    "request_logs": managing.request_logs,
    "user": personal.user,
    "api_keys": personal.api_keys,
    "ssh_keys": personal.ssh_keys,
    "create_ssh_key": personal.create_ssh_key,
    "update_ssh_key": personal.update_ssh_key,
    "delete_ssh_key": personal.delete_ssh_key,
    "attach_ssh": personal.attach_ssh,
    "attached_ssh": personal.attached_ssh,
    "detach_ssh": personal.detach_ssh,
    "charges": personal.charges,
    "invoices": personal.invoices,
}


@dataclass(slots=True)
class ApiAnswer:
    """What is sent back. Text goes as it is, anything else as JSON.

    Threads: the one of its request.
    Raises: nothing.
    """

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


class ApiServer:
    """Listens on a free loopback port until it is closed.

    Threads: any.
    Raises: OSError from the constructor, when there is no port.
    """

    def __init__(self, account: FakeAccount, faults: FaultPlan, journal: RequestJournal) -> None:
        self._account, self._faults, self._journal = account, faults, journal
        self.closing = threading.Event()
        self._http = _HttpServer(("127.0.0.1", 0), _Handler)
        self._http.api = self
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.05,), name="vast", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Take no more requests. Those that hang are let go."""
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def entry(self, method: str, target: str, headers: dict[str, str], body: bytes) -> JournalEntry:
        """The line of a request in the journal, made before anything is done."""
        split = urlsplit(target)
        entry = JournalEntry(
            at=self._account.clock.now(),
            method=method,
            path=split.path,
            query=dict(parse_qsl(split.query, keep_blank_values=True)),
            headers=headers,
            body=body,
        )
        found = route_of(method, split.path)
        entry.route = found[0].name if found else "unknown"
        self._journal.add(entry)
        return entry

    def answer(self, entry: JournalEntry) -> ApiAnswer | None:
        """Do what was asked, with the faults that are planned; None is no answer at all."""
        fault = self._faults.next(entry.route)
        if fault is None:
            return self._do(entry)
        entry.faults.append(fault.name)
        done = self._do(entry) if fault.effect else ApiAnswer(504, {"success": False, "error": "timeout"})
        if fault.delay_s:
            self.closing.wait(fault.delay_s)
        return None if fault.drop else _spoiled(done, fault)

    def date(self) -> str:
        """The Date header: the time in the fake, as far off as it is told to be."""
        now = self._account.clock.now() + self._account.quirks.date_skew_s
        return formatdate(now, usegmt=True)

    def _do(self, entry: JournalEntry) -> ApiAnswer:
        try:
            found = route_of(entry.method, entry.path)
            if found is None:
                return self._unknown(entry)
            with self._account.lock:
                return self._allowed(entry, *found)
        except ApiRefusal as refusal:
            return ApiAnswer(refusal.status, refusal.body)
        except (ValueError, TypeError, KeyError) as error:
            body = {"success": False, "error": "invalid_request", "msg": f"{type(error).__name__}: {error}"}
            return ApiAnswer(400, body)

    def _unknown(self, entry: JournalEntry) -> ApiAnswer:
        return ApiAnswer(
            404, {"success": False, "error": "not_found", "msg": f"No such endpoint {entry.line}."}
        )

    def _allowed(
        self, entry: JournalEntry, route: ApiRoute, numbers: tuple[int, ...], word: str
    ) -> ApiAnswer:
        """Check the key and the rate, then do it. Holds the lock."""
        account = self._account
        if route.name == "result":
            return ApiAnswer(200, account.results.get(word), {"Content-Type": "text/plain"})
        caller = account.keys.caller(entry.headers.get("authorization", ""))
        entry.key = caller.name
        account.keys.check(caller, route.name, route.scope, numbers[0] if numbers else None)
        refused = account.throttle.check(caller.name, route.name, account.clock.now())
        if refused is not None:
            return ApiAnswer(*refused)
        if route.name == "old_list" and not entry.path.endswith("/"):
            return ApiAnswer(301, "", {"Location": f"{entry.path}/"})
        call = ApiCall(route.name, caller, numbers, word, _query(entry), _body(entry))
        body = HANDLERS[route.name](account, call)
        if isinstance(body, dict) and "result_url" in body:
            body["result_url"] = self.url + body["result_url"]
        return ApiAnswer(200, body)


def _query(entry: JournalEntry) -> dict[str, Any]:
    """The query: each value is JSON, or text where it is none."""
    read = dict[str, Any]()
    for name, text in entry.query.items():
        try:
            read[name] = parse_json(text)
        except ValueError:
            read[name] = text
    return read


def _body(entry: JournalEntry) -> dict[str, Any]:
    """The body as an object; nothing is an empty one.

    Raises:
        ApiRefusal: it is none.
    """
    if not entry.body:
        return {}
    try:
        body = parse_json(entry.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiRefusal(400, "invalid_request", "the body must be a JSON object")
    return body


def _spoiled(answer: ApiAnswer, fault: RequestFault) -> ApiAnswer:
    """The answer as the fault has it."""
    if fault.edit is not None:
        answer.body = fault.edit(answer.body)
    if fault.status is not None:
        answer.status, answer.body = fault.status, fault.body
    answer.headers |= fault.headers
    if fault.cut_after is not None:
        answer.body = _text(answer.body)[: fault.cut_after]
        answer.headers.setdefault("Content-Type", "application/json")
    return answer


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)


class _HttpServer(ThreadingHTTPServer):
    """The listening socket, and a thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    api: ApiServer

    def server_bind(self) -> None:
        """Bind, without asking a name server what this computer is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    """One connection with one request."""

    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_S
    server: _HttpServer

    def log_message(self, format: str, *args: object) -> None:
        """The journal has it."""

    def _serve(self) -> None:
        self.close_connection = True
        try:
            size = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            size = -1
        if not 0 <= size <= _MOST_BYTES:
            self.send_error(413)
            return
        body = self.rfile.read(size)
        api = self.server.api
        headers = {name.lower(): value for name, value in self.headers.items()}
        entry = api.entry(self.command, self.path, headers, body)
        answer = api.answer(entry)
        if answer is None or api.closing.is_set():
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        entry.status = answer.status
        self._send(answer, api.date())

    def _send(self, answer: ApiAnswer, date: str) -> None:
        data = _text(answer.body).encode()
        headers = {"Content-Type": "text/html" if isinstance(answer.body, str) else "application/json"}
        headers |= answer.headers | {"Content-Length": str(len(data)), "Connection": "close", "Date": date}
        self.send_response_only(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = _serve
