"""Files of runs as pages show them: what is heard, seen or read in its place, and what is a download."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from job_console.ranged import safe_type
from lib.pipeline.model import Artifact

_KINDS: Final[Mapping[str, str]] = {
    "audio": "audio",
    "video": "video",
    "image": "picture",
    "text": "text",
}


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file. `kind` is audio, video, picture, text, json, placeholder or other; `number` counts from 1."""

    number: int
    artifact: Artifact
    address: str
    kind: str

    @property
    def measures(self) -> str:
        """Its numbers, in words: `words 310, seconds 124.5`."""
        return ", ".join(f"{name} {value:g}" for name, value in self.artifact.measures.items())


def shown_files(run: str, artifacts: Iterable[Artifact]) -> list[ShownFile]:
    """Files of one run, numbered in their order."""
    return [
        ShownFile(number, artifact, address_of_file(run, artifact.path), _kind(artifact))
        for number, artifact in enumerate(artifacts, 1)
    ]


def address_of_file(run: str, path: str) -> str:
    """Where REST gives a file of a run."""
    parts = "/".join(quote(part, safe="") for part in path.split("/"))
    return f"/api/v1/runs/{quote(run, safe='')}/artifacts/{parts}"


def _kind(artifact: Artifact) -> str:
    if artifact.placeholder:
        return "placeholder"
    served = safe_type(artifact.path)
    if served == "application/json":
        return "json"
    return _KINDS.get(served.partition("/")[0], "other")
