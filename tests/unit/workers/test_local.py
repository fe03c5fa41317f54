"""Spools and workers of this machine: which there are, how they are called, what a killed process left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lib.child import ChildProcess
from lib.clock import ManualClock
from lib.spool import Phase, SpoolClient, SpoolJob, WorkerSpool
from lib.workers import LeftSpool, SpoolRoom, WorkerSetup
from tests.unit.open_files import open_below


@pytest.fixture
def room(tmp_path: Path) -> SpoolRoom:
    return SpoolRoom(tmp_path / "room", name="box.0", machine="box")


@pytest.fixture
def setup(tmp_path: Path) -> WorkerSetup:
    return WorkerSetup(tmp_path / "voices", "hibari", 30.0, ManualClock())


def make_spools(tmp_path: Path, *names: str) -> None:
    for name in names:
        (tmp_path / "room" / name / "inbox").mkdir(parents=True)


class TestTheRoom:
    def test_that_nobody_used_yet_has_nothing_left(self, room: SpoolRoom, tmp_path: Path) -> None:
        assert room.left() == []
        assert room.free_numbers(3) == [1, 2, 3]
        assert not (tmp_path / "room").exists()

    def test_gives_numbers_that_no_spool_has(self, room: SpoolRoom, tmp_path: Path) -> None:
        """A left spool may still be served: a new worker must not sit on it."""
        make_spools(tmp_path, "spool-1", "spool-3", "spool-12")

        assert room.free_numbers(4) == [2, 4, 5, 6]
        assert room.free_numbers(0) == []

    @pytest.mark.parametrize(("workers", "share"), [(1, "4"), (2, "2"), (3, "1"), (8, "1")])
    def test_lets_its_workers_share_the_cores(
        self, room: SpoolRoom, setup: WorkerSetup, monkeypatch: pytest.MonkeyPatch, workers: int, share: str
    ) -> None:
        told: list[Mapping[str, str] | None] = []

        class Seen(ChildProcess):
            def __init__(self, argv: Sequence[str], *, log: Path, environ: Mapping[str, str] | None) -> None:
                told.append(environ)

        monkeypatch.setattr("lib.workers.worker_process.ChildProcess", Seen)
        for host in room.hosts(range(1, workers + 1), replace(setup, hibari_batch=4)):
            host.tend()

        assert [environ and environ["HIBARI_BATCH"] for environ in told] == [share] * workers

    def test_tells_of_left_spools_beyond_those_that_are_served_again(
        self, room: SpoolRoom, tmp_path: Path
    ) -> None:
        make_spools(tmp_path, "spool-10", "spool-2", "spool-1")

        assert [spool.name for spool in room.left()] == ["box.0/1", "box.0/2", "box.0/10"]
        assert [spool.name for spool in room.left(beyond=2)] == ["box.0/10"]
        assert room.left(beyond=10) == []

    def test_takes_nothing_else_for_a_spool(self, room: SpoolRoom, tmp_path: Path) -> None:
        """What it takes for one it may remove."""
        make_spools(tmp_path, "spool-0", "spool-01", "spool-x", "spool-12345", "my-spool-1", "spool-1.old")
        (tmp_path / "room" / "spool-7").write_text("a file")
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "room" / "spool-8").symlink_to(tmp_path / "elsewhere")

        assert room.left() == []

    def test_calls_the_host_of_a_number_the_same_whether_it_is_left_or_served(
        self, room: SpoolRoom, setup: WorkerSetup, tmp_path: Path
    ) -> None:
        """Then the leases of a process that was killed are found again by the next one."""
        make_spools(tmp_path, "spool-1", "spool-2")

        (served,) = room.hosts([2], setup)

        left = {spool.folder.name: spool for spool in room.left()}["spool-2"]
        assert (served.name, served.machine) == (left.name, left.machine) == ("box.0/2", "box")
        assert served.files().root == left.folder == tmp_path / "room" / "spool-2"

    def test_has_a_name_and_a_spool_for_each_host_that_no_other_has(
        self, setup: WorkerSetup, tmp_path: Path
    ) -> None:
        """Two watchers of one machine have a room each; their hosts stand in the same rows of leases."""
        rooms = [SpoolRoom(tmp_path / slot, name=f"box.{slot}", machine="box") for slot in ("0", "1")]

        hosts = [host for each in rooms for host in each.hosts([1, 2, 3], setup)]

        assert len({host.name for host in hosts}) == len({host.files().root for host in hosts}) == 6
        assert {host.machine for host in hosts} == {"box"}

    def test_starts_nothing_by_naming_hosts(
        self, room: SpoolRoom, setup: WorkerSetup, tmp_path: Path
    ) -> None:
        room.hosts([1, 2], setup)

        assert not (tmp_path / "room").exists()


class TestALeftSpool:
    @pytest.fixture
    def spool(self, room: SpoolRoom, tmp_path: Path) -> LeftSpool:
        make_spools(tmp_path, "spool-1")
        return room.left()[0]

    def test_is_served_exactly_while_a_worker_holds_it(self, spool: LeftSpool) -> None:
        assert not spool.is_served()  # nobody ever did

        with WorkerSpool(spool.folder):
            assert [spool.is_served(), spool.is_served()] == [True, True]

        assert not spool.is_served()

    def test_does_not_hinder_a_worker_by_looking(self, spool: LeftSpool) -> None:
        with WorkerSpool(spool.folder):
            pass

        for _ in range(3):
            spool.is_served()

        with WorkerSpool(spool.folder):
            assert spool.is_served()
        assert open_below(spool.folder) == []

    def test_shows_what_lies_in_it(self, spool: LeftSpool) -> None:
        entry = SpoolClient(spool.files()).submit(SpoolJob("a", 1, "marknone", 1, "v1:any", {}))

        assert SpoolClient(spool.files()).entries() == {entry: Phase.INBOX}

    def test_is_removed_with_all_in_it_and_with_nothing_beside_it(
        self, spool: LeftSpool, room: SpoolRoom, tmp_path: Path
    ) -> None:
        make_spools(tmp_path, "spool-2")
        (spool.folder / "outbox" / "entry").mkdir(parents=True)
        spool.files().listen("bell.client")

        spool.remove()

        assert [left.name for left in room.left()] == ["box.0/2"]
        assert room.free_numbers(1) == [1]
        assert not spool.is_served()
