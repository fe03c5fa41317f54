"""Jobs and results pass between client and worker whole, once, and not to two workers (V11)."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from pathlib import Path

import pytest

from lib.files import draft_beside
from lib.spool import (
    LocalFiles,
    Phase,
    SpoolBusy,
    SpoolClient,
    SpoolFull,
    SpoolResult,
    SpoolUnusable,
    WorkerSpool,
)
from tests.unit.spool.things import AUDIO, finish, job


def test_a_job_goes_in_and_its_audio_comes_out(
    client: SpoolClient, worker: WorkerSpool, tmp_path: Path
) -> None:
    entry = client.submit(job())
    assert client.entries() == {entry: Phase.INBOX}

    [taken] = worker.take(5)
    assert taken.job == job()
    assert client.entries() == {entry: Phase.WORK}

    finish(worker, entry)
    assert client.entries() == {entry: Phase.OUTBOX}
    result = client.result(entry)
    assert result is not None
    assert result.record is not None
    client.fetch(entry, result.record.chosen.main, tmp_path / "got.wav")
    assert (tmp_path / "got.wav").read_bytes() == AUDIO

    client.acknowledge(entry)
    assert client.entries() == {}
    assert client.result(entry) is None


def test_a_lease_handed_in_twice_is_one_job(client: SpoolClient, worker: WorkerSpool) -> None:
    client.submit(job())
    client.submit(job())
    assert len(worker.take(5)) == 1

    client.submit(job())
    assert worker.take(5) == []


def test_another_lease_of_the_job_is_another_entry(client: SpoolClient) -> None:
    assert client.submit(job(lease_no=1)) != client.submit(job(lease_no=2))


def test_jobs_are_taken_oldest_first(client: SpoolClient, worker: WorkerSpool, root: Path) -> None:
    entries = [client.submit(job(name)) for name in "abc"]
    for age, entry in enumerate(entries):
        os.utime(root / "inbox" / f"{entry}.json", (100 + age, 100 + age))

    assert [taken.entry for taken in worker.take(2)] == entries[:2]
    assert [taken.entry for taken in worker.take(2)] == entries[2:]


def test_a_second_worker_is_refused_and_told_who_is_there(root: Path, worker: WorkerSpool) -> None:
    with pytest.raises(SpoolBusy, match=rf"\(process {os.getpid()}\) already serves the spool {root}"):
        WorkerSpool(root).__enter__()


def test_the_spool_is_free_again_when_its_worker_has_left(root: Path) -> None:
    for _ in range(2):
        with WorkerSpool(root):
            pass


def test_what_a_dead_worker_held_is_taken_up_by_the_next(client: SpoolClient, root: Path) -> None:
    entry = client.submit(job())
    with WorkerSpool(root) as dying:
        dying.take(1)
    client.submit(job("b"))

    with WorkerSpool(root) as following:
        assert [taken.entry for taken in following.take(1)] == [entry]


def test_a_job_that_was_at_hand_of_five_workers_that_died_is_not_begun_again(
    client: SpoolClient, root: Path
) -> None:
    """A net for clients that do not judge deaths; one that does acts at the second."""
    entry = client.submit(job())
    for _ in range(5):
        with WorkerSpool(root) as dying:
            dying.take(1)
            assert dying.begin(entry)

    with WorkerSpool(root) as following:
        following.take(1)
        assert not following.begin(entry)


def test_a_job_given_back_has_not_been_begun(client: SpoolClient, root: Path) -> None:
    entry = client.submit(job())
    for _ in range(5):
        with WorkerSpool(root) as stopping:
            stopping.take(1)
            assert stopping.begin(entry)
            stopping.give_back(entry)
            assert client.entries() == {entry: Phase.INBOX}


def test_a_job_that_was_only_being_written_when_its_worker_died_has_not_been_begun(
    client: SpoolClient, root: Path
) -> None:
    entry = client.submit(job())
    for _ in range(7):
        with WorkerSpool(root) as dying:
            dying.take(1)
            assert dying.begin(entry)
            dying.set_aside(entry)


def work_until_the_disk_is_full(root: Path, entry: str) -> None:
    with WorkerSpool(root) as refused:
        refused.take(1)
        assert refused.begin(entry)
        raise SpoolFull("The disk is full.")


def test_a_disk_that_is_full_blames_no_job(client: SpoolClient, root: Path) -> None:
    entry = client.submit(job())
    for _ in range(7):
        with pytest.raises(SpoolFull):
            work_until_the_disk_is_full(root, entry)


def test_the_next_worker_is_told_which_jobs_were_left(client: SpoolClient, root: Path) -> None:
    client.submit(job())
    with WorkerSpool(root) as dying:
        assert [taken.left for taken in dying.take(1)] == [False]
    client.submit(job("b"))

    with WorkerSpool(root) as following:
        assert [taken.left for taken in following.take(2)] == [True, False]


def test_a_full_disk_is_told_from_a_folder_that_cannot_be_used(
    client: SpoolClient, worker: WorkerSpool, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit status 75 and 78: one is waited for, the other is not."""
    for number, status in ((errno.ENOSPC, 75), (errno.EDQUOT, 75), (errno.EROFS, 78), (errno.EACCES, 78)):
        refusal = OSError(number, os.strerror(number))

        def refuse(fd: int, error: OSError = refusal) -> None:
            raise error

        for act in (
            lambda: client.submit(job()),
            lambda: worker.publish(job().entry, SpoolResult(job().entry, "a", 0.0, 0.0)),
        ):
            with monkeypatch.context() as patched:
                patched.setattr(os, "fsync", refuse)
                with pytest.raises(SpoolUnusable) as caught:
                    act()
            assert (caught.value.exit_status, isinstance(caught.value, SpoolFull)) == (status, status == 75)


