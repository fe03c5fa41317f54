"""`make test-orchestrator` sees what it has to see: a trail that is not the story is a fault (P25)."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.orchestrator.story import (
    FILES,
    NOTE,
    OPERATOR,
    STORY,
    decision_faults,
    file_faults,
    lines_of,
    story_faults,
)

Events = Sequence[dict[str, Any]]


def told() -> list[dict[str, Any]]:
    """The events of a run that went as it should."""
    data = {"gate_approved": {"operator": OPERATOR}, "gate_rejected": {"operator": OPERATOR, "notes": NOTE}}
    return [
        {"position": place, "event": kind, "stage": stage, "attempt": attempt, "data": data.get(kind, {})}
        for place, (kind, stage, attempt) in enumerate(STORY, 1)
    ]


def faults(changed: Events) -> list[str]:
    """What is said when the second of two places has these events."""
    return story_faults({"the database": told(), "a file": changed})


def test_the_story_itself_has_no_fault() -> None:
    assert faults(told()) == []
    assert decision_faults(told()) == []


def test_an_event_that_is_missing_twice_or_too_early_is_a_fault_wherever_it_is() -> None:
    events = told()
    for at in range(len(events)):
        assert faults([*events[:at], *events[at + 1 :]]), at
        assert faults([*events[: at + 1], *events[at:]]), at
    for at, (one, other) in enumerate(itertools.pairwise(events)):
        assert faults([*events[:at], other, one, *events[at + 2 :]]), at


def test_a_place_that_tells_other_data_or_nothing_is_a_fault(tmp_path: Path) -> None:
    events = told()
    events[3] = {**events[3], "position": 99}
    assert faults(events) == ["a file does not tell the same as the database"]
    nothing = lines_of(tmp_path / "state.jsonl")
    assert faults(nothing)[0] == "a file: event 1 is its end, and should be job_started"


def test_a_decision_without_its_operator_or_note_is_a_fault() -> None:
    decisions = [event for event in told() if event["data"]]
    assert len(decisions) == 5
    for at, event in enumerate(decisions):
        for key in event["data"]:
            changed = {**event, "data": {**event["data"], key: "?"}}
            assert len(decision_faults([*decisions[:at], changed, *decisions[at + 1 :]])) == 1


def test_a_file_that_is_missing_placed_or_too_long_is_a_fault(tmp_path: Path) -> None:
    film = b"\0\0\0\x20ftypisom"
    measures = {"words": 18, "seconds": 5.0}
    artifacts = [
        {
            "path": path,
            "placeholder": False,
            "measures": measures,
            "sha256": hashlib.sha256(film).hexdigest(),
        }
        for path in sorted(FILES)
    ]
    for path in FILES:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(film)
    assert file_faults(artifacts, tmp_path) == []

    for at, artifact in enumerate(artifacts):
        assert file_faults([*artifacts[:at], *artifacts[at + 1 :]], tmp_path), artifact
    long = [{**each, "measures": {**measures, "words": 38}} for each in artifacts]
    assert file_faults(long, tmp_path) == [
        f"the script has 38 words, and its second attempt was told: {NOTE}"
    ]
    placed = [{**each, "placeholder": True} for each in artifacts]
    assert len(file_faults(placed, tmp_path)) == len(FILES)
    short = [
        {**each, "measures": {**measures, "seconds": 4.0}} if each["path"] == "video.mp4" else each
        for each in artifacts
    ]
    assert file_faults(short, tmp_path) == ["video.mp4 lasts 4.0 s, and the voice-over 5.0 s"]
    (tmp_path / "video.mp4").write_bytes(b"{}")
    assert file_faults(artifacts, tmp_path) == [
        "video.mp4 is not what the ledger says of it",
        "video.mp4 is no mp4",
    ]
    (tmp_path / "video.mp4").unlink()
    assert file_faults(artifacts, tmp_path)[0] == f"video.mp4 does not lie in {tmp_path}"
