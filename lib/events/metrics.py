"""Counts events for Prometheus, in a registry of its own: nothing is in it that is not written here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from lib.errors import MissingExtra
from lib.events.model import (
    OUTCOMES,
    JobBegun,
    JobClaimed,
    JobDone,
    JobOutcome,
    JobTransition,
    LifecycleEvent,
    MachineTransition,
    StorageRefused,
)
from lib.events.watchers import WatcherTrouble

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

_SECONDS: Final = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800)
_HANDED_ON: Final = ("released", "lost")
_MOST_VOICES: Final = 256  # told apart; what a machine says of itself must not fill the memory
_MOST_MACHINES: Final = 64  # told of, those that finished something last: machines come and go
_TRIES: Final = ("delivered", "refused", "dropped")
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Gauge(NamedTuple):
    """A number of this moment. The name's last word is its unit, where it has one."""

    name: str
    help: str
    values: Mapping[str, float]  # by the label's value; "" alone: it has no label
    label: str = "state"


#: Asked at each scrape, in the thread of the scrape: it answers from what is known, and soon.
Gauges = Callable[[], list[Gauge]]


class Metrics:
    """A sink that counts, and the text that a scraper reads.

    Threads: any.
    Raises: MissingExtra when it is made without the packages for it; nothing later.
    """

    def __init__(self, gauges: Gauges, facts: Mapping[str, str]) -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Histogram, Info
        except ModuleNotFoundError:
            raise MissingExtra("Metrics", "watcher") from None
        registry = self._registry = CollectorRegistry(auto_describe=False)
        self._jobs = Counter(
            "job_watcher_jobs",
            "Attempts that ended here, by the state they led to; released and lost cost no attempt",
            ["outcome"],
            registry=registry,
        )
        self._claims = Counter("job_watcher_claims", "Jobs that were leased here", registry=registry)
        self._begun = Counter("job_watcher_begun", "Jobs that a worker here took up", registry=registry)
        self._work = Histogram(
            "job_watcher_work_seconds",
            "What a worker took for a done job",
            buckets=_SECONDS,
            registry=registry,
        )
        self._audio = Counter("job_watcher_audio_seconds", "Audio that was stored here", registry=registry)
        self._pieces = _SpokenPieces(registry)
        self._refusals = Counter(
            "job_watcher_storage_refusals",
            "Times that finished audio could not be stored",
            registry=registry,
        )
        self._troubles = Counter("job_watcher_troubles", "Passes that could not be made", registry=registry)
        self._machines = Counter(
            "job_watcher_machine_events", "What happened to machines", ["event"], registry=registry
        )
        self._webhooks = Counter(
            "job_watcher_webhooks",
            "Tries to deliver a notification: delivered, refused (tried again), dropped (after a day)",
            ["outcome"],
            registry=registry,
        )
        Info("job_watcher", "Who this is", registry=registry).info(dict(facts))
        for name in (*OUTCOMES, *_HANDED_ON):
            self._jobs.labels(name)  # from 0 on, so that the first one shows as a rate
        for name in _TRIES:
            self._webhooks.labels(name)
        registry.register(_Moment(gauges))

    def emit(self, event: LifecycleEvent) -> None:
        """Count it."""
        match event:
            case JobOutcome():
                self._jobs.labels(event.name).inc()
                if isinstance(event, JobDone):
                    self._work.observe(event.work_seconds)
                    self._audio.inc(event.audio_seconds)
                    self._pieces.count(event)
            case JobClaimed():
                self._claims.inc()
            case JobBegun():
                self._begun.inc()
            case StorageRefused():
                self._refusals.inc()
            case JobTransition() if event.name in _HANDED_ON:
                self._jobs.labels(event.name).inc()
            case MachineTransition():
                self._machines.labels(event.name).inc()
            case WatcherTrouble():
                self._troubles.inc()

    def count_webhook(self, outcome: str) -> None:
        """Count the end of a try to tell the receiver of notifications."""
        self._webhooks.labels(outcome).inc()

    def text(self) -> bytes:
        """The page that a scraper reads, in the text format of Prometheus (`CONTENT_TYPE`)."""
        from prometheus_client.exposition import generate_latest

        return generate_latest(self._registry)


class _SpokenPieces:
    """Pieces of speech by what was found of them, and of late by the machines that spoke them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        from prometheus_client import Counter
        from prometheus_client import Gauge as Number

        self._pieces = Counter(
            "job_watcher_spoken_pieces",
            "Pieces of speech, those said again included, by what was found of them",
            ["engine", "voice", "outcome"],
            registry=registry,
        )
        self._of_machines = Number(
            "job_watcher_machine_broken_pieces_per_thousand",
            "Pieces of speech that were found wrong, by the machine that spoke them",
            ["machine"],
            registry=registry,
        )
        self._named: set[tuple[str, str]] = set()  # engines and voices
        self._spoken: dict[str, tuple[int, int]] = {}  # by machine: pieces, and broken ones

    def count(self, done: JobDone) -> None:
        """Count those of a job, where it was spoken."""
        if not done.pieces_spoken:
            return
        labels = (done.engine, done.voice)
        if labels not in self._named:
            labels = labels if len(self._named) < _MOST_VOICES else ("other", "other")
            self._named.add(labels)
        self._pieces.labels(*labels, "broken").inc(done.pieces_broken)
        self._pieces.labels(*labels, "sound").inc(max(0, done.pieces_spoken - done.pieces_broken))
        machine = done.machine or done.host
        spoken, broken = self._spoken.pop(machine, (0, 0))
        spoken, broken = spoken + done.pieces_spoken, broken + done.pieces_broken
        self._spoken[machine] = (spoken, broken)
        self._of_machines.labels(machine).set(1000 * broken / spoken)
        if len(self._spoken) > _MOST_MACHINES:
            oldest = next(iter(self._spoken))
            del self._spoken[oldest]
            self._of_machines.remove(oldest)


class _Moment:
    """The gauges, each time a scraper asks."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: asking would ask the queue."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Each gauge with its values."""
        from prometheus_client.core import GaugeMetricFamily

        for gauge in self._gauges():
            labels = [] if set(gauge.values) == {""} else [gauge.label]
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=labels)
            for name, value in gauge.values.items():
                family.add_metric([name] if labels else [], value)
            yield family
