"""Serves the application by HTTP until it is told to stop; then streams end and requests are answered."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Generator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from job_console.listening import Certificate, HttpListener
from job_console.parts import ConsoleLimits

_LONGEST_HEAD: Final = 32 << 10
_KEEP_ALIVE_S: Final = 20
_LAST_ANSWERS_S: Final = 10


class PatientProtocol(H11Protocol):
    """HTTP of one connection. One that does not say within `head_s` what it wants is hung up on.

    The server's own patience counts between requests only, and ends with the first byte of the next.
    """

    head_s = ConsoleLimits().head_s

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: asyncio.TimerHandle | None = None

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
        super().connection_lost(exc)

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


def _patient(seconds: float) -> type[PatientProtocol]:
    return type("Patient", (PatientProtocol,), {"head_s": seconds})


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
    """
    QuietServer(server_config(app, certificate, limits)).run(sockets=[listener.socket])


def server_config(app: ASGIApp, certificate: Certificate | None, limits: ConsoleLimits) -> uvicorn.Config:
    """How the server behaves."""
    return uvicorn.Config(
        app,
        http=_patient(limits.head_s),
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
