"""Where the console listens: on this computer alone, unless it is told otherwise and speaks TLS."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from lib.errors import BadConfiguration, UsageError

#: On this computer alone.
USUAL_PLACE: Final = "127.0.0.1:8640"
_PLACE: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")
_BACKLOG: Final = 512


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of a certificate with its chain, and of its key."""

    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 and later. Raises BadConfiguration."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.chain, self.key, password=_no_password)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
            raise BadConfiguration(
                f"TLS cannot be spoken with {self.chain} and {self.key}: {reason}; give both "
                "in PEM, the key without a password"
            ) from None
        return context


def _no_password() -> str:
    raise ValueError("the key has a password")


class ListeningPlace(NamedTuple):
    """An address as sockets take it, and the host as it was given."""

    family: socket.AddressFamily
    kind: socket.SocketKind
    address: Any
    host: str


@dataclass(frozen=True, slots=True)
class HttpListener:
    """A socket that listens, and how it is called."""

    socket: socket.socket
    url: str


def check_place(place: str, certificate: Certificate | None, *, in_the_clear: bool) -> ListeningPlace:
    """Where `host:port` is. Raises as `open_listener`, which asks this first."""
    found = _PLACE.fullmatch(place)
    if found is None or int(found[2]) > 65_535:
        raise UsageError(f"--listen {place!r} is no place; write host:port, as in {USUAL_PLACE}")
    host, port = found[1].strip("[]"), int(found[2])
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise BadConfiguration(f"--listen {place}: {error.strerror or error}; name this computer") from None
    if certificate is None and not in_the_clear and not _is_here(str(address[0])):
        raise UsageError(
            f"--listen {place} can be reached from other computers, and the token would go there in the "
            "clear: give --certificate and --key, or --in-the-clear where something before it speaks TLS"
        )
    return ListeningPlace(family, kind, address, host)


def open_listener(place: str, certificate: Certificate | None, *, in_the_clear: bool) -> HttpListener:
    """Listen at `host:port`; port 0 takes a free one.

    Raises:
        UsageError: that is no place, or it is to be reached from elsewhere without TLS and nobody said that
            it may be.
        BadConfiguration: another program listens there, or the address is not of this computer.
    """
    family, kind, address, host = check_place(place, certificate, in_the_clear=in_the_clear)
    # Named as TCP, so that what is accepted here sends each piece at once: asyncio looks at that alone.
    server = socket.socket(family, kind, socket.IPPROTO_TCP)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(address)
        server.listen(_BACKLOG)
    except OSError as error:
        server.close()
        reason = error.strerror or str(error)
        raise BadConfiguration(f"nothing can listen at {place}: {reason}; name another port") from None
    scheme, shown = "http" if certificate is None else "https", f"[{host}]" if ":" in host else host
    return HttpListener(server, f"{scheme}://{shown}:{server.getsockname()[1]}")


def _is_here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
