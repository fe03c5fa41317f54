"""`job-runner logs`: the record of the latest local execution."""

from __future__ import annotations

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption
from lib.errors import BadInput
from lib.foreign import parse_json
from lib.records import ExecutionRecord, InvalidRecord
from lib.units import seconds_text

EXAMPLES = ("job-runner logs",)


def command(json_: JsonOption = False) -> None:
    """Show what `run` or `execute-manifest` did last on this machine: its execution.json.

    Exit status 65 when nothing was executed here yet.
    """
    latest = wiring.settings().jobs_data_dir / "executions" / "latest"
    try:
        record = ExecutionRecord.from_json(parse_json(latest.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BadInput(
            f"There is no record of an execution: {latest} is missing or points to a folder that is gone. "
            "Make one with: job-runner run jobs.yaml"
        ) from None
    except (OSError, ValueError, InvalidRecord) as error:
        raise BadInput(f"The record {latest} cannot be read: {error}") from None
    if json_:
        output.emit_json(record.to_json())
    else:
        _show(record, str(latest.resolve()))


def _show(record: ExecutionRecord, path: str) -> None:
    totals = record.totals
    words = [f"{count} {name}" for name, count in totals.items() if count and name != "jobs"]
    output.say_state(record.state, f": {totals['jobs']} jobs, {', '.join(words)}")
    output.show_fields(
        {
            "started": record.started_at,
            "took": seconds_text(record.wall_seconds),
            "engine": record.engine,
            "record": path,
        }
    )
    output.say()
    table = output.Table(
        [
            output.Column("state"),
            output.Column("request id", wrap=True),
            output.Column("attempts", align="right"),
            output.Column("time", align="right"),
            output.Column("file or error", wrap=True),
        ]
    )
    for job in record.jobs:
        took = None if job.work_seconds is None else seconds_text(job.work_seconds)
        table.row(job.state, job.request_id, job.attempts, took, job.error or job.file)
    table.show()
