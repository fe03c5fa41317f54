"""Serves the application by HTTP until it is told to stop; then streams end and requests are answered."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import struct
from collections.abc import Generator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from job_console.listening import Certificate, HttpListener
from job_console.route_services import ConsoleLimits
from lib.errors import Unavailable

_LONGEST_HEAD: Final = 32 << 10
_KEEP_ALIVE_S: Final = 20
_LAST_ANSWERS_S: Final = 10


class PatientProtocol(H11Protocol):
    """HTTP of one connection. One that does not say within `head_s` what it wants is hung up on.

    The server's own patience counts between requests only, and ends with the first byte of the next. So is
    one that takes nothing for `write_s`: to close it would wait until it has taken what it does not take.
    """

    head_s, write_s = ConsoleLimits().head_s, ConsoleLimits().write_s

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False  # whoever asks for that log: a path may be a link that lets one decide
        self._waiting: asyncio.TimerHandle | None = None
        self._unsent: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on while a head is not whole, and no longer."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_more()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        self._sent()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """As much as may be waits to be taken."""
        super().pause_writing()
        if self._unsent is None:
            self._unsent = self.loop.call_later(self.write_s, self._drop)

    def resume_writing(self) -> None:
        """It was taken."""
        self._sent()
        super().resume_writing()

    def _drop(self) -> None:
        # Without this the kernel would go on offering what nobody takes.
        at_once = struct.pack("ii", 1, 0)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.transport.abort()

    def _sent(self) -> None:
        if self._unsent is not None:
            self._unsent.cancel()
            self._unsent = None

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(self.head_s, self._hang_up)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _hang_up(self) -> None:
        self._waiting = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


def _patient(limits: ConsoleLimits) -> type[PatientProtocol]:
    return type("Patient", (PatientProtocol,), {"head_s": limits.head_s, "write_s": limits.write_s})


class QuietServer(uvicorn.Server):
    """A server whose signals end it and nothing else: the exit status is the command's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Within the block SIGTERM and Ctrl-C end it in good order, and a second one at once."""
        former = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def serve(
    app: ASGIApp, listener: HttpListener, certificate: Certificate | None, limits: ConsoleLimits
) -> None:
    """Serve until SIGTERM or Ctrl-C. Blocks.

    Threads: the main one, because of the signals.
    Raises:
        Unavailable: the application could not begin; the log says why.
    """
    server = QuietServer(server_config(app, certificate, limits))
    try:
        server.run(sockets=[listener.socket])
    except SystemExit:  # with a status of the server's own, that is none of ours
        raise Unavailable(
            "the console could not begin: its queue or its database went away; start it when they answer"
        ) from None


def server_config(app: ASGIApp, certificate: Certificate | None, limits: ConsoleLimits) -> uvicorn.Config:
    """How the server behaves."""
    return uvicorn.Config(
        app,
        http=_patient(limits),
        ws="none",
        lifespan="on",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limits.connections,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_LAST_ANSWERS_S,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        ssl_context_factory=None if certificate is None else (lambda *_: certificate.context()),
    )
