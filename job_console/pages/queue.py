"""What is to be done: jobs that wait, run, are delayed or failed, a page at a time."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request

from job_console.api.kinds import Parts
from job_console.api.many_jobs import Part
from job_console.pages.rendering import HtmlPage, page, place_of
from lib.jobqueue import JobState
from lib.jobs.history import CURSOR_PATTERN, history_page
from lib.jobs.overview import overview_of
from lib.jobs.unfinished import PLACE_PATTERN, unfinished_page

router = APIRouter(include_in_schema=False)

_PAGE: Final = 50
_CURSOR: Final = f"{CURSOR_PATTERN}|{PLACE_PATTERN}"

Listed = Literal["waiting", "running", "delayed", "failed"]


@router.get("/queue")
def queue(
    request: Request,
    parts: Parts,
    state: Listed = "waiting",
    text: Part = "",
    after: Annotated[str | None, Query(pattern=_CURSOR, max_length=260)] = None,
) -> HtmlPage:
    """Show a page of the jobs in one state."""
    place = place_of(request)
    view = overview_of(parts.queue, server=False)
    found: Any
    if state == "failed":
        found = history_page(parts.queue, limit=_PAGE, status=JobState.FAILED, text=text, after=after)
    else:
        found = unfinished_page(parts.queue, JobState(state), limit=_PAGE, text=text, after=after)
    shot = view.snapshot
    counts = {
        "waiting": shot.waiting,
        "running": shot.pending,
        "delayed": shot.delayed,
        "failed": shot.failed,
    }
    return page(
        request,
        "queue.html",
        "queue",
        place=place,
        view=view,
        counts=counts,
        state=state,
        text=text,
        after=after,
        jobs=found.jobs,
        more=found.after,
    )
