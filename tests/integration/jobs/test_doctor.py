"""Each finding of `doctor`: break that one thing, see only its id, mend it, see all in order (Q22)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import redis

from job_runner.commands import doctor
from lib.clock import SystemClock
from lib.errors import ExitStatus
from lib.jobqueue import ErrorClass, Failure, QueueOptions, connect
from lib.jobqueue.admin.observed import ServerFacts
from lib.jobqueue.redis.upkeep import upkeep_of
from lib.jobs import doctor_probes
from lib.jobs.doctor import KINDS, Checkup, FreeSpace, diagnose, exit_status
from lib.redislink.permissions import NEEDED, NEEDED_BY_UPKEEP
from lib.storage.s3.client import S3Connection
from tests.contract.jobqueue.jobs import job
from tests.integration.servers import Server
from tests.s3_servers import ACCESS, S3Server

REFERENCE = Path(__file__).parents[3] / "docs/reference"


@dataclass(slots=True)
class Ward:
    """A home whose queue is on a server of its own that is in order."""

    folder: Path
    server: Server
    raw: Any
    patch: pytest.MonkeyPatch
    servers: Callable[[str], S3Server]

    def set(self, name: str, value: str) -> None:
        self.patch.setenv(name, value)

    def findings(self) -> list[str]:
        """The ids that `doctor` finds."""
        return [item.kind.id for item in diagnose(doctor.examine(None))]


@pytest.fixture(scope="module")
def kept_server() -> Iterator[Server]:
    server = Server("--appendonly", "yes")
    server.start()
    yield server
    server.remove()


@pytest.fixture
def ward(
    kept_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Ward]:
    raw = redis.Redis.from_url(kept_server.url, decode_responses=True, protocol=2)
    raw.flushall()
    made = Ward(tmp_path, kept_server, raw, monkeypatch, request.getfixturevalue)
    monkeypatch.chdir(tmp_path)
    made.set("REDIS_URL", kept_server.url)
    made.set("JOBS_DATA_DIR", str(tmp_path / "data"))
    made.set("STORAGE_URL", (tmp_path / "store").as_uri())
    # one word of real speech takes a second; tests of the engine itself take this back
    monkeypatch.setattr(doctor_probes, "bad_engine", lambda name: None)
    yield made
    raw.close()


@contextmanager
def setting(ward: Ward, name: str, value: str) -> Iterator[None]:
    """A setting of this home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        yield


@contextmanager
def config(ward: Ward, name: str, value: str, after: str) -> Iterator[None]:
    """A setting of the server; mended as the finding says."""
    ward.raw.config_set(name, value)
    yield
    ward.raw.config_set(name, after)


@contextmanager
def nearly_full(ward: Ward) -> Iterator[None]:
    used = int(ward.raw.info("memory")["used_memory"])
    ward.raw.config_set("maxmemory", used + used // 50)
    yield
    ward.raw.config_set("maxmemory", 0)


@contextmanager
def limited_user(ward: Ward) -> Iterator[None]:
    path = ward.server.socket_path
    ward.raw.acl_setuser(
        "clerk", enabled=True, passwords=["+pw"], keys=["*"], categories=["+@all"], commands=["-xclaim"]
    )
    with setting(ward, "REDIS_URL", f"unix://clerk:pw@{path}"):
        yield
    ward.raw.acl_deluser("clerk")


@contextmanager
def replica(ward: Ward) -> Iterator[None]:
    ward.raw.execute_command("REPLICAOF", "127.0.0.1", "1")
    yield
    ward.raw.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def user_without_upkeep(ward: Ward) -> Iterator[None]:
    clerk, _ = documented_users()
    ward.raw.execute_command("ACL", "SETUSER", "clerk", "reset", *clerk, "+config|get")
    with setting(ward, "REDIS_URL", f"unix://clerk:pw@{ward.server.socket_path}"):
        yield
    ward.raw.acl_deluser("clerk")


@contextmanager
def waiting_job(ward: Ward) -> Iterator[None]:
    with closing(connect(ward.server.url, QueueOptions())) as queue:
        queue.enqueue([job("a")])
        yield
        queue.register_watcher("w-1", {})


@contextmanager
def lapsed_lease(ward: Ward) -> Iterator[None]:
    with closing(connect(ward.server.url, QueueOptions())) as queue:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("w-0", lease_ms=1)
        while not queue.snapshot().stale_pel:
            pass
        yield
        (lease,) = queue.claim("w-1")
        queue.complete(lease, {})


@contextmanager
def bad_voice(ward: Ward) -> Iterator[None]:
    folder = ward.folder / "data/voices/mine"
    folder.mkdir(parents=True)
    (folder / "voice.yaml").write_text("nonsense: yes\n")
    yield
    (folder / "voice.yaml").unlink()


@contextmanager
def silent_engine(ward: Ward) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor_probes, "bad_engine", REAL_ENGINE)
        patch.setenv("VOICE_ENGINE", "nightingale")
        yield