def test_a_worker_that_died_after_publishing_does_not_speak_again(
    client: SpoolClient, root: Path, worker: WorkerSpool
) -> None:
    entry = client.submit(job())
    worker.take(1)
    finish(worker, entry)
    (root / "work" / f"{entry}.json").write_bytes(job().to_bytes())  # as if it had died before letting go
    worker.__exit__(None, None, None)

    with WorkerSpool(root) as following:
        assert following.take(1) == []
    assert client.entries() == {entry: Phase.OUTBOX}


def test_a_half_made_result_of_a_dead_worker_is_swept_away(root: Path) -> None:
    with WorkerSpool(root) as dying:
        (dying.scratch(job().entry) / "audio.wav").write_bytes(b"half")

    with WorkerSpool(root):
        assert list((root / "tmp").iterdir()) == []


def test_a_withdrawn_job_is_not_taken_and_a_begun_one_is_not_withdrawn(
    client: SpoolClient, worker: WorkerSpool
) -> None:
    first, second = client.submit(job("a")), client.submit(job("b"))

    assert client.withdraw(first)
    assert [taken.entry for taken in worker.take(5)] == [second]
    assert not client.withdraw(second)


def test_a_job_is_withdrawn_where_no_worker_ever_was(client: SpoolClient) -> None:
    assert client.withdraw(client.submit(job()))

    assert client.entries() == {}


def test_a_cancellation_reaches_the_worker_and_ends_with_the_job(
    client: SpoolClient, worker: WorkerSpool
) -> None:
    entry = client.submit(job())
    client.cancel(entry)
    assert worker.canceled(entry)

    worker.take(1)
    finish(worker, entry)
    client.acknowledge(entry)
    assert not worker.canceled(entry)


@pytest.mark.parametrize("folder", ["cancel", "upload"])
def test_what_is_being_written_while_a_worker_starts_is_left(root: Path, folder: str) -> None:
    """A worker that died is started anew while its client cancels the next job."""
    (root / folder).mkdir(parents=True)
    with draft_beside(root / folder / "word") as draft, WorkerSpool(root):
        assert draft.exists()

    lost = root / folder / f".{'0' * 16}.part"
    lost.touch()
    with WorkerSpool(root):
        assert not lost.exists()


@pytest.mark.parametrize(
    ("written", "problem"),
    [(b"{}", "format"), (b"\xff", "no valid JSON"), (job("other").to_bytes(), "does not belong")],
)
def test_a_job_file_that_breaks_the_format_is_taken_with_its_problem(
    client: SpoolClient, worker: WorkerSpool, root: Path, written: bytes, problem: str
) -> None:
    entry = client.submit(job())
    (root / "inbox" / f"{entry}.json").write_bytes(written)

    [taken] = worker.take(1)

    assert taken.job is None
    assert problem in (taken.problem or "")


def test_other_files_in_the_spool_are_passed_over(
    client: SpoolClient, worker: WorkerSpool, root: Path
) -> None:
    (root / "inbox" / ".half.tmp").write_bytes(b"")
    (root / "inbox" / "notes.json").write_bytes(b"")
    (root / "outbox" / "lost+found").mkdir()

    assert worker.take(5) == []
    assert client.entries() == {}


class TestTheBells:
    def test_a_job_wakes_the_worker_at_once(self, client: SpoolClient, worker: WorkerSpool) -> None:
        ringing = threading.Timer(0.05, client.submit, [job()])
        ringing.start()

        worker.wait(600)  # the test's own time limit is the bound

        ringing.join()
        assert len(worker.take(1)) == 1

    def test_a_result_wakes_the_client_at_once(self, client: SpoolClient, worker: WorkerSpool) -> None:
        entry = client.submit(job())
        worker.take(1)
        client.wait(0)  # hangs the bell
        ringing = threading.Timer(0.05, finish, [worker, entry])
        ringing.start()

        client.wait(600)

        ringing.join()
        assert client.finished() == [entry]

    def test_a_ring_before_the_wait_is_heard(self, client: SpoolClient, worker: WorkerSpool) -> None:
        client.submit(job())

        worker.wait(600)

    def test_nobody_there_to_hear_is_fine(self, client: SpoolClient) -> None:
        for _ in range(3):
            client.submit(job())
            client.wake()

    def test_a_bell_that_is_full_of_rings_still_rings(
        self, client: SpoolClient, worker: WorkerSpool, root: Path
    ) -> None:
        filling = os.open(root / "bell.worker", os.O_WRONLY | os.O_NONBLOCK)
        for rings in (4096, 1):
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(filling, b"!" * rings)
        os.close(filling)

        client._files.ring("bell.worker")

        worker.wait(600)


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(SpoolUnusable, match="cannot be used: "):
        WorkerSpool(tmp_path / "file").__enter__()
    with pytest.raises(SpoolUnusable, match="cannot be used: "):
        SpoolClient(LocalFiles(tmp_path / "file")).submit(job())
