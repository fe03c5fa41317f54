"""`voice-synth work`: the resident worker of one spool folder."""

from __future__ import annotations

import signal
import sys
from typing import Final

from lib.cli.options import VoicesDirOption
from lib.cli.output import note
from lib.clock import SystemClock
from synth import wiring
from synth.commands import options as o

_SWITCH_S: Final = 0.0005  # seconds


def command(
    spool: o.SpoolOption,
    voices_dir: VoicesDirOption = None,
    engine: o.EngineOption = None,
    exit_with_parent: o.ExitWithParentOption = False,
    grace: o.GraceOption = 5.0,
    once: o.OnceOption = False,
) -> None:
    """Load the model once and speak the jobs of a spool folder until SIGTERM."""
    clock = SystemClock()
    voices = wiring.voices(voices_dir, engine)

    from lib.spool import WorkerSpool
    from synth.worker.jobs import EngineShelf, JobSpeaker
    from synth.worker.resident import Worker, WorkerOptions
    from synth.worker.stop import StopSignal

    # By default a thread may keep the interpreter for 5 ms after another asked for it: the engine's
    # would wait for the encoder's at each return from the model.
    sys.setswitchinterval(_SWITCH_S)
    stop = StopSignal(clock)
    stop.on_signals(signal.SIGTERM, signal.SIGINT)
    if exit_with_parent:
        from lib.child import when_parent_exits

        when_parent_exits(stop.ask)
    shelf = EngineShelf()
    speaker = JobSpeaker(shelf, voices.registry, voices.engine, clock)
    options = WorkerOptions(engine=voices.engine, grace_s=grace, once=once)
    with WorkerSpool(spool) as entered:
        Worker(entered, speaker, shelf, stop, clock, options, note).run()
