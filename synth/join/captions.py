"""The captions of the whole: each beat's, moved to where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from synth.join.chapters import Chapter
from synth.join.playlist import Beat, Cue


def captions_of(beats: Sequence[Beat], chapters: Sequence[Chapter], sample_rate: int) -> list[Cue]:
    """The cues of all beats, in seconds of the whole."""
    return [
        replace(cue, start=cue.start + chapter.start / sample_rate, end=cue.end + chapter.start / sample_rate)
        for beat, chapter in zip(beats, chapters, strict=True)
        for cue in beat.captions
    ]


def srt(cues: Iterable[Cue]) -> bytes:
    """As SubRip."""
    blocks = (
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{_lines(cue.text)}\n"
        for number, cue in enumerate(cues, start=1)
    )
    return "\n".join(blocks).encode()


def vtt(cues: Iterable[Cue]) -> bytes:
    """As WebVTT. Source: https://www.w3.org/TR/webvtt1/."""
    blocks = (
        f"\n{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_escaped(_lines(cue.text))}\n"
        for cue in cues
    )
    return ("WEBVTT\n" + "".join(blocks)).encode()


def _clock(seconds: float, point: str) -> str:
    whole, part = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{point}{part:03d}"


def _lines(text: str) -> str:
    """The text without the empty lines that would end its cue."""
    return "\n".join(line for line in text.splitlines() if line.strip())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
