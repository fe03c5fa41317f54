"""Acceptance: whether a video is what was promised, check by check, before anybody ships it."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from job_pipeline.stages import audio, film, storyboard_file
from job_pipeline.stages.missing_part import MissingPart, made_by
from job_pipeline.stages.origin import files_of
from job_pipeline.stages.script_file import NAME as SCRIPT
from job_pipeline.stages.script_file import narration_at
from lib.errors import BadConfiguration, ExitStatus
from lib.files import read_plain
from lib.jobs.video_process import accept
from lib.pipeline.context import TaskContext, measure_file

RESULTS: Final = "acceptance_results.json"
_MOST_CAPTIONS: Final = 64 << 20
# Of the estimate: beyond that something else was spoken, or a part is missing.
_SHORTEST, _LONGEST = 0.4, 2.5
_COVERED: Final = 0.8  # of the voice-over: where the last caption ends
_CUE_END: Final = re.compile(r"--> (\d+):(\d\d):(\d\d)[,.](\d{3})")


class VideoRefused(BadConfiguration):
    """The video is not what was promised. A retry finds the same: something before it has to be done anew."""


@dataclass(frozen=True, slots=True)
class AcceptanceCheck:
    """One thing that was looked at. `found` is what is wrong where it is not `ok`; `measured` are numbers."""

    name: str
    ok: bool
    found: str
    measured: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As `acceptance_results.json` has it."""
        shown = {"name": self.name, "ok": self.ok, "found": self.found}
        return {**shown, "measured": dict(self.measured)} if self.measured else shown


