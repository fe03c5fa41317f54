"""One job of the spool, from its file to its result. Knows nothing of loops, signals or heartbeats."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from lib.clock import Clock
from lib.errors import BadInput, JobRunnerError
from lib.jobspec import from_payload
from lib.records import FileRef, MadeRecord, SpokenRecord
from lib.spool import (
    MAX_CAPTIONS_BYTES,
    ResultError,
    ResultErrorClass,
    SpoolFull,
    SpoolJob,
    SpoolResult,
    TakenJob,
    is_passing,
)
from lib.spool.layout import AUDIO, MAX_RECORD_BYTES
from lib.voices import VoiceRegistry, engine_facts
from lib.voices.usual_silences import USUAL_PAUSES, Pauses
from synth.engines import Engine, create_engine
from synth.pictures.backend import BackendUnavailable
from synth.speech.kept_pieces import KeptPieces
from synth.speech.performance import Performing, load_for
from synth.speech.rejected_audio import NotVerified, keep_rejected
from synth.speech.request import SpeakRequest, request_from_spec
from synth.speech.sample_voice import voice_of_model
from synth.speech.speak import finish, speak
from synth.speech.takes import Performance
from synth.verify import Verifier

_WARNINGS_BYTES: Final = 500  # of what is said of a record that was too long
#: After these nobody goes on with what was spoken.
_LAST_WORDS: Final = frozenset({ResultErrorClass.BAD_INPUT, ResultErrorClass.CANCELED})


class GivenUp(Exception):
    """The job ends before it is spoken; `error_class` says why, as its result will."""

    def __init__(self, error_class: ResultErrorClass, message: str) -> None:
        super().__init__(message)
        self.error_class = error_class


class EngineShelf:
    """Engines by name, each made and loaded once and kept."""

    def __init__(self, create: Callable[[str], Engine] = create_engine) -> None:
        self._create = create
        self._engines: dict[str, Engine] = {}

    def get(self, name: str) -> Engine:
        """The engine, loaded.

        Raises:
            lib.voices.UnknownEngine, lib.errors.MissingExtra, synth.engines.EngineFailed: it cannot be had.
        """
        engine = self._engines.get(name)
        if engine is None:
            engine = self._create(name)
            engine.load()
            self._engines[name] = engine
        return engine


@dataclass(slots=True)
class JobRun:
    """A job this worker holds, and what it has to say about it."""

    entry: str
    request_id: str | None
    started_at: float
    fingerprint: str = ""
    log: list[str] = field(default_factory=list)
    rejected: FileRef | None = None  # the best take, where none was good enough

    @classmethod
    def of(cls, taken: TakenJob, now: float) -> JobRun:
        """The run of a job that was just taken; of its file only the name is known when it is unreadable."""
        if taken.job is None:
            return cls(taken.entry, None, now)
        return cls(taken.entry, taken.job.request_id, now, taken.job.fingerprint)

    def done(self, record: MadeRecord, now: float) -> SpoolResult:
        """The result of a job that was spoken or drawn."""
        result = SpoolResult(self.entry, self.request_id, self.started_at, now, record)
        return replace(result, fingerprint=self.fingerprint)

    def failed(self, error: BaseException, now: float) -> SpoolResult:
        """The result of a job that was not: every error becomes a class and a sentence."""
        error_class, message = classify(error)
        if not isinstance(error, JobRunnerError | GivenUp):
            self.log.extend("".join(traceback.format_exception(error)).splitlines())
        problem = ResultError(error_class, message, tuple(self.log), self.rejected)
        result = SpoolResult(self.entry, self.request_id, self.started_at, now, error=problem)
        return replace(result, fingerprint=self.fingerprint)


def classify(error: BaseException) -> tuple[ResultErrorClass, str]:
    """The class and the sentence of anything that ended a job."""
    if isinstance(error, GivenUp):
        return error.error_class, str(error)
    if isinstance(error, BadInput) or (isinstance(error, BackendUnavailable) and error.costs_again):
        return ResultErrorClass.BAD_INPUT, error.message
    if isinstance(error, JobRunnerError):
        return ResultErrorClass.ENGINE, error.message
    return ResultErrorClass.ENGINE, f"The worker failed: {type(error).__name__}: {error}."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a job asks for, checked. Jobs that are `kin` may be spoken in one batch."""

    request: SpeakRequest
    timeout_s: int | None
    kin: tuple[str, str]  # the engine, and which of its models


@dataclass(slots=True, eq=False)
class JobAtHand:
    """A job while it is spoken. One that is `alone` shares no call of the engine, nor any death."""

    run: JobRun
    asked: Asked
    engine: Engine
    performing: Performing
    deadline: float | None  # by the monotonic clock
    alone: bool
    kept: KeptPieces | None = None  # its pieces, where it is of many

    def let_go(self, ended: ResultErrorClass | None) -> None:
        """See `let_go`."""
        let_go(self.kept, ended)

    def check_time(self, now: float) -> None:
        """Raises GivenUp: `timeout_s` is over, and there is more to speak."""
        done, total, limit = self.performing.done, self.performing.total, self.asked.timeout_s
        if self.deadline is not None and done < total and now > self.deadline:
            raise GivenUp(
                ResultErrorClass.TIMEOUT,
                f"The job ran over its timeout_s of {limit} s ({done} of {total} pieces done).",
            )


