"""The resident worker: loads the model once, then turns spool jobs into results until it is asked to stop.

The main thread speaks. Others finish what was spoken (`finishers.py`); they are at most eight jobs, or one
batch, behind. Another repeats the heartbeat, another one uploads results whose client asks for that.

Jobs of one engine and model are spoken together: whenever the pieces of those at hand do not fill a batch of
the engine, the next job is taken up too. With an engine of several models, jobs of the one that is loaded go
first, but not for ever. Each has its own result, limit of time, cancellation and progress.

A picture is drawn by the first thread, one at a time, once no speech is at hand; what was spoken before is
finished by the others meanwhile.

Whoever judges a death of this process looks at the heartbeat: the jobs it names were at hand. What an earlier
worker held when it ended is therefore finished alone, to its last byte, before anything else is begun: if it
was the encoder that died of it, the next death names the right job. So is a job whose file says `alone`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lib.clock import Clock
from lib.spool import (
    MAX_STARTS,
    ResultErrorClass,
    SampleRequests,
    SpoolFull,
    SpoolJob,
    SpoolResult,
    SpoolUnusable,
    TakenJob,
    WorkerSpool,
    WorkerState,
    is_passing,
)
from lib.spool.layout import PIECES
from synth.engines.port import EngineLost, LoadStopped, SeveralModels
from synth.speech.kept_pieces import KeptPieces, PiecesUnkept, sweep
from synth.speech.performance import batch_of, speak_together
from synth.speech.rejected_audio import NotVerified
from synth.speech.takes import Performance
from synth.worker.finishers import Finishers
from synth.worker.heartbeat import HeartbeatWriter
from synth.worker.jobs import Asked, EngineShelf, GivenUp, JobAtHand, JobRun, JobSpeaker, classify
from synth.worker.pictures import PictureDrawer, is_picture
from synth.worker.stop import StopSignal
from synth.worker.uploads import Uploader

_MOST_BEHIND: Final = 8
_PUBLISHERS: Final = (
    3  # threads: a busy disk takes up to 60 ms for a result, the built-in engine 75 for a take
)
_MOST_AT_HAND: Final = 64  # as many as a heartbeat names
_SWEEP_EVERY_S: Final = 3600.0  # pieces that nobody went on with
_LOOK_EVERY_S: Final = 0.1  # a client that cannot ring the bell is heard this soon


class _GiveBack(Exception):
    """The worker stops; the job at hand goes back to the inbox."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker behaves."""

    engine: str  # of jobs that name a speaker; loaded at the start
    grace_s: float = 5.0  # after the wish to stop, the job at hand may still take this long
    once: bool = False  # stop when the inbox is empty
    beat_every_s: float = 1.0  # also while a model loads and in the middle of a long piece
    most_passed_over: int = 64  # jobs that go before the oldest because their model is loaded


