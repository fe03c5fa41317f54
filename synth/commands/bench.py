"""`voice-synth bench`: how fast do engines speak here?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lib.cli.options import JsonOption
from lib.cli.output import Column, Table, emit_json, note, say
from lib.clock import SystemClock
from lib.errors import ExitStatus
from synth import wiring
from synth.commands.options import Profile

if TYPE_CHECKING:
    from synth.benchmark import Measurement

EXAMPLES = (
    "voice-synth bench",
    "voice-synth bench --engine qwen3 --profile balanced --batch 8 --batch 16 --json",
)

EnginesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--engine", metavar="NAME", help="An engine; else VOICE_ENGINE. Repeatable.", show_default=False
    ),
]
ProfilesOption = Annotated[
    list[Profile] | None,
    typer.Option("--profile", metavar="|".join(Profile), help="Else all. Repeatable.", show_default=False),
]
BatchesOption = Annotated[
    list[int] | None,
    typer.Option(
        "--batch",
        metavar="TEXTS",
        min=1,
        max=64,
        help="Texts of a call; else one, and what the engine likes best. Repeatable.",
        show_default=False,
    ),
]
SecondsOption = Annotated[
    float,
    typer.Option(
        "--seconds", metavar="SECONDS", min=0.0, max=3600.0, help="How long each is measured at least."
    ),
]


def command(
    engine: EnginesOption = None,
    profile: ProfilesOption = None,
    batch: BatchesOption = None,
    seconds: SecondsOption = 5.0,
    json: JsonOption = False,
) -> int:
    """Measure seconds of audio a second, by engine, profile and texts in a call.

    What is timed is a worker's main thread: a call of the engine, and trimming, measuring and judging its
    takes. Each model is loaded first, and one batch goes before that is not counted. Exit status 1 when one
    of them could not be measured.
    """
    from synth.benchmark import gpu_class, speeds_of
    from synth.machine import cpu_count, cpu_name

    rows = []
    for row in _measured(engine, profile, batch, seconds):
        told = f"{row.speed:.1f}" if row.speed is not None else "not measured"
        note(f"{row.engine}, {row.profile}, {row.batch} a call: {told}")
        rows.append(row)
    gpu = next((row.gpu for row in rows if row.gpu is not None), None)
    machine = {
        "cpu": cpu_name(),
        "cpus": cpu_count(),
        "gpu": gpu,
        "gpu_class": None if gpu is None else gpu_class(gpu),
    }
    if json:
        measured = [row.to_json() for row in rows]
        emit_json({"machine": machine, "measured": measured, "speeds": speeds_of(rows)})
    else:
        _show(machine, rows)
    return ExitStatus.JOB_FAILED if any(row.problem for row in rows) else ExitStatus.OK


def _measured(
    engines: Sequence[str] | None,
    profiles: Sequence[Profile] | None,
    batches: Sequence[int] | None,
    least_s: float,
) -> Iterator[Measurement]:
    """One after the other; of each engine one model is in memory at a time."""
    from synth.benchmark import Benchmark
    from synth.engines import create_engine

    voices = wiring.voices(None, None, most_batch=max(batches) if batches else None)
    clock = SystemClock()
    for name in dict.fromkeys(engines or [voices.engine]):
        engine = create_engine(name, voices.engine_settings)
        sizes = batches or [1, max(engine.limits().batch, 1)]
        bench = Benchmark(name, engine, clock)
        for profile in dict.fromkeys(profiles or Profile):
            for batch in dict.fromkeys(sizes):
                yield bench.measure(profile.value, batch, least_s=least_s)


def _show(machine: dict[str, Any], rows: Sequence[Measurement]) -> None:
    cores = f"{machine['cpus']} cores of {machine['cpu']}"
    table = Table(
        [
            *(Column("engine"), Column("profile"), Column("model", wrap=True)),
            *(Column("batch", "right"), Column("audio s/s", "right"), Column("load s", "right")),
            Column("about", wrap=True),
        ]
    )
    say(cores if machine["gpu"] is None else f"{machine['gpu']}, {cores}")
    for row in rows:
        speed = None if row.speed is None else f"{row.speed:.1f}"
        load = None if row.load_seconds is None else f"{row.load_seconds:.1f}"
        table.row(row.engine, row.profile, row.model or None, row.batch, speed, load, _about(row))
    table.show()


def _about(row: Measurement) -> str:
    if row.problem is not None:
        return row.problem
    told = f"{row.texts} texts, {row.audio_seconds:.0f} s of audio in {row.seconds:.1f} s"
    if row.most_at_once < row.batch:
        told += f"; memory ran out, {row.most_at_once} at once"
    return told