REAL_ENGINE = doctor_probes.bad_engine


@contextmanager
def blocked(ward: Ward, name: str, value: Callable[[Path], str]) -> Iterator[None]:
    """A file stands where a folder is needed: refused to every user, root included."""
    (ward.folder / "file").write_text("in the way")
    with setting(ward, name, value(ward.folder / "file/inside")):
        yield
    (ward.folder / "file").unlink()


@contextmanager
def full_disk(ward: Ward) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor_probes, "disks", lambda folders: [FreeSpace(str(ward.folder), 5_000_000)])
        yield


@contextmanager
def as_facts(ward: Ward, **changed: Any) -> Iterator[None]:
    """A server that says something else about itself: what cannot be made here with a real one."""
    seen = doctor.examine(None)
    assert seen.server is not None
    other = replace(seen, server=replace(seen.server, **changed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor, "examine", lambda url: other)
        yield


@contextmanager
def other_clock(ward: Ward) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "now", lambda self: 1_700_000_000.0)
        yield


@contextmanager
def bucket(ward: Ward, server: str) -> Iterator[None]:
    """A store in a bucket."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_URL", ward.servers(server).url())
        patch.setenv("AWS_ACCESS_KEY_ID", ACCESS.key_id or "")
        patch.setenv("AWS_SECRET_ACCESS_KEY", ACCESS.secret or "")
        yield


@contextmanager
def other_clock_than_the_store(ward: Ward) -> Iterator[None]:
    """The queue's clock is left out of it: it stands for one that is off as much as ours."""
    with bucket(ward, "seaweed"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(S3Connection, "skew_s", lambda self, answer: 120.0)
        yield


BREAKS: dict[str, Callable[[Ward], AbstractContextManager[None]]] = {
    "D001": lambda ward: setting(ward, "REDIS_URL", f"unix://{ward.folder}/nobody"),
    "D002": lambda ward: as_facts(ward, version=(7, 2, 4)),
    "D003": replica,
    "D004": lambda ward: config(ward, "appendonly", "no", "yes"),
    "D005": lambda ward: as_facts(ward, last_write_ok=False),
    "D006": lambda ward: config(ward, "maxmemory-policy", "allkeys-lru", "noeviction"),
    "D007": limited_user,
    "D008": nearly_full,
    "D009": other_clock,
    "D010": waiting_job,
    "D011": lapsed_lease,
    "D012": bad_voice,
    "D013": silent_engine,
    "D014": lambda ward: blocked(ward, "STORAGE_URL", Path.as_uri),
    "D015": lambda ward: blocked(ward, "JOBS_DATA_DIR", str),
    "D016": full_disk,
    "D017": lambda ward: setting(ward, "PROVIDER", "vast"),
    "D018": lambda ward: config(ward, "appendfsync", "no", "everysec"),
    "D019": user_without_upkeep,
    "D020": lambda ward: bucket(ward, "rclone"),
    "D021": other_clock_than_the_store,
    "D050": lambda ward: setting(ward, "IMAGEN_BACKEND", "flux-dev-replicate"),
}


def test_every_finding_has_a_way_to_break_it() -> None:
    assert set(BREAKS) == {kind.id for kind in KINDS}


@pytest.mark.parametrize("kind", BREAKS)
def test_one_broken_thing_is_found_alone_and_gone_when_it_is_mended(ward: Ward, kind: str) -> None:
    """Q22."""
    assert ward.findings() == []
    with BREAKS[kind](ward):
        assert ward.findings() == [kind]

    assert ward.findings() == []


def test_the_engine_is_heard_to_speak_whatever_modules_lie_in_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "synth.py").write_text("raise SystemExit('not the program')\n")
    monkeypatch.chdir(tmp_path)

    assert REAL_ENGINE("hibari") is None


