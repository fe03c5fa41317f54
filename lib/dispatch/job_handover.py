"""Lays jobs into the spools of hosts; to one on another machine the voice that speaks goes first."""

from __future__ import annotations

import math
from typing import Final

from lib.dispatch.brought_voices import BroughtVoices
from lib.dispatch.carried_pieces import BRING_S
from lib.dispatch.hosts import HostState
from lib.dispatch.inflight import InFlightJobs
from lib.dispatch.limits_and_intervals import DispatchParts
from lib.errors import BadConfiguration, BadInput
from lib.jobqueue import ErrorClass, Failure, Lease
from lib.jobspec.model import JobSpec
from lib.spool import InvalidSpoolData, SpoolJob
from lib.voices import InvalidVoice, KnownVoices, NamedModels, Voice, VoiceKind, engine_facts
from lib.voices.registry import SHIPPED
from lib.voices.voice_parcel import parcel_mark, parcel_of

_SHIPPED: Final = "shipped"  # in place of a parcel's mark


class JobHandover:
    """Hands over jobs that are taken up already, for all who do.

    `bringing_s` is how long voices took so far: the claimer bounds a look by it. What another thread adds
    meanwhile counts, too, and only makes that look shorter.

    Threads: any; of one host one at a time.
    Raises: HostUnreachable and SpoolUnusable, of the host.
    """

    def __init__(self, parts: DispatchParts, jobs: InFlightJobs, brought: BroughtVoices) -> None:
        self._parts, self._jobs, self._brought = parts, jobs, brought
        self._voices = None if parts.voices is None else KnownVoices(parts.voices, parts.clock)
        self.bringing_s = 0.0

    def lay(self, state: HostState, lease: Lease, job: SpoolJob) -> None:
        """Lay the job into the host's spool; one that cannot be laid anywhere fails."""
        taken = self._jobs.get(job.entry)
        if taken is not None:  # a voice takes its time to a machine: nothing is missing there meanwhile
            taken.placed_at = math.inf
        try:
            if state.host.remote:
                self._bring_voice(state, lease.spec)
                self._bring_pieces(state, lease)
            state.spool().submit(job)
        except (InvalidSpoolData, BadInput) as error:
            if taken is not None:
                taken.ending = Failure(_class_of(error), error.message)
        finally:
            if taken is not None:
                taken.placed_at = self._parts.clock.monotonic()

    @property
    def can_refuse(self) -> bool:
        """Whether there is anything by which `refusal` could tell."""
        return self._voices is not None or bool(self._parts.engine)

    def refusal(self, spec: JobSpec) -> Failure | None:
        """Why no machine could speak the job, as things are here; None: one could, or only it knows."""
        try:
            self._voice_of(spec)
        except BadInput as error:
            return Failure(_class_of(error), error.message)
        return None

    def _bring_voice(self, state: HostState, spec: JobSpec) -> None:
        """Have the voice on the host's machine as it is here now. What was brought is not sent again."""
        voice = self._voice_of(spec)
        if voice is None:
            return
        with state.voices_lock:
            state.voices_swept, state.voices_to_sweep = False, None
            try:
                self._bring(state, voice)
            except InvalidVoice:  # as below
                self._bring(state, self._voice_now(voice.name))

    def _bring_pieces(self, state: HostState, lease: Lease) -> None:
        """What another machine spoke of a long text, before it went."""
        if self._parts.pieces is None or not lease.spec.chunk:
            return
        began = self._parts.clock.monotonic()
        self._parts.alive(BRING_S)
        try:
            self._parts.pieces.bring(state.spool(), lease.request_id)
        finally:
            self.bringing_s += self._parts.clock.monotonic() - began

    def _voice_of(self, spec: JobSpec) -> Voice | None:
        """The voice that a job needs brought; None: none. Raises BadInput: no machine could do the job."""
        if spec.is_picture:
            why = self._parts.refuse_backend(spec.drawn_by)
            if why is not None:
                raise BadInput(why)
            return None
        voice = None
        if spec.voice is not None and self._voices is not None:
            voice = self._voice_now(spec.voice)
        engine = self._parts.engine if spec.voice is None else voice.engine if voice else ""
        named = self._named(engine) if engine else None
        if named is not None:
            kind = VoiceKind.BUILT_IN if voice is None else voice.kind
            why = named.refusal(engine_facts(engine), spec.profile, kind)
            if why is not None:
                raise BadInput(f"The profile {why}.")
        return voice

    def _named(self, engine: str) -> NamedModels | None:
        """The models named for an engine. Where its setting is wrong, that ends the job and not us."""
        try:
            return self._parts.named(engine_facts(engine))
        except BadConfiguration as error:
            raise BadInput(error.message) from error

    def _voice_now(self, name: str) -> Voice:
        assert self._voices is not None, "asked by the caller"
        try:
            return self._voices.get(name)
        except InvalidVoice:  # one that is being replaced is whole again a moment later
            return self._voices.get(name)

    def _bring(self, state: HostState, voice: Voice) -> None:
        name = voice.name
        if voice.path.is_relative_to(
            SHIPPED
        ):  # it came with the program, and is hidden by one that was brought
            if state.voices.get(name) != _SHIPPED:
                self._brought.forget(state, name)
                state.voices[name] = _SHIPPED
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
