"""Requests to Replicate: one at a time, bounded in time and size, with the token in one header only."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final
from urllib.parse import SplitResult, urljoin, urlsplit

from lib.errors import BadConfiguration
from lib.foreign import parse_json

_CONNECT_S: Final = 10.0
_SILENT_S: Final = 30.0  # beyond what it was asked to wait
_MOST_ANSWER: Final = 4 << 20  # bytes: a page of the list holds a hundred predictions with their prompts
_BLOCK: Final = 1 << 16
_TOKEN: Final = re.compile(r"[!-~]{1,512}")
_REDIRECTS: Final = 3
_MOVED: Final = (301, 302, 303, 307, 308)


class NotSent(Exception):
    """No connection: the request had no effect. The text is why, without address or token."""


class Lost(Exception):
    """The request was sent, or may have been, and its answer did not come."""


class TooLarge(Exception):
    """What was fetched is larger than it may be."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back. `data` is at most `most` bytes of the request."""

    status: int
    data: bytes
    retry_after_s: float | None = None

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return parse_json(self.data)


@dataclass(frozen=True, slots=True)
class ReplicateClient:
    """One account at one server."""

    url: str
    token: str = field(repr=False)

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        wait_s: float = 0.0,
    ) -> HttpAnswer:
        """Send one request; `wait_s` is how long the server was asked to hold its answer back.

        Raises:
            NotSent, Lost: there is no answer.
            BadConfiguration: the address or the token cannot be one.
        """
        if not _TOKEN.fullmatch(self.token):
            raise BadConfiguration(
                "REPLICATE_API_TOKEN (hidden) holds a blank or a letter that no token has."
            )
        parts = urlsplit(self.url)
        if parts.username is not None or parts.password is not None:
            raise BadConfiguration(
                "REPLICATE_URL holds a login; give the token as REPLICATE_API_TOKEN instead."
            )
        data = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", "Accept": "application/json", **(headers or {})}
        if data is not None:
            sent["Content-Type"] = "application/json"
        return _exchange(parts, method, parts.path.rstrip("/") + path, data, sent, _MOST_ANSWER, wait_s)

    def fetch(self, url: str, most: int) -> HttpAnswer:
        """A file that the server named, without the token: it may lie with anybody.

        Where Replicate itself is asked over TLS, so is everything that it names, redirects included.

        Raises:
            NotSent, Lost: there is no answer.
            TooLarge: it has more than `most` bytes.
            ValueError: a URL leads to where nothing is fetched; the text says why, without the URL.
        """
        schemes = ("https",) if urlsplit(self.url).scheme == "https" else ("http", "https")
        for _ in range(_REDIRECTS + 1):
            parts = urlsplit(url)
            if parts.scheme not in schemes or not parts.hostname or parts.username is not None:
                raise ValueError(f"it is not at a plain {schemes[-1]} address")
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            answer, location = _exchange_file(parts, target, most)
            if answer.status not in _MOVED or location is None:
                return answer
            url = urljoin(url, location)
        raise ValueError(f"it is behind more than {_REDIRECTS} redirects")


def _connection(parts: SplitResult) -> HTTPConnection:
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        return HTTPSConnection(host, port, timeout=_CONNECT_S, context=ssl.create_default_context())
    return HTTPConnection(host, port, timeout=_CONNECT_S)


def _exchange(
    parts: SplitResult,
    method: str,
    target: str,
    data: bytes | None,
    headers: Mapping[str, str],
    most: int,
    wait_s: float,
) -> HttpAnswer:
    silent_s = wait_s + _SILENT_S
    with contextlib.closing(_connected(parts)) as connection:
        try:
            connection.sock.settimeout(silent_s)
            connection.request(method, target, body=data, headers=dict(headers))
            with connection.getresponse() as response:
                whole = _whole(response, most, time.monotonic() + silent_s)
                return HttpAnswer(response.status, whole, _retry_after(response))
        except (OSError, HTTPException, ValueError, TooLarge) as error:  # their words may repeat the address
            raise Lost(_plain(error)) from None


def _exchange_file(parts: SplitResult, target: str, most: int) -> tuple[HttpAnswer, str | None]:
    with contextlib.closing(_connected(parts)) as connection:
        try:
            connection.sock.settimeout(_SILENT_S)
            connection.request("GET", target, headers={"Accept": "image/png"})
            with connection.getresponse() as response:
                whole = _whole(response, most, time.monotonic() + 10 * _SILENT_S)
                return HttpAnswer(response.status, whole, _retry_after(response)), response.headers[
                    "Location"
                ]
        except (OSError, HTTPException, ValueError) as error:
            raise Lost(_plain(error)) from None


def _connected(parts: SplitResult) -> HTTPConnection:
    try:
        connection = _connection(parts)
        connection.connect()
    except (OSError, HTTPException, ValueError) as error:
        raise NotSent(_plain(error)) from None
    return connection


def _whole(response: HTTPResponse, most: int, deadline: float) -> bytes:
    """The body. A length that was promised and does not come is an IncompleteRead."""
    parts, size = list[bytes](), 0
    while part := response.read1(_BLOCK):
        size += len(part)
        if size > most:
            raise TooLarge("it is too large")
        if time.monotonic() > deadline:
            raise TimeoutError
        parts.append(part)
    if response.length:
        raise HTTPException
    return b"".join(parts)


def _retry_after(response: HTTPResponse) -> float | None:
    said = response.headers["Retry-After"] or ""
    return float(said) if said.isascii() and said.isdigit() and len(said) < 6 else None


def _plain(error: Exception) -> str:
    """Why, without anything that the other side wrote or that its address holds."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not trusted, or is of another name"
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, TooLarge):
        return "its answer is too long"
    strerror = getattr(error, "strerror", None)
    return str(strerror) if strerror and not isinstance(error, ssl.SSLError) else type(error).__name__
