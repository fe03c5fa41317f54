"""`job-runner explain`: why jobs are where they are."""

from __future__ import annotations

from job_runner import wiring
from job_runner.job_selection import is_one, require_any
from lib.cli import output
from lib.cli.options import JsonOption, OfFileOption, RedisUrlOption, RequestIdsArgument
from lib.errors import ExitStatus
from lib.jobs.explain import explain
from lib.jobs.explain_evidence import evidence_of
from lib.jobs.selection import Selection, select

EXAMPLES = ("job-runner explain topic:beat-001",)


def command(
    request_ids: RequestIdsArgument = None,
    file: OfFileOption = None,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Say in a sentence for each job why it waits, runs or failed, and what would free it.

    Exit status 0 whatever the sentences say, 65 when a job is not known.
    """
    require_any(request_ids, file)
    words = request_ids or []
    here = wiring.here(redis_url)
    with here.open_queue() as queue:
        one = is_one(words, file)
        chosen = Selection((words[0],)) if one else select(queue, words, file)
        store = here.storage()
        told = [explain(evidence_of(queue, store, request_id)) for request_id in chosen.ids]
    if json_ and one:
        output.emit_json(told[0].to_json())
    elif json_:
        output.emit_json({"jobs": [each.to_json() for each in told], "absent": list(chosen.absent)})
    else:
        for each in told:
            output.say(each.sentence)
    if chosen.absent_sentence:
        output.error(f"{chosen.absent_sentence}; enqueue the file to put them there")
        return ExitStatus.BAD_INPUT
    return ExitStatus.OK
