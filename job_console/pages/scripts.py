"""Handing a script in, hearing its lines as they come, and taking the episode away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from job_console.api.kinds import Parts
from job_console.api.scripts import ScriptId
from job_console.episodes import EpisodeMaker, safe_stem
from job_console.pages.rendering import HtmlPage, page, place_of
from job_console.route_services import ConsoleParts
from lib.jobs.script_lines import script_lines, script_progress
from lib.jobs.script_now import ScriptNow, known_now, script_now, words_of
from lib.jobs.scripts import SCRIPT_PATTERN, KeptScript
from lib.jobspec import InvalidJobFile
from lib.jobspec.episode_names import EPISODE_FORMATS
from lib.voices import engine_facts

router = APIRouter(include_in_schema=False)

LINES_SHOWN: Final = 100
_LISTED: Final = 20
_AT_ONCE: Final = 500  # lines that one press concerns: what REST takes
_SAMPLE: Final = """\
defaults:
  speaker: Ryan
jobs:
  - output_name: first/beat-001
    text: Twice a day the sea comes back.
  - output_name: first/beat-002
    text: And twice a day it goes away again.
"""


@router.get("/upload")
def upload(
    request: Request,
    parts: Parts,
    script: Annotated[str | None, Query(pattern=SCRIPT_PATTERN)] = None,
) -> HtmlPage:
    """Show where a script is handed in: an empty one, or one that is kept, to be changed."""
    place = place_of(request)
    edited: KeptScript | None = None
    now = ScriptNow(b"")
    if script is not None:
        edited = parts.scripts.script(script)
        now = _now(parts, edited)
    return page(
        request,
        "upload.html",
        "upload",
        place=place,
        edited=edited,
        now=now,
        text=now.data.decode("utf-8", "replace"),
        sample=_SAMPLE,
        voices=parts.registry().names(),
        speakers=_speakers(parts),
        scripts=parts.scripts.latest(_LISTED),
    )


def _now(parts: ConsoleParts, script: KeptScript) -> ScriptNow:
    data = parts.scripts.text(script.id)
    try:
        specs = parts.scripts.file(script.id).specs
    except InvalidJobFile:  # a version before took it; what is wrong by now is told beside its lines
        return ScriptNow(data)
    return script_now(parts.queue, data, specs, name=script.name, voice=script.voice, speaker=script.speaker)


def _speakers(parts: ConsoleParts) -> Sequence[str]:
    """Who can speak with nothing but the engine that is set."""
    return sorted(engine_facts(parts.engine).speakers, key=str.casefold)


@router.get("/scripts/{script}")
def lines(
    request: Request,
    parts: Parts,
    script: ScriptId,
    first: Annotated[int, Query(alias="from", ge=1, le=1_000_000)] = 1,
) -> HtmlPage:
    """Show the lines of a script in their order, each as it is by now."""
    place = place_of(request)
    known, file = parts.scripts.script(script), parts.scripts.file(script)
    begin = min(first, len(file.specs)) - 1
    end = begin + LINES_SHOWN
    shown = script_lines(parts.queue, file.specs[begin:end], file.lines[begin:end], first=begin + 1)
    changed = known_now(parts.queue, [line.spec for line in shown if line.is_changed])
    progress = script_progress(parts.queue, file.specs)
    maker: EpisodeMaker = request.app.state.episodes
    return page(
        request,
        "script.html",
        "upload",
        place=place,
        script=known,
        lines=shown,
        now={request_id: words_of(known) for request_id, known in changed.items()},
        paused=parts.queue.snapshot().paused,
        counts=progress.counts,
        open=progress.open[:_AT_ONCE],
        bad=progress.bad[:_AT_ONCE],
        total=len(file.specs),
        before=max(1, begin + 1 - LINES_SHOWN) if begin else None,
        behind=end + 1 if end < len(file.specs) else None,
        episode=maker.look(known),
        stem=safe_stem(known.name),
        formats=EPISODE_FORMATS,
    )
