"""The producer's command: `job-runner`."""

from __future__ import annotations

from typing import NoReturn

from lib.cli.program import CommandEntry, Program, installed_version

_FILES, _QUEUE, _HERE = "Job files", "The queue", "This machine"

COMMANDS = (
    CommandEntry("plan", "job_runner.commands.plan", "Check a job file and show what it would make.", _FILES),
    CommandEntry("schema", "job_runner.commands.schema", "Print the JSON Schema of job files.", _FILES),
    CommandEntry("enqueue", "job_runner.commands.enqueue", "Put a job file into the queue, once.", _QUEUE),
    CommandEntry("status", "job_runner.commands.status", "Show whether all is well.", _QUEUE),
    CommandEntry("history", "job_runner.commands.history", "List finished jobs.", _QUEUE),
    CommandEntry(
        "result", "job_runner.commands.result", "Show where a job's audio is, or why it failed.", _QUEUE
    ),
    CommandEntry(
        "up", "job_runner.commands.up", "Run queue and watcher here, for a file or until Ctrl-C.", _HERE
    ),
    CommandEntry("down", "job_runner.commands.down", "Stop the embedded server.", _HERE),
    CommandEntry(
        "config", "job_runner.commands.config", "Show the settings and where each came from.", _HERE
    ),
)

PROGRAM = Program(
    name="job-runner",
    help="Turn lists of narration into finished audio.",
    version=installed_version,
    commands=COMMANDS,
)


def main() -> NoReturn:
    """Run the command line."""
    PROGRAM.main()