def test_an_engine_that_breaks_down_is_named_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBS_CONFIG", str(tmp_path / "nowhere.toml"))

    trouble = REAL_ENGINE("hibari")

    assert trouble is not None
    assert "nowhere.toml" in trouble.sentence


@pytest.mark.parametrize(
    ("kinds", "status"),
    [((), 0), (("D010", "D016"), 0), (("D004",), 78), (("D010", "D014"), 78), (("D001", "D014"), 69)],
)
def test_the_exit_status_tells_warnings_from_what_must_be_mended(kinds: tuple[str, ...], status: int) -> None:
    from lib.findings import Finding

    by_id = {kind.id: kind for kind in KINDS}
    found = [Finding(by_id[name], "x", "x", "x") for name in kinds]

    assert exit_status(found) == ExitStatus(status)


def test_a_dead_server_does_not_keep_the_rest_from_being_looked_at(ward: Ward) -> None:
    ward.set("REDIS_URL", f"unix://{ward.folder}/nobody")
    with bad_voice(ward):
        assert ward.findings() == ["D001", "D012"]


def documented_users() -> tuple[list[str], list[str]]:
    """The rules of the page: for a queue's user, and what an operator's user has beyond."""
    page = (REFERENCE / "redis-keys.md").read_text(encoding="utf-8")
    section = page.partition("## What a user of the server must be permitted")[2]
    blocks = re.findall(r"```\nACL SETUSER jobs (.*?)```", section, re.DOTALL)
    clerk, more, newer = ([word for word in block.split() if word != "\\"] for block in blocks)
    return [">pw" if word == ">PASSWORD" else word for word in clerk], [*more, *newer]


def test_the_list_of_commands_is_the_documented_one() -> None:
    clerk, _ = documented_users()
    listed = {word[1:].partition("|")[0].upper() for word in clerk if word.startswith("+")}

    assert {words.split()[0] for words in NEEDED} <= listed


def test_the_list_of_an_operators_commands_is_the_documented_one() -> None:
    _, more = documented_users()
    listed = {word[1:].partition("|")[0].upper() for word in more if word.startswith("+")}

    # without CONFIG GET, doctor does not look at appendfsync; hosted servers refuse it to all
    assert {words.split()[0] for words in NEEDED_BY_UPKEEP} == listed - {"CONFIG"}


def test_the_documented_user_can_do_all_that_operators_do(ward: Ward) -> None:
    """Q39."""
    clerk, more = documented_users()
    ward.raw.execute_command("ACL", "SETUSER", "clerk", *clerk, *more)
    ward.set("REDIS_URL", f"unix://clerk:pw@{ward.server.socket_path}")
    try:
        assert ward.findings() == []
        with closing(connect(os.environ["REDIS_URL"], QueueOptions())) as queue:
            upkeep = upkeep_of(queue)
            upkeep.durability.require()
            queue.enqueue([job("a"), job("b")])
            assert "disk" in upkeep.durability.wait()
            (lease,) = queue.claim("w-1")
            queue.fail(lease, Failure(ErrorClass.BAD_INPUT, "no"))
            assert upkeep.inspector.failed_ids(error_class=None, since=None) == [lease.request_id]
            assert upkeep.inspector.place("b") is not None
            assert list(upkeep.misfits(mend=True)) == []
            upkeep.flush(hard=True, force=False)
    finally:
        ward.raw.acl_deluser("clerk")


def test_facts_of_an_old_redis_are_judged_by_its_own_numbers() -> None:
    facts = ServerFacts("redis", (6, 2, 14), "master", True, None, True, "noeviction", 1, 0, 100.0)

    assert [item.kind.id for item in diagnose(Checkup(100.0, "there", server=facts))] == ["D002"]
    assert diagnose(Checkup(100.0, "there", server=replace(facts, version=(7, 0, 15)))) == []
