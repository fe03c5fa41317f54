"""Lays jobs into the spools of hosts; to one on another machine the voice that speaks goes first."""

from __future__ import annotations

import math

from lib.dispatch.hosts import HostState
from lib.dispatch.inflight import InFlightJobs
from lib.dispatch.parts import DispatchParts
from lib.errors import BadInput
from lib.jobqueue import ErrorClass, Failure, Lease
from lib.spool import InvalidSpoolData, SpoolJob
from lib.voices import InvalidVoice
from lib.voices.registry import SHIPPED
from lib.voices.voice_parcel import parcel_mark, parcel_of


class JobHandover:
    """Hands over jobs that are taken up already, for all who do.

    `bringing_s` is how long voices took so far: the claimer bounds a look by it. What another thread adds
    meanwhile counts, too, and only makes that look shorter.

    Threads: any; of one host one at a time.
    Raises: HostUnreachable and SpoolUnusable, of the host.
    """

    def __init__(self, parts: DispatchParts, jobs: InFlightJobs) -> None:
        self._parts, self._jobs = parts, jobs
        self.bringing_s = 0.0

    def lay(self, state: HostState, lease: Lease, job: SpoolJob) -> None:
        """Lay the job into the host's spool; one that cannot be laid anywhere fails."""
        taken = self._jobs.get(job.entry)
        if taken is not None:  # a voice takes its time to a machine: nothing is missing there meanwhile
            taken.placed_at = math.inf
        try:
            self._bring_voice(state, lease.spec.voice)
            state.spool().submit(job)
        except (InvalidSpoolData, BadInput) as error:
            if taken is not None:
                taken.ending = Failure(_class_of(error), error.message)
        finally:
            if taken is not None:
                taken.placed_at = self._parts.clock.monotonic()

    def _bring_voice(self, state: HostState, name: str | None) -> None:
        """Have the voice on the host's machine as it is here now. What was brought is not sent again."""
        if name is None or not state.host.remote or self._parts.voices is None:
            return
        try:
            self._bring(state, name)
        except InvalidVoice:  # one that is being replaced is whole again a moment later
            self._bring(state, name)

    def _bring(self, state: HostState, name: str) -> None:
        assert self._parts.voices is not None, "asked by the caller"
        voice = self._parts.voices().get(name)
        if voice.path.is_relative_to(SHIPPED):  # it came with the program
            return
        if state.voices.get(name) == parcel_mark(voice):
            return
        parcel, began = parcel_of(voice), self._parts.clock.monotonic()
        try:
            state.spool().bring_voice(parcel.name, parcel.recording, parcel.voice_yaml)
        finally:
            self.bringing_s += self._parts.clock.monotonic() - began
        state.voices[name] = parcel_mark(voice)


def _class_of(error: BadInput | InvalidSpoolData) -> ErrorClass:
    """A disk that could not be read now is no fault of the job."""
    passing = isinstance(error, InvalidVoice) and error.reason == "io"
    return ErrorClass.TRANSIENT if passing else ErrorClass.BAD_INPUT
