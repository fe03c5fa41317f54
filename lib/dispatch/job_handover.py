"""Lays jobs into the spools of hosts; to one on another machine the voice that speaks goes first."""

from __future__ import annotations

from lib.dispatch.hosts import HostState
from lib.dispatch.inflight import InFlightJobs
from lib.dispatch.parts import DispatchParts
from lib.errors import BadInput
from lib.jobqueue import ErrorClass, Failure, Lease
from lib.spool import InvalidSpoolData, SpoolJob
from lib.voices.registry import SHIPPED
from lib.voices.voice_parcel import parcel_mark, parcel_of


class JobHandover:
    """Hands over jobs that are taken up already.

    Threads: any; of one host one at a time.
    Raises: HostUnreachable and SpoolUnusable, of the host.
    """

    def __init__(self, parts: DispatchParts, jobs: InFlightJobs) -> None:
        self._parts, self._jobs = parts, jobs

    def lay(self, state: HostState, lease: Lease, job: SpoolJob) -> None:
        """Lay the job into the host's spool; one that cannot be laid anywhere fails."""
        try:
            self._bring_voice(state, lease.spec.voice)
            state.spool().submit(job)
        except (InvalidSpoolData, BadInput) as error:
            taken = self._jobs.get(job.entry)
            if taken is not None:
                taken.ending = Failure(ErrorClass.BAD_INPUT, error.message)

    def _bring_voice(self, state: HostState, name: str | None) -> None:
        """Have the voice on the host's machine as it is here now. What was brought is not sent again."""
        if name is None or not state.host.remote or self._parts.voices is None:
            return
        voice = self._parts.voices().get(name)
        if voice.path.is_relative_to(SHIPPED):  # it came with the program
            return
        if state.voices.get(name) == parcel_mark(voice):
            return
        parcel = parcel_of(voice)
        state.spool().bring_voice(parcel.name, parcel.recording, parcel.voice_yaml)
        state.voices[name] = parcel_mark(voice)
