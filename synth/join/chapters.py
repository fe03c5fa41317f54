"""Chapters, in every shape that players read: MP3, WAV, FLAC and Opus, and a podcast's JSON."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from synth.audio.tags import text_frame

#: Of FLAC and Opus, whose chapters have numbers of three digits.
MOST_COMMENTED: Final = 1000
_MOST_LISTED: Final = 255  # in one table of contents of an MP3
_NO_OFFSET: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Chapter:
    """Samples from the start of the whole; `end` is where the next one starts, or all ends."""

    title: str
    start: int
    end: int


def milliseconds(samples: int, sample_rate: int) -> int:
    """The nearest whole millisecond."""
    return round(samples * 1000 / sample_rate)


def podcast_chapters(chapters: Sequence[Chapter], sample_rate: int, title: str) -> bytes:
    """A podcast's `chapters.json`, version 1.2.0: what the feed's `podcast:chapters` points to.

    Source: https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/chapters/jsonChapters.md
    """
    entries = [
        {
            "startTime": milliseconds(chapter.start, sample_rate) / 1000,
            "endTime": milliseconds(chapter.end, sample_rate) / 1000,
            "title": chapter.title,
        }
        for chapter in chapters
    ]
    named = {"title": title} if title else {}
    document = {"version": "1.2.0", **named, "chapters": entries}
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def vorbis_chapters(chapters: Sequence[Chapter], sample_rate: int) -> list[str]:
    """Comments of FLAC and Opus. Source: https://wiki.xiph.org/Chapter_Extension."""
    comments = []
    for number, chapter in enumerate(chapters[:MOST_COMMENTED]):
        seconds, part = divmod(milliseconds(chapter.start, sample_rate), 1000)
        clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{part:03d}"
        comments += [f"CHAPTER{number:03d}={clock}", f"CHAPTER{number:03d}NAME={chapter.title}"]
    return comments


def id3_chapters(chapters: Sequence[Chapter], sample_rate: int) -> bytes:
    """Frames of an ID3v2.3 tag: a table of contents and the chapters.

    A table holds 255; more are tables of a table. Source: https://id3.org/id3v2-chapters-1.0.
    """
    names = [f"ch{number}".encode() for number in range(len(chapters))]
    frames = []
    groups = [names[first : first + _MOST_LISTED] for first in range(0, len(names), _MOST_LISTED)]
    if len(groups) == 1:
        frames.append(_contents(b"toc", names, top=True))
    else:
        tables = [f"toc{number}".encode() for number in range(len(groups))]
        frames.append(_contents(b"toc", tables, top=True))
        pairs = zip(tables, groups, strict=True)
        frames += [_contents(table, group, top=False) for table, group in pairs]
    for name, chapter in zip(names, chapters, strict=True):
        begin, end = (milliseconds(at, sample_rate) for at in (chapter.start, chapter.end))
        body = name + b"\0" + struct.pack(">IIII", begin, end, _NO_OFFSET, _NO_OFFSET)
        frames.append(_id3_frame(b"CHAP", body + text_frame(b"TIT2", chapter.title)))
    return b"".join(frames)


def riff_chapters(chapters: Sequence[Chapter]) -> tuple[tuple[bytes, bytes], ...]:
    """Chunks of a WAV file by name: cue points, and their labels, which editors show as markers.

    Source: Multimedia Programming Interface and Data Specifications 1.0, "Cue-Points Chunk" and "Associated
    Data List".
    """
    points, labels = [], []
    for number, chapter in enumerate(chapters, start=1):
        points.append(struct.pack("<II4sIII", number, chapter.start, b"data", 0, 0, chapter.start))
        text = struct.pack("<I", number) + chapter.title.encode() + b"\0"
        labels.append(b"labl" + struct.pack("<I", len(text)) + text + b"\0" * (len(text) % 2))
    cue = struct.pack("<I", len(points)) + b"".join(points)
    return (b"cue ", cue), (b"LIST", b"adtl" + b"".join(labels))


def _contents(name: bytes, entries: Sequence[bytes], *, top: bool) -> bytes:
    flags = bytes([(2 if top else 0) | 1, len(entries)])  # whether it is the first one; in order
    return _id3_frame(b"CTOC", name + b"\0" + flags + b"".join(entry + b"\0" for entry in entries))


def _id3_frame(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">IH", len(body), 0) + body
