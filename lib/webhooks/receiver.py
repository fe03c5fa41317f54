"""Posts to the receiver. It is a stranger: slow, endless or silent, it costs this one thread seconds."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from lib.errors import BadConfiguration, JobRunnerError

_CONNECT_S: Final = 10.0  # for one of its addresses
_GOODBYE_S: Final = 0.2
_ANSWER_BYTES: Final = 65_536  # before the line that holds the status
_PORTS: Final = {"http": 80, "https": 443}
_URL: Final = re.compile("[!-~]+")
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})(?: .*)?")


class NotDelivered(JobRunnerError):
    """The receiver did not take a post. The message names neither its address nor what it answered."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where posts go. A redirect is not followed: it would lead a signed body to somewhere else."""

    scheme: str
    host: str
    port: int | None
    target: str  # path and query
    login: str = ""  # for basic authentication, encoded
    within_s: float = 20.0  # one post, from the first try to connect to the answer's status

    def __repr__(self) -> str:
        return f"Receiver({self.scheme}://***)"

    def post(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Send one body; return when the receiver took it (2xx). Of the answer only the status is read.

        Raises:
            NotDelivered: it did not.
        """
        deadline = time.monotonic() + self.within_s
        try:
            with self._connection(deadline) as connection:
                connection.settimeout(_left(deadline))  # of `sendall` it is the whole time
                connection.sendall(self._head(len(body), headers) + body)
                status = _status(connection, deadline)
                _say_goodbye(connection)
        except (OSError, ValueError) as error:
            raise NotDelivered(f"The receiver did not answer: {_plain(error)}.") from None
        if 300 <= status < 400:
            raise NotDelivered(
                f"The receiver answered {status}; redirects are not followed: set WEBHOOK_URL to the end."
            )
        if not 200 <= status < 300:
            raise NotDelivered(f"The receiver answered {status}.")

    def _head(self, length: int, headers: Mapping[str, str]) -> bytes:
        host = f"[{self.host}]" if ":" in self.host else self.host
        lines = [
            f"POST {self.target} HTTP/1.1",
            f"Host: {host}" if self.port in (None, _PORTS[self.scheme]) else f"Host: {host}:{self.port}",
            *(f"{name}: {value}" for name, value in headers.items()),
            *((f"Authorization: Basic {self.login}",) if self.login else ()),
            f"Content-Length: {length}",
            "Connection: close",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")

    @contextlib.contextmanager
    def _connection(self, deadline: float) -> Iterator[socket.socket]:
        """An open connection; each thing that it waits for ends at the deadline."""
        with self._reached(deadline) as plain:
            if self.scheme != "https":
                yield plain
                return
            trusted = ssl.create_default_context()
            with trusted.wrap_socket(
                plain, server_hostname=self.host, do_handshake_on_connect=False
            ) as secured:
                secured.settimeout(_left(deadline))
                secured.do_handshake()
                yield secured

    def _reached(self, deadline: float) -> socket.socket:
        """A connection to the first of its addresses that takes one."""
        why: OSError = ConnectionError("no address")
        port = self.port if self.port is not None else _PORTS[self.scheme]
        for family, kind, _, _, address in socket.getaddrinfo(self.host, port, type=socket.SOCK_STREAM):
            opened = socket.socket(family, kind)
            try:
                opened.settimeout(min(_CONNECT_S, _left(deadline)))
                opened.connect(address)
            except OSError as error:
                opened.close()
                why = error
                continue
            return opened
        raise why


def receiver_of(url: str) -> Receiver:
    """The receiver at `url`, which is a secret: it may hold a token.

    Raises:
        BadConfiguration: it is no http or https URL. The message does not repeat it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _PORTS or not parts.hostname or not _URL.fullmatch(url):
        raise BadConfiguration("WEBHOOK_URL (hidden) must be a URL that begins with http:// or https://")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    login = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        login = base64.b64encode(pair.encode()).decode()
    return Receiver(parts.scheme, parts.hostname, port, target, login)


def _left(deadline: float) -> float:
    """Seconds until the deadline. Raises TimeoutError behind it."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _status(connection: socket.socket, deadline: float) -> int:
    """The status of the answer, without those that only announce it (1xx).

    Raises:
        OSError: it did not come in time.
        ValueError: what came is no answer.
    """
    seen = b""
    while len(seen) < _ANSWER_BYTES:
        connection.settimeout(_left(deadline))
        more = connection.recv(4096)
        if not more:
            raise ConnectionError("it hung up")
        seen += more
        line, ended, _ = seen.partition(b"\r\n")
        while ended:
            found = _STATUS.fullmatch(line)
            if found is None:
                raise ValueError("no HTTP")
            if int(found[1]) >= 200:
                return int(found[1])
            _, ended, rest = seen.partition(b"\r\n\r\n")
            if ended:
                seen = rest
                line, ended, _ = seen.partition(b"\r\n")
    raise ValueError("an endless answer")


def _say_goodbye(connection: socket.socket) -> None:
    """Let the rest of the answer come for a moment: hung up on, the receiver would log an error."""
    deadline = time.monotonic() + _GOODBYE_S
    with contextlib.suppress(OSError):
        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(4096):
                return


def _plain(error: Exception) -> str:
    """Why, without anything that the receiver wrote or that its address holds."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not trusted, or is of another name"
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return error.strerror
    return "what answers speaks no HTTP" if type(error) is ValueError else type(error).__name__
