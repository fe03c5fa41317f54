"""Events and files as a line each."""

from __future__ import annotations

from lib.clock import rfc3339
from lib.pipeline.model import Artifact, TrailEvent
from lib.units import bytes_text


def event_text(event: TrailEvent) -> str:
    """`12  2026-11-22T09:00:00.120Z  ep-7  stage_completed  audio  attempt 1  seconds=2.1`."""
    parts = [str(event.position).rjust(6), rfc3339(event.at), event.run, str(event.kind)]
    if event.task is not None:
        parts += [event.task, f"attempt {event.attempt}"]
    return "  ".join([*parts, *(f"{key}={value}" for key, value in event.data.items())])


def artifact_text(artifact: Artifact) -> str:
    """`script.txt  text/plain  1.2 kB  words=212`, and that it is a placeholder where it is one."""
    measures = (f"{name}={value:g}" for name, value in artifact.measures.items())
    mark = ("PLACEHOLDER",) if artifact.placeholder else ()
    return "  ".join((artifact.path, artifact.type, bytes_text(artifact.size), *measures, *mark))
