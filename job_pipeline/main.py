"""The command of pipelines: `job-pipeline`."""

from __future__ import annotations

from typing import NoReturn

from lib.cli.program import CommandEntry, Program, installed_version

_SETUP, _RUNS, _GATES = "Pipelines", "Runs", "What waits for a person"
_WORK, _CARE = "What gets them done", "Care and repair"

COMMANDS = (
    CommandEntry("init-db", "job_pipeline.commands.init_db", "Make the tables; store the pipelines.", _SETUP),
    CommandEntry(
        "snapshot", "job_pipeline.commands.snapshot", "Store a pipeline as its code is now.", _SETUP
    ),
    CommandEntry("demo", "job_pipeline.commands.demo", "Run three small runs here, to their end.", _SETUP),
    CommandEntry("make", "job_pipeline.commands.make", "Make a film of a script, here, to its end.", _RUNS),
    CommandEntry("enqueue", "job_pipeline.commands.enqueue", "Start a run.", _RUNS),
    CommandEntry(
        "new-job", "job_pipeline.commands.new_job", "Start a run of a shipped pipeline, or its sample.", _RUNS
    ),
    CommandEntry("list-jobs", "job_pipeline.commands.list_jobs", "List runs and their stages.", _RUNS),
    CommandEntry("show", "job_pipeline.commands.show", "Show one run, and why nothing moves.", _RUNS),
    CommandEntry("artifacts", "job_pipeline.commands.artifacts", "List the files of a run.", _RUNS),
    CommandEntry("events", "job_pipeline.commands.events", "Show what happened, in order.", _RUNS),
    CommandEntry("cancel", "job_pipeline.commands.cancel", "Stop a run.", _RUNS),
    CommandEntry("resume", "job_pipeline.commands.resume", "Let a failed or canceled run go on.", _RUNS),
    CommandEntry("gates", "job_pipeline.commands.gates", "List what waits for a decision.", _GATES),
    CommandEntry("approve", "job_pipeline.commands.approve", "Let what follows a stage begin.", _GATES),
    CommandEntry("reject", "job_pipeline.commands.reject", "Refuse what a stage made.", _GATES),
    CommandEntry(
        "advance", "job_pipeline.commands.advance", "Run a stage anew and go on from there.", _GATES
    ),
    CommandEntry("worker", "job_pipeline.commands.worker", "Carry out stages until told to stop.", _WORK),
    CommandEntry(
        "orchestrator", "job_pipeline.commands.orchestrator", "See once what follows from what ended.", _WORK
    ),
    CommandEntry(
        "orchestrator-loop",
        "job_pipeline.commands.orchestrator_loop",
        "The same again and again, until told to stop.",
        _WORK,
    ),
    CommandEntry(
        "recovery",
        "job_pipeline.commands.recovery",
        "Take back what dead workers held, again and again.",
        _WORK,
    ),
    CommandEntry(
        "queue-depth", "job_pipeline.commands.queue_depth", "Count the stages of each state.", _CARE
    ),
    CommandEntry("stale-locks", "job_pipeline.commands.stale_locks", "List leases that ran out.", _CARE),
    CommandEntry("failures", "job_pipeline.commands.failures", "List the stages that fail most.", _CARE),
    CommandEntry("retry-dead", "job_pipeline.commands.retry_dead", "Give dead stages new attempts.", _CARE),
    CommandEntry(
        "retry-failed",
        "job_pipeline.commands.retry_failed",
        "Give failed stages new attempts, chosen.",
        _CARE,
    ),
)

#: What people look for here, and where it is.
ELSEWHERE = {
    "status": "job-pipeline list-jobs, or job-pipeline show RUN",
    "list": "job-pipeline list-jobs",
    "ls": "job-pipeline list-jobs",
    "logs": "job-pipeline events --run RUN",
    "retry": "job-pipeline retry-failed, or job-pipeline retry-dead",
    "run": "job-pipeline worker",
    "up": "job-runner up",
}

PROGRAM = Program(
    name="job-pipeline",
    help="Run stages on a ledger that never loses its place, with gates for people.",
    version=installed_version,
    commands=COMMANDS,
    elsewhere=ELSEWHERE,
    examples=(
        "job-pipeline demo",
        "job-pipeline new-job",
        "job-pipeline list-jobs --active",
    ),
)


def main() -> NoReturn:
    """Run the command line."""
    PROGRAM.main()


if __name__ == "__main__":
    main()
