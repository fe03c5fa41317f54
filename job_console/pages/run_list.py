"""All runs, and the form that starts one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request

from job_console.api.kinds import RUN_PATTERN, Parts
from job_console.pages.rendering import HtmlPage, page, place_of
from job_console.pages.run_words import RUN_LOOKS, STAGE_LOOKS, stage_word
from lib.pipeline.gate_triage import rejected_among
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import TaskRow
from lib.pipeline.snapshots import GraphSnapshot, list_snapshots
from lib.pipeline.states import RunState
from lib.pipeline.views import RunLine, get_job_status, list_runs

router = APIRouter(include_in_schema=False)

_PAGE: Final = 20
#: Characters of inputs that are offered for the next run; a longer text is chosen as a file again.
_OFFERED: Final = 20_000

OfDag = Annotated[str, Query(max_length=63, pattern=r"^[^\x00]*$")]


@router.get("/runs")
def runs(
    request: Request,
    parts: Parts,
    active: bool = False,
    dag: OfDag = "",
    state: Annotated[list[RunState] | None, Query(max_length=20)] = None,
    after: Annotated[str | None, Query(pattern=RUN_PATTERN)] = None,
) -> HtmlPage:
    """The newest runs, by what is asked of them."""
    place = place_of(request)
    lines = list_runs(
        parts.ledger,
        count=_PAGE + 1,
        active=active,
        dags=[dag] if dag else None,
        states=state or None,
        behind=after,
    )
    shown = lines[:_PAGE]
    asked: list[tuple[str, str]] = [("state", str(each)) for each in state or ()]
    asked += [("active", "true")] * active + [("dag", dag)] * bool(dag)
    return page(
        request,
        "runs.html",
        "runs",
        place=place,
        lines=_in_words(parts.ledger, shown),
        more=f"/runs?{urlencode([*asked, ('after', shown[-1].run.id)])}" if len(lines) > _PAGE else None,
        first=f"/runs?{urlencode(asked)}" if after else None,
        narrowed=bool(asked),
        active=active,
        dag=dag,
        states=state or [],
        dags=[each.graph.dag for each in _active(parts.ledger)],
        run_looks=RUN_LOOKS,
        stage_looks=STAGE_LOOKS,
    )


def _in_words(
    ledger: PipelineLedger, shown: Sequence[RunLine]
) -> list[tuple[RunLine, list[tuple[TaskRow, str]]]]:
    """Each run with the word of each stage."""
    rejected = {(each.gate.run, each.gate.task): each.gate for each in rejected_among(ledger, shown)}

    def word(task: TaskRow, line: RunLine) -> str:
        return stage_word(task, line, rejected.get((line.run.id, task.name)))

    return [(line, [(task, word(task, line)) for task in line.tasks]) for line in shown]


@router.get("/start")
def start(
    request: Request,
    parts: Parts,
    dag: OfDag = "",
    like: Annotated[
        str | None, Query(pattern=RUN_PATTERN, description="Begin with this run's inputs.")
    ] = None,
) -> HtmlPage:
    """The form that starts a run of a stored pipeline."""
    place = place_of(request)
    stored = _active(parts.ledger)
    model = None if like is None else get_job_status(parts.ledger, like)
    chosen = model.line.run.dag if model is not None else dag or (stored[0].graph.dag if stored else "")
    said = next((each.graph.inputs for each in stored if each.graph.dag == chosen), ())
    rows: list[dict[str, str]]
    if model is not None:
        rows, whole = _rows(dict(model.inputs))
    else:
        newest = list_runs(parts.ledger, count=1, dags=[chosen])
        known = get_job_status(parts.ledger, newest[0].run.id).inputs if newest else {}
        rows, whole = [{**row, "value": ""} for row in _rows(dict(known))[0]], True
    return page(
        request,
        "start.html",
        "runs",
        place=place,
        stored=stored,
        chosen=chosen,
        stages=next((each.graph.stages for each in stored if each.graph.dag == chosen), ()),
        said=[(each, _value_of(each.name, rows)) for each in said],
        rows=rows or [{"name": "", "value": "", "kind": "text"}],
        like=like,
        whole=whole,
        slug="" if model is None else model.line.slug or "",
    )


def _value_of(name: str, rows: list[dict[str, str]]) -> str:
    return next((row["value"] for row in rows if row["name"] == name), "")


def _active(ledger: PipelineLedger) -> list[GraphSnapshot]:
    return sorted((each for each in list_snapshots(ledger) if each.active), key=lambda each: each.graph.dag)


def _rows(inputs: dict[str, Any]) -> tuple[list[dict[str, str]], bool]:
    """Inputs as fields of a form, texts as they are and the rest as JSON; whether all of it is offered."""
    rows, left, whole = [], _OFFERED, True
    for name, value in inputs.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
        left -= len(text)
        if left < 0:
            text, whole = "", False
        rows.append({"name": name, "value": text, "kind": "text" if isinstance(value, str) else "json"})
    return rows, whole
