"""One mp4 of finished pieces: nothing is encoded again."""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av

from synth.audio.encode import EncodingFailed
from synth.video.cue_files import VideoCue
from synth.video.film import piece_file
from synth.video.pieces import PlannedPiece

_TEXT_BASE: Final = Fraction(1, 1000)
#: Frames that decoding begins before showing, with this encoder's three B-frames. A piece too short to have
#: any begins later by that, and the one behind it would be decoded before it.
_REORDERED: Final = 2
#: What the encoder of mov_text makes its box of styles of; players have their own.
_STYLES: Final = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, \
Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, \
MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


@dataclass(frozen=True, slots=True)
class FilmChapter:
    """A part with a title, in seconds."""

    title: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """What the file says besides picture and sound; `cues` are a track of their own."""

    title: str
    fps: int
    seconds: float
    chapters: Sequence[FilmChapter] = ()
    cues: Sequence[VideoCue] = ()


def write_film(
    draft: Path, planned: Sequence[PlannedPiece], folder: Path, track: int, sound: Path, facts: FilmFacts
) -> None:
    """Write the pieces' track number `track` (0 the film, 1 its preview) and the sound into `draft`.

    What players need first stands first, and nothing of the day it was made is in it.

    Raises:
        EncodingFailed: a piece or the container fails.
        OSError: the disk refuses.
    """
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    try:
        with (
            av.open(str(sound)) as heard,
            av.open(str(piece_file(folder, planned[0].key))) as first,
            av.open(str(draft), "w", format="mp4", options=options) as container,
        ):
            video: Any = container.add_stream_from_template(first.streams.video[track])
            video.time_base = first.streams.video[track].time_base
            audio = container.add_stream_from_template(heard.streams.audio[0])
            tracks = [_film_packets(planned, folder, track, video, facts.fps), _sound_packets(heard, audio)]
            if facts.cues:
                tracks.append(_text_packets(_text_stream(container), facts))
            if facts.title:
                container.metadata["title"] = facts.title
            container.set_chapters(_chapters(facts.chapters))
            for _, packet in heapq.merge(*tracks, key=lambda each: each[0]):
                container.mux(packet)
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise EncodingFailed(f"The video could not be put together: {error}.") from None


def _film_packets(
    planned: Iterable[PlannedPiece], folder: Path, track: int, stream: Any, fps: int
) -> Iterator[tuple[float, Any]]:
    """The packets of all pieces, each piece behind the one before, with the second of each."""
    offset = 0
    for each in planned:
        with av.open(str(piece_file(folder, each.key))) as container:
            source = container.streams.video[track]
            base = source.time_base
            assert base is not None
            tick = round(1 / (fps * base))  # in a frame
            late = 0
            for packet in container.demux(source):
                if packet.pts is None or packet.dts is None or packet.pts >= each.piece.used * tick:
                    continue  # the end, and the spare frame
                if packet.is_keyframe and packet.pts == 0:
                    late = max(_REORDERED * tick + packet.dts, 0)
                packet.pts += offset * tick
                packet.dts += offset * tick - late
                packet.stream = stream
                yield float(packet.dts * base), packet
        offset += each.piece.used


def _sound_packets(container: Any, stream: Any) -> Iterator[tuple[float, Any]]:
    for packet in container.demux(container.streams.audio[0]):
        if packet.dts is not None:
            at = float(packet.dts * packet.time_base)
            packet.stream = stream
            yield at, packet


def _text_stream(container: Any) -> Any:
    stream = container.add_stream("mov_text")
    stream.codec_context.subtitle_header = _STYLES
    stream.codec_context.time_base = _TEXT_BASE
    stream.time_base = _TEXT_BASE
    return stream


def _text_packets(stream: Any, facts: FilmFacts) -> Iterator[tuple[float, Any]]:
    """Cues as timed text; the container's writer puts empty samples between them.

    Source: 3GPP TS 26.245, section 5.17.
    """
    last = round(facts.seconds * 1000)
    for cue in facts.cues:
        start, end = round(cue.start * 1000), min(round(cue.end * 1000), last)
        if start < end:
            yield _text_packet(stream, cue.text, start, end)


def _text_packet(stream: Any, text: str, start: int, end: int) -> tuple[float, Any]:
    data = text.encode()
    packet: Any = av.Packet(struct.pack(">H", len(data)) + data)
    packet.stream, packet.time_base = stream, _TEXT_BASE
    packet.pts, packet.dts, packet.duration = start, start, end - start
    return start / 1000, packet


def _chapters(chapters: Iterable[FilmChapter]) -> list[Any]:
    return [
        {
            "id": number,
            "start": round(chapter.start * 1000),
            "end": round(chapter.end * 1000),
            "time_base": _TEXT_BASE,
            "metadata": {"title": chapter.title},
        }
        for number, chapter in enumerate(chapters)
    ]
