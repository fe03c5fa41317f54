"""What a server speaks that did not understand us: Redis without TLS, TLS, or HTTP."""

from __future__ import annotations

import socket
import ssl
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

_ALERT: Final = b"\x15"  # what TLS answers to words that are none of its own
_WITHIN_S: Final = 1.0  # for each step; this runs only when a connection has failed already


class Speaks(Enum):
    """What answers at a port, as far as one question shows it."""

    REDIS = "redis"
    TLS = "tls"
    HTTP = "http"


def what_answers(url: str) -> Speaks | None:
    """Ask the server at `url` in the way that the URL does not; None when nothing answers, or as it should.

    Sends nothing of the URL: no user, no password. Takes at most a few seconds, raises nothing.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "localhost", parts.port or 6379
    except ValueError:
        return None
    if parts.scheme not in ("redis", "rediss") or "," in parts.netloc:
        return None
    reply = _plain_reply(host, port)
    if reply.startswith((b"HTTP/", b"<")):
        return Speaks.HTTP
    if parts.scheme == "rediss":
        return Speaks.REDIS if reply[:1] in (b"+", b"-") and reply else None
    return Speaks.TLS if reply[:1] in (b"", _ALERT) and _shakes_hands(host, port) else None


def _plain_reply(host: str, port: int) -> bytes:
    try:
        with socket.create_connection((host, port), timeout=_WITHIN_S) as connection:
            connection.sendall(b"PING\r\n\r\n")
            return connection.recv(16)
    except OSError:
        return b""


def _shakes_hands(host: str, port: int) -> bool:
    """Whether TLS begins there. Whose certificate it is does not matter: nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=_WITHIN_S) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return True
    except ssl.SSLCertVerificationError:
        return True
    except (OSError, ValueError):
        return False
