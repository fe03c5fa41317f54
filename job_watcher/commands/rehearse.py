"""`job-watcher rehearse`: everything but the money, on this computer."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from job_watcher import wiring
from job_watcher.commands.instances import show_offers
from job_watcher.logs import log_story
from job_watcher.providers.wiring import RentalDesk
from job_watcher.provisioning.offers_now import offers_now
from job_watcher.rehearsal.vast import FakeVast
from job_watcher.rehearsal.whole_run import (
    RehearsalOutcome,
    brisk_market,
    read_fault,
    rehearse,
    voice_synth,
)
from job_watcher.signals import drain_on_signals
from lib.cli import output
from lib.cli.options import JobFileArgument, JsonOption, SpeakerOption, VoiceOption
from lib.clock import SystemClock
from lib.errors import ExitStatus
from lib.jobspec import load_job_file
from lib.units import seconds_text

FaultOption = Annotated[
    list[str] | None,
    typer.Option("--fault", metavar="WHAT@SECONDS", help="Have that happen then.", show_default=False),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FOLDER", help="Keep the audio there.", show_default=False),
]
LimitOption = Annotated[int, typer.Option("--limit", min=10, help="Seconds after which it is ended.")]

EXAMPLES = (
    "job-watcher rehearse jobs.yaml",
    "job-watcher rehearse jobs.yaml --fault outbid@30s",
)


def command(
    jobs_file: JobFileArgument,
    fault: FaultOption = None,
    out: OutOption = None,
    limit: LimitOption = 900,
    voice: VoiceOption = None,
    speaker: SpeakerOption = None,
    json_: JsonOption = False,
) -> int:
    """Rent at a fake Vast on this computer: real SSH servers as machines, the real engine, a bill of nothing.

    All is as with PROVIDER=vast, with a queue, a ledger and a store of its own, which are gone afterwards.
    Needs OpenSSH's server and the extra vast. Faults: outbid, exit, offline, ssh_dead, gpu_gone and more.
    """
    specs = load_job_file(jobs_file, voice=voice, speaker=speaker).specs
    faults = [read_fault(text) for text in fault or ()]
    with (
        tempfile.TemporaryDirectory(prefix="jr-rehearsal-") as made,
        FakeVast(Path(made) / "machines", offers=brisk_market()) as fake,
    ):
        folder = Path(made)
        place = wiring.RehearsalPlace(
            fake.url, fake.api_key, voice_synth(folder), folder, (out or folder / "storage").resolve()
        )
        with wiring.open_rehearsal(place) as room:
            if not json_:
                _show_market(room.desk)
                log_story(time.time())
            drain_on_signals(room.watcher)
            outcome = rehearse(specs, fake, room.queue, room.watcher, faults, limit)
    if json_:
        output.emit_json(outcome.to_json())
    else:
        _show(outcome, out)
    return ExitStatus.OK if outcome.ok else ExitStatus.JOB_FAILED


def _show_market(desk: RentalDesk) -> None:
    output.say("The market of this rehearsal, cheapest audio first:")
    show_offers(offers_now(desk.provider, desk.policy, desk.caps, desk.engine, None, SystemClock().now()))


def _show(outcome: RehearsalOutcome, out: Path | None) -> None:
    first = outcome.first_audio_s
    heard = "" if first is None else f"; the first audio came after {seconds_text(first)}"
    output.say(
        f"{outcome.done} of {outcome.jobs} jobs done on {outcome.machines} rented machines "
        f"in {seconds_text(outcome.seconds)}{heard}."
    )
    output.say(
        f"It would have cost {outcome.dollars:.6f} USD, {outcome.gpu_dollars:.6f} of it for GPUs. "
        f"Machines left: {outcome.left}."
    )
    if out is not None:
        output.say(f"The audio lies in {out / 'outputs'}.")
