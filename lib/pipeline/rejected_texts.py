"""What a stage had written when it was rejected: kept, to be held against what it writes instead."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lib.files import open_below, write_whole
from lib.pipeline.gates import reject_gate
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import Artifact, GateRow
from lib.pipeline.views import list_artifacts

#: Bytes of one text; beyond that nobody reads what is different.
LONGEST_TEXT: Final = 1 << 18
_MOST: Final = 20  # texts of one stage
_FOLDER: Final = ".rejected"
_TEXTS: Final = ("text/", "application/json", "application/x-subrip", "application/yaml")
_ENDINGS: Final = (".json", ".md", ".srt", ".txt", ".vtt", ".yaml", ".yml")


def is_text(artifact: Artifact) -> bool:
    """Whether a file is one that people read, by its type or its name."""
    return artifact.type.startswith(_TEXTS) or artifact.path.endswith(_ENDINGS)


def reject_and_keep(
    ledger: PipelineLedger,
    run: str,
    stage: str,
    *,
    folder: Path,
    operator: str,
    notes: str | None = None,
    seen: str | None = None,
    number: int | None = None,
) -> GateRow:
    """Refuse what a stage made, and keep its texts as they lie in the run's `folder` now.

    What cannot be read or written there is not kept: the decision stands all the same.

    Raises: as `reject_gate`.
    """
    texts = [
        artifact for artifact in list_artifacts(ledger, run) if artifact.task == stage and is_text(artifact)
    ]
    found = [(artifact.path, text_below(folder, artifact.path)) for artifact in texts[:_MOST]]
    gate = reject_gate(ledger, run, stage, operator=operator, notes=notes, seen=seen, number=number)
    with contextlib.suppress(OSError):
        _keep(_place(folder, gate), [(path, text) for path, text in found if text is not None])
    return gate


def _keep(place: Path, texts: Sequence[tuple[str, str]]) -> None:
    for path, text in texts:
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        write_whole(place / path, text.encode(), sync=False)


def rejected_text(folder: Path, gate: GateRow, path: str) -> str | None:
    """What a file said when that gate was rejected; None where it was not kept."""
    return text_below(_place(folder, gate), path)


def _place(folder: Path, gate: GateRow) -> Path:
    return folder / _FOLDER / f"{gate.task}-{gate.number}"


def text_below(folder: Path, path: str) -> str | None:
    """A text of UTF-8 below a folder; None where there is none, or a longer one than anybody compares."""
    try:
        with open(open_below(folder, path), "rb") as file:
            if os.fstat(file.fileno()).st_size > LONGEST_TEXT:
                return None
            return file.read(LONGEST_TEXT + 1).decode()
    except (OSError, ValueError):
        return None
