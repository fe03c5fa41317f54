"""`voice-synth work`: the resident worker of one spool folder."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from lib.cli.options import VoicesDirOption
from lib.cli.output import note
from lib.clock import SystemClock
from synth import wiring
from synth.commands.options import EngineOption


def command(
    spool: Annotated[Path, typer.Option("--spool", metavar="DIR", help="The spool folder; made if missing.")],
    voices_dir: VoicesDirOption = None,
    engine: EngineOption = None,
    exit_with_parent: Annotated[
        bool, typer.Option("--exit-with-parent", help="Stop when standard input ends.")
    ] = False,
    grace: Annotated[
        float,
        typer.Option("--grace", metavar="SECONDS", min=0.0, help="After SIGTERM, for the job at hand."),
    ] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Stop when the inbox is empty.")] = False,
) -> None:
    """Load the model once and speak the jobs of a spool folder until SIGTERM."""
    clock = SystemClock()
    voices = wiring.voices(voices_dir, engine)

    from lib.spool import WorkerSpool
    from synth.jobs import EngineShelf, JobSpeaker
    from synth.stop import StopSignal
    from synth.worker import Worker, WorkerOptions

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
