"""The pictures of docs/explanation/ledger.md, made from the tables of `lib.pipeline.states`.

python -m tests.unit.pipeline.state_diagrams    # writes them into the page
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lib.pipeline.states import ENDED, MET, RUN_TRANSITIONS, TASK_TRANSITIONS, RunState, TaskState

PAGE = Path(__file__).parents[3] / "docs/explanation/ledger.md"


def of_tasks() -> str:
    """An arrow for each two states that follow each other, with the events that do it."""
    arrows: dict[tuple[TaskState, TaskState], list[str]] = {}
    for (before, event), after in TASK_TRANSITIONS.items():
        arrows.setdefault((before, after), []).append(event)
    lines = [f"{before} --> {after}: {', '.join(events)}" for (before, after), events in arrows.items()]
    return _diagram(TaskState.PENDING, lines, MET)


def of_runs() -> str:
    """An arrow for each state that may follow another."""
    lines = [
        f"{before} --> {after}"
        for before, following in RUN_TRANSITIONS.items()
        for after in RunState
        if after in following
    ]
    return _diagram(RunState.QUEUED, lines, ENDED)


def _diagram(first: str, arrows: Iterable[str], last: Iterable[str]) -> str:
    ends = [f"{state} --> [*]" for state in sorted(last)]
    body = "\n".join(f"    {line}" for line in [f"[*] --> {first}", *arrows, *ends])
    return f"```mermaid\nstateDiagram-v2\n{body}\n```"


def with_pictures(page: str) -> str:
    """The page with the pictures of now behind their marks."""
    for name, picture in (("tasks", of_tasks()), ("runs", of_runs())):
        mark = f"<!-- states of {name} -->"
        before, found, after = page.partition(f"{mark}\n\n```mermaid\n")
        assert found, f"{PAGE} has no picture behind {mark}"
        page = f"{before}{mark}\n\n{picture}{after.partition('```')[2]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(with_pictures(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
