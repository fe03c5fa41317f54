"""Takes results out of the spool: each is settled, waits for the store, or fails its job and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from job_watcher.endings import Endings
from job_watcher.holdings import Holding
from job_watcher.parts import Parts
from job_watcher.publications import Publications
from lib.errors import JobRunnerError, TryAgain, Unavailable
from lib.jobqueue import ErrorClass, Failure, LeaseLost
from lib.spool import Phase, SpoolFull
from lib.storage import StorageUnavailable

log = logging.getLogger(__name__)

_STORE_PAUSE, _STORE_PAUSE_MAX = 1.0, 60.0


class Settling:
    """The way of a result from the outbox into the store, the queue, and under its name."""

    def __init__(self, parts: Parts, endings: Endings, publications: Publications, *, provider: str) -> None:
        self._parts, self._endings, self._publications = parts, endings, publications
        self._spool, self._provider = parts.spool, provider
        self._refused: dict[str, str] = {}  # by entry: why its result could not be stored last time

    @property
    def trouble(self) -> str | None:
        """What keeps finished work from being stored, as a sentence; None when nothing does."""
        held = {holding.entry for holding in self._parts.holdings.all()}
        self._refused = {entry: why for entry, why in self._refused.items() if entry in held}
        return next(reversed(self._refused.values()), None)

    def look(self, phases: Mapping[str, Phase]) -> None:
        """Settle what lies in the outbox and is due."""
        now = self._parts.clock.monotonic()
        for entry, phase in phases.items():
            if phase is not Phase.OUTBOX:
                continue
            holding = self._parts.holdings.get(entry)
            if holding is None:
                self._spool.acknowledge(entry)  # a canceled or lost job's remains
            elif holding.ending is None and now >= holding.retry_at:
                self._settle(holding, now)

    def _settle(self, holding: Holding, now: float) -> None:
        lease = holding.lease
        try:
            settled = self._parts.delivery.settle(holding.entry, lease, provider=self._provider)
        except (StorageUnavailable, SpoolFull) as error:
            pause = min(_STORE_PAUSE * 2**holding.store_refusals, _STORE_PAUSE_MAX)
            holding.store_refusals += 1
            holding.retry_at = now + pause
            self._refused[holding.entry] = f"{lease.request_id} is finished and cannot be stored: {error}"
            log.error("%s is finished but not stored, next try in %.0f s: %s", lease.request_id, pause, error)
            return
        except LeaseLost as error:
            log.warning("%s", error)
        except (Unavailable, TryAgain):
            raise
        except (JobRunnerError, ValueError, RecursionError) as error:
            self._fail(holding, error)
            return
        else:
            self._endings.settled += 1
            log.info("%s is %s (attempt %d)", lease.request_id, settled.state.value, lease.attempt)
            if settled.takes:
                self._publications.publish(holding.entry, lease, settled.takes)
        self._endings.forget(holding)
        self._spool.acknowledge(holding.entry)

    def _fail(self, holding: Holding, error: Exception) -> None:
        """Nobody foresaw this result. It costs its job an attempt, and never the watcher its life."""
        text = str(error).encode("utf-8", "replace").decode()[:500]
        log.error("the result of %s cannot be settled: %s", holding.lease.request_id, text)
        message = f"The worker's result cannot be used ({type(error).__name__}): {text}"
        self._endings.settled += 1
        self._endings.fail(holding, Failure(ErrorClass.TRANSIENT, message))
