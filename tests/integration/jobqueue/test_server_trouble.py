"""What happens when the server flushes, restarts, fills up, or does not answer (Q31, Q32, Q37, Q39)."""

from __future__ import annotations

import json
import threading
import time

import pytest
import redis

from lib.errors import BadConfiguration, Unavailable
from lib.jobqueue import ErrorClass, Failure, JobQueue, Lease, Outcome, connect
from lib.redislink.address import place_of, read_address
from tests.contract.jobqueue.jobs import job
from tests.integration.servers import Server


def test_scripts_that_the_server_forgot_are_sent_again(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    raw.script_flush()

    (lease,) = queue.claim("ann")
    raw.script_flush()
    queue.complete(lease, {})

    assert queue.snapshot().done == 1


def test_work_enqueued_before_any_worker_existed_is_seen(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    assert raw.xinfo_groups("pab:jobs:stream") == []

    assert [lease.request_id for lease in queue.claim("ann")] == ["a"]
    assert raw.xinfo_groups("pab:jobs:stream")[0]["name"] == "watchers"


def test_a_flushed_server_is_an_empty_queue_that_works(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a"), job("b")])
    queue.claim("ann")
    raw.flushall()

    assert queue.claim("ann") == []
    assert queue.enqueue([job("a")])[0].outcome is Outcome.CREATED
    assert [lease.request_id for lease in queue.claim("ann")] == ["a"]


def test_a_destroyed_group_costs_no_job(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a"), job("b")])
    (lease,) = queue.claim("ann")
    raw.xgroup_destroy("pab:jobs:stream", "watchers")

    assert [item.request_id for item in queue.claim("bob", count=5)] == ["b"]
    queue.complete(lease, {})
    assert queue.snapshot().outstanding == 1


@pytest.mark.parametrize("loss", ["group", "stream"])
@pytest.mark.parametrize("priority", ["high", "normal", "low"])
def test_a_lost_group_or_stream_does_not_stop_claims_while_a_lease_is_expired(
    queue: JobQueue, raw: redis.Redis, loss: str, priority: str
) -> None:
    queue.enqueue([job("a", priority=priority), job("b", priority=priority)])
    queue.claim("ann", lease_ms=1)
    stream = "pab:jobs:stream" if priority == "normal" else f"pab:jobs:stream:{priority}"
    if loss == "group":
        raw.xgroup_destroy(stream, "watchers")
    else:
        raw.delete(stream)
    give_up = time.monotonic() + 5
    taken: set[str] = set()
    wanted = {"a", "b"} if loss == "group" else {"a"}  # b had no lease, so only its entry led to it
    while taken < wanted and time.monotonic() < give_up:
        leases = queue.claim("bob", count=2, block_s=0.05)
        taken |= {lease.request_id for lease in leases}
        queue.complete_many([(lease, {}) for lease in leases])

    assert taken == wanted


def test_an_entry_that_vanished_is_replaced_and_told(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    queue.claim("ann", lease_ms=1)
    raw.xtrim("pab:jobs:stream", maxlen=0, approximate=False)
    give_up = time.monotonic() + 5
    leases: list[Lease] = []
    while not leases and time.monotonic() < give_up:
        leases = queue.claim("bob", block_s=0.1)

    assert [lease.request_id for lease in leases] == ["a"]
    assert "vanished" in [event.kind for event in queue.follow_events("0-0")]
    queue.complete(leases[0], {})
    assert queue.snapshot().outstanding == 0


def test_a_stray_entry_hides_no_job_behind_it(queue: JobQueue, raw: redis.Redis) -> None:
    for number in range(3):
        raw.xadd("pab:jobs:stream", {"id": f"stray{number}"})
    queue.enqueue([job("a")])

    assert [lease.request_id for lease in queue.claim("ann")] == ["a"]
    assert raw.xlen("pab:jobs:stream") == 1


def test_a_second_entry_of_a_job_gives_no_second_lease(queue: JobQueue, raw: redis.Redis) -> None:
    raw.xadd("pab:jobs:stream", {"id": "a"})
    queue.enqueue([job("a")])
    raw.xadd("pab:jobs:stream", {"id": "a"})

    assert [lease.request_id for lease in queue.claim("ann", count=5)] == ["a"]
    assert raw.xlen("pab:jobs:stream") == 1


def test_a_due_time_left_over_from_an_earlier_life_moves_nothing(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    (lease,) = queue.claim("ann")
    raw.zadd("pab:jobs:delayed", {"a": 1, "unknown": 1})

    assert queue.claim("bob") == []
    assert raw.zcard("pab:jobs:delayed") == 0
    queue.complete(lease, {})


def test_a_specification_that_cannot_be_read_fails_alone(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a"), job("b"), job("c")])
    raw.hset("pab:jobs:spec", "a", '{"from":"the future"}')
    raw.hdel("pab:jobs:spec", "b")

    assert [lease.request_id for lease in queue.claim("ann", count=5)] == ["c"]
    unreadable, missing = queue.result("a"), queue.result("b")
    assert unreadable is not None
    assert unreadable.error is not None
    assert "cannot be read" in unreadable.error["message"]
    assert missing is not None
    assert missing.error is not None
    assert "missing" in missing.error["message"]


def test_done_leaves_nothing_in_the_stream_the_pending_list_or_the_leases(
    queue: JobQueue, raw: redis.Redis
) -> None:
    queue.enqueue([job("a"), job("b")])
    for lease in queue.claim("ann", count=2):
        queue.progress(lease, {"x": 1})
        queue.complete(lease, {"ok": True})

    assert raw.xlen("pab:jobs:stream") == 0
    assert raw.xpending("pab:jobs:stream", "watchers")["pending"] == 0
    assert raw.exists("pab:jobs:leases", "pab:jobs:spec", "pab:jobs:progress", "pab:jobs:errors") == 0
    record = json.loads(str(raw.hget("pab:jobs:result", "a")))
    assert record["status"] == "done"
    assert record["result"] == {"ok": True}


def test_failing_leaves_nothing_in_the_stream_the_pending_list_or_the_leases(
    queue: JobQueue, raw: redis.Redis
) -> None:
    queue.enqueue([job("a"), job("b"), job("c")])
    first, second, third = queue.claim("ann", count=3)
    queue.fail(first, Failure(ErrorClass.BAD_INPUT, "no"))
    queue.fail(second, Failure(ErrorClass.TRANSIENT, "no"))
    queue.cancel(third.request_id)

    assert raw.xlen("pab:jobs:stream") == 0
    assert raw.xpending("pab:jobs:stream", "watchers")["pending"] == 0
    assert raw.exists("pab:jobs:leases") == 0
    assert raw.zrange("pab:jobs:delayed", 0, -1) == ["b"]


def test_every_key_lies_under_the_prefix(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job(f"j{number}") for number in range(600)])
    first, second, third = queue.claim("ann", count=3)
    queue.complete(first, {})
    queue.fail(second, Failure(ErrorClass.BAD_INPUT, "no"))
    queue.release(third, "drain")
    queue.register_watcher("w", {})
    queue.pause()

    assert {key for key in raw.keys("*") if not str(key).startswith("pab:jobs:")} == set()
    assert raw.hget("pab:jobs:failed", second.request_id)


class TestAServerThatRestarts:
    def test_costs_a_waiting_worker_nothing(self, own_server: Server) -> None:
        queue = connect(own_server.url)
        found: list[str] = []
        worker = threading.Thread(
            target=lambda: found.extend(lease.request_id for lease in queue.claim("ann", block_s=20))
        )
        worker.start()
        own_server.kill()
        own_server.start()
        connect(own_server.url).enqueue([job("a")])
        worker.join(15)

        assert found == ["a"]
        queue.close()

    def test_keeps_leases_and_fences(self, own_server: Server) -> None:
        queue = connect(own_server.url)
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        own_server.kill()
        own_server.start()

        assert queue.renew([lease]) == []
        queue.complete(lease, {"ok": True})
        assert queue.snapshot().done == 1
        queue.close()


class TestNoServer:
    def test_is_unavailable_at_once_and_the_password_is_not_told(self) -> None:
        started = time.monotonic()

        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 does not answer") as caught:
            connect("redis://user:secret@127.0.0.1:1/0")
        assert "secret" not in str(caught.value)
        assert time.monotonic() - started < 2

    def test_later_is_unavailable_after_patience_not_a_loop(self, own_server: Server) -> None:
        queue = connect(own_server.url, patience_s=0.3)
        own_server.kill()
        started = time.monotonic()

        with pytest.raises(Unavailable, match="does not answer"):
            queue.claim("ann", block_s=60)
        assert time.monotonic() - started < 10
        queue.close()

    @pytest.mark.parametrize("url", ["http://x:1", "nonsense", "redis://h:notaport", ""])
    def test_at_an_address_that_is_none_says_so(self, url: str) -> None:
        with pytest.raises(BadConfiguration, match="REDIS_URL"):
            connect(url)

    def test_with_a_wrong_password_says_so(self, own_server: Server) -> None:
        admin = redis.Redis.from_url(own_server.url)
        admin.config_set("requirepass", "right")
        url = own_server.url.replace("unix://", "unix://:wrong@")

        with pytest.raises(Unavailable, match="refuses this user or password") as caught:
            connect(url)
        assert "wrong" not in str(caught.value)
        admin.close()

    @pytest.mark.parametrize("sign", ["/", "?", "#"])
    @pytest.mark.parametrize("half", ["pa", "12"])
    @pytest.mark.parametrize(
        "form", ["redis://user:{}@host:1/0", "redis+sentinel://u:{}@a,b/m", "unix://:{}@/s"]
    )
    def test_with_an_unescaped_password_says_so_and_tells_no_part_of_it(
        self, form: str, half: str, sign: str
    ) -> None:
        url = form.format(f"{half}{sign}ss")

        with pytest.raises(BadConfiguration, match="percent-encode") as caught:
            connect(url)
        said = str(caught.value).replace("127.0.0.1", "")
        assert half not in said.replace("password", "")
        assert "ss@" not in said
        assert place_of(url) == "the given address"

    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("redis://h/0?nonsense=1", "behind the"),
            ("redis://h/0?protocol=3", "behind the"),
            ("redis://h/0?ssl_ca_certs=x", "need rediss://"),
            ("unix:///s?socket_keepalive=1", "behind the"),
            ("redis://h/1x", "the database is a number"),
            ("redis://h/abc", "the database is a number"),
            ("redis://h/1/2", "the database is a number"),
            ("redis://h/0?db=x", "the database is a number"),
            ("redis+sentinel://h/name/x", "the database is a number"),
            ("redis+cluster://h/x", "the database is a number"),
            ("redis://h:99999/0", "a port is a number"),
            ("redis+cluster://h:1,i:x", "a port is a number"),
            ("redis://h/0#x", "a # in it is written %23"),
            ("unix:///s#x", "a # in it is written %23"),
            ("rediss://h/0?ssl_certfile=/no/such/file", "ssl_certfile names a file"),
            ("rediss://h/0?ssl_cert_reqs=maybe", "ssl_cert_reqs is one of"),
        ],
    )
    def test_at_an_address_with_a_mistake_in_it_names_the_mistake(self, url: str, why: str) -> None:
        with pytest.raises(BadConfiguration, match="REDIS_URL") as caught:
            connect(url)
        assert why in str(caught.value)
        assert "nonsense" not in str(caught.value)  # it might be the rest of a password

    @pytest.mark.parametrize(
        "url",
        [
            "redis://h",
            "redis://h/",
            "redis://h/3",
            "unix:///s?db=3&password=x",
            "redis+sentinel://h,i:2/name/3?sentinel_password=x",
            "rediss://h?ssl_cert_reqs=none&socket_connect_timeout=2",
        ],
    )
    def test_at_an_address_in_order_is_read(self, url: str) -> None:
        read_address(url)

    def test_at_a_port_that_is_none_says_nothing_of_the_url(self) -> None:
        with pytest.raises(BadConfiguration, match="REDIS_URL") as caught:
            connect("redis://user:sesame@host:sesame/0")
        assert "sesame" not in str(caught.value)

    def test_place_never_holds_a_secret(self) -> None:
        assert place_of("rediss://u:p@host:7/0") == "host:7"
        assert place_of("unix://:pw@/run/s.sock?db=1") == "/run/s.sock"
        assert place_of("redis://:pw@[bad") == "the given address"
