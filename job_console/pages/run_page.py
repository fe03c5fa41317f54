"""One run: its stages as a graph, why nothing moves, what it made, what happened, and what can be done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from job_console.api.kinds import Parts, RunId
from job_console.notes import ListenerNote
from job_console.pages.rendering import HtmlPage, page, place_of
from job_console.pages.run_costs import RunCost, run_cost
from job_console.pages.run_words import (
    RUN_LOOKS,
    STAGE_LOOKS,
    StageAttempt,
    attempts_of,
    event_words,
    name_of,
    stage_word,
)
from job_console.pages.shown_files import ShownFile, shown_files
from job_console.pages.stage_graph import HEIGHT, WIDTH, draw_stages
from job_console.route_services import ConsoleParts
from lib.pipeline.graph import GraphStage
from lib.pipeline.model import GateRow, TaskRow, TrailEvent
from lib.pipeline.states import ENDED, RunState, TaskState
from lib.pipeline.trail import newest_events
from lib.pipeline.views import RunView, get_job_status
from lib.pipeline.wait_reasons import WaitReason

router = APIRouter(include_in_schema=False)

#: What the stages that end a production call the film and its picture.
_FILM: Final = "video.mp4"
_POSTER: Final = "poster.jpg"
_EVENTS: Final = 100  # of the trail, on one page
_STANDING: Final = (TaskState.NEEDS_APPROVAL, TaskState.DEAD, TaskState.FAILED)
_LOOKED_AT: Final = 1000  # events that attempts are told from


@dataclass(frozen=True, slots=True)
class StageCard:
    """All that the page tells of one stage."""

    task: TaskRow
    stage: GraphStage
    word: str
    gates: Sequence[GateRow]
    attempts: Sequence[StageAttempt]
    jobs: Sequence[Mapping[str, Any]]
    result: Any


@router.get("/runs/{run}")
def run_page(
    request: Request,
    parts: Parts,
    run: RunId,
    before: Annotated[int | None, Query(ge=0, le=10**15)] = None,
) -> HtmlPage:
    """One run as it stands."""
    place = place_of(request)
    events = newest_events(parts.ledger, run, count=_LOOKED_AT)
    view = get_job_status(parts.ledger, run)
    told = (
        events[-_EVENTS:]
        if before is None
        else newest_events(parts.ledger, run, count=_EVENTS, before=before)
    )
    files: dict[str, list[ShownFile]] = defaultdict(list)
    shown = shown_files(run, view.artifacts)
    for file in shown:
        files[file.artifact.task].append(file)
    film, poster = _film(view, shown)
    return page(
        request,
        "run.html",
        "runs",
        place=place,
        view=view,
        run=view.line.run,
        name=name_of(view),
        cards=_cards(view, attempts_of(events)),
        drawing=draw_stages(view.graph),
        box=(WIDTH, HEIGHT),
        files=files,
        film=film,
        poster=poster,
        folder=str(parts.trail_files.folder_of(run)),
        cost=_cost(parts, view),
        notes=_open_notes(parts, view),
        trail=[(event, event_words(event)) for event in told],
        last=events[-1].position if events else 0,
        earlier=_earlier(told),
        before=before,
        waits=[wait for wait in view.waits if not _is_below(wait)],
        others=[wait for wait in view.waits if _is_below(wait)],
        can=_steps(view),
        stages_anew=[t.name for t in view.line.tasks if _may_run_anew(t)],
        first_anew=_first_anew(view),
        rejected=next(iter(view.rejected), None),
        run_looks=RUN_LOOKS,
        stage_looks=STAGE_LOOKS,
    )


def _film(view: RunView, shown: Sequence[ShownFile]) -> tuple[ShownFile | None, ShownFile | None]:
    """The finished film of a completed run and its poster, where there are any."""
    if view.line.run.state is not RunState.COMPLETED:
        return None, None
    kinds = {(file.artifact.path, file.kind): file for file in shown}
    return kinds.get((_FILM, "video")), kinds.get((_POSTER, "picture"))


def _open_notes(parts: ConsoleParts, view: RunView) -> dict[str, list[ListenerNote]]:
    """What somebody noted at a time of a file and nobody settled, by the stage that makes that file."""
    stages = {file.path: file.task for file in view.artifacts}
    found: dict[str, list[ListenerNote]] = defaultdict(list)
    for note in parts.notes.of(run=view.line.run.id):
        if note.settled_at is None and note.part in stages:
            found[stages[note.part]].append(note)
    return found


def _earlier(told: Sequence[TrailEvent]) -> int | None:
    """The place before which there is more, if there may be."""
    return told[0].position if len(told) == _EVENTS else None


def _cards(view: RunView, attempts: Mapping[str, Sequence[StageAttempt]]) -> list[StageCard]:
    rejected = {gate.task: gate for gate in view.rejected}
    return [
        StageCard(
            task=task,
            stage=view.graph.by_name[task.name],
            word=stage_word(task, view.line, rejected.get(task.name)),
            gates=[gate for gate in view.gates if gate.task == task.name],
            attempts=attempts.get(task.name, ()),
            jobs=[job for job in view.jobs if job["task"] == task.name],
            result=view.results.get(task.name),
        )
        for task in view.line.tasks
    ]


def _is_below(wait: WaitReason) -> bool:
    """Whether a stage only waits for others of its run, which say themselves what they wait for."""
    return wait.command is None and wait.sentence.startswith("waits for ") and " lane " not in wait.sentence


def _steps(view: RunView) -> frozenset[str]:
    """What a person can do with the run now: cancel, resume, retry, advance."""
    state = view.line.run.state
    states = [task.state for task in view.line.tasks]
    found = set()
    if state not in (RunState.COMPLETED, RunState.CANCELED):
        found.add("cancel")
    if state is RunState.CANCELED:
        found.add("resume")
    elif TaskState.DEAD in states:
        found.add("retry")
    if state is not RunState.CANCELED and any(map(_may_run_anew, view.line.tasks)):
        found.add("advance")
    return frozenset(found)


def _may_run_anew(task: TaskRow) -> bool:
    return task.state not in (TaskState.PROCESSING, TaskState.SKIPPED, TaskState.BLOCKED) and task.attempt > 0


def _first_anew(view: RunView) -> str | None:
    """The stage that a person most likely wants to run anew: the one at which the run stands."""
    able = [task for task in view.line.tasks if _may_run_anew(task)]
    stand = [task.name for task in able if task.state in _STANDING]
    if view.rejected:
        return view.rejected[0].task
    return stand[0] if stand else able[-1].name if able else None


def _cost(parts: ConsoleParts, view: RunView) -> RunCost | None:
    ids: Iterable[str] = [str(job["request_id"]) for job in view.jobs]
    run = view.line.run
    until = run.finished_at if run.state in ENDED and run.finished_at is not None else view.line.now
    return run_cost(parts.open_rented, set(ids), run.created_at, until)
