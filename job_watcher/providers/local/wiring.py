"""A watcher over workers of this machine."""

from __future__ import annotations

from job_watcher.providers.wiring import Given
from job_watcher.watcher import Watcher
from lib.dispatch import Dispatcher, LeftSpools
from lib.voices import jobs_ahead
from lib.workers import SpoolRoom, WorkerSetup

_WORKER_GRACE_S = 30.0  # for the job at hand when this process is gone; a longer one is spoken again


def open_watcher(given: Given) -> Watcher:
    """A watcher with LOCAL_WORKERS workers."""
    parts = given.parts
    dispatcher = Dispatcher(parts, renewals=given.renewals)
    given.moment.held = lambda: dispatcher.held
    return Watcher(
        dispatcher,
        _add_workers(dispatcher, given),
        parts.clock,
        parts.limits,
        parts.intervals,
        events=parts.events,
        pulse=given.pulse,
    )


def _add_workers(dispatcher: Dispatcher, given: Given) -> LeftSpools:
    """A host for each local worker; spools of workers that there are no more are emptied."""
    settings, slot = given.settings, given.slot
    count = settings.local_workers
    room = SpoolRoom(slot.folder, name=slot.identity(), machine=given.host_name)
    setup = WorkerSetup(
        settings.voices_dir,
        settings.voice_engine,
        _WORKER_GRACE_S,
        given.parts.clock,
        settings.voice_pauses,
        settings.hibari_batch,
    )
    ahead = jobs_ahead(settings.voice_engine, setup.share(count))
    for host in room.hosts(range(1, count + 1), setup):
        dispatcher.add(host, lambda: ahead)
    return LeftSpools(dispatcher, room.left(beyond=count))