class Worker:
    """Serves one spool that has been entered.

    `say` takes a line for people, `told` each result that lies in the outbox: both threads call it.
    """

    def __init__(
        self,
        spool: WorkerSpool,
        speaker: JobSpeaker,
        shelf: EngineShelf,
        stop: StopSignal,
        clock: Clock,
        options: WorkerOptions,
        say: Callable[[str], None],
        told: Callable[[SpoolResult], None] = lambda result: None,
        drawer: PictureDrawer | None = None,
    ) -> None:
        self._spool, self._speaker, self._shelf = spool, speaker, shelf
        self._stop, self._clock, self._options = stop, clock, options
        self._say, self._told = say, told
        self._drawer = drawer
        self._samples = SampleRequests(spool.root)
        self._pulse = HeartbeatWriter(spool, clock, options.engine, options.beat_every_s)
        self._at_hand: list[JobAtHand] = []
        self._next: TakenJob | None = None  # taken, and does not fit to those at hand
        self._loaded: tuple[str, str] | None = None  # the kin of the last job, where it can be another's
        self._speaks = options.engine  # the engine of the last job that was begun
        self._passed_over = 0  # jobs of that kin, in a row, that went before the oldest
        self._finishers = Finishers(self._finish, self._publish, told)
        self._next_sweep = 0.0

    def run(self) -> None:
        """Work until asked to stop (or, with `once`, until nothing waits).

        Raises:
            lib.errors.JobRunnerError: the engine cannot be loaded, or the spool cannot be used.
            EngineLost, one of them: later, too; the jobs at hand stay in work/, as when the process dies.
            lib.spool.SpoolFull: the spool cannot be used now; the jobs at hand stay in work/.
        """
        self._pulse.beat(WorkerState.LOADING)
        for name in self._samples.left():  # it is not spoken again: jobs wait, and it may end this one too
            self._samples.refuse(name, "The worker ended while it spoke this.")
        with self._pulse.repeated(), Uploader(self._spool, self._say).running():
            try:
                self._load()
            except LoadStopped as error:
                self._say(error.message)
            else:
                with self._finishers:
                    try:
                        self._serve()
                    finally:
                        for job in self._at_hand:
                            job.let_go(ResultErrorClass.ENGINE)
                        self._finishers.catch_up(0)
                        if self._drawer is not None:
                            self._drawer.close()
        self._pulse.beat(WorkerState.STOPPED)

    def _load(self) -> None:
        engine = self._shelf.get(self._options.engine)
        if isinstance(engine, SeveralModels):
            self._loaded = (self._options.engine, engine.load().name)
        self._say(f"ready: engine {self._options.engine}, spool {self._spool.root}")

    def _serve(self) -> None:
        while True:
            self._sweep_pieces()
            self._speak_samples()
            self._gather()
            if self._at_hand:
                self._speak()
                continue
            if self._stop.asked:
                break
            self._finishers.catch_up(0)
            if self._options.once:
                break
            self._pulse.keep(WorkerState.IDLE)
            self._spool.wait(_LOOK_EVERY_S, [self._stop.fd])
        if self._next is not None:
            self._spool.give_back(self._next.entry)

    def _sweep_pieces(self) -> None:
        """Remove what nobody went on with; a worker may run for months."""
        now = self._clock.monotonic()
        if now >= self._next_sweep:
            self._next_sweep = now + _SWEEP_EVERY_S
            sweep(self._spool.root / PIECES, self._clock.now())

    def _speak_samples(self) -> None:
        """Let a client hear that this process speaks. Nobody waits long: it comes before the next call."""
        for name in self._samples.asked():
            try:
                self._finishers.begin()
                text = self._samples.begin(name)
                if text is not None:
                    self._samples.answer(name, self._speaker.sample(text, self._samples.scratch(name)))
            except (SpoolUnusable, EngineLost):
                raise
            except Exception as error:  # as with a job: who asked hears of it, and the worker goes on
                self._samples.refuse(name, classify(error)[1])

    # --- taking jobs up ----------------------------------------------------------------------------------

    def _gather(self) -> None:
        """Take jobs up until their pieces fill a batch, nothing waits, or the next one does not fit."""
        while not self._stop.asked and self._has_room():
            taken = self._next
            if taken is None:
                taken = next(iter(self._spool.take(1, self._prefer())), None)
                if taken is None:
                    return
                self._passed_over = self._passed_over + 1 if taken.ahead else 0
            self._next = None if self._take_up(taken) else taken

    def _prefer(self) -> Callable[[SpoolJob], bool] | None:
        """Whether a job is spoken by the model that is loaded, where another would have to be loaded."""
        if self._loaded is None or self._passed_over >= self._options.most_passed_over:
            return None
        return lambda job: not is_picture(job) and self._speaker.kin(job) == self._loaded

    def _has_room(self) -> bool:
        if not self._at_hand:
            return True
        if self._next is not None or self._at_hand[0].alone or len(self._at_hand) >= _MOST_AT_HAND:
            return False
        pending = sum(job.performing.pending for job in self._at_hand)
        return pending < batch_of(self._at_hand[0].engine)

    def _take_up(self, taken: TakenJob) -> bool:
        """Take `taken` in hand, or answer it; False when it has to wait for those at hand."""
        alone = taken.left or (taken.job is not None and taken.job.alone)
        if alone:
            if self._at_hand:
                return False
            self._finishers.catch_up(0)
        run = JobRun.of(taken, self._clock.now())
        if self._drawer is not None and taken.job is not None and is_picture(taken.job):
            if not self._at_hand:
                self._draw(taken.job, run, self._drawer)
                return True
            return False
        try:
            job = self._begun(taken, run, alone=alone)
        except (SpoolUnusable, EngineLost):
            raise  # nothing is wrong with the job
        except LoadStopped:
            self._spool.give_back(taken.entry)
            return True
        except Exception as error:  # one bad job must not end the worker; its result says what happened
            self._fail(run, error)
            return True
        if job is not None:
            self._at_hand.append(job)
        return job is not None

    def _draw(self, job: SpoolJob, run: JobRun, drawer: PictureDrawer) -> None:
        """Draw one picture, whole: it has no pieces. What was spoken before it is finished meanwhile."""
        entry = run.entry
        try:
            self._begin(entry)
            self._finishers.begin()
            self._pulse.beat(WorkerState.WORKING, (entry,), 0, 1)
            result = drawer.draw(drawer.read(job), run, lambda: self._spool.scratch(entry))
            if self._spool.canceled(entry):
                raise GivenUp(ResultErrorClass.CANCELED, "The job was canceled while it was drawn.")
        except (SpoolUnusable, EngineLost):
            raise
        except Exception as error:  # as with speech: its result says what happened
            self._fail(run, error)
        else:
            self._pulse.beat(self._state(), (entry,), 1, 1)
            self._publish_here(result)

    def _begin(self, entry: str) -> None:
        """Note on disk that the job is at hand. Raises GivenUp."""
        if self._spool.canceled(entry):
            self._forget_pieces(entry)
            raise GivenUp(ResultErrorClass.CANCELED, "The job was canceled before it began.")
        if not self._spool.begin(entry):
            raise GivenUp(
                ResultErrorClass.POISON, f"{MAX_STARTS} workers ended while they worked on this job."
            )

    def _begun(self, taken: TakenJob, run: JobRun, *, alone: bool) -> JobAtHand | None:
        """The job, noted on disk as begun before anything is done with it; None when it does not fit."""
        entry = taken.entry
        if taken.job is None:
            raise GivenUp(ResultErrorClass.BAD_INPUT, taken.problem or "The job file cannot be read.")
        self._begin(entry)
        self._pulse.beat(WorkerState.WORKING, (*self._entries(), entry), *self._progress())
        asked = self._speaker.read(taken.job)
        if self._at_hand and asked.kin != self._at_hand[0].asked.kin:
            self._spool.set_aside(entry)
            return None
        loads = asked.kin[0] != self._speaks or self._loaded not in (None, asked.kin)
        if loads:  # perhaps: whoever watches the job's time does not count what that takes
            self._finishers.begin()
            self._pulse.beat(WorkerState.LOADING, (entry,))
        job = self._speaker.begin(asked, run, alone=alone, kept=self._kept(asked, run))
        self._speaks = asked.kin[0]
        if loads:
            self._pulse.beat(WorkerState.WORKING, (entry,))
        self._loaded = asked.kin if isinstance(job.engine, SeveralModels) else None
        return job

    def _kept(self, asked: Asked, run: JobRun) -> KeptPieces | None:
        """The pieces of a long text: whoever holds its job after us goes on with them."""
        if not asked.request.chunk:
            return None

        def told(line: str) -> None:
            run.log.append(line)
            self._say(f"{run.request_id}: {line}")

        return KeptPieces(self._spool.pieces(run.entry), told)

    def _forget_pieces(self, entry: str) -> None:
        """Remove what was spoken under an earlier lease, unless another one is at it."""
        folder = self._spool.pieces(entry)
        if folder.exists():
            with contextlib.suppress(PiecesUnkept), KeptPieces(folder, self._say) as kept:
                kept.discard()

    # --- speaking ----------------------------------------------------------------------------------------

    def _speak(self) -> None:
        """One call of the engine for the jobs at hand, and what follows for each of them."""
        self._finishers.begin()
        jobs = list(self._at_hand)
        if not any(job.performing.pending for job in jobs):  # the next job is looked for meanwhile
            jobs[0].performing.wait(_LOOK_EVERY_S)
        self._pulse.keep(self._state(), self._entries(), *self._progress())
        troubles = speak_together(jobs[0].engine, [job.performing for job in jobs], self._clock)
        self._pulse.keep(self._state(), self._entries(), *self._progress())
        for job, trouble in zip(jobs, troubles, strict=True):
            if job.performing.saved:
                self._spool.note_progress(job.run.entry)
            self._settle(job, trouble)

    def _settle(self, job: JobAtHand, trouble: Exception | None) -> None:
        try:
            if trouble is not None:
                raise trouble
            self._check(job)
            if job.performing.pending or job.performing.waiting:
                return
            performance = job.performing.performance()
        except (_GiveBack, LoadStopped):
            self._at_hand.remove(job)
            job.let_go(ResultErrorClass.ENGINE)  # another goes on
            self._spool.give_back(job.run.entry)
        except SpoolUnusable:
            raise
        except Exception as error:
            self._at_hand.remove(job)
            self._fail(job.run, error)
            job.let_go(classify(error)[0])
        else:
            self._hand_over(job, performance)

    def _check(self, job: JobAtHand) -> None:
        """Raises what ends the job between two calls of the engine."""
        entry, done, total = job.run.entry, job.performing.done, job.performing.total
        if self._spool.canceled(entry):
            raise GivenUp(ResultErrorClass.CANCELED, f"The job was canceled after {done} of {total} pieces.")
        if done < total and self._stop.seconds_since() > self._options.grace_s:
            raise _GiveBack
        job.check_time(self._clock.monotonic())

    def _hand_over(self, job: JobAtHand, performance: Performance) -> None:
        """Let others finish what was spoken."""
        self._at_hand.remove(job)
        if not job.alone:
            self._spool.set_aside(job.run.entry)
        self._finishers.catch_up(max(_MOST_BEHIND, batch_of(job.engine)) - 1)
        self._finishers.take(performance, job)
        if job.alone:
            self._finishers.catch_up(0)

    def _finish(self, performance: Performance, job: JobAtHand) -> SpoolResult:
        return self._speaker.finish(performance, job.run, self._spool.scratch(job.run.entry))

    def _publish(self, result: SpoolResult) -> None:
        self._spool.publish(result.entry, result)
        self._pulse.count_finished()

    def _publish_here(self, result: SpoolResult) -> None:
        """What nobody has to finish."""
        self._publish(result)
        self._told(result)

    def _fail(self, run: JobRun, error: Exception) -> None:
        if isinstance(error, PiecesUnkept) and is_passing(error):  # nothing is wrong with the job
            raise SpoolFull(error.message) from error
        if isinstance(error, NotVerified):
            self._speaker.keep_rejected(error, run, self._spool.scratch(run.entry))
        result = run.failed(error, self._clock.now())
        self._publish_here(result)
        self._say(f"failed: {run.request_id}: {result.error.message if result.error else ''}")

    def _state(self) -> WorkerState:
        return WorkerState.DRAINING if self._stop.asked else WorkerState.WORKING

    def _entries(self) -> tuple[str, ...]:
        return tuple(job.run.entry for job in self._at_hand)

    def _progress(self) -> tuple[int, int]:
        """Pieces done and pieces in all of the jobs at hand."""
        performings = [job.performing for job in self._at_hand]
        return sum(each.done for each in performings), sum(each.total for each in performings)
