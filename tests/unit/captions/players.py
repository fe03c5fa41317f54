"""SubRip and WebVTT as players read them, and stricter: what breaks the formats raises ValueError."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SRT = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d),(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d),(\d{3})")
_VTT = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_NAMED = {"amp": "&", "lt": "<", "gt": ">"}


@dataclass(frozen=True)
class Shown:
    """What a player shows, in milliseconds."""

    start: int
    end: int
    lines: tuple[str, ...]


def read_srt(data: bytes) -> list[Shown]:
    """Blocks of a number, times and lines, parted by one blank line."""
    return _blocks(data.decode("utf-8"), _SRT)


def read_vtt(data: bytes) -> list[Shown]:
    """Its signature, notes, and cues whose text holds no markup, so that each sign is shown."""
    head, _, rest = data.decode("utf-8").partition("\n\n")
    if head.rstrip("\n") != "WEBVTT":
        raise ValueError(f"no signature: {head!r}")
    if rest.startswith("NOTE"):
        note, _, rest = rest.partition("\n\n")
        if "-->" in note:
            raise ValueError("an arrow in a note")
    found = _blocks(rest, _VTT)
    return [Shown(cue.start, cue.end, tuple(map(_unescaped, cue.lines))) for cue in found]


def _unescaped(line: str) -> str:
    if "<" in line or ">" in line or "&" in _ENTITY.sub("", line):
        raise ValueError(f"markup in {line!r}")
    return _ENTITY.sub(lambda match: _NAMED[match[1]], line)


def _blocks(text: str, times: re.Pattern[str]) -> list[Shown]:
    found: list[Shown] = []
    if not text:
        return found
    if not text.endswith("\n"):
        raise ValueError("the last line does not end")
    for number, block in enumerate(text[:-1].split("\n\n"), start=1):
        counted, moment, *lines = block.split("\n")
        match = times.fullmatch(moment)
        if counted != str(number) or match is None or not lines:
            raise ValueError(f"no cue {number}: {block!r}")
        if any(
            "-->" in line or not line.strip() or re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", line)
            for line in lines
        ):
            raise ValueError(f"what no line may hold: {lines!r}")
        one, two = (_milliseconds(match.groups()[at : at + 4]) for at in (0, 4))
        found.append(Shown(one, two, tuple(lines)))
    return found


def _milliseconds(parts: tuple[str, ...]) -> int:
    hours, minutes, seconds, thousandths = map(int, parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths
