"""Posts to the receiver. It is a stranger: slow, endless or silent, it costs this one thread seconds."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import unquote, urlsplit

from lib.errors import BadConfiguration, JobRunnerError

_CONNECT_S: Final = 10.0


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
    within_s: float = 20.0  # one post, from its first byte to the answer's last header

    def __repr__(self) -> str:
        return f"Receiver({self.scheme}://***)"

    def post(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Send one body; return when the receiver took it (2xx). Of the answer only the status is read.

        Raises:
            NotDelivered: it did not.
        """
        connection = self._connection()
        cut = threading.Timer(self.within_s, _cut, (connection,))
        cut.daemon = True
        cut.start()
        try:
            connection.request("POST", self.target, body, {**headers, **self._login_header()})
            status = connection.getresponse().status
        except (OSError, HTTPException, ValueError) as error:
            raise NotDelivered(f"The receiver did not answer: {_plain(error)}.") from None
        finally:
            cut.cancel()
            connection.close()
        if 300 <= status < 400:
            raise NotDelivered(
                f"The receiver answered {status}; redirects are not followed: set WEBHOOK_URL to the end."
            )
        if not 200 <= status < 300:
            raise NotDelivered(f"The receiver answered {status}.")

    def _connection(self) -> HTTPConnection:
        if self.scheme == "https":
            trusted = ssl.create_default_context()
            return HTTPSConnection(self.host, self.port, timeout=_CONNECT_S, context=trusted)
        return HTTPConnection(self.host, self.port, timeout=_CONNECT_S)

    def _login_header(self) -> dict[str, str]:
        return {"Authorization": f"Basic {self.login}"} if self.login else {}


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
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or " " in url:
        raise BadConfiguration("WEBHOOK_URL (hidden) must be a URL that begins with http:// or https://")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    login = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        login = base64.b64encode(pair.encode()).decode()
    return Receiver(parts.scheme, parts.hostname, port, target, login)


def _cut(connection: HTTPConnection) -> None:
    """End a post that takes too long, whatever it waits for."""
    opened = connection.sock
    if opened is not None:
        with contextlib.suppress(OSError):
            opened.shutdown(socket.SHUT_RDWR)


def _plain(error: Exception) -> str:
    """Why, without anything that the receiver wrote or that its address holds."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return error.strerror
    return type(error).__name__
