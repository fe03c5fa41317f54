"""Pages to listen to, one for each topic: which beats, where the page goes, and the process that makes it."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.cli import output
from lib.errors import JobRunnerError
from lib.jobs.page_beats import PAGE_NAME, PageBeat, by_topic, page_beats_in_folder
from lib.jobs.synth_process import run_synth
from lib.jobspec import titles


@dataclass(frozen=True, slots=True)
class MadePage:
    """A page, or why there is none: then `problem` is a sentence."""

    topic: str
    file: str
    beats: int
    playable: int
    problem: str | None

    def to_json(self) -> dict[str, Any]:
        """One entry of `pages`."""
        return {
            "topic": self.topic,
            "file": self.file,
            "beats": self.beats,
            "playable": self.playable,
            "problem": self.problem,
        }


def make_pages(beats: Sequence[PageBeat], place_of: Callable[[str], Path], name: str) -> list[MadePage]:
    """Make the page of each topic; `place_of` says in which folder it goes, `name` what no topic is called.

    Raises:
        JobFailed: the process was killed.
        KeyboardInterrupt: we were interrupted.
    """
    grouped = by_topic(beats)
    entries = [_entry(topic, place_of(topic), found, name) for topic, found in grouped.items()]
    for topic in grouped:
        with contextlib.suppress(OSError):  # the page's own trouble says it
            place_of(topic).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="job-runner-") as scratch:
        path = Path(scratch) / "pages.json"
        # ASCII alone: a path may hold bytes that are no text
        path.write_text(json.dumps({"format": 1, "pages": entries}), encoding="ascii")
        status, answer = run_synth(["page", str(path)], doing="The making of pages")
    made = answer.get("pages")
    if made is None:  # it said why on stderr, or in the error
        why = answer.get("error", {}).get("message", f"it ended with exit status {status}")
        made = [{"problem": why}] * len(entries)
    return [
        MadePage(
            topic,
            str(place_of(topic) / PAGE_NAME),
            len(found),
            sum(beat.is_playable for beat in found),
            row["problem"],
        )
        for (topic, found), row in zip(grouped.items(), made, strict=True)
    ]


def pages_after(
    beats: Callable[[], Sequence[PageBeat]], place_of: Callable[[str], Path], name: str
) -> list[str]:
    """The pages at the end of a command that does something else; what keeps one from being made is told.

    Returns where they are. A topic of which nothing can be played gets none.
    """
    try:
        found = beats()
        heard = {beat.topic for beat in found if beat.is_playable}
        made = make_pages([beat for beat in found if beat.topic in heard], place_of, name) if heard else []
    except (JobRunnerError, OSError) as error:
        why = error.message if isinstance(error, JobRunnerError) else f"{error.strerror or error}."
        output.warn(f"no page to listen to was made: {why}")
        return []
    problems = [page.problem for page in made if page.problem is not None]
    if problems:
        more = f" So it is with {len(problems) - 1} more." if len(problems) > 1 else ""
        output.warn(f"no page to listen to was made: {problems[0]}{more}")
    return [page.file for page in made if page.problem is None]


def pages_of_run(root: Path) -> list[str]:
    """The pages in the folder of a `run`."""
    there = root.absolute()
    return pages_after(lambda: page_beats_in_folder(there), lambda topic: root / topic, there.name)


def _entry(topic: str, folder: Path, beats: Sequence[PageBeat], name: str) -> dict[str, Any]:
    return {
        "file": str((folder / PAGE_NAME).absolute()),
        "title": topic or name,
        "beats": [
            {
                "title": titles(beat.output_name)[0],
                "text": beat.text,
                "state": beat.state,
                "note": beat.note,
                "record": None if beat.record is None else beat.record.to_json(),
                "files": ["" if file is None else str(file) for file in beat.files],
                "peaks": ["" if file is None else str(file) for file in beat.peaks],
            }
            for beat in beats
        ],
    }
