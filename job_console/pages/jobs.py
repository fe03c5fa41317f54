"""The page of one job: where it is and why, its takes, its log, and a line to change and hear again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request

from job_console.api.kinds import Parts, RequestId
from job_console.pages.job_facts import facts_of
from job_console.pages.players import take_address
from job_console.pages.rendering import HtmlPage, page, place_of
from job_console.pages.scripts import LINES_SHOWN
from job_console.route_services import ConsoleParts
from lib.errors import JobRunnerError
from lib.jobqueue import TERMINAL, JobState
from lib.jobspec.fields import FIELDS
from lib.voices import engine_facts

router = APIRouter(include_in_schema=False)

_KINDS: Final = {
    JobState.DONE: "good",
    JobState.FAILED: "bad",
    JobState.CANCELED: "warn",
    JobState.DELAYED: "warn",
}
_ALWAYS: Final = {"speed": 1.0, "variants": 1}
#: What is shown of a specification elsewhere on the page, or is of no use to people.
_SHOWN_ELSEWHERE: Final = frozenset({"text", "prompt", "request_id", "pronounce"})


@router.get("/jobs/{request_id}")
def job(
    request: Request,
    parts: Parts,
    request_id: RequestId,
    compare: Annotated[int | None, Query(ge=1, le=10**9)] = None,
    log: Annotated[Literal["some", "all"], Query()] = "some",
) -> HtmlPage:
    """Show one job."""
    place = place_of(request)
    facts = facts_of(parts, request_id, compare, thorough=log == "all")
    spec = dict(facts.spec.job) if facts.spec else {}
    return page(
        request,
        "job.html",
        "queue",
        place=place,
        facts=facts,
        id=request_id,
        state_kind=_KINDS.get(facts.record.state, ""),
        ended=facts.record.state in TERMINAL,
        spec=spec,
        settings=_settings(spec),
        first=(facts.script[1] - 1) // LINES_SHOWN * LINES_SHOWN + 1 if facts.script else 1,
        speakers=_speakers(parts),
        voices=_voices(parts),
        picture=take_address(request_id, 1) if facts.done and facts.done.drawn else "",
    )


def _settings(spec: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What was asked for, by the words of the form; of speech, speed and takes stand there always."""
    usual = {} if not spec or spec.get("kind") == "image" else _ALWAYS
    told = {**usual, **spec}
    names = (name for name in FIELDS if name in told and name not in _SHOWN_ELSEWHERE)
    return [("takes" if name == "variants" else name, told[name]) for name in names]


def _speakers(parts: ConsoleParts) -> Sequence[str]:
    return sorted(engine_facts(parts.engine).speakers, key=str.casefold)


def _voices(parts: ConsoleParts) -> Sequence[str]:
    try:
        return parts.registry().names()
    except JobRunnerError:  # its page says why
        return ()
