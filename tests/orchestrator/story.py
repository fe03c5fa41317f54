"""What a run of `video` has to tell when its script is rejected once, and what it told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

RUN: Final = "lamp"
OPERATOR: Final = "ann"
NOTE: Final = "shorter, at most 25 words"
LONGEST_SCRIPT_WORDS: Final = 25
SCRIPT: Final = """# The lamp

## A light that blinks

At the end of our pier stands a lamp. Every night it blinks. Nobody on land needs it.

## Why it blinks

A lamp that only shines could be a window. A lamp that blinks has a name. Sailors count the seconds.
"""

#: So small that most of the time is the voice's.
SMALL_FILM: Final = "film: {width: 320, height: 180, fps: 12}\n"

Step = tuple[str, str | None, int | None]
_QUEUE: Final = ("stage_parked", "stage_unparked", "stage_collecting")


def _done(*stages: str) -> Iterator[Step]:
    for stage in stages:
        yield from (("stage_started", stage, 1), ("stage_completed", stage, 1))


def _approved(stage: str, attempt: int = 1, *, between: Sequence[str] = ()) -> Iterator[Step]:
    yield ("stage_started", stage, attempt)
    yield from ((kind, stage, attempt) for kind in between)
    yield from ((kind, stage, attempt) for kind in ("stage_completed", "gate_pause", "gate_approved"))


#: Every event of the run, in its order.
STORY: Final[Sequence[Step]] = (
    ("job_started", None, None),
    *_done("outline", "research"),
    *_done("script"),
    ("gate_pause", "script", 1),
    ("gate_rejected", "script", 1),
    ("stage_retried", "script", 1),
    ("job_resumed", None, None),
    *_approved("script", 2),
    *_approved("storyboard"),
    *_approved("assets"),
    *_done("animatics"),
    *_approved("audio", between=_QUEUE),
    *_done("assemble", "acceptance"),
    ("job_completed", None, None),
)
#: What must lie in the folder of the run (P23).
FILES: Final = frozenset(
    {
        "outline.txt",
        "research.json",
        "script.txt",
        "storyboard.json",
        "asset_plan.json",
        "assets/scene_000.png",
        "animatics/scene_000.mp4",
        "voiceover.mp3",
        "captions.srt",
        "video.mp4",
        "video.preview.mp4",
        "poster.jpg",
        "timeline.json",
        "acceptance_results.json",
    }
)


def step_of(event: Mapping[str, Any]) -> Step:
    """What is compared of an event; times and owners are another matter each time."""
    return event["event"], event["stage"], event["attempt"]


def text_of(step: Step) -> str:
    """`gate_pause script 2`."""
    return " ".join(str(part) for part in step if part is not None)


def story_faults(told: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Where the events of each place differ from the story, and the places from each other; nowhere: none."""
    faults = []
    for place, events in told.items():
        steps = [step_of(event) for event in events]
        pairs = zip(steps, STORY, strict=False)
        at = next((n for n, (is_, should) in enumerate(pairs) if is_ != should), min(len(steps), len(STORY)))
        if at < max(len(steps), len(STORY)):
            is_, should = (text_of(found[at]) if at < len(found) else "its end" for found in (steps, STORY))
            faults.append(f"{place}: event {at + 1} is {is_}, and should be {should}")
    (first, events), *others = told.items()
    faults += [f"{place} does not tell the same as {first}" for place, found in others if found != events]
    return faults


def decision_faults(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Decisions that do not name their operator, and a note that did not reach the trail."""
    faults = []
    for event in events:
        if event["event"] in ("gate_approved", "gate_rejected") and event["data"].get("operator") != OPERATOR:
            faults.append(f"{text_of(step_of(event))} does not name {OPERATOR}: {event['data']}")
        if event["event"] == "gate_rejected" and event["data"].get("notes") != NOTE:
            faults.append(f"the rejection does not have its note: {event['data']}")
    return faults


def file_faults(artifacts: Sequence[Mapping[str, Any]], folder: Path) -> list[str]:
    """Files that are missing, are not what the ledger says of them, or are longer than the note allowed."""
    by_path = {each["path"]: each for each in artifacts}
    faults = [f"{path} is not among the artifacts" for path in sorted(FILES - set(by_path))]
    faults += [f"{path} does not lie in {folder}" for path in by_path if not (folder / path).is_file()]
    words = by_path.get("script.txt", {}).get("measures", {}).get("words")
    if words is None or words > LONGEST_SCRIPT_WORDS:
        faults.append(f"the script has {words} words, and its second attempt was told: {NOTE}")
    for path, artifact in by_path.items():
        if artifact["placeholder"] is not False:
            faults.append(f"{path} is a placeholder, and should be real")
        elif (folder / path).is_file() and _sha256(folder / path) != artifact["sha256"]:
            faults.append(f"{path} is not what the ledger says of it")
    return [*faults, *_film_faults(by_path, folder)]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _film_faults(by_path: Mapping[str, Mapping[str, Any]], folder: Path) -> list[str]:
    """A film that is none, or is not as long as what is spoken in it."""
    faults = []
    head = (folder / "video.mp4").read_bytes()[4:8] if (folder / "video.mp4").is_file() else b""
    if head != b"ftyp":
        faults.append("video.mp4 is no mp4")
    seconds = by_path.get("video.mp4", {}).get("measures", {}).get("seconds", 0.0)
    spoken = by_path.get("voiceover.mp3", {}).get("measures", {}).get("seconds", -1.0)
    if abs(seconds - spoken) > 0.1:
        faults.append(f"video.mp4 lasts {seconds} s, and the voice-over {spoken} s")
    return faults


def lines_of(path: Path, *, run: str | None = None) -> list[dict[str, Any]]:
    """The events of a file of the trail; with `run` those of one run. A file that is not there has none."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    events: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    return [event for event in events if run is None or event["run"] == run]
