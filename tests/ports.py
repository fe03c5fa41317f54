"""Ports of this computer for programs of a test."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def kept_port() -> Iterator[int]:
    """A free port that nobody else is given meanwhile; who sets SO_REUSEADDR may listen there.

    A port that was found free and let go may be another program's, or the end of any connection, by the time
    that a program listens on it, and so may one between two starts of a program.
    """
    with socket.socket() as keeping:
        keeping.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeping.bind(("127.0.0.1", 0))  # and does not listen
        yield keeping.getsockname()[1]
