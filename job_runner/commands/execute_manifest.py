"""`job-runner execute-manifest`: speak what was compiled, on this machine, without a queue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from job_runner import wiring
from job_runner.dry_run import tell
from job_runner.execution.session import Surroundings, execute, opened
from lib.cli.options import DryRunOption, JsonOption, VoicesDirOption

JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        min=1,
        max=64,
        help="How many workers speak at a time; else one per core, at most 4.",
        show_default=False,
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Speak again what is done already.")]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine", metavar="NAME", help="Engine of speakers; else VOICE_ENGINE.", show_default=False
    ),
]


EXAMPLES = ("job-runner execute-manifest staged",)


def command(
    manifest: Annotated[
        Path,
        typer.Argument(metavar="MANIFEST", help="A manifest.json, or its folder.", show_default=False),
    ],
    jobs: JobsOption = None,
    dry_run: DryRunOption = False,
    force: ForceOption = False,
    voices_dir: VoicesDirOption = None,
    engine: EngineOption = None,
    json_: JsonOption = False,
) -> int:
    """Speak the jobs of a manifest into its folder, each once: what is done for the same inputs is skipped.

    Killed at any moment and started again, it goes on with what was left. Beside the manifest lies
    execution.json with the state of each job. The exit status is 1 when a job failed.
    --dry-run prints each command, and what would be skipped.
    """
    around = surroundings(voices_dir, engine)
    if dry_run:
        with opened(manifest, around, looking=True) as ready:
            tell(ready.inputs, ready.folder.root, ready.manifest.sha256, force=force, as_json=json_)
        return 0
    return execute(manifest, around, workers=jobs, force=force, as_json=json_)


def surroundings(voices_dir: Path | None, engine: str | None) -> Surroundings:
    """What the settings say, under the flags. Raises BadConfiguration."""
    flags = {"VOICES_DIR": None if voices_dir is None else str(voices_dir), "VOICE_ENGINE": engine}
    settings = wiring.settings(flags)
    return Surroundings(
        settings.jobs_data_dir,
        settings.voices_dir,
        settings.voice_engine,
        settings.local_workers,
        settings.voice_pauses,
        wiring.backends_in(settings),
        settings.hibari_batch,
    )
