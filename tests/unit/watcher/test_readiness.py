"""What a watcher says of itself when queue or store hang: soon, and what is known (W19)."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from job_watcher.liveness import Pulse
from job_watcher.logs import redactor
from job_watcher.readiness import Moment
from lib.clock import ManualClock
from lib.events.metrics import Metrics
from lib.events.model import (
    JobDelayed,
    JobDone,
    JobReleased,
    LifecycleEvent,
    MachineAdded,
    MachineLost,
    StorageRefused,
)
from lib.events.watchers import WatcherTrouble
from lib.jobqueue.memory.queue import MemoryQueue
from lib.storage import StorageUnavailable, StoredArtifact
from lib.storage.file_storage import FileStorage

PAGE = Path(__file__).parents[3] / "docs/reference/metrics.md"
ABOUT = {"request_id": "a:b", "lease_no": 1, "attempt": 1, "host": "h"}


class Counting(FileStorage):
    """A store that refuses until it is mended, and counts how often it was asked."""

    def __init__(self, root: Path, refusal: str | None) -> None:
        super().__init__(root)
        self.refusal, self.asked = refusal, 0

    def has(self, artifact: StoredArtifact) -> bool:
        self.asked += 1
        if self.refusal is not None:
            raise StorageUnavailable(self.refusal)
        return super().has(artifact)


class Hanging(FileStorage):
    """A store that answers when it is let go."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked, self.let_go = threading.Event(), threading.Event()

    def has(self, artifact: StoredArtifact) -> bool:
        self.asked.set()
        self.let_go.wait(30)
        return super().has(artifact)


@contextlib.contextmanager
def _queue() -> Iterator[MemoryQueue]:
    yield MemoryQueue()


def ready(moment: Moment) -> dict[str, object]:
    answer = moment.ready()
    found: dict[str, object] = json.loads(answer.body)
    assert found["ok"] is (answer.status == 200)
    return found


def test_a_store_that_hangs_costs_a_moment_and_the_queue_is_told_all_the_same(tmp_path: Path) -> None:
    clock, store = ManualClock(), Hanging(tmp_path)
    pulse = Pulse(clock)
    pulse.ready()
    moment = Moment(pulse, clock, _queue, store, within_s=0.2)

    moment.ready()
    assert store.asked.wait(20)  # the queue was asked before it, however slowly
    said = ready(moment)
    assert (said["ok"], said["queue"], said["store"]) == (False, "ok", "it takes long to answer")
    assert "job_queue_jobs" in {gauge.name for gauge in moment.gauges()}

    store.let_go.set()
    moment.close()
    clock.advance(5)
    assert any(ready(moment)["ok"] for _ in range(100))  # each waits for the look that is under way


def test_the_reference_names_each_metric(tmp_path: Path) -> None:
    clock = ManualClock()
    metrics = Metrics(Moment(Pulse(clock), clock, _queue, FileStorage(tmp_path)).gauges, {})
    families = text_string_to_metric_families(metrics.text().decode())
    made = {family.name + ("_total" if family.type == "counter" else "") for family in families}

    page = set(re.findall(r"^\| `(job_\w+)", PAGE.read_text(encoding="utf-8"), re.M))

    assert page - {"job_watcher_webhooks_waiting"} == {name for name in made if not name.endswith("_created")}


def test_what_a_prober_reads_holds_no_secret(tmp_path: Path) -> None:
    class Telltale(FileStorage):
        def has(self, artifact: StoredArtifact) -> bool:
            raise StorageUnavailable("No login with hush-of-probes.")

    redactor.more(["hush-of-probes"])
    clock = ManualClock()
    assert ready(Moment(Pulse(clock), clock, _queue, Telltale(tmp_path)))["store"] == "No login with ***."


def test_the_page_reads_as_prometheus_writes_it_and_its_labels_are_few(tmp_path: Path) -> None:
    clock = ManualClock()
    moment = Moment(Pulse(clock), clock, _queue, FileStorage(tmp_path))
    metrics = Metrics(moment.gauges, {"watcher": 'a"n\\n', "provider": "local", "version": "1"})
    events: list[LifecycleEvent] = [
        JobDone(**ABOUT, audio_seconds=2.5, work_seconds=1.0),  # type: ignore[arg-type] # one dict for all
        JobDelayed(**ABOUT, reason="no"),  # type: ignore[arg-type] # as above
        JobReleased(**ABOUT, reason="no"),  # type: ignore[arg-type] # as above
        StorageRefused(**ABOUT, reason="no", pause_seconds=1),  # type: ignore[arg-type] # as above
        MachineAdded(machine="1.2.3.4"),
        MachineLost(machine="1.2.3.4", reason="gone"),
        WatcherTrouble(reason="away"),
    ]

    def values() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        found = {}
        for family in text_string_to_metric_families(metrics.text().decode()):
            assert family.documentation
            for sample in family.samples:
                assert set(sample.labels) <= {
                    "outcome",
                    "event",
                    "state",
                    "le",
                    "watcher",
                    "provider",
                    "version",
                }
                assert not {"a:b", "1.2.3.4"} & set(sample.labels.values())
                if family.type == "counter" and not sample.name.endswith("_created"):
                    assert sample.name.endswith("_total")
                found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
        return found

    before = values()
    for event in events:
        metrics.emit(event)
    after = values()

    assert all(
        after[name] >= value for name, value in before.items() if name[0].endswith(("_total", "_bucket"))
    )
    assert after["job_watcher_jobs_total", (("outcome", "done"),)] == 1
    assert after["job_watcher_machine_events_total", (("event", "machine_lost"),)] == 1
    assert after["job_watcher_work_seconds_count", ()] == 1
    assert after["job_queue_up", ()] == 1


def test_a_store_that_refused_at_the_start_is_asked_until_it_is_well(tmp_path: Path) -> None:
    """An idle watcher would hear of it only from its next result; the registry is told meanwhile."""
    clock, store = ManualClock(), Counting(tmp_path, "it does not answer")
    moment = Moment(Pulse(clock), clock, _queue, store)
    moment.note_store("it does not answer")

    assert moment.store_trouble() == "it does not answer"
    moment.look()  # the one that was begun by that
    store.refusal = None
    clock.advance(60)
    moment.look()

    assert moment.store_trouble() is None
    moment.close()


def test_a_sound_store_is_asked_nothing_by_an_idle_watcher(tmp_path: Path) -> None:
    clock, store = ManualClock(), Counting(tmp_path, None)
    moment = Moment(Pulse(clock), clock, _queue, store)

    for _ in range(5):
        clock.advance(60)
        assert moment.store_trouble() is None

    assert store.asked == 0
    moment.close()
