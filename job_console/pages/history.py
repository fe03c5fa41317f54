"""What ended, and how: found again by state, time, id and what failures share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request

from job_console.api.kinds import Parts
from job_console.api.many_jobs import Part
from job_console.pages.rendering import HtmlPage, page, place_of
from lib.jobqueue import JobState
from lib.jobs.error_groups import SIGNATURE_PATTERN, error_groups
from lib.jobs.history import CURSOR_PATTERN, history_page

router = APIRouter(include_in_schema=False)

_PAGE: Final = 50
_GROUPED: Final = 500
#: How far back, in seconds.
_SINCE: Final[Mapping[str, int]] = {"hour": 3600, "day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400}


@router.get("/history")
def history(
    request: Request,
    parts: Parts,
    status: Literal["", "done", "failed", "canceled"] = "",
    since: Literal["", "hour", "day", "week", "month"] = "",
    text: Part = "",
    signature: Annotated[str | None, Query(pattern=SIGNATURE_PATTERN)] = None,
    grouped: bool = False,
    after: Annotated[str | None, Query(pattern=CURSOR_PATTERN)] = None,
) -> HtmlPage:
    """Show a page of what ended, or failures by what they share."""
    place = place_of(request)
    begin = parts.clock.now() - _SINCE[since] if since else None
    if signature is not None:
        status = "failed"
    groups, looked_at, found = None, 0, None
    if grouped:
        failed = parts.queue.history(limit=_GROUPED, status=JobState.FAILED, since=begin)
        groups, looked_at = error_groups(failed), len(failed)
    else:
        found = history_page(
            parts.queue,
            limit=_PAGE,
            status=JobState(status) if status else None,
            since=begin,
            text=text,
            signature=signature,
            after=after,
        )
    kept: dict[str, Any] = {"status": status, "since": since, "text": text, "signature": signature or ""}
    return page(
        request,
        "history.html",
        "history",
        place=place,
        ended=status,
        since=since,
        text=text,
        signature=signature,
        begin=begin,
        groups=groups,
        looked_at=looked_at,
        after=after,
        jobs=found.jobs if found else [],
        more=found.after if found else None,
        query=urlencode({name: value for name, value in kept.items() if value}),
    )
