"""A remote machine uploads its audio itself where the store signs for it; else it is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.clock import ManualClock
from lib.jobqueue import JobState
from lib.spool import HostUnreachable, SpoolClient, UploadOrder
from lib.storage import FileStorage, MemoryStorage, SignedUpload, StoredArtifact
from tests.unit.dispatch.bench import Bench, Refusal, ScriptedHost, spec

JOB = spec()


class CountedFetches(MemoryStorage):
    """A store that knows what came through the watcher, and what was signed."""

    def __init__(self) -> None:
        super().__init__("https://store.example")
        self.puts = self.signed = 0

    def put(self, source: Path, *, sha256: str, bytes: int) -> StoredArtifact:
        self.puts += 1
        return super().put(source, sha256=sha256, bytes=bytes)

    def sign_upload(self, sha256: str, bytes: int) -> SignedUpload | None:
        self.signed += 1
        return super().sign_upload(sha256, bytes)


class Desk:
    """A finished job on a remote host, and the machine's hands."""

    def __init__(self, bench: Bench, *, remote: bool = True) -> None:
        self.bench, self.store = bench, CountedFetches()
        bench.storage = self.store
        bench.host.remote = remote
        self.dispatcher = bench.holding(JOB)
        bench.host.speak_all()
        bench.host.beat()

    def look(self, seconds: float = 0.0) -> JobState:
        self.bench.clock.advance(seconds)
        self.bench.host.beat()
        self.dispatcher.step()
        return self.bench.job(JOB).state

    def orders(self) -> tuple[str, tuple[UploadOrder, ...]]:
        (entry,) = self.bench.host.spool.ordered_uploads()
        return entry, self.bench.host.spool.upload_orders(entry)

    def upload(self, data: bytes | None = None) -> None:
        """What the worker's uploader does; `data`: other bytes than it has."""
        entry, orders = self.orders()
        for order in orders:
            path = self.bench.host.spool.result_file(entry, order.file)
            self.store.upload(SignedUpload(order.url, order.headers, 1e12), data or path.read_bytes())
        self.bench.host.spool.end_uploads(entry)


def test_audio_of_a_remote_machine_does_not_come_through_the_watcher(bench: Bench) -> None:
    desk = Desk(bench)

    assert desk.look() is JobState.RUNNING
    desk.upload()
    assert desk.look(1) is JobState.DONE

    assert (desk.store.puts, desk.store.signed) == (0, 1)
    assert bench.job(JOB).attempt == 1
    assert desk.store.published(f"{JOB.output_name}.wav")
    assert not list((bench.host.root / "upload").iterdir())  # the URL is gone from the machine


def test_a_url_is_signed_only_for_what_the_machine_said_it_has(bench: Bench) -> None:
    desk = Desk(bench)
    desk.look()

    (order,) = desk.orders()[1]

    assert order.headers["content-length"] == str(order.bytes)
    assert order.headers["x-checksum-sha256"] in order.url
    assert order.url not in repr(order)


@pytest.mark.parametrize("data", [b"other bytes", b""])
def test_what_did_not_arrive_is_fetched(bench: Bench, data: bytes) -> None:
    desk = Desk(bench)
    desk.look()
    desk.upload(data or b"?")

    assert desk.look(1) is JobState.DONE
    assert desk.store.puts == 1


def test_a_machine_that_never_says_that_it_ended_is_waited_for_half_a_minute(bench: Bench) -> None:
    desk = Desk(bench)

    assert [desk.look(seconds) for seconds in (0, 10, 10)] == [JobState.RUNNING] * 3
    assert desk.look(15) is JobState.DONE
    assert desk.store.puts == 1
    assert bench.job(JOB).attempt == 1


def test_a_machine_that_got_nowhere_is_not_waited_for_at_each_job(bench: Bench) -> None:
    """A store in a network that only the watcher is in takes no uploads, and tells nobody."""
    desk = Desk(bench)
    desk.look()
    assert desk.look(31) is JobState.DONE

    def one_more(name: str) -> tuple[JobState, int]:
        bench.queue.enqueue([spec(name)])
        desk.dispatcher.claim()
        for taken in bench.host.spool.take(1):
            bench.host.speak(taken, audio=name.encode())
        desk.look(1)
        return bench.job(spec(name)).state, desk.store.signed

    bench.host.script = lambda: None
    assert one_more("b") == (JobState.DONE, 1)
    bench.clock.advance(600)
    assert one_more("c") == (JobState.RUNNING, 2)


def test_a_machine_that_could_not_be_told_is_told_at_the_next_look(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(bench)
    away = Refusal(monkeypatch, SpoolClient, "order_uploads", HostUnreachable("It does not answer."))
    with pytest.raises(HostUnreachable):
        desk.look()
    away.on = False

    assert desk.look(1) is JobState.RUNNING
    desk.upload()
    assert desk.look(1) is JobState.DONE
    assert desk.store.puts == 0


def test_a_new_watcher_asks_again(bench: Bench) -> None:
    desk = Desk(bench)
    desk.look()
    desk.dispatcher = bench.dispatcher("bob")
    desk.dispatcher.resume()
    desk.look(1)
    desk.upload()

    assert desk.look(1) is JobState.DONE
    assert (desk.store.puts, desk.store.signed) == (0, 2)


def test_a_new_watcher_leaves_nothing_of_an_upload_that_has_arrived(bench: Bench) -> None:
    """The one before was killed between the worker's end and its own look."""
    desk = Desk(bench)
    desk.look()
    desk.upload()
    desk.dispatcher = bench.dispatcher("bob")
    desk.dispatcher.resume()

    assert desk.look(1) is JobState.DONE
    assert (desk.store.puts, desk.store.signed) == (0, 1)
    assert not list((bench.host.root / "upload").iterdir())


def test_what_the_store_has_already_is_not_uploaded_again(bench: Bench, tmp_path: Path) -> None:
    desk = Desk(bench)
    entry = next(iter(bench.spool.entries()))
    result = bench.spool.result(entry)
    assert result is not None
    assert result.record is not None
    file = result.record.takes[0].main
    path = bench.host.spool.result_file(entry, file.file)
    MemoryStorage.put(desk.store, path, sha256=file.sha256, bytes=file.bytes)

    assert desk.look() is JobState.DONE
    assert (desk.store.puts, desk.store.signed) == (0, 0)


def test_a_local_machine_and_a_store_that_signs_nothing_use_the_watcher(bench: Bench, tmp_path: Path) -> None:
    desk = Desk(bench, remote=False)
    assert desk.look() is JobState.DONE
    assert (desk.store.puts, desk.store.signed) == (1, 0)

    other = Bench(tmp_path / "other", clock=ManualClock())
    other.host.remote = True
    dispatcher = other.holding(JOB)
    other.host.speak_all()
    dispatcher.step()
    assert isinstance(other.storage, FileStorage)
    assert other.job(JOB).state is JobState.DONE
    other.close()


def test_an_order_for_what_is_gone_is_removed_by_the_next_worker(bench: Bench) -> None:
    desk = Desk(bench)
    desk.look()
    entry, _ = desk.orders()
    bench.spool.acknowledge(entry)

    host = ScriptedHost(bench.host.root, bench.clock)
    bench.host.close()
    assert host.spool.ordered_uploads() == []
    assert not list((bench.host.root / "upload").iterdir())
    host.close()
