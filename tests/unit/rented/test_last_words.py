"""A machine is given, with its lease, what it needs to bring finished work into the store (W7, W13)."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_watcher.providers.rented.last_words import LIFE_S, LastWordsSigner, program
from lib.clock import ManualClock
from lib.jobqueue import Lease
from lib.jobqueue.memory.queue import MemoryQueue
from lib.providers.rental import BootPlan
from lib.spool import entry_name, lease_mark
from lib.storage import MemoryIncoming, StorageUnavailable
from tests.unit.dispatch.bench import spec
from tests.unit.rented.near import DIRECT, NearLink

FILE = ".job-runner/last-words"


class Desk:
    """The jobs of one machine, which is this one."""

    def __init__(self, home: Path) -> None:
        self.clock = ManualClock(1_000_000.0)
        self.store = MemoryIncoming({}, "memory://store", lambda: None, self.clock.now)
        self.work: list[tuple[str, Lease]] = []
        self.spool: str | None = "/home/near/worker/spool"
        self.link = NearLink(home, DIRECT)
        (home / ".job-runner").mkdir()
        self.file = home / FILE
        self.urls = home / f"{FILE}.urls"
        self.signer = LastWordsSigner(
            self.store, self.clock, file=FILE, spool=lambda: self.spool, work=lambda: self.work
        )

    def claim(self, name: str, **fields: object) -> str:
        """One more job on the machine; its entry."""
        queue = MemoryQueue(now_ms=lambda: round(self.clock.now() * 1000))
        queue.enqueue([spec(name, **fields)])
        (lease,) = queue.claim("ann", count=1)
        entry = entry_name(lease.request_id, lease.lease_no, lease_mark(lease.token))
        self.work.append((entry, lease))
        return entry

    def renew(self) -> bool:
        """Whether the machine got a list."""
        before = self.urls.stat().st_mtime_ns if self.urls.exists() else None
        self.signer.renew(self.link)
        return self.urls.exists() and self.urls.stat().st_mtime_ns != before

    def lines(self) -> list[list[str]]:
        return [line.split(" ", 1) for line in self.urls.read_text().splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_each_file_that_a_job_may_finish_has_a_url_and_its_result_comes_last(desk: Desk) -> None:
    entry = desk.claim("a", variants=2, format="flac")
    assert desk.renew()
    files = [
        "audio.flac",
        "audio.peaks.json",
        "audio.take-02.flac",
        "audio.take-02.peaks.json",
        "result.json",
    ]
    assert [path for _, path in desk.lines()] == [f"{desk.spool}/outbox/{entry}/{file}" for file in files]
    job, lease = entry.split(".", 1)
    for url, path in desk.lines():
        assert desk.store.put(url, path.encode())
    names = [file.name for file in desk.store.list()]
    assert sorted(names) == sorted(f"{job}/{lease}/{file}" for file in files)


def test_only_its_owner_reads_the_list_and_runs_the_program(desk: Desk) -> None:
    desk.claim("a")
    desk.renew()
    assert desk.urls.stat().st_mode & 0o777 == 0o600
    assert desk.file.stat().st_mode & 0o777 == 0o700
    assert desk.file.read_bytes() == program()


def test_a_list_is_given_when_the_jobs_are_others_and_when_it_ages(desk: Desk) -> None:
    desk.claim("a")
    assert desk.renew()
    assert not desk.renew()
    desk.claim("b")
    assert desk.renew()
    desk.clock.advance(1201)
    assert desk.renew()
    desk.work.clear()
    assert desk.renew()
    assert desk.lines() == []
    desk.clock.advance(1201)
    assert not desk.renew()


def test_a_list_outlives_the_lease_of_its_machine(desk: Desk) -> None:
    """The last one may be given just before it would be anew, and the machine waits for a whole lease."""
    desk.claim("a")
    desk.renew()
    desk.clock.advance(1199)
    assert not desk.renew()
    plan = BootPlan("key", "nonce")
    desk.clock.advance(plan.lease_s + 300)
    (url, _), *_ = desk.lines()
    assert desk.store.put(url, b"the last of the last words")
    desk.clock.advance(LIFE_S)
    assert not desk.store.put(url, b"much later")


def test_before_there_is_a_worker_nothing_is_signed(desk: Desk) -> None:
    desk.claim("a")
    desk.spool = None
    assert not desk.renew()
    assert not desk.file.exists()


def test_a_store_that_does_not_sign_costs_nothing_but_the_words(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, *, life_s: int) -> str:
        raise StorageUnavailable("No credentials.")

    desk.claim("a")
    with monkeypatch.context() as patch:
        patch.setattr(desk.store, "sign", refuse)
        assert not desk.renew()
    assert desk.renew()
