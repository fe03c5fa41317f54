"""Clusters, Sentinel, TLS and a user with few rights, end to end (Q30, Q31, Q39)."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from lib.errors import BadConfiguration, Unavailable
from lib.jobqueue import JobState, Outcome, QueueOptions, connect
from lib.jobqueue.redis.queue import RedisQueue
from lib.leadership.lock import open_leader_lock
from lib.market.model import Market
from lib.market.stored import publish_market, read_market
from lib.redislink.address import place_of, read_address
from lib.redislink.transport import Transport
from tests.contract.jobqueue.jobs import job
from tests.contract.jobqueue.kinds import FewRights
from tests.integration.jobqueue.test_lost_replies import Cutting, story
from tests.integration.servers import Server
from tests.integration.topologies import Cluster, TlsFront, Watched, client, documented_rights, told

RECOVERS_WITHIN_S = 10.0


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    try:
        watched.start()
        yield watched
    finally:
        watched.remove()


class Waiter:
    """A worker that waits for one job, and when it got it."""

    def __init__(self, url: str) -> None:
        self.queue = connect(url)
        self.found: list[tuple[str, float]] = []
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    def _wait(self) -> None:
        give_up = time.monotonic() + 30
        while not self.found and time.monotonic() < give_up:
            self.found += [
                (lease.request_id, time.monotonic()) for lease in self.queue.claim("bob", block_s=20)
            ]

    def ends(self) -> str:
        self._thread.join(30)
        self.queue.close()
        return self.found[0][0]


def promotion(url: str, strike: Any, settled: Any) -> None:
    """A lease taken before it is renewed and completed after it; new work reaches a waiting worker."""
    queue = connect(url)
    queue.enqueue([job("before")])
    (lease,) = queue.claim("ann")
    lease = queue.begin(lease)
    settled()
    waiter = Waiter(url)
    strike()
    started = time.monotonic()

    assert queue.renew([lease]) == []
    assert time.monotonic() - started < RECOVERS_WITHIN_S
    queue.complete(lease, {"ok": True})
    assert queue.enqueue([job("before"), job("after")])[0].outcome is Outcome.DUPLICATE
    assert waiter.ends() == "after"
    assert time.monotonic() - started < RECOVERS_WITHIN_S
    assert queue.snapshot().done == 1
    queue.close()


def replicated(server: Server) -> None:
    """Return when the replica has all that was written so far."""
    with contextlib.closing(client(server)) as primary:
        assert told(primary, "WAIT", 1, 5000) >= 1


class TestUnderSentinel:
    def test_a_killed_primary_costs_seconds_and_no_job(self, watched: Watched) -> None:
        promotion(watched.url, watched.primary.kill, lambda: replicated(watched.primary))

    def test_a_primary_that_hangs_is_given_up(self, watched: Watched) -> None:
        promotion(
            watched.url, lambda: watched.primary.signal(signal.SIGSTOP), lambda: replicated(watched.primary)
        )

    def test_the_lock_of_the_leader_moves_too(self, watched: Watched) -> None:
        lock = open_leader_lock(watched.url, owner="ann", lease_s=60)
        assert lock.acquire() == 1
        replicated(watched.primary)
        watched.primary.kill()

        lock.renew()
        assert lock.held(1)
        lock.close()

    def test_a_service_that_no_sentinel_knows_is_said(self, watched: Watched) -> None:
        with pytest.raises(Unavailable, match="know no service 'other'"):
            connect(watched.url.replace(watched.service, "other"), patience_s=0.2)


class TestOnACluster:
    def test_the_node_of_the_slot_dies_and_its_replica_goes_on(self, own_cluster: Cluster) -> None:
        home = own_cluster.nodes[own_cluster.home()]

        promotion(own_cluster.seed(), home.kill, lambda: replicated(home))

    def test_leader_and_market_share_the_slot(self, shared_cluster: Cluster) -> None:
        lock = open_leader_lock(shared_cluster.seed(), owner="ann")
        assert lock.acquire() == 1
        publish_market(lock, Market("fake", 0.0))
        transport = Transport(shared_cluster.seed())
        transport.greet()

        assert read_market(transport) == Market("fake", 0.0)
        transport.close()
        lock.close()

    def test_a_prefix_in_braces_and_a_list_of_nodes_work(self, shared_cluster: Cluster) -> None:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in shared_cluster.nodes)
        queue = connect(f"redis+cluster://{hosts}", QueueOptions(prefix="{other:jobs}"))

        assert queue.enqueue([job("a")])[0].state is JobState.WAITING
        assert queue.snapshot().waiting == 1
        queue.close()

    def test_all_keys_lie_in_one_slot_and_a_moved_slot_is_followed(self, shared_cluster: Cluster) -> None:
        queue = connect(shared_cluster.seed())
        queue.enqueue([job("a")])
        with contextlib.closing(client(shared_cluster.nodes[shared_cluster.home()])) as home:
            assert {str(key).partition("}")[0] for key in home.keys("*pab:jobs*")} == {"{pab:jobs"}
            home.flushall()
        assert queue.snapshot().outstanding == 0
        shared_cluster.move_slot()

        queue.enqueue([job("b")])
        assert queue.snapshot().waiting == 1
        queue.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
class TestOverTls:
    @pytest.fixture
    def front(self, shared_server: Server, raw: redis.Redis) -> Iterator[TlsFront]:
        front = TlsFront(shared_server)
        front.start()
        yield front
        front.remove()

    def test_a_private_authority_is_trusted_when_the_url_names_it(self, front: TlsFront) -> None:
        with contextlib.closing(connect(front.url)) as queue:
            assert queue.enqueue([job("a")])[0].outcome is Outcome.CREATED

    def test_a_certificate_of_an_unknown_authority_is_refused(self, front: TlsFront) -> None:
        with pytest.raises(Unavailable, match="certificate"):
            connect(f"rediss://{front.place}/0")

    def test_a_certificate_for_another_name_is_refused(self, front: TlsFront) -> None:
        with pytest.raises(Unavailable, match=r"certificate|match"):
            connect(front.url.replace("127.0.0.1", "localhost"))

    def test_an_authority_that_cannot_be_read_is_said(self, front: TlsFront) -> None:
        with pytest.raises((Unavailable, BadConfiguration)):
            connect(f"rediss://{front.place}/0?ssl_ca_certs=/no/such/file")


class TestAUserWithFewRights:
    @pytest.fixture
    def limited(self, shared_server: Server, raw: redis.Redis) -> Iterator[str]:
        user = FewRights(shared_server)
        user.start()
        yield user.url
        user.remove()

    def test_needs_every_right_that_is_listed_and_no_other(
        self, limited: str, raw: redis.Redis, redis_url: str
    ) -> None:
        told(raw, "CONFIG", "RESETSTAT")
        told(raw, "ACL", "LOG", "RESET")
        queue = connect(limited)
        whole_use(queue)
        queue.close()
        raw.flushall()
        story(RedisQueue(Cutting(limited, at=2, when="after")))  # the reply to `claim` is lost
        lock = open_leader_lock(limited, owner="ann")
        lock.acquire()
        publish_market(lock, Market("fake", 0.0))
        transport = Transport(limited)
        assert read_market(transport)
        transport.close()
        lock.close()

        assert told(raw, "ACL", "LOG") == []
        used = {name.removeprefix("cmdstat_") for name in raw.info("commandstats")}
        rare = {"role", "cluster|slots"}  # under Sentinel and on a cluster
        listed = {word[1:] for word in documented_rights() if word.startswith("+")}
        families = {name.partition("|")[0] for name in used}
        assert listed - used - families <= rare

    def test_can_touch_no_key_beside_the_queues(self, limited: str, raw: redis.Redis) -> None:
        user = redis.Redis.from_url(limited, protocol=2)
        for forbidden in (["GET", "pab:jobsx:state"], ["CONFIG", "GET", "*"], ["KEYS", "*"], ["FLUSHALL"]):
            with pytest.raises(redis.exceptions.NoPermissionError):
                told(user, *forbidden)
        user.close()

    def test_a_missing_right_is_named(self, limited: str, raw: redis.Redis) -> None:
        queue = connect(limited)
        told(raw, "ACL", "SETUSER", "jobs", "-xadd")

        with pytest.raises(Unavailable, match=r"does not permit this.*redis-keys\.md"):
            queue.enqueue([job("a")])
        queue.close()


def whole_use(queue: Any) -> None:
    """Every command of the queue once."""
    queue.claim("idle", block_s=0.01)
    story(queue)
    queue.enqueue([job(f"many{number}") for number in range(600)])
    queue.enqueue([job("later", not_before=4e9)])
    queue.register_watcher("w", {})
    queue.heartbeat_watcher("w")
    queue.remove_watcher("w")
    queue.pause()
    queue.resume()
    queue.wake()
    queue.claim("idle", block_s=0.01)
    queue.sweep()
    queue.snapshot()
    queue.server_health()
    queue.job("j0")
    queue.result("j0")
    queue.history(limit=5)
    queue.nearest("j")
    queue.follow_events(queue.last_event_id(), block_s=0.01)


class TestAnAddress:
    @pytest.mark.parametrize(
        ("url", "place"),
        [
            ("redis+sentinel://:pw@a:1,b/name", "a:1, b:26379"),
            ("redis+cluster://u:pw@a:1,b:2", "a:1, b:2"),
            ("redis://u:pw@a,b:2", "a:6379, b:2"),
        ],
    )
    def test_of_many_is_told_without_its_password(self, url: str, place: str) -> None:
        assert place_of(url) == place
        assert read_address(url).promotes

    @pytest.mark.parametrize("url", ["redis+sentinel://", "redis+cluster://a:1,b/3", "http+cluster://a"])
    def test_that_means_nothing_is_refused_in_words(self, url: str) -> None:
        with pytest.raises(BadConfiguration, match="REDIS_URL"):
            read_address(url)


def test_the_documented_rights_are_words_of_the_server(raw: redis.Redis) -> None:
    for word in documented_rights():
        assert re.fullmatch(r"resetchannels|~pab:jobs:\*|-@all|\+[a-z|]+", word), word
