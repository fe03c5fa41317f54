"""Runs the pipeline `video` offline on a short script, and checks all that it tells (P25).

    python -m tests.orchestrator

The script is rejected once, with a note that the next attempt has to follow; the four gates are approved.
Prints each transition as it happens, then the artifacts. Exit status 1 when the events of the database, of
runs/<run>/events.jsonl or of jobs/state.jsonl are not exactly the story, and the folder is kept then.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.orchestrator.production import Halted, Production
from tests.orchestrator.story import (
    NOTE,
    OPERATOR,
    RUN,
    SCRIPT,
    SMALL_FILM,
    STORY,
    decision_faults,
    file_faults,
    lines_of,
    step_of,
    story_faults,
    text_of,
)


def produce(at: Production) -> None:
    """Start the run and decide at its gates until it has ended."""
    (at.desk / "lamp.md").write_text(SCRIPT, encoding="utf-8")
    (at.desk / "conf").mkdir()
    (at.desk / "conf/operator.yaml").write_text(SMALL_FILM, encoding="utf-8")
    at.command("enqueue", "--dag", "video", "--run-id", RUN, "--uri", "lamp.md")
    at.open()
    begun = time.monotonic()
    rejected = False
    for event in at.follow(RUN):
        print(f"{time.monotonic() - begun:6.1f} s  {text_of(step_of(event))}{_said(event)}", flush=True)
        match event["event"]:
            case "stage_failed":  # no attempt may fail: what comes after it is another story
                raise Halted(f"{text_of(step_of(event))}{_said(event)}")
            case "gate_pause" if event["stage"] == "script" and not rejected:
                rejected = True
                at.command("reject", RUN, "script", "--notes", NOTE, "--operator", OPERATOR)
            case "gate_pause":
                at.command("approve", RUN, event["stage"], "--operator", OPERATOR)
            case "gate_rejected":
                at.command("advance", RUN, "--with-note", "--operator", OPERATOR)


def _said(event: dict[str, Any]) -> str:
    words = [event["data"][key] for key in ("operator", "notes", "error") if event["data"].get(key)]
    return f"  ({': '.join(words)})" if words else ""


def check(at: Production) -> list[str]:
    """Everything that is not as it should be."""
    run_folder = at.desk / "runs" / RUN
    told = {
        "the database": at.json("events", "--run", RUN),
        f"runs/{RUN}/events.jsonl": lines_of(run_folder / "events.jsonl"),
        "jobs/state.jsonl": lines_of(at.desk / "jobs/state.jsonl", run=RUN),
    }
    events = told["the database"]
    return [
        *story_faults(told),
        *decision_faults(events),
        *file_faults(at.json("artifacts", RUN)["artifacts"], run_folder),
    ]


def main() -> int:
    """The whole; its exit status."""
    folder = Path(tempfile.mkdtemp(prefix="jr-video-"))
    at = Production(folder)
    faults = []
    try:
        try:
            produce(at)
        finally:
            at.close()
        print(f"\n{at.command('artifacts', RUN)}")
        faults = check(at)
    except Halted as halted:
        faults = [str(halted)]
    if faults:
        print("\n".join([*faults, f"what it left lies in {folder}"]), file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    print(f"all {len(STORY)} events are in the database, in runs/{RUN}/events.jsonl and in jobs/state.jsonl")
    return 0


if __name__ == "__main__":
    sys.exit(main())
