"""`job-runner explain`: why a job is where it is."""

from __future__ import annotations

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption, RequestIdArgument
from lib.jobs.explain import explain
from lib.jobs.explain_evidence import evidence_of

EXAMPLES = ("job-runner explain topic:beat-001",)


def command(
    request_id: RequestIdArgument, redis_url: RedisUrlOption = None, json_: JsonOption = False
) -> None:
    """Say in one sentence why a job waits, runs or failed, and what would free it.

    Exit status 0 whatever the sentence says, 65 for an unknown id.
    """
    here = wiring.here(redis_url)
    with here.open_queue() as queue:
        explanation = explain(evidence_of(queue, here.storage(), request_id))
    if json_:
        output.emit_json(explanation.to_json())
    else:
        output.say(explanation.sentence)
