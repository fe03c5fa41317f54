"""Tells the service manager how this process is: systemd's notification socket, in our own few lines.

The protocol is datagrams of NAME=value lines to the Unix socket that NOTIFY_SOCKET names (sd_notify(3)).
Nothing here ever fails the work: a message that cannot be sent is not sent.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import MutableMapping
from typing import Final

_NAMES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class ServiceManager:
    """What started this process and waits to hear of it; silent where nobody does.

    `watchdog_s` is within how many seconds it wants a sign of life, None: it wants none.

    Threads: any.
    Raises: nothing.
    """

    def __init__(self, address: str | None, *, watchdog_s: float | None = None) -> None:
        # A name that begins with @ is abstract: Linux writes that as a zero byte.
        self._address = "\0" + address[1:] if address and address.startswith("@") else address
        self.watchdog_s = watchdog_s if self._address else None

    @property
    def listens(self) -> bool:
        """Whether anybody wants to hear."""
        return bool(self._address)

    def ready(self, status: str) -> None:
        """Say that starting is over."""
        self._send("READY=1", f"STATUS={_one_line(status)}")

    def alive(self, status: str, *, longer_s: float | None = None) -> None:
        """Say that the loop goes on: this, and nothing else, feeds the watchdog.

        With `longer_s` it waits so much longer than it was told to at the start, until it is told otherwise.
        """
        lines = ["WATCHDOG=1", f"STATUS={_one_line(status)}"]
        if longer_s is not None and self.watchdog_s is not None:
            lines.append(f"WATCHDOG_USEC={round((self.watchdog_s + longer_s) * 1e6)}")
        self._send(*lines)

    def stopping(self, within_s: float, status: str) -> None:
        """Say that the end began, and how long it may take before it should be forced."""
        extend = f"EXTEND_TIMEOUT_USEC={round(within_s * 1e6)}"
        self._send("STOPPING=1", extend, f"STATUS={_one_line(status)}")

    def more_time(self, seconds: float) -> None:
        """Ask that a start which takes long is waited for."""
        self._send(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
        ):
            sender.setblocking(False)  # a full queue of a manager that hangs must not hang us
            sender.sendto("\n".join(lines).encode(), self._address)


def service_manager_of(environ: MutableMapping[str, str], pid: int | None = None) -> ServiceManager:
    """The manager that started this process, by its environment, from which the names are taken away.

    Children would inherit them, and speak for us.
    """
    address, usec, whose = (environ.pop(name, "") for name in _NAMES)
    if address[:1] not in ("/", "@"):
        address = ""
    for_us = not whose or whose == str(os.getpid() if pid is None else pid)
    watchdog = int(usec) / 1e6 if usec.isascii() and usec.isdigit() and int(usec) > 0 and for_us else None
    return ServiceManager(address or None, watchdog_s=watchdog)


def _one_line(text: str) -> str:
    return " ".join(text.split())
