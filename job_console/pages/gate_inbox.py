"""The inbox of gates: what waits for a person, one after the other, with all that a decision needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from job_console.api.kinds import RUN_PATTERN, STAGE_PATTERN, Parts
from job_console.notes import ListenerNote
from job_console.pages.rendering import HtmlPage, page, place_of
from job_console.pages.run_words import name_of
from job_console.pages.scene_tables import SceneRow, scene_rows
from job_console.pages.shown_files import ShownFile, shown_files
from job_console.pages.text_changes import ChangedLine, changes_of
from job_console.route_services import ConsoleParts
from lib.pipeline.gate_triage import TriagedGate, heeded, rejected_runs, triaged_gates
from lib.pipeline.model import Artifact, GateRow
from lib.pipeline.overview import WaitingGate
from lib.pipeline.rejected_texts import is_text, rejected_text, text_below
from lib.pipeline.views import get_job_status

router = APIRouter(include_in_schema=False)

_LISTED: Final = 100
_COMPARED: Final = 10  # texts of one gate
#: Why something is rejected, as it is said most often; the note says the rest.
REASONS: Final = ("Facts", "Tone", "Length", "Pronunciation", "Sound", "Picture", "Timing")


@dataclass(frozen=True, slots=True)
class ComparedText:
    """A text beside what it said when it was rejected. `lines` None: too long to be compared."""

    path: str
    lines: Sequence[ChangedLine] | None


@dataclass(frozen=True, slots=True)
class GateCard:
    """All that a decision needs. `rejected` is the newest rejection of this stage, `told` what came of it.

    `notes` are the open ones of files that this stage made before, at their times. `scenes` are those of a
    storyboard among the files, by its path.
    """

    found: TriagedGate
    name: str
    instruction: str | None
    files: Sequence[ShownFile]
    scenes: Mapping[str, Sequence[SceneRow]]
    rejected: GateRow | None
    told: dict[str, Any]
    compared: Sequence[ComparedText]
    notes: Sequence[ListenerNote]
    result: Any


@router.get("/gates")
def gates(
    request: Request,
    parts: Parts,
    run: Annotated[str | None, Query(pattern=RUN_PATTERN)] = None,
    stage: Annotated[str | None, Query(pattern=STAGE_PATTERN)] = None,
) -> HtmlPage:
    """All gates that wait, and the one that is looked at."""
    place = place_of(request)
    inbox = triaged_gates(parts.ledger)
    chosen = _chosen(inbox, run, stage)
    card = None if chosen is None else _card(parts, chosen)
    return page(
        request,
        "gates.html",
        "gates",
        place=place,
        inbox=inbox[:_LISTED],
        waiting=len(inbox),
        card=card,
        gone=None if run is None or chosen is not None else _gone(parts, run, stage),
        rejected=rejected_runs(parts.ledger),
        reasons=REASONS,
    )


def _chosen(inbox: Sequence[TriagedGate], run: str | None, stage: str | None) -> TriagedGate | None:
    if run is None:
        return inbox[0] if inbox else None
    for each in inbox:
        if each.waiting.gate.run == run and stage in (None, each.waiting.gate.task):
            return each
    return None


def _gone(parts: ConsoleParts, run: str, stage: str | None) -> GateRow | None:
    """The newest decision about a gate that does not wait any more. Raises UnknownRun."""
    decided = [gate for gate in get_job_status(parts.ledger, run).gates if stage in (None, gate.task)]
    return decided[-1] if decided else None


def _card(parts: ConsoleParts, found: TriagedGate) -> GateCard:
    waiting = found.waiting
    view = get_job_status(parts.ledger, waiting.gate.run)
    rejected = next((gate for gate in reversed(waiting.before) if gate.decision == "rejected"), None)
    folder = parts.trail_files.folder_of(waiting.gate.run)
    result = view.results.get(waiting.gate.task)
    return GateCard(
        found=found,
        name=name_of(view),
        instruction=next(t.instruction for t in view.line.tasks if t.name == waiting.gate.task),
        files=shown_files(waiting.gate.run, sorted(waiting.artifacts, key=_is_json)),
        scenes={
            file.path: rows
            for file in waiting.artifacts
            if _is_json(file) and (rows := scene_rows(text_below(folder, file.path)))
        },
        rejected=rejected,
        told=dict(heeded(result)),
        compared=[] if rejected is None else [*_compared(folder, rejected, waiting)],
        notes=_notes(parts, waiting),
        result=None if waiting.artifacts else result,
    )


def _is_json(file: Artifact) -> bool:
    """What programs read stands behind what people look at."""
    return file.path.endswith(".json")


def _notes(parts: ConsoleParts, waiting: WaitingGate) -> list[ListenerNote]:
    """Those of a file under the same name that held something else; its own the player has."""
    now = {file.path: file.sha256 for file in waiting.artifacts}
    return [
        note
        for note in parts.notes.of(run=waiting.gate.run)
        if note.settled_at is None and note.part in now and note.sha256 != now[note.part]
    ]


def _compared(folder: Path, rejected: GateRow, waiting: WaitingGate) -> Iterator[ComparedText]:
    """The texts that were kept when an attempt was rejected, beside what they say now."""
    for artifact in [file for file in waiting.artifacts if is_text(file)][:_COMPARED]:
        before = rejected_text(folder, rejected, artifact.path)
        after = None if before is None else text_below(folder, artifact.path)
        if before is not None and after is not None:
            yield ComparedText(artifact.path, changes_of(before, after))