def acceptance(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Look at all that the stages before made, and at the film itself: `acceptance_results.json`.

    Raises:
        MissingPart: what looks at films is not installed.
        VideoRefused: a check failed; its name and the first thing that is wrong are in the sentence.
    """
    checks = list(_checks(inputs, context))
    failed = [check for check in checks if not check.ok]
    value = {
        "format": 1,
        "accepted": not failed,
        "checks": [check.to_json() for check in checks],
        "sources": {name: result["source"] for name, result in inputs.items() if "source" in result},
    }
    data = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    measures = {"checks": len(checks), "failed": len(failed)}
    context.write(RESULTS, data, type="application/json", measures=measures)
    if failed:
        reasons = "; ".join(f"{check.name}: {check.found}" for check in failed)
        raise VideoRefused(f"{context.run} is not accepted: {reasons}")
    return {**value, "files": files_of(context)}


def _checks(inputs: Mapping[str, Any], context: TaskContext) -> Iterator[AcceptanceCheck]:
    yield _files_are_whole(inputs, context)
    yield _no_placeholders(inputs)
    yield _all_is_shown(inputs, context)
    yield _all_is_spoken(inputs, context)
    yield _length_fits(inputs)
    yield _captions_cover(inputs, context)
    yield _film_is_long_enough(inputs)
    if not inputs["assemble"]["placeholder"]:
        yield _all_scenes_are_in_it(inputs)
        yield from _film_is_sound(inputs, context)


def _files_are_whole(inputs: Mapping[str, Any], context: TaskContext) -> AcceptanceCheck:
    """Every file is there as its stage made it.

    `script.txt` may have been edited at its gate, and a picture at its own: then the film must show that.
    """
    shown = inputs["assemble"].get("pictures", {})
    for file in _files(inputs):
        try:
            _, sha256 = measure_file(context.folder / file["path"])
        except OSError:
            return AcceptanceCheck("files_are_whole", False, f"{file['path']} is not there")
        if sha256 != shown.get(file["path"], file["sha256"]) and file["path"] != SCRIPT:
            return AcceptanceCheck("files_are_whole", False, f"{file['path']} is not what its stage made")
    wanted = (SCRIPT, storyboard_file.NAME, audio.VOICEOVER, audio.CAPTIONS, film.NAME)
    paths = {file["path"] for file in _files(inputs)}
    missing = [path for path in wanted if path not in paths]
    found = f"no stage made {', '.join(missing)}" if missing else f"{len(paths)} files"
    return AcceptanceCheck("files_are_whole", not missing, found)


def _no_placeholders(inputs: Mapping[str, Any]) -> AcceptanceCheck:
    found = [file["path"] for file in _files(inputs) if file["placeholder"]]
    if not found:
        return AcceptanceCheck("no_placeholders", True, "none")
    more = f" and {len(found) - 1} more files are placeholders" if found[1:] else " is a placeholder"
    return AcceptanceCheck("no_placeholders", False, f"{found[0]}{more}")


def _all_is_shown(inputs: Mapping[str, Any], context: TaskContext) -> AcceptanceCheck:
    narration, _ = narration_at(context.folder, inputs["script"])
    shown = " ".join(scene["narration"] for scene in inputs["storyboard"]["scenes"])
    same = _words(shown) == _words(narration.text)
    found = f"{len(inputs['storyboard']['scenes'])} scenes" if same else "the storyboard is of another script"
    return AcceptanceCheck("storyboard_shows_the_script", same, found)


def _all_is_spoken(inputs: Mapping[str, Any], context: TaskContext) -> AcceptanceCheck:
    narration, _ = narration_at(context.folder, inputs["script"])
    spoken = " ".join(beat["text"] for beat in inputs["audio"]["beats"])
    same = _words(spoken) == _words(narration.text)
    found = f"{inputs['audio']['words']} words" if same else "the voice-over is of another script"
    return AcceptanceCheck("voiceover_speaks_the_script", same, found)


def _length_fits(inputs: Mapping[str, Any]) -> AcceptanceCheck:
    seconds, estimate = inputs["audio"]["seconds"], inputs["storyboard"]["seconds"]
    ok = _SHORTEST * estimate <= seconds <= _LONGEST * estimate + len(inputs["audio"]["beats"])
    return AcceptanceCheck("length_fits_the_words", ok, f"{seconds:.1f} s, {estimate:.1f} s were estimated")


def _captions_cover(inputs: Mapping[str, Any], context: TaskContext) -> AcceptanceCheck:
    seconds = inputs["audio"]["seconds"]
    try:
        text = read_plain(context.folder / audio.CAPTIONS, _MOST_CAPTIONS).decode("utf-8", "replace")
    except OSError:
        text = ""
    ends = [
        int(end[1]) * 3600 + int(end[2]) * 60 + int(end[3]) + int(end[4]) / 1000
        for end in _CUE_END.finditer(text)
    ]
    last = max(ends, default=0.0)
    ok = _COVERED * seconds <= last <= seconds + 0.5
    return AcceptanceCheck("captions_cover_the_voiceover", ok, f"the last one ends at {last:.1f} s")


def _film_is_long_enough(inputs: Mapping[str, Any]) -> AcceptanceCheck:
    seconds, spoken = inputs["assemble"]["seconds"], inputs["audio"]["seconds"]
    return AcceptanceCheck("video_is_as_long", abs(seconds - spoken) <= 1.0, f"{seconds:.1f} s")


def _all_scenes_are_in_it(inputs: Mapping[str, Any]) -> AcceptanceCheck:
    scenes, wanted = inputs["assemble"]["scenes"], len(inputs["storyboard"]["scenes"])
    return AcceptanceCheck("video_shows_every_scene", scenes == wanted, f"{scenes} of {wanted} scenes")


def _film_is_sound(inputs: Mapping[str, Any], context: TaskContext) -> Iterator[AcceptanceCheck]:
    """What `video-synth accept` finds: streams, length, black frames, silence, peaks, loudness, captions."""
    captioned = inputs["assemble"]["captions"] != "off"
    options = ["--narration", str(context.folder / audio.VOICEOVER)]
    options += ["--captions", str(context.folder / audio.CAPTIONS)] if captioned else ["--no-captions"]
    with tempfile.TemporaryDirectory(prefix=".accept-", dir=context.folder) as scratch:
        status, answer = accept(context.folder / film.NAME, Path(scratch) / "results.json", options)
    if "checks" not in answer or status not in (ExitStatus.OK, ExitStatus.JOB_FAILED):
        try:
            made_by(context, "video-synth accept", (status, answer))
        except MissingPart as missing:
            if not context.allow_placeholders:
                raise
            yield AcceptanceCheck("video_was_checked", False, missing.message)
        return
    for check in answer["checks"]:
        yield AcceptanceCheck(
            f"video_{check['name']}", check["passed"], check["sentence"].rstrip("."), check["measured"]
        )


def _files(inputs: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for result in inputs.values():
        yield from result["files"]


def _words(text: str) -> str:
    """What is said, without the blanks between it."""
    return "".join(text.split())
