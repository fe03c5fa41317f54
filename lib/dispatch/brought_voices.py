"""Takes voices back that machines were brought: nobody's recording stays where no job needs it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from lib.dispatch.hosts import HostState
from lib.dispatch.inflight import InFlightJobs
from lib.dispatch.parts import DispatchParts
from lib.spool import HostUnreachable, Phase, SpoolClient, SpoolUnusable
from lib.voices.voice_parcel import is_sent_recording, is_sent_voice

log = logging.getLogger(__name__)

#: A machine that has had nothing to do for so long keeps no voice; the next job brings its own again.
_IDLE_S: Final = 60.0


class BroughtVoices:
    """Removes from a machine what was brought there, and nothing else that lies beside it.

    Threads: `sweep` and `sweep_all` are the loop's; `forget` whoever lays jobs, with the host's lock.
    Raises: HostUnreachable and SpoolUnusable, of the host; `sweep_all` nothing.
    """

    def __init__(self, parts: DispatchParts, jobs: InFlightJobs) -> None:
        self._parts, self._jobs = parts, jobs

    def sweep(self, state: HostState, *, at_once: bool = False) -> None:
        """Take everything back where no job is at hand, none lies there, and none was for a while.

        Looked at once for each time that it is idle: what a watcher before us brought lies there, too.
        """
        idle = state.idle_since
        if state.voices_swept or idle is None or not state.host.remote or state.is_left:
            return
        if not at_once and self._parts.clock.monotonic() - idle < _IDLE_S:
            return
        if self._parts.voices is None or {Phase.INBOX, Phase.WORK} & set(state.phases.values()):
            return
        with state.voices_lock:
            if self._jobs.count(state.name):  # taken up meanwhile: its voice is brought when we are done
                return
            spool = state.spool()
            for name in spool.voices():
                self._remove(spool, name)
            state.voices.clear()
            state.voices_swept = True

    def sweep_all(self, states: Iterable[HostState]) -> None:
        """As `sweep`, at once and wherever it can be done: this watcher ends."""
        for state in states:
            try:
                self.sweep(state, at_once=True)
            except (HostUnreachable, SpoolUnusable) as error:
                log.warning("voices that were brought to %s stay there: %s", state.name, error)

    def forget(self, state: HostState, name: str) -> None:
        """Take one voice back: the machine has another of that name, which it hid."""
        self._remove(state.spool(), name)

    @staticmethod
    def _remove(spool: SpoolClient, name: str) -> None:
        """Only what was sent goes: a voice that says so, and recordings under the names that we give."""
        files = spool.voice_files(name)
        if not files:
            return
        written = spool.voice_yaml(name)
        if written is not None and not is_sent_voice(written):
            return
        sent = [file for file in files if is_sent_recording(file)]
        spool.remove_voice(name, sent, whole=written is not None)
