"""The queue: what `job-runner` says of jobs, and what it lets one do with them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool

from job_console.api.kinds import Limit, Parts, RequestId
from job_console.contract import JOB_FILE, ref
from job_console.error_answers import ConsoleJson, NotWithdrawn, error_of
from job_console.openapi import changing, json_answer, reading
from lib.clock import rfc3339
from lib.errors import UsageError
from lib.jobqueue import Changed, FinishedJob, JobState
from lib.jobs.cancel import cancel
from lib.jobs.explain import explain
from lib.jobs.explain_evidence import evidence_of
from lib.jobs.history import CURSOR_PATTERN, history_page
from lib.jobs.overview import overview_of
from lib.jobs.plan import parse_speakable
from lib.jobs.results import ending_or_record
from lib.jobs.retry import refusal, retry, state_of
from lib.jobs.submit import exit_status, submit
from lib.storage import files_of

router = APIRouter(prefix="/queue", tags=["queue"])

_HISTORY = {
    "type": "object",
    "required": ["jobs", "after"],
    "properties": {
        "jobs": ref("history"),
        "after": {"type": ["string", "null"], "description": "where to read on; null: there are no more"},
    },
    "additionalProperties": False,
}
FILE_BODY = {
    "required": True,
    "description": "A job file, or a beatsheet: YAML or JSON. It may name no other files.",
    "content": {
        "application/json": {"schema": ref(JOB_FILE)},
        "application/yaml": {"schema": {"type": "string"}},
    },
}
_FILE_TYPES = ("application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/plain")


async def sent_file(request: Request) -> bytes:
    """The file of jobs that a request brings."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _FILE_TYPES:
        raise HTTPException(415, f"a file of jobs is sent as one of {', '.join(_FILE_TYPES)}")
    return await request.body()


@router.get("/status", response_model=None, responses=reading(ref("status"), "Now."))
def status(parts: Parts) -> ConsoleJson:
    """Show how many jobs wait and run, whether a watcher lives, and what that means."""
    return ConsoleJson(overview_of(parts.queue).to_json())


@router.get("/history", response_model=None, responses=reading(_HISTORY, "The latest first."))
def history(
    parts: Parts,
    limit: Limit = 20,
    status: Annotated[JobState | None, Query(description="Only jobs that ended so.")] = None,
    since: Annotated[
        float | None, Query(ge=0, le=1e11, description="Only since then, in seconds since the epoch.")
    ] = None,
    after: Annotated[
        str | None, Query(pattern=CURSOR_PATTERN, description="Behind the page that said so as its `after`.")
    ] = None,
) -> ConsoleJson:
    """List finished jobs."""
    page = history_page(parts.queue, limit=limit, status=status, since=since, after=after)
    return ConsoleJson(page.to_json())


@router.post(
    "/jobs",
    response_model=None,
    responses=changing(ref("enqueue"), "What became of each job.", 409, 415),
    openapi_extra={"requestBody": FILE_BODY},
)
async def enqueue(
    request: Request,
    parts: Parts,
    changed: Annotated[
        Changed, Query(description="What becomes of a job whose id is known with other content.")
    ] = Changed.REFUSE,
    dry_run: Annotated[bool, Query(description="Say what would be done; do nothing.")] = False,
    voice: Annotated[str | None, Query(max_length=64, description="Speaks beats that name nobody.")] = None,
    speaker: Annotated[str | None, Query(max_length=64, description="Or this speaker.")] = None,
) -> ConsoleJson:
    """Enqueue the jobs of a file: all or none, each request id once, however often this is sent."""
    body = await sent_file(request)

    def work() -> ConsoleJson:
        if voice is not None and speaker is not None:
            raise UsageError("give one of `voice` and `speaker`, not both")
        file = parse_speakable(body, parts.voices, name="the request", voice=voice, speaker=speaker)
        submission = submit(parts.queue, file, changed=changed, dry_run=dry_run)
        if submission.refusal is not None and exit_status(submission, changed):
            return error_of(submission.refusal)
        return ConsoleJson({**submission.to_json(), "dry_run": dry_run})

    return await run_in_threadpool(work)


@router.get(
    "/jobs/{request_id}/result",
    response_model=None,
    responses={
        **reading(ref("result", "/anyOf/0"), "How it ended, and where its audio is.", 404),
        202: json_answer(
            ref("result", "/anyOf/1"), "It has no result yet, or its record is lost: its state."
        ),
    },
)
def result(
    parts: Parts,
    request_id: RequestId,
    revision: Annotated[int | None, Query(ge=1, le=10**9, description="An earlier content.")] = None,
) -> ConsoleJson:
    """Show where a job's audio is and its measures, or why it failed."""
    found = ending_or_record(parts.queue, request_id, revision)
    if not isinstance(found, FinishedJob):
        told = {"request_id": request_id, "state": found.state.value, "since": rfc3339(found.since)}
        return ConsoleJson(told, 202)
    done = found.done()
    return ConsoleJson({**found.to_json(), "files": files_of(parts.storage, done.takes if done else ())})


@router.get(
    "/jobs/{request_id}/explanation",
    response_model=None,
    responses=reading(ref("explain", "/oneOf/0"), "A sentence, and what it is read from.", 404),
)
def explanation(parts: Parts, request_id: RequestId) -> ConsoleJson:
    """Say why a job waits, runs or failed, and what would free it."""
    return ConsoleJson(explain(evidence_of(parts.queue, parts.storage, request_id)).to_json())


@router.post(
    "/jobs/{request_id}/cancel",
    response_model=None,
    responses=changing(ref("cancel", "/oneOf/0"), "It is canceled now.", 404, 409),
)
def withdraw(parts: Parts, request_id: RequestId) -> ConsoleJson:
    """Withdraw a job that is not finished; a second time changes nothing."""
    done = cancel(parts.queue, request_id)
    if done.state is not JobState.CANCELED:
        raise NotWithdrawn(f"{request_id} is {done.state.value} and cannot be withdrawn; nothing was changed")
    return ConsoleJson(done.to_json())


@router.post(
    "/jobs/{request_id}/retry",
    response_model=None,
    responses=changing(ref("retry"), "It is on the queue again.", 404, 409),
)
def requeue(parts: Parts, request_id: RequestId) -> ConsoleJson:
    """Put a failed or canceled job back on the queue with fresh attempts."""
    state_of(parts.queue, request_id)  # says that there is none
    done = retry(parts.queue, [request_id])
    outcome = done.outcomes[0]
    return ConsoleJson(done.to_json()) if outcome.retried else error_of(refusal(outcome))
