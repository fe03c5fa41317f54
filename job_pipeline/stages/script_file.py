"""`script.txt`: the narration as people read it at the gate, and may edit it there before they approve.

The title, a line that says where the words come from, then the beats: `[beat-001]` and the text below it,
under the headings of their sections. A line of a text that looks like one of these begins with a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from job_pipeline.stages.narration import Narration, NarrationBeat, beat_id
from job_pipeline.stages.prose import clean, is_speakable
from lib.errors import BadInput, TryAgain
from lib.files import read_plain
from lib.foreign import parse_json
from lib.pipeline.context import measure_file

NAME: Final = "script.txt"
_STATE: Final = "state.json"
_MOST_BYTES: Final = 1 << 20
_MOST_STATE: Final = 16 << 20
_MARK: Final = re.compile(r"\[(beat-\d{3,6})\]\s*$")
_SPECIAL: Final = re.compile(r"[#\[\\]")


def render_script(narration: Narration, source: str) -> str:
    """The whole file."""
    lines = [f"# {narration.title}", source, ""]
    section = ""
    for beat in narration.beats:
        if beat.section and beat.section != section:
            lines += [f"## {beat.section}", ""]
        section = beat.section
        lines += [f"[{beat.id}]", *map(_escaped, beat.text.split("\n")), ""]
    return "\n".join(lines)


def parse_script(text: str, before: Narration) -> Narration:
    """The narration of a file that somebody edited. `before` is what it was: beats keep their voices by id.

    Raises:
        BadInput: there is nothing to say in it.
    """
    options = {beat.id: (beat.options, beat.title) for beat in before.beats}
    title, section, beats = before.title, "", list[NarrationBeat]()
    for line in clean(text).split("\n"):
        if line.startswith("# "):
            title = line[2:].strip() or title
        elif line.startswith("## "):
            section = line[3:].strip()
        elif mark := _MARK.match(line):
            given, name = options.get(mark[1], ({}, ""))
            beats.append(NarrationBeat(id=mark[1], text="", section=section, title=name, options=given))
        elif beats:
            beats[-1] = replace(beats[-1], text=f"{beats[-1].text}\n{line.removeprefix(chr(92))}".strip())
    spoken = [beat for beat in beats if is_speakable(beat.text)]
    if not spoken:
        raise BadInput(f"{NAME} was edited and has no beat with anything to say any more")
    if len({beat.id for beat in spoken}) < len(spoken):  # a copied mark; beats with other numbers
        spoken = [replace(beat, id=beat_id(number)) for number, beat in enumerate(spoken)]
    return Narration(title=title, beats=tuple(spoken))


def narration_at(folder: Path, result: Mapping[str, Any]) -> tuple[Narration, bool]:
    """The narration of the stage `script`, whose result this is, and whether `script.txt` was edited since.

    Where the file is not on this machine it is the result's.

    Raises:
        BadInput: it was edited, and cannot be read.
        TryAgain: it was edited after it was approved, as far as `state.json` beside it tells.
    """
    narration = Narration.from_json(result["narration"])
    file = folder / NAME
    try:
        _, sha256 = measure_file(file)
    except OSError:
        return narration, False
    if any(each["path"] == NAME and each["sha256"] == sha256 for each in result["files"]):
        return narration, False
    if approved_sha256(folder, NAME) not in (None, sha256):
        raise TryAgain(
            f"{NAME} of {folder.name} is not what was approved; put it back, or run its stage anew and "
            f"approve what you want: job-pipeline advance {folder.name} --stage script"
        )
    try:
        data = read_plain(file, _MOST_BYTES)
        text = data.decode("utf-8-sig")
    except (OSError, ValueError):
        raise BadInput(f"{NAME} was edited and cannot be read as UTF-8") from None
    if len(data) > _MOST_BYTES:
        raise BadInput(f"{NAME} was edited and is longer than {_MOST_BYTES >> 20} MiB")
    return parse_script(text, narration), True


def approved_sha256(folder: Path, name: str) -> str | None:
    """The sha256 of a file that the ledger has, by `state.json`, which follows it; None: not known."""
    try:
        state = parse_json(read_plain(folder / _STATE, _MOST_STATE))
        files = [file["sha256"] for file in state["artifacts"] if file["path"] == name]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return str(files[0]) if files else None


def _escaped(line: str) -> str:
    return f"\\{line}" if _SPECIAL.match(line) else line
