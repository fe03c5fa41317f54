"""Takes voices back that machines were brought: nobody's recording stays where no job needs it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from lib.dispatch.hosts import HostState
from lib.dispatch.inflight import InFlightJobs
from lib.dispatch.limits_and_intervals import DispatchParts
from lib.spool import HostUnreachable, Phase, SpoolClient, SpoolUnusable
from lib.voices.voice_parcel import is_sent_recording, is_sent_voice

log = logging.getLogger(__name__)

#: A machine that has had nothing to do for so long keeps no voice; the next job brings its own again.
_IDLE_S: Final = 60.0
#: Of one look at one machine, which says itself how much lies there; and of the end, for all of them.
_LOOK_NAMES: Final = 20
_LOOK_S: Final = 2.0
_ENDING_S: Final = 20.0
#: A voice has one recording, and perhaps one that is being replaced.
_RECORDINGS: Final = 8


class BroughtVoices:
    """Removes from a machine what was brought there, and nothing else that lies beside it.

    Threads: `sweep` and `sweep_all` are the loop's; `forget` whoever lays jobs, with the host's lock.
    Raises: HostUnreachable and SpoolUnusable, of the host; `sweep_all` nothing.
    """

    def __init__(self, parts: DispatchParts, jobs: InFlightJobs) -> None:
        self._parts, self._jobs = parts, jobs

    def sweep(self, state: HostState) -> None:
        """Take everything back where no job is at hand, none lies there, and none was for a while.

        Looked at once for each time that it is idle: what a watcher before us brought lies there, too.
        Of what the machine lists only so much at a look, for the loop has other machines; the next goes on.
        """
        idle = state.idle_since
        if idle is not None and self._parts.clock.monotonic() - idle >= _IDLE_S:
            self._look(state)

    def sweep_all(self, states: Iterable[HostState]) -> None:
        """As `sweep`, at once and wherever it can be done in the time there is: this watcher ends."""
        until, left = self._parts.clock.monotonic() + _ENDING_S, list(states)
        while left and self._parts.clock.monotonic() < until:
            left = [state for state in left if self._look_or_tell(state)]  # each in turn: one may list much
        for state in left:
            log.warning("voices that were brought to %s stay there: there was no time for all", state.name)

    def _look_or_tell(self, state: HostState) -> bool:
        try:
            return self._look(state)
        except (HostUnreachable, SpoolUnusable) as error:
            log.warning("voices that were brought to %s stay there: %s", state.name, error)
            return False

    def _look(self, state: HostState) -> bool:
        """Take some back where that may be done now; whether more are left that could go at once."""
        if state.voices_swept or state.idle_since is None or not state.host.remote or state.is_left:
            return False
        if self._parts.voices is None or {Phase.INBOX, Phase.WORK} & set(state.phases.values()):
            return False
        with state.voices_lock:
            if self._jobs.count(state.name):  # taken up meanwhile: its voice is brought when we are done
                return False
            spool, until = state.spool(), self._parts.clock.monotonic() + _LOOK_S
            state.voices.clear()  # what goes is brought again, also where only a part of it went
            if state.voices_to_sweep is None:
                state.voices_to_sweep = sorted(spool.voices(), reverse=True)
            for _ in range(_LOOK_NAMES):
                if not state.voices_to_sweep or self._parts.clock.monotonic() >= until:
                    break
                self._parts.alive()
                self._remove(spool, state.voices_to_sweep[-1])
                state.voices_to_sweep.pop()
            if state.voices_to_sweep:
                return True
            state.voices_swept, state.voices_to_sweep = True, None
        return False

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
        sent = [file for file in files if is_sent_recording(file)][:_RECORDINGS]
        spool.remove_voice(name, sent, whole=written is not None)
