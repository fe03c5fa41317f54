"""What `doctor` and `enqueue --durable` say of a server that does not let itself be used, on two makes."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from job_runner.commands import doctor
from lib.errors import BadConfiguration
from lib.findings import Finding
from lib.jobqueue import connect
from lib.jobqueue.redis.upkeep import upkeep_of
from lib.jobs import doctor_probes
from lib.jobs.doctor import diagnose
from tests.contract.jobqueue.jobs import job
from tests.integration.jobs.test_doctor import documented_users
from tests.integration.servers import Server
from tests.integration.topologies import TlsFront, binary_of, client, told


@pytest.fixture(scope="module", params=["valkey", "redis-7"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = Server("--appendonly", "yes", binary=binary_of(request.param))
    made.start()
    yield made
    made.remove()


@pytest.fixture
def admin(server: Server) -> Iterator[redis.Redis]:
    with contextlib.closing(client(server)) as made:
        made.flushall()
        yield made
        told(made, "REPLICAOF", "NO", "ONE")
        told(made, "ACL", "DELUSER", "clerk")
        made.config_set("appendfsync", "everysec")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOBS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(doctor_probes, "bad_engine", lambda name: None)
    return monkeypatch


def user(admin: redis.Redis, server: Server, *rights: str) -> str:
    told(admin, "ACL", "SETUSER", "clerk", "reset", *rights)
    return server.url.replace("unix://", "unix://clerk:pw@")


def only(url: str) -> Finding:
    (finding,) = diagnose(doctor.examine(url))
    return finding


def ids(url: str) -> list[str]:
    return [item.kind.id for item in diagnose(doctor.examine(url))]


def test_a_read_only_replica_is_told_as_one(server: Server, admin: redis.Redis) -> None:
    told(admin, "REPLICAOF", "127.0.0.1", "1")

    assert (only(server.url).kind.id, only(server.url).fix) == ("D003", "set REDIS_URL to its primary")


def test_each_refusal_comes_with_the_advice_that_fits(server: Server, admin: redis.Redis) -> None:
    clerk, _ = documented_users()
    right = user(admin, server, *clerk)
    advice = {
        right.replace(":pw@", ":wrong@"): "check REDIS_URL: user and password",
        f"{server.url}?db=4000": "write a lower one in REDIS_URL",
        f"{server.url}x": "start it, or correct REDIS_URL",
        f"{server.url}?nonsense=1": "correct REDIS_URL; docs/how-to/own-redis.md has its forms",
    }
    for url, fix in advice.items():
        assert (only(url).kind.id, fix in only(url).fix) == ("D001", True), only(url)
    told(admin, "ACL", "SETUSER", "clerk", "-info")
    assert "permit it with ACL SETUSER" in only(right).fix


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
def test_a_certificate_that_is_not_trusted_comes_with_advice_about_it(
    server: Server, admin: redis.Redis
) -> None:
    front = TlsFront(server)
    front.start()
    try:
        assert "ssl_ca_certs=FILE" in only(f"rediss://{front.place}/0").fix
        missing = only(f"rediss://{front.place}/0?ssl_ca_certs=/no/such/file")
        assert "ssl_ca_certs names a file that is not there" in missing.sentence
        assert "correct REDIS_URL" in missing.fix
    finally:
        front.remove()


def test_the_documented_lines_are_taken_by_the_server_and_are_enough(
    server: Server, admin: redis.Redis
) -> None:
    """Q39."""
    clerk, more = documented_users()
    if "redis" in str(server._binary):
        more.remove("+waitaof")  # its own line, for later servers
    url = user(admin, server, *clerk, *more)

    assert ids(url) == []
    told(admin, "ACL", "LOG", "RESET")
    with contextlib.closing(connect(url)) as queue:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.complete(lease, {})
        assert list(upkeep_of(queue).misfits(mend=True)) == []
        upkeep_of(queue).flush(hard=True, force=False)
    assert told(admin, "ACL", "LOG") == []


def test_a_user_without_an_operators_rights_is_told_which_are_missing(
    server: Server, admin: redis.Redis
) -> None:
    clerk, _ = documented_users()
    url = user(admin, server, *clerk, "+config|get", "+command|info", "+unlink", "+exists", "+type", "+scan")

    found = only(url)

    assert found.kind.id == "D019"
    assert "ZSCAN" in found.sentence
    assert "UNLINK" not in found.sentence


def test_durable_without_the_right_says_so_and_not_that_the_server_is_too_old(
    server: Server, admin: redis.Redis
) -> None:
    clerk, more = documented_users()
    old = "redis" in str(server._binary)
    url = user(admin, server, *clerk, *(word for word in more if word != "+waitaof"))
    with contextlib.closing(connect(url)) as queue:
        durability = upkeep_of(queue).durability
        with pytest.raises(BadConfiguration) as caught:
            durability.require()
        assert re.search("has neither" if old else "may not send WAITAOF", str(caught.value))
        admin.config_set("appendfsync", "always")
        durability.require()  # then the server need not be asked
        assert "at every write" in durability.wait()
