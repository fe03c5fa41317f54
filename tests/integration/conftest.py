"""Fixtures with real servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.integration.servers import Server


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    """One server for the whole run; tests take `redis_url`, which empties it first."""
    server = Server("--enable-debug-command", "local")
    server.start()
    yield server
    server.remove()


@pytest.fixture
def raw(shared_server: Server) -> Iterator[redis.Redis]:
    """A plain client on the emptied shared server."""
    client = redis.Redis.from_url(shared_server.url, decode_responses=True, protocol=2)
    client.config_set("maxmemory", 0)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def redis_url(shared_server: Server, raw: redis.Redis) -> str:
    """The address of the emptied shared server."""
    return shared_server.url


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server of the test's own, with an append-only file, to be killed and started again."""
    server = Server("--appendonly", "yes", "--appendfsync", "everysec")
    server.start()
    yield server
    server.remove()