def let_go(kept: KeptPieces | None, ended: ResultErrorClass | None) -> None:
    """Let go of a job's pieces, for good where it is done (None) or no other try goes on with them."""
    if kept is not None and (ended is None or ended in _LAST_WORDS):
        kept.discard()
    elif kept is not None:
        kept.close()


class JobSpeaker:
    """Turns job files into performances, and those into results."""

    def __init__(
        self,
        shelf: EngineShelf,
        registry: Callable[[], VoiceRegistry],
        default_engine: str,
        clock: Clock,
        verifier: Verifier | None = None,
        pauses: Pauses = USUAL_PAUSES,
    ) -> None:
        self._shelf, self._registry = shelf, registry
        self._default_engine, self._clock, self._verifier = default_engine, clock, verifier
        self._pauses = pauses

    def read(self, job: SpoolJob) -> Asked:
        """What `job` asks for; loads nothing.

        Raises:
            JobRunnerError: the job is wrong, or nothing here can speak it.
        """
        spec = from_payload(job.spec)
        request = request_from_spec(spec, self._registry(), self._default_engine, self._pauses)
        voice = request.voice
        model = engine_facts(voice.engine).model_of(request.profile, voice.kind)
        return Asked(request, spec.timeout_s, (voice.engine, model))

    def kin(self, job: SpoolJob) -> tuple[str, str] | None:
        """The engine and model that speak `job`; None where it cannot be spoken."""
        try:
            return self.read(job).kin
        except JobRunnerError:
            return None

    def begin(self, asked: Asked, run: JobRun, *, alone: bool, kept: KeptPieces | None = None) -> JobAtHand:
        """Take a job in hand; loads its engine if it is not loaded. `kept`: see `Performing`.

        Raises:
            PiecesUnkept: their folder cannot be used.
            JobRunnerError: the text cannot be spoken, or the engine cannot be had.
        """
        request = asked.request
        engine = self._shelf.get(request.voice.engine)
        run.log.append(_opening(request))
        model = load_for(request, engine)
        with contextlib.ExitStack() as stack:
            if kept is not None:
                stack.enter_context(kept)
            performing = Performing(request, model, engine.limits(), self._verifier, kept)
            stack.pop_all()
        # from now on: another model may take minutes to be downloaded, which is no fault of the job
        deadline = None if asked.timeout_s is None else self._clock.monotonic() + asked.timeout_s
        return JobAtHand(run, asked, engine, performing, deadline, alone, kept)

    def sample(self, text: str, out: Path) -> Path:
        """Speak `text` with the model that the default engine has loaded into `out` plus a suffix; the file.

        Raises:
            JobRunnerError: it cannot be spoken.
        """
        engine = self._shelf.get(self._default_engine)
        voice, profile = voice_of_model(engine.load().name, self._registry(), self._default_engine)
        request = SpeakRequest(text, voice, profile, pauses=self._pauses)
        request.check()
        record = speak(request, engine, self._clock, out, lambda done, total: None)
        return out.with_name(record.takes[0].audio.file)

    def keep_rejected(self, error: NotVerified, run: JobRun, folder: Path) -> None:
        """Have the best take of a job that failed in `folder`, where that can be; never raises."""
        try:
            written = keep_rejected(error.performance, folder / AUDIO)
        except Exception as trouble:  # it is help; why the job failed, its error says
            run.log.append(f"the rejected take is not kept: {trouble}")
        else:
            run.rejected = FileRef(written.path.name, written.bytes, written.sha256)

    def finish(self, performance: Performance, run: JobRun, folder: Path) -> SpoolResult:
        """Make the files in `folder`, which publishing syncs; never raises for what is wrong with one job.

        Raises:
            SpoolFull: the disk is full, say; the job is as good as before.
        """
        try:
            record = finish(performance, self._clock, folder / AUDIO, sync=False)
        except Exception as error:
            if is_passing(error):
                raise SpoolFull(f"The audio of {run.request_id} cannot be written now: {error}") from error
            return run.failed(error, self._clock.now())
        return run.done(sendable(record), self._clock.now())


def sendable(record: SpokenRecord) -> SpokenRecord:
    """The record as a spool takes it: without cues and times of words that are too many, which it says."""
    kept = record.with_captions(MAX_CAPTIONS_BYTES).within(MAX_RECORD_BYTES - _WARNINGS_BYTES)
    pairs = list(zip(record.takes, kept.takes, strict=True))
    lost = {
        "captions": sum(len(before.captions) > len(after.captions) for before, after in pairs),
        "the times of words": sum(len(before.words) > len(after.words) for before, after in pairs),
    }
    warnings = [
        f"The text is too long for {what} of all takes: {count} of {len(pairs)} have none."
        for what, count in lost.items()
        if count
    ]
    return replace(kept, warnings=(*kept.warnings, *warnings)) if warnings else record


def _opening(request: SpeakRequest) -> str:
    voice = request.voice
    who = voice.voice or voice.speaker
    sound = voice.preset or voice.kind.value
    takes = "1 take" if request.variants == 1 else f"{request.variants} takes"
    return f"speaking {len(request.text)} characters as {who} with {voice.engine} ({sound}), {takes}"
