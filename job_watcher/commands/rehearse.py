"""`job-watcher rehearse`: everything but the money, on this computer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from job_watcher import wiring
from job_watcher.commands.instances import show_offers
from job_watcher.logs import log_as_json_lines, log_story
from job_watcher.providers.wiring import RentalDesk
from job_watcher.provisioning.offers_now import ScoredOffer, offers_now
from job_watcher.rehearsal.bill_and_ledger import BillAndLedger, CountedRental, compared, counted_in
from job_watcher.rehearsal.caretaker import data_in, taken_care_of
from job_watcher.rehearsal.market_day import hasten_lags, hastened, market_of, period_of
from job_watcher.rehearsal.ordered_faults import USUAL_FAULT, OrderedFault, read_fault
from job_watcher.rehearsal.room import Interruption, a_folder, audio_in, bring_out, write_requests
from job_watcher.rehearsal.vast import FakeVast
from job_watcher.rehearsal.vast.confinement import programs
from job_watcher.rehearsal.whole_run import (
    RehearsalOutcome,
    RehearsedAccount,
    is_as_pinned,
    programs_of_image,
    rehearse,
)
from lib.cli import output
from lib.cli.options import JobFileArgument, SpeakerOption, VoiceOption
from lib.clock import SystemClock
from lib.errors import BadConfiguration, ExitStatus, Unavailable, UsageError
from lib.jobspec import JobSpec, load_job_file
from lib.units import MICROS, seconds_text

_NONE = "none"

FaultOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="KIND@TIME",
        help="What goes wrong, and when: outbid@30s. Again for more; none for nothing.",
        show_default="outbid@audio",
    ),
]
SpeedOption = Annotated[
    float,
    typer.Option("--speed", min=1, max=100, help="How many times as fast as on Vast a machine comes up."),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Which market: prices and boot times.")]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FOLDER", help="Where the audio goes.", show_default="a new folder"),
]
KeepOption = Annotated[bool, typer.Option("--keep", help="Keep ledger, queue and requests, too.")]
JsonLinesOption = Annotated[
    bool, typer.Option("--json", help="Print it on stdout, a JSON value for each thing that happens.")
]
LimitOption = Annotated[int, typer.Option("--limit", min=10, help="Seconds after which it is ended.")]

EXAMPLES = (
    "job-watcher rehearse jobs.yaml",
    "job-watcher rehearse jobs.yaml --fault lost-reply@0s --fault outbid@30s",
)


@dataclass(frozen=True, slots=True)
class _Orders:
    """What was asked for."""

    specs: Sequence[JobSpec]
    faults: Sequence[OrderedFault]
    speed: float
    seed: int
    limit_s: int
    keep: bool
    json: bool


def command(
    jobs_file: JobFileArgument,
    fault: FaultOption = None,
    speed: SpeedOption = 10.0,
    seed: SeedOption = 1,
    out: OutOption = None,
    keep: KeepOption = False,
    limit: LimitOption = 900,
    voice: VoiceOption = None,
    speaker: SpeakerOption = None,
    json_: JsonLinesOption = False,
) -> int:
    """Rent at a fake Vast on this computer: real SSH servers as machines, the real engine, a bill of nothing.

    All is as with PROVIDER=vast, but with a queue, a ledger and a store of its own, which are gone
    afterwards: only the audio stays. Needs OpenSSH's server and the extra vast.

    Exit status 1: a job was not spoken; 69: OpenSSH's server is not here.
    """
    specs = load_job_file(jobs_file, voice=voice, speaker=speaker).specs
    orders = _Orders(specs, _faults(fault), speed, seed, limit, keep, json_)
    _see_that_it_can(out)
    with Interruption() as interruption:
        with a_folder(keep=keep) as folder, taken_care_of(folder, keep=keep):
            outcome = _run(orders, folder, interruption)
            outcome = replace(outcome, audio=bring_out(audio_in(folder), out))
        if json_:
            output.emit_json_lines([outcome.to_json()])
        else:
            _show(outcome, speed)
        if keep:
            output.note(f"everything else of it is kept in {folder}")
        interruption.check()
    if outcome.error is not None:
        raise outcome.error
    return ExitStatus.OK if outcome.ok else ExitStatus.JOB_FAILED


def _faults(words: Sequence[str] | None) -> Sequence[OrderedFault]:
    """Those that were ordered; an outbid where none was, for that is what happens on Vast."""
    if not words:
        return (USUAL_FAULT,)
    return tuple(read_fault(text) for text in words if text != _NONE)


def _see_that_it_can(out: Path | None) -> None:
    """Raises Unavailable without OpenSSH's server, for nothing was set wrong; UsageError for a bad --out."""
    if out is not None and out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; name a folder for the audio")
    try:
        programs()
    except BadConfiguration as error:
        raise Unavailable(error.message) from None


