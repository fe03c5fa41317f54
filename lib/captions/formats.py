"""Captions as players read them: SubRip, WebVTT, and JSON for programs, which is read back too."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from lib.captions.cue import SOURCES, BrokenCaptions, Cue, cue_trouble
from lib.captions.lines import READING, lines_of
from lib.foreign import parse_json

FORMAT: Final = 1
_LARGEST: Final = 1e9  # seconds


def render(
    cues: Sequence[Cue], audio_seconds: float, suffix: str, characters: int = READING.characters
) -> str:
    """The file of that suffix, one of `FORMATS`, with lines of `characters`; the cues must be in order."""
    return _RENDERERS[suffix](cues, audio_seconds, _texts(cues, characters))


def rendered(cues: Sequence[Cue], audio_seconds: float) -> dict[str, bytes]:
    """Every file of a take's captions, by its suffix; none where there are no cues."""
    if not cues:
        return {}
    texts = _texts(cues, READING.characters)  # once for all formats: it is what takes time
    return {suffix: make(cues, audio_seconds, texts).encode() for suffix, make in _RENDERERS.items()}


def read_json(data: bytes | str) -> tuple[float, tuple[Cue, ...]]:
    """The length of the audio and the cues of a file `.captions.json`.

    Raises:
        BrokenCaptions: it is none, or its cues are not in order within the audio.
    """
    try:
        value = parse_json(data)
    except (ValueError, RecursionError):
        raise BrokenCaptions("The captions are no JSON.") from None
    if (
        not isinstance(value, Mapping)
        or value.get("format") != FORMAT
        or not isinstance(value.get("cues"), list)
    ):
        raise BrokenCaptions(f"The captions are not of format {FORMAT}: an object with format and cues.")
    audio_seconds = _number(value, "audio_seconds")
    cues = tuple(_cue(cue, number) for number, cue in enumerate(value["cues"]))
    trouble = cue_trouble(cues, audio_seconds)
    if trouble is not None:
        raise BrokenCaptions(f"The captions' cues{trouble}.")
    return audio_seconds, cues


def _cue(value: Any, number: int) -> Cue:
    if not isinstance(value, Mapping):
        raise BrokenCaptions(f"The captions' cues[{number}] is no object.")
    text, source = value.get("text"), value.get("source")
    if not isinstance(text, str) or not isinstance(source, str):
        raise BrokenCaptions(f"The captions' cues[{number}] has no text or no source.")
    return Cue(_number(value, "start"), _number(value, "end"), text, source)


def _number(value: Mapping[str, Any], key: str) -> float:
    found = value.get(key)
    if not isinstance(found, int | float) or isinstance(found, bool) or not 0 <= found <= _LARGEST:
        raise BrokenCaptions(f"The captions' {key} is no number of seconds.")
    return float(found)


def _texts(cues: Sequence[Cue], characters: int) -> list[str]:
    """The text of each cue in its lines."""
    return ["\n".join(lines_of(cue.text, characters)) for cue in cues]


def _srt(cues: Sequence[Cue], audio_seconds: float, texts: Sequence[str]) -> str:
    blocks = []
    for number, (cue, lines) in enumerate(zip(cues, texts, strict=True), start=1):
        text = lines.replace("-->", "→")
        blocks.append(f"{number}\n{_moment(cue.start, ',')} --> {_moment(cue.end, ',')}\n{text}\n")
    return "\n".join(blocks)


def _vtt(cues: Sequence[Cue], audio_seconds: float, texts: Sequence[str]) -> str:
    blocks = ["WEBVTT\n"]
    if cues:
        counted = Counter(cue.source for cue in cues)
        told = ", ".join(f"{source} {counted[source]}" for source in SOURCES if counted[source])
        blocks.append(f"NOTE How the times are known: {told}\n")
    for number, (cue, lines) in enumerate(zip(cues, texts, strict=True), start=1):
        text = _escaped(lines)
        blocks.append(f"{number}\n{_moment(cue.start, '.')} --> {_moment(cue.end, '.')}\n{text}\n")
    return "\n".join(blocks)


def _json(cues: Iterable[Cue], audio_seconds: float, texts: Sequence[str]) -> str:
    value = {"format": FORMAT, "audio_seconds": audio_seconds, "cues": [cue.to_json() for cue in cues]}
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _moment(seconds: float, point: str) -> str:
    """`00:01:02,345`."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02d}:{minute:02d}:{second:02d}{point}{thousandths:03d}"


_RENDERERS: Final[Mapping[str, Callable[[Sequence[Cue], float, Sequence[str]], str]]] = {
    "srt": _srt,
    "vtt": _vtt,
    "captions.json": _json,
}
#: The suffixes of the files.
FORMATS: Final = tuple(_RENDERERS)
