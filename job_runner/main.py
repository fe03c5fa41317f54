"""The producer's command: `job-runner`."""

from __future__ import annotations

from typing import NoReturn

from lib.cli.program import CommandEntry, Program, installed_version

_FILES, _QUEUE, _REPAIR, _HERE = "Job files", "The queue", "Care and repair", "This machine"

COMMANDS = (
    CommandEntry("plan", "job_runner.commands.plan", "Check a job file and show what it would make.", _FILES),
    CommandEntry("schema", "job_runner.commands.schema", "Print the JSON Schema of job files.", _FILES),
    CommandEntry(
        "compile",
        "job_runner.commands.compile",
        "Stage a job file as a folder to be spoken anywhere.",
        _FILES,
    ),
    CommandEntry(
        "execute-manifest",
        "job_runner.commands.execute_manifest",
        "Speak a compiled folder on this machine.",
        _FILES,
    ),
    CommandEntry("run", "job_runner.commands.run", "Speak a job file on this machine, no queue.", _FILES),
    CommandEntry("join", "job_runner.commands.join", "Join finished audio into an episode to ship.", _FILES),
    CommandEntry("page", "job_runner.commands.page", "Make a page to listen to, beside its audio.", _FILES),
    CommandEntry("enqueue", "job_runner.commands.enqueue", "Put a job file into the queue, once.", _QUEUE),
    CommandEntry(
        "enqueue-beatsheet",
        "job_runner.commands.enqueue_beatsheet",
        "The same from the beats of a topic, in JSON.",
        _QUEUE,
    ),
    CommandEntry("status", "job_runner.commands.status", "Show whether all is well.", _QUEUE),
    CommandEntry(
        "dashboard", "job_runner.commands.dashboard", "Show what runs, how fast, and what ended.", _QUEUE
    ),
    CommandEntry("report", "job_runner.commands.report", "Hold a job file against the queue.", _QUEUE),
    CommandEntry("wait", "job_runner.commands.wait", "Follow jobs to their end.", _QUEUE),
    CommandEntry("history", "job_runner.commands.history", "List finished jobs.", _QUEUE),
    CommandEntry(
        "result", "job_runner.commands.result", "Show where a job's audio is, or why it failed.", _QUEUE
    ),
    CommandEntry("play", "job_runner.commands.play", "Hear a finished job.", _QUEUE),
    CommandEntry("export", "job_runner.commands.export", "Write the records of finished jobs.", _QUEUE),
    CommandEntry(
        "explain", "job_runner.commands.explain", "Say why a job is where it is, in one sentence.", _QUEUE
    ),
    CommandEntry("retry", "job_runner.commands.retry", "Requeue failed and canceled jobs.", _QUEUE),
    CommandEntry("cancel", "job_runner.commands.cancel", "Withdraw a job that is not finished.", _QUEUE),
    CommandEntry("pause", "job_runner.commands.pause", "Stop giving out jobs.", _QUEUE),
    CommandEntry("resume", "job_runner.commands.resume", "Give out jobs again.", _QUEUE),
    CommandEntry("doctor", "job_runner.commands.doctor", "Check that all is in order.", _REPAIR),
    CommandEntry(
        "reconcile", "job_runner.commands.reconcile", "Find what does not fit together; mend it.", _REPAIR
    ),
    CommandEntry("flush", "job_runner.commands.flush", "Delete every job that is not finished.", _REPAIR),
    CommandEntry(
        "up", "job_runner.commands.up", "Run queue and watcher here, for a file or until Ctrl-C.", _HERE
    ),
    CommandEntry("down", "job_runner.commands.down", "Stop the embedded server.", _HERE),
    CommandEntry("logs", "job_runner.commands.logs", "Show the record of the latest local execution.", _HERE),
    CommandEntry(
        "config", "job_runner.commands.config", "Show the settings and where each came from.", _HERE
    ),
)

#: What people look for here, and where it is.
ELSEWHERE = {
    "concat": "job-runner join",
    "episode": "job-runner join",
    "merge": "job-runner join",
    "hear": "job-runner play, or job-runner page",
    "listen": "job-runner page, or job-runner play",
    "speak": "voice-synth speak",
    "say": "voice-synth speak",
    "voices": "voice-synth voices",
    "normalize": "voice-synth normalize",
    "simulate": "job-watcher simulate",
    "once": "job-watcher once",
    "watch": "job-watcher run, or job-runner up",
    "start": "job-runner up",
    "stop": "job-runner down",
    "delete": "job-runner cancel for one job, job-runner flush for all",
    "list": "job-runner history, or job-runner status",
    "ls": "job-runner history, or job-runner status",
    "validate": "job-runner plan",
    "check": "job-runner plan",
    "submit": "job-runner enqueue",
    "add": "job-runner enqueue",
}

PROGRAM = Program(
    name="job-runner",
    help="Turn lists of narration into finished audio.",
    version=installed_version,
    commands=COMMANDS,
    elsewhere=ELSEWHERE,
    examples=(
        "job-runner plan jobs.yaml",
        "job-runner up jobs.yaml",
        "job-runner report jobs.yaml",
    ),
)


def main() -> NoReturn:
    """Run the command line."""
    PROGRAM.main()


if __name__ == "__main__":
    main()
