"""The resident worker's life: it is started, watched, buried, and told apart from the jobs that end it."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from job_watcher.endings import Endings
from job_watcher.holdings import Holding
from job_watcher.parts import Limits, Parts
from job_watcher.policy import Vigil, is_hung, overdue
from lib.errors import BadConfiguration, ExitStatus, Unavailable
from lib.jobqueue import ErrorClass, Failure
from lib.providers import WorkerDeath
from lib.spool import Heartbeat, InvalidSpoolData, Phase

log = logging.getLogger(__name__)

_LOOK_EVERY = 1.0  # seconds between two looks at the heartbeat
_PASSING_FOR = 300.0  # seconds of refusals that should pass, after which `once` does not wait any more
_SAME_TROUBLE = 120.0  # two refusals further apart than this are two troubles


class WorkerGivenUp(Unavailable):
    """The speech worker keeps ending before it finishes anything."""


class Tending:
    """Keeps the worker going and decides what its end means for the jobs it had.

    `patient`: wait for as long as it takes when the worker says that it cannot work now (a full disk).
    """

    def __init__(self, parts: Parts, endings: Endings, limits: Limits) -> None:
        self._parts, self._endings, self._limits = parts, endings, limits
        self._worker, self._spool, self._clock = parts.worker, parts.spool, parts.clock
        self._vigil = Vigil(self._clock.monotonic())
        self._next_look = 0.0
        self._ends = 0  # in a row
        self._settled_then = 0
        self._refused_since = self._refused_last = float("-inf")
        self.patient = True
        self.beat: Heartbeat | None = None

    def start(self) -> WorkerDeath | None:
        """Start the worker when none runs; its death, to be judged with what the spool shows after it."""
        return self._worker.tend()

    def look(self, phases: Mapping[str, Phase], death: WorkerDeath | None) -> None:
        """Judge a death, or the lack of any sign of life.

        Raises:
            BadConfiguration: the worker says that it cannot run here.
            WorkerGivenUp: it ended too often in a row without finishing anything.
        """
        now = self._clock.monotonic()
        if death is not None or now >= self._next_look:
            self._next_look = now + _LOOK_EVERY
            self._listen(now)
        if death is not None:
            self._bury(death, phases, now)
            return
        held = [holding.entry for holding in self._parts.holdings.all()]
        if is_hung(self._vigil, held, phases, now, silence_s=self._limits.silence_s):
            self._replace_hung(phases, now)
        for holding in overdue(self._parts.holdings.all(), phases, now):
            self._stop_overdue(holding, now)

    def _listen(self, now: float) -> None:
        try:
            self.beat = self._spool.heartbeat()
        except InvalidSpoolData as error:  # no sign of life either
            log.warning("%s", error)
            self.beat = None
        self._vigil.see(self.beat, now)

    def _bury(self, death: WorkerDeath, phases: Mapping[str, Phase], now: float) -> None:
        """The worker ended. Only the job it had at hand can be to blame, and only if it may have done it."""
        entry = self._vigil.at_hand(phases) if death.blames_the_job else None
        self._vigil.bury(now)
        last = " ".join(death.log_tail[-1:])
        if death.status == ExitStatus.TRY_AGAIN:
            self._wait_for_better_times(last, now)
            return
        log.error("the worker ended with %s: %s", death.sentence, " | ".join(death.log_tail[-3:]))
        if death.status == ExitStatus.BAD_CONFIGURATION:
            raise BadConfiguration(f"The speech worker cannot run here: {last}")
        evidence = {"worker": death.sentence, "log": list(death.log_tail)}
        message = f"The speech worker died ({death.sentence}) while it worked on this job."
        self._decide(entry, Failure(ErrorClass.POISON, message, evidence))
        self._count_end(death.sentence, last)

    def _wait_for_better_times(self, last: str, now: float) -> None:
        log.warning("the worker cannot work now, it is started again soon: %s", last)
        if now - self._refused_last > _SAME_TROUBLE:
            self._refused_since = now
        self._refused_last = now
        if not self.patient and now - self._refused_since > _PASSING_FOR:
            waited = now - self._refused_since
            raise WorkerGivenUp(f"The speech worker could not work for {waited:.0f} s. Its last line: {last}")

    def _replace_hung(self, phases: Mapping[str, Phase], now: float) -> None:
        silent = self._vigil.silent_for(now)
        log.error("the worker has given no sign of life for %.0f s, replacing it", silent)
        message = f"The speech worker stood still for {silent:.0f} s while it worked on this job."
        self._decide(self._vigil.at_hand(phases), Failure(ErrorClass.LOST_MACHINE, message))
        self._restart(now)
        self._count_end(f"no sign of life for {silent:.0f} s", "")

    def _stop_overdue(self, holding: Holding, now: float) -> None:
        """The worker itself ends a job over its `timeout_s`; one that hangs is replaced."""
        limit = holding.lease.spec.timeout_s
        log.warning("%s ran over its timeout_s of %s, stopping it", holding.lease.request_id, limit)
        holding.ending = Failure(ErrorClass.TRANSIENT, f"The job ran over its timeout of {limit} s.")
        holding.began_at = None
        self._restart(now)

    def _restart(self, now: float) -> None:
        self._worker.restart()
        self._vigil.bury(now)

    def _decide(self, entry: str | None, failure: Failure) -> None:
        holding = self._parts.holdings.get(entry) if entry is not None else None
        if holding is not None and holding.ending is None:
            holding.ending = failure

    def _count_end(self, sentence: str, last: str) -> None:
        if self._endings.settled != self._settled_then:
            self._settled_then, self._ends = self._endings.settled, 0
        self._ends += 1
        if self._ends >= self._limits.deaths:
            raise WorkerGivenUp(
                f"The speech worker ended {self._ends} times in a row ({sentence}) and finished nothing "
                f"between. Its last line: {last}"
            )
