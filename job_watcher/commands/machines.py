"""`job-watcher machines`: which machines there are and what each does."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from job_watcher import wiring
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption
from lib.clock import rfc3339
from lib.jobs.leaders import draining_of, leader_json
from lib.jobs.machines import MachineLine, MachineList, machines_of
from lib.units import seconds_text

CheckOption = Annotated[
    bool, typer.Option("--check", help="Connect to each of SSH_MACHINES and say what is wrong with it.")
]

EXAMPLES = (
    "job-watcher machines",
    "job-watcher machines --check",
)


def command(redis_url: RedisUrlOption = None, check: CheckOption = False, json_: JsonOption = False) -> int:
    """Show the machines of the running watcher, what each does, and why one is left out.

    With --check the machines of SSH_MACHINES are looked at from here, watcher or not, and nothing is changed
    on them. Exit status then 0 when all can be used, 69 when one does not answer, 78 when one needs mending.
    """
    room = wiring.machine_room(redis_url)
    if check:
        return _check(room, json_)
    with room.open_queue() as queue:
        found, leader, draining = machines_of(queue), room.leader(), draining_of(queue)
    if json_:
        output.emit_json({**found.to_json(), "leader": leader_json(leader), "draining": draining})
        return 0
    _show(found)
    for name in draining:
        output.say(f"{name} drains: it takes nothing new.")
    if leader is not None and leader.live:
        output.say(f"{leader.owner} leads, in epoch {leader.epoch} since {rfc3339(leader.since)}.")
    return 0


def _show(found: MachineList) -> None:
    if not found.machines:
        output.say("No watcher runs, so no machine is in use.")
    width = max((len(line.machine) for line in found.machines), default=0)
    for line in found.machines:
        word = f"{line.stage}?" if line.doubt else line.stage
        output.say_state(word, f" {line.machine.ljust(width)}  {_words(line)}", pad=11)
        for worker in line.workers:
            if worker.job is not None:
                output.say(f"            {worker.job}  {seconds_text(worker.job_s or 0.0)}  on {worker.host}")
    for name in found.standby:
        output.say(f"{name} stands by.")


def _words(line: MachineLine) -> str:
    if line.stage != "out":
        jobs = f"{line.holding} job{'s' * (line.holding != 1)} at hand"
        words = f"{jobs}, {len(line.workers)} workers" if line.workers else jobs
        return f"{words}; {line.doubt}" if line.doubt else words
    wait = (
        ""
        if line.next_try is None
        else f" Next try in {seconds_text(max(0.0, line.next_try - time.time()))}."
    )
    doubt = f" But {line.doubt}." if line.doubt else ""
    return f"{line.reason}: {line.sentence}{wait}{doubt}"


def _check(room: wiring.MachineRoom, json_: bool) -> int:
    from job_watcher.providers.ssh.checkup import exit_status

    found = room.check()
    if json_:
        output.emit_json({"checked": True, "machines": [checked.to_json() for checked in found]})
    else:
        width = max(len(checked.machine) for checked in found)
        for checked in found:
            word = "ready" if checked.ok else "out"
            code = "" if checked.ok else f"{checked.reason}: "
            output.say_state(word, f" {checked.machine.ljust(width)}  {code}{checked.sentence}", pad=6)
    return exit_status(found)
