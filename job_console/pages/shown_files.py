"""Files of runs as pages show them: what is heard, seen or read in its place, and what is a download."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from job_console.pages.players import HeardTake, artifact_address, of_artifact
from job_console.ranged import safe_type
from lib.pipeline.model import Artifact

#: Audio files of a page that have a player with a waveform; what is beyond has the browser's own.
_PLAYERS: Final = 8
_KINDS: Final[Mapping[str, str]] = {
    "audio": "audio",
    "video": "video",
    "image": "picture",
    "text": "text",
}


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file. `kind` is audio, video, picture, text, json, placeholder or other; `number` counts from 1.

    `heard` is what a player plays of an audio file.
    """

    number: int
    artifact: Artifact
    address: str
    kind: str
    heard: HeardTake | None = None

    @property
    def measures(self) -> str:
        """Its numbers, in words: `words 310, seconds 124.5`."""
        return ", ".join(f"{name} {value:g}" for name, value in self.artifact.measures.items())


def shown_files(run: str, artifacts: Iterable[Artifact]) -> list[ShownFile]:
    """Files of one run, numbered in their order."""
    found, players = [], 0
    for number, artifact in enumerate(artifacts, 1):
        kind, heard = _kind(artifact), None
        if kind == "audio" and players < _PLAYERS:
            players += 1
            heard = replace(
                of_artifact(run, artifact.path, artifact.sha256), seconds=artifact.measures.get("seconds")
            )
        found.append(ShownFile(number, artifact, artifact_address(run, artifact.path), kind, heard))
    return found


def _kind(artifact: Artifact) -> str:
    if artifact.placeholder:
        return "placeholder"
    served = safe_type(artifact.path)
    if served == "application/json":
        return "json"
    return _KINDS.get(served.partition("/")[0], "other")
