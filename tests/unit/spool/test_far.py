"""A spool on a machine far away costs few round trips, and one caller can listen to many."""

from __future__ import annotations

import os
import select
import threading
from pathlib import Path

import pytest

from job_watcher.simulation.files import MemoryFiles
from lib.spool import LocalFiles, Phase, SpoolClient, SpoolUnusable, WorkerSpool
from tests.unit.spool.things import finish, job


class Trips:
    """Counts the accesses."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_a_pass_over_all_entries_is_one_round_trip() -> None:
    trips = Trips()
    files = MemoryFiles(trips)
    client = SpoolClient(files)
    entries = [client.submit(job(name)) for name in "abc"]
    files.rename(f"inbox/{entries[1]}.json", f"work/{entries[1]}.json")
    files.rename(f"inbox/{entries[2]}.json", f"work/{entries[2]}.json")
    files.write(f"outbox/{entries[2]}/result.json", b"")
    trips.count = 0

    assert client.entries() == dict(zip(entries, [Phase.INBOX, Phase.WORK, Phase.OUTBOX], strict=True))
    assert trips.count == 1


def test_a_job_is_handed_in_at_the_same_cost_however_many_are_there() -> None:
    trips = Trips()
    client = SpoolClient(MemoryFiles(trips))
    costs = []
    for number in range(3):
        trips.count = 0
        client.submit(job(f"job-{number}"))
        costs.append(trips.count)

    assert costs == [2, 2, 2]


@pytest.mark.parametrize("where", ["inbox/{}.json", "work/{}.json", "outbox/{}/result.json"])
def test_a_job_that_lies_anywhere_is_not_handed_in_again(where: str) -> None:
    files = MemoryFiles()
    files.write(where.format(job().entry), b"")

    SpoolClient(files).submit(job())

    assert sum(len(names) for names in files.folders.values()) == 1


def test_a_job_that_moves_while_it_is_looked_for_is_not_missed(
    client: SpoolClient, worker: WorkerSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = client.submit(job())
    real = os.listdir

    def listdir(path: Path) -> list[str]:
        names = real(path)
        if path.name == "inbox":
            worker.take(1)
        return names

    monkeypatch.setattr(os, "listdir", listdir)

    assert client.entries() == {entry: Phase.WORK}


def test_a_job_that_moves_while_it_is_handed_in_again_is_not_there_twice(
    client: SpoolClient, worker: WorkerSpool, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.submit(job())
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        try:
            return real(path)
        finally:
            if path.suffix == ".json":
                worker.take(1)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "lstat", lstat)
        client.submit(job())

    assert len([*root.glob("inbox/*.json"), *root.glob("work/*.json")]) == 1


def test_one_caller_listens_to_many_spools(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in "abc"]
    files = [LocalFiles(root) for root in roots]
    clients = {}
    for each in map(SpoolClient, files):
        descriptor = each.listen()
        assert descriptor is not None
        clients[descriptor] = each
    entry = SpoolClient(files[1]).submit(job())
    with WorkerSpool(roots[1]) as worker:
        worker.take(1)
        ringing = threading.Timer(0.05, finish, [worker, entry])
        ringing.start()

        (heard,) = select.select(list(clients), [], [], 600)[0]  # the test's own time limit is the bound
        ringing.join()

    clients[heard].heard()
    assert clients[heard].finished() == [entry]
    assert select.select(list(clients), [], [], 0)[0] == []
    for one in files:
        one.close()


def test_a_bell_rung_without_end_keeps_nobody(client: SpoolClient, root: Path) -> None:
    descriptor = client.listen()
    assert descriptor is not None
    filling = os.open(root / "bell.client", os.O_WRONLY | os.O_NONBLOCK)
    os.write(filling, b"!" * 65536)
    os.close(filling)

    client.heard()

    assert select.select([descriptor], [], [], 0)[0] == []


def test_a_root_that_is_refused_blames_no_job(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(SpoolUnusable, match=f"{tmp_path / 'file'} cannot be used"):
        SpoolClient(LocalFiles(tmp_path / "file")).result(job().entry)
