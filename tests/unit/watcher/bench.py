"""A whole watcher in one process, over the dispatcher's bench."""

from __future__ import annotations

from job_watcher.watcher import Watcher
from lib.dispatch import Dispatcher, LeftSpools
from lib.jobspec import JobSpec
from tests.unit.dispatch.bench import Bench


class WatcherBench(Bench):
    """Watchers on the same folders, one after the other."""

    def watcher(self, name: str = "ann") -> Watcher:
        """A new watcher, as a restart would make it."""
        return self._over(self.dispatcher(name))

    def watching(self, *specs: JobSpec) -> Watcher:
        """A watcher that has leased and submitted these jobs; its worker has done nothing yet."""
        return self._over(self.holding(*specs))

    def _over(self, dispatcher: Dispatcher) -> Watcher:
        return Watcher(dispatcher, LeftSpools(dispatcher, ()), self.clock, self.limits, self.intervals)
