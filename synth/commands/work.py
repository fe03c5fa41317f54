"""`voice-synth work`: the resident worker of one spool folder, for speech and pictures alike."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any, Final

from lib.cli.options import VoicesDirOption
from lib.cli.output import note, tell_json_line
from lib.clock import SystemClock, rfc3339
from synth import wiring
from synth.commands import options as o

if TYPE_CHECKING:
    from lib.spool import SpoolResult

_SWITCH_S: Final = 0.003  # seconds


EXAMPLES = ("voice-synth work --spool spool --once",)


def command(
    spool: o.SpoolOption,
    voices_dir: VoicesDirOption = None,
    engine: o.EngineOption = None,
    pauses: o.PausesOption = None,
    exit_with_parent: o.ExitWithParentOption = False,
    grace: o.GraceOption = 5.0,
    once: o.OnceOption = False,
    json_: o.JsonLinesOption = False,
) -> None:
    """Load the model once and speak the jobs of a spool folder until SIGTERM; draw its pictures."""
    clock = SystemClock()
    voices = wiring.voices(voices_dir, engine, pauses)

    from lib.spool import WorkerSpool
    from synth.engines import create_engine
    from synth.pictures.open_backend import open_backend
    from synth.worker.jobs import EngineShelf, JobSpeaker
    from synth.worker.pictures import PictureDrawer
    from synth.worker.resident import Worker, WorkerOptions
    from synth.worker.stop import StopSignal

    # How long a thread may keep the interpreter after another asked for it. By default 5 ms: the engine's
    # would wait for the encoder's at each return from the model. With less than it takes to read a text,
    # the encoder's, which begins beside the engine, takes it away in the middle of that.
    sys.setswitchinterval(_SWITCH_S)
    stop = StopSignal(clock)
    stop.on_signals(signal.SIGTERM, signal.SIGINT)
    if exit_with_parent:
        from lib.child import when_parent_exits

        when_parent_exits(stop.ask)
    shelf = EngineShelf(lambda name: create_engine(name, voices.engine_settings, lambda: stop.asked))
    speaker = JobSpeaker(shelf, voices.registry, voices.engine, clock, voices.verifier(), voices.pauses)
    drawer = PictureDrawer(lambda name: open_backend(name, voices.backends), clock)
    options = WorkerOptions(engine=voices.engine, grace_s=grace, once=once)
    with WorkerSpool(spool) as entered:
        Worker(
            *(entered, speaker, shelf, stop, clock, options, note),
            told if json_ else lambda result: None,
            drawer,
        ).run()


def told(result: SpoolResult) -> None:
    """Print what became of a job (docs/reference/json/voice-synth-work.json)."""
    tell_json_line(line_of(result))


def line_of(result: SpoolResult) -> dict[str, Any]:
    """The job, how it ended, and why, or how much there is to hear; the whole record lies in the outbox."""
    takes = result.record.takes if result.record else ()
    error = result.error
    return {
        "entry": result.entry,
        "request_id": result.request_id,
        "state": result.state,
        "started_at": rfc3339(result.started_at),
        "finished_at": rfc3339(result.finished_at),
        "takes": len(takes),
        "audio_seconds": round(sum(take.audio_seconds for take in takes), 3),
        "error": None if error is None else {"class": error.error_class.value, "message": error.message},
    }
