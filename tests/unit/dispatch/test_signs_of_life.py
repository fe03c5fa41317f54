"""A pass that takes long, for good reason, says so on the way: no watchdog ends it (W18)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from lib.storage import FileStorage, StorageUnavailable, StoredArtifact
from tests.unit.dispatch.bench import Bench, spec

HANGS_AFTER_S = 300.0


class SlowStore(FileStorage):
    """Each file takes its time, and may be refused at the end of it."""

    def __init__(self, bench: Bench, seconds: float, *, refuses: bool = False) -> None:
        super().__init__(bench.root / "store")
        self._bench, self._seconds, self._refuses = bench, seconds, refuses

    def put(self, source: Path, *, sha256: str, bytes: int) -> StoredArtifact:
        self._bench.clock.advance(self._seconds)
        if self._refuses:
            raise StorageUnavailable("The store does not answer.")
        return super().put(source, sha256=sha256, bytes=bytes)


def longest_silence(bench: Bench) -> float:
    """Beyond what was announced, in seconds."""
    said = [*bench.alive, (bench.clock.monotonic(), 0.0)]
    return max(after - (before + allowed) for (before, allowed), (after, _) in pairwise(said))


def test_many_results_that_a_silent_store_refuses_one_after_the_other(bench: Bench) -> None:
    bench.storage = SlowStore(bench, 190.0, refuses=True)
    dispatcher = bench.holding(*(spec(f"job-{number}") for number in range(4)))
    bench.host.speak_all()

    dispatcher.step()

    assert bench.clock.monotonic() > 700
    assert longest_silence(bench) < HANGS_AFTER_S


def test_a_file_that_takes_longer_than_the_watchdog_waits_is_announced(bench: Bench) -> None:
    bench.storage = SlowStore(bench, 400.0)
    dispatcher = bench.holding(spec("long"))
    bench.host.speak_all()

    dispatcher.step()

    assert longest_silence(bench) < HANGS_AFTER_S
    assert bench.alive[-1][1] == 0.0  # and taken back


def test_many_hosts_that_do_not_answer(bench: Bench) -> None:
    for number in range(5):
        bench.another_host(f"host-{number}")
    dispatcher = bench.dispatcher()

    for host in bench.hosts:
        host.script = lambda: bench.clock.advance(120.0)
    dispatcher.step()

    assert bench.clock.monotonic() > 500
    assert longest_silence(bench) < HANGS_AFTER_S
