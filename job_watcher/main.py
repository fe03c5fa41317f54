"""The daemon's command: `job-watcher`."""

from __future__ import annotations

from typing import NoReturn

from lib.cli.program import CommandEntry, Program, installed_version

COMMANDS = (
    CommandEntry("run", "job_watcher.commands.run", "Work on the queue until told to stop."),
    CommandEntry("once", "job_watcher.commands.once", "Work until nothing is waiting, then end."),
    CommandEntry("status", "job_watcher.commands.status", "Show who works on the queue."),
    CommandEntry("machines", "job_watcher.commands.machines", "Show the machines and what each does."),
    CommandEntry("instances", "job_watcher.commands.instances", "Show the machines that are paid for."),
    CommandEntry("costs", "job_watcher.commands.costs", "Show what rented machines cost."),
    CommandEntry("sweep", "job_watcher.commands.sweep", "Look for rented machines that nobody watches."),
    CommandEntry("doctor", "job_watcher.commands.doctor", "Say what keeps this computer from doing jobs."),
    CommandEntry(
        "simulate", "job_watcher.commands.simulate", "Show what a batch would cost on rented machines."
    ),
    CommandEntry(
        "rehearse", "job_watcher.commands.rehearse", "Rent at a fake Vast on this computer, for nothing."
    ),
)

#: What people look for here, and where it is.
ELSEWHERE = {
    "up": "job-runner up",
    "enqueue": "job-runner enqueue",
}

PROGRAM = Program(
    name="job-watcher",
    help="Lease jobs, have them spoken, store the audio, acknowledge.",
    version=installed_version,
    commands=COMMANDS,
    elsewhere=ELSEWHERE,
    examples=(
        "job-watcher run",
        "job-watcher simulate jobs.yaml",
    ),
)


def main() -> NoReturn:
    """Run the command line."""
    PROGRAM.main()


if __name__ == "__main__":
    main()
