"""A port of a machine: takes connections while it is open, each served by an sshd of its own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable
from typing import Final

_PATIENCE_S: Final = 2.0  # for a server to notice that its connection is cut
_BACKLOG: Final = 64

#: Starts the server of one connection, which is its standard input and output.
Serve = Callable[[socket.socket], "subprocess.Popen[bytes]"]


class Door:
    """A loopback port that nobody else gets, whether it is open or not; closed, it refuses connections.

    Threads: any.
    Raises: OSError from the constructor, when no port is free.
    """

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._lock = threading.Lock()
        self._holder = _bound(0)
        self.port: int = self._holder.getsockname()[1]
        self._listener: socket.socket | None = None
        self._served: list[tuple[socket.socket, threading.Thread]] = []

    def set_open(self, is_open: bool) -> None:
        """Take connections, or refuse them. Those that there are stay."""
        with self._lock:
            if is_open and self._listener is None:
                self._listener = _bound(self.port)
                self._listener.listen(_BACKLOG)
                threading.Thread(
                    target=self._accept, args=(self._listener,), name="door", daemon=True
                ).start()
            elif not is_open and self._listener is not None:
                self._shut()

    @property
    def is_open(self) -> bool:
        """Whether it takes connections."""
        return self._listener is not None

    def cut(self) -> None:
        """End every connection, as a broken line does."""
        with self._lock:
            served = list(self._served)
        for connection, _ in served:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for _, thread in served:
            thread.join(_PATIENCE_S)

    def close(self) -> None:
        """Refuse, cut, and give the port back."""
        with self._lock:
            if self._listener is not None:
                self._shut()
        self.cut()
        self._holder.close()

    def _shut(self) -> None:
        assert self._listener is not None
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                if self._listener is not listener:
                    connection.close()
                    return
                try:
                    process = self._serve(connection)
                except OSError:
                    connection.close()
                    continue
                self._served = [each for each in self._served if each[1].is_alive()]
                thread = threading.Thread(
                    target=_see_out, args=(connection, process), name="sshd", daemon=True
                )
                thread.start()
                self._served.append((connection, thread))


def _see_out(connection: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a connection's server, and let the client know of it."""
    process.wait()
    connection.close()


def _bound(port: int) -> socket.socket:
    """A socket on a loopback port; the same one may be bound again by us, and by nobody else listened to."""
    found = socket.socket()
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind(("127.0.0.1", port))
    except OSError:
        found.close()
        raise
    return found
