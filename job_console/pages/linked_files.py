"""The files of a gate as a page shows them: what is heard, seen or read, and what is only loaded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from job_console.ranged import safe_type
from lib.files import open_below
from lib.pipeline.model import Artifact

#: More are counted alone: a phone loads each of them.
MOST_FILES: Final = 60
_MOST_TEXTS: Final = 6
_TEXT_BYTES: Final = 20_000


@dataclass(frozen=True, slots=True)
class LinkedFile:
    """One file: `kind` is audio, image, video, text or other.

    `text` is what stands in it, `cut` where there is more; None where it is none to read, or `gone`.
    """

    artifact: Artifact
    kind: str
    gone: bool = False
    text: str | None = None
    cut: bool = False


def linked_files(folder: Path, artifacts: Sequence[Artifact]) -> list[LinkedFile]:
    """Files of a run's folder as a page shows them; a text is read as far as a page is read."""
    found, texts = [], 0
    for artifact in artifacts[:MOST_FILES]:
        shown = _shown(folder, artifact, reads=texts < _MOST_TEXTS)
        texts += shown.text is not None
        found.append(shown)
    return found


def _shown(folder: Path, artifact: Artifact, *, reads: bool) -> LinkedFile:
    kind = _kind_of(artifact.path)
    try:
        descriptor = open_below(folder, artifact.path)
    except OSError:
        return LinkedFile(artifact, kind, gone=True)
    with open(descriptor, "rb") as file:
        if kind != "text" or not reads:
            return LinkedFile(artifact, kind)
        data = file.read(_TEXT_BYTES + 1)
        more = os.fstat(descriptor).st_size > _TEXT_BYTES
    return LinkedFile(artifact, kind, text=data[:_TEXT_BYTES].decode("utf-8", "replace"), cut=more)


def _kind_of(path: str) -> str:
    safe = safe_type(path)
    major = safe.partition("/")[0]
    if major in ("audio", "image", "video", "text"):
        return major
    return "text" if safe == "application/json" else "other"