def _run(orders: _Orders, folder: Path, interruption: Interruption) -> RehearsalOutcome:
    offers, program = market_of(orders.seed, orders.speed), programs_of_image(folder)
    with FakeVast(folder / "machines", offers=offers, image=[program]) as fake:
        hasten_lags(fake.lags, orders.speed)
        place = wiring.RehearsalPlace(
            fake.url,
            fake.api_key,
            lambda engine: None if is_as_pinned(engine) else str(program),
            data_in(folder),
            audio_in(folder),
            partial(hastened, speed=orders.speed),
            period_of(orders.speed),
        )
        with wiring.open_rehearsal(place) as room, interruption.ends(room.watcher):
            _begin_to_tell(orders, room.desk)
            company = RehearsedAccount(fake, room.desk.provider, room.desk.owner)
            outcome = rehearse(orders.specs, company, room.queue, room.watcher, orders.faults, orders.limit_s)
        if orders.keep:
            write_requests(fake.journal, folder / "requests.jsonl")
    billed = ((str(each.instance), each.dollars) for each in outcome.rentals)
    return replace(outcome, ledger=compared(billed, counted_in(data_in(folder))))


def _begin_to_tell(orders: _Orders, desk: RentalDesk) -> None:
    """The market now; from then on what happens, as it happens."""
    now = SystemClock().now()
    offers = offers_now(desk.provider, desk.policy, desk.caps, desk.engine, None, now, jobs=len(orders.specs))
    if orders.json:
        output.tell_json_line(
            {
                "event": "market",
                "seed": orders.seed,
                "speed": orders.speed,
                "offers": [offer.to_json() for offer in offers],
            }
        )
        log_as_json_lines(verbose=False)
    else:
        _show_market(offers, len(orders.specs))
        log_story(time.time())


def _show_market(offers: Sequence[ScoredOffer], jobs: int) -> None:
    output.say(f"The market of this rehearsal, for {jobs} jobs; cheapest audio first:")
    show_offers(offers)
    chosen = next((each.score for each in offers if each.chosen), None)
    if chosen is not None:
        told = chosen.offer
        output.say(
            f"{told.id} is taken: an hour of audio costs least there, "
            f"{_dollars(chosen.total / 1e6)} USD for work, start and risk together."
        )
    output.say("")


def _show(outcome: RehearsalOutcome, speed: float) -> None:
    first = outcome.first_audio_s
    heard = "" if first is None else f"; the first audio came after {seconds_text(first)}"
    output.say("")
    output.say(f"{outcome.done} of {outcome.jobs} jobs done in {seconds_text(outcome.seconds)}{heard}.")
    if outcome.rentals:
        _show_bill(outcome)
    alive = "no machine is left" if outcome.left == 0 else f"{outcome.left} machines are left"
    output.say(f"It would have cost {_dollars(outcome.dollars)} USD, and cost nothing; {alive}.")
    if speed > 1:
        output.say(
            f"Machines came up {speed:g} times as fast as on Vast, so less is billed for that; speaking is "
            "billed for as long as it took here."
        )
    if outcome.ledger is not None and outcome.ledger.machines:
        _show_ledger(outcome.ledger)
    if outcome.missed:
        output.say(f"All was over before these came that were ordered: {', '.join(outcome.missed)}.")
    if outcome.audio is not None:
        output.say(f"The audio lies in {outcome.audio}")


def _show_bill(outcome: RehearsalOutcome) -> None:
    right = partial(output.Column, align="right")
    columns = [output.Column("the bill"), output.Column("gpu"), right("paid for")]
    table = output.Table([*columns, right("GPU usd"), right("disk"), right("traffic"), right("total")])
    for each in outcome.rentals:
        parts = (each.gpu_dollars, each.disk_dollars, each.traffic_dollars, each.dollars)
        gpu = f"{each.gpu} (bid)" if each.interruptible else each.gpu
        table.row(str(each.instance), gpu, seconds_text(each.seconds), *map(_dollars, parts))
    table.show()


def _show_ledger(found: BillAndLedger) -> None:
    """Whether the watcher's own ledger says the same, and of which machine it does not."""
    total = found.total
    counted = f"The watcher's own ledger has {_dollars((total.counted or 0) / MICROS)} USD"
    if found.agrees:
        output.say(f"{counted}: it agrees with the bill.")
        return
    output.say(
        f"{counted}, {_apart(total)}. It counts each machine at its whole price from the wish to rent until "
        "it was seen to be gone; with real machines the company's bill replaces that once its day is over."
    )
    for each in found.machines:
        if each.counted is None:
            output.say(f"  {each.instance}: on the bill, and not in the ledger")
        elif each.billed is None:
            output.say(f"  {each.instance}: in the ledger, and not on the bill")
        elif not each.agrees:
            output.say(f"  {each.instance}: {_apart(each)}")


def _apart(each: CountedRental) -> str:
    way = "more" if each.drift >= 0 else "less"
    percent = "" if each.percent is None else f" ({abs(each.percent):.1f} %)"
    return f"{_dollars(abs(each.drift) / MICROS)} USD{percent} {way} than the bill"


def _dollars(amount: float) -> str:
    return f"{amount:.6f}"
