"""Captions read back from files: SubRip, WebVTT with times of words, and our own JSON."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from lib.captions import BrokenCaptions, read_json
from lib.captions.breaks import blank_between
from lib.errors import BadInput
from lib.files import NotPlain, read_plain

_MOST_BYTES: Final = 32 * 1024 * 1024
_MOST_CUES: Final = 50_000
_MOST_CHARACTERS: Final = 1_000
_TOUCHING_S: Final = 0.0005
_PAST_THE_END_S: Final = 0.05  # lengths of lossy files differ by that
_SHORTEST_S: Final = 0.2  # what is shown more briefly is not seen
_MOMENT: Final = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMES: Final = re.compile(rf"\s*{_MOMENT}\s*-->\s*{_MOMENT}(?:\s.*)?")
_WORD_TIME: Final = re.compile(rf"<{_MOMENT}>")
_MARK: Final = re.compile(r"</?[a-zA-Z][^>\n]*>|\{\\[^}\n]*\}")


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of a cue and when it is heard, in seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class VideoCue:
    """What is read while it is heard, in seconds; `words` where their times are known."""

    start: float
    end: float
    text: str
    words: tuple[SpokenWord, ...] = ()

    def trouble(self, before: float) -> str | None:
        """What is wrong with it after a cue that ended at `before`; else None."""
        if self.start < before - _TOUCHING_S:
            return "starts before the one before it ends"
        if not self.start < self.end:  # NaN too
            return "ends before it starts"
        if not self.text.strip() or len(self.text) > _MOST_CHARACTERS:
            return f"has no text or one longer than {_MOST_CHARACTERS} characters"
        if not all(char.isprintable() or unseen(char) for char in self.text):
            return "holds control characters"
        if any(not self.start - 0.001 <= word.start <= word.end <= self.end + 0.001 for word in self.words):
            return "has words that are heard outside it"
        return None


def unseen(char: str) -> bool:
    """Whether it joins, parts or dresses letters of a script without being one."""
    return (
        char
        in "\u200b\u200c\u200d\u200e\u200f\u00ad\ufe0e\ufe0f\u2060\u2066\u2067\u2068\u2069\ufeff\u3000\u00a0"
    )


@dataclass(frozen=True, slots=True)
class CueFile:
    """What a file of captions says: `mended` of its cues overlapped, or stood out of order."""

    cues: tuple[VideoCue, ...]
    mended: int


def read_cues(path: Path) -> tuple[VideoCue, ...]:
    """The cues of a file .srt, .vtt or .captions.json, in order; as `read_cue_file`."""
    return read_cue_file(path).cues


def read_cue_file(path: Path) -> CueFile:
    """Read a file .srt, .vtt or .captions.json. A cue that goes on under the next one ends where that begins.

    Raises:
        BadInput: it cannot be read, is none of these, or a cue of it cannot be used.
    """
    try:
        data = read_plain(path, _MOST_BYTES, follow=True)
    except FileNotFoundError:
        raise BadInput(f"The captions {path} are missing: there is no such file.") from None
    except NotPlain:
        raise BadInput(f"The captions {path} are no file; name a .srt, .vtt or .captions.json.") from None
    except OSError as error:
        raise BadInput(f"The captions {path} cannot be read: {error.strerror}.") from None
    try:
        if len(data) > _MOST_BYTES:
            raise ValueError("the file is too long")
        found = list(_read(path, data))
        _check(found)
        cues, mended = _one_after_the_other(found)
    except UnicodeDecodeError:
        raise BadInput(f"The captions {path} are not in UTF-8; save them so.") from None
    except (BrokenCaptions, ValueError, RecursionError) as error:
        raise BadInput(f"The captions {path} cannot be used: {str(error).rstrip('.')}.") from None
    return CueFile(cues, mended)


def _read(path: Path, data: bytes) -> Iterator[VideoCue]:
    if path.suffix.lower() == ".json":
        for cue in read_json(data)[1]:
            yield VideoCue(cue.start, cue.end, cue.text)
        return
    if path.suffix.lower() not in (".srt", ".vtt"):
        raise ValueError("its name ends in none of .srt, .vtt and .captions.json")
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    times: re.Match[str] | None = None
    said: list[str] = []
    for line in [*text.split("\n"), ""]:
        found = _TIMES.fullmatch(line)
        if found is None and line.strip():
            if times is not None:
                said.append(line.strip())
            elif "-->" in line:
                raise ValueError(f"no time can be read in the line “{line.strip()[:60]}”")
            continue
        if found is not None and said and said[-1].isdecimal():
            said.pop()  # the number of the cue that begins here: no blank line parts the two
        if times is not None and said:
            yield _cue(_seconds(times.groups()[:4]), _seconds(times.groups()[4:]), _one_line(said))
        times, said = found, []


def _one_line(said: list[str]) -> str:
    """The lines of a cue as one, with no blank where their script has none."""
    line = said[0]
    for each in said[1:]:
        line += blank_between(line, each) + each
    return line


def _cue(start: float, end: float, said: str) -> VideoCue:
    """A cue of text with marks; where words have times, those."""
    pieces = _WORD_TIME.split(said)  # text, then four groups and text for each time
    texts = [_plain(piece) for piece in pieces[::5]]
    moments = [start, *(_seconds(pieces[at : at + 4]) for at in range(1, len(pieces), 5)), end]
    text = " ".join("".join(texts).split())
    if len(texts) == 1:
        return VideoCue(start, end, text)
    timed = zip(moments, moments[1:], texts, strict=False)
    words = tuple(SpokenWord(first, last, word.strip()) for first, last, word in timed if word.strip())
    return VideoCue(start, end, text, words)


def _plain(text: str) -> str:
    return html.unescape(_MARK.sub("", text))


def _seconds(groups: object) -> float:
    assert isinstance(groups, tuple | list)
    hours, minutes, seconds, part = groups
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(part.ljust(3, "0")) / 1000


def _check(cues: Sequence[VideoCue]) -> None:
    """See that each can be used by itself. Raises ValueError."""
    if not cues:
        raise ValueError("there are none in it")
    if len(cues) > _MOST_CUES:
        raise ValueError(f"there are more than {_MOST_CUES} of them")
    for number, cue in enumerate(cues, start=1):
        trouble = cue.trouble(0.0)
        if trouble is not None:
            raise ValueError(f"number {number} {trouble}")


def _one_after_the_other(cues: Sequence[VideoCue]) -> tuple[tuple[VideoCue, ...], int]:
    """The cues in order of time, none under another, and how many were not so. Raises ValueError."""
    mended = sum(after.start < before.start for before, after in pairwise(cues))
    found: list[VideoCue] = []
    for cue in sorted(cues, key=lambda cue: cue.start):
        if found and cue.start < found[-1].end - _TOUCHING_S:
            before = found.pop()
            mended += 1
            if cue.start - before.start < _SHORTEST_S:
                cue = _together(before, cue)
            else:
                found.append(_cut(before, cue.start))
        found.append(cue)
    for cue in found:
        trouble = cue.trouble(0.0)
        if trouble is not None:
            raise ValueError(f"of those at {cue.start:.2f} s one {trouble}")
    return tuple(found), mended


def _together(before: VideoCue, cue: VideoCue) -> VideoCue:
    """Two that begin at once, as of two who speak; said twice, it is one."""
    end = max(before.end, cue.end)
    if before.text == cue.text:
        return VideoCue(before.start, end, cue.text)
    return VideoCue(before.start, end, before.text + blank_between(before.text, cue.text) + cue.text)


def _cut(cue: VideoCue, end: float) -> VideoCue:
    words = tuple(
        SpokenWord(word.start, min(word.end, end), word.text) for word in cue.words if word.start < end
    )
    return VideoCue(cue.start, end, cue.text, words)


def check_cues(cues: Sequence[VideoCue], seconds: float) -> None:
    """See that captions lie within a narration of so many seconds. Raises BadInput."""
    for number, cue in enumerate(cues):
        if cue.end > seconds + _PAST_THE_END_S:
            raise BadInput(
                f"Caption {number + 1} ends at {cue.end:.2f} s, and the narration at {seconds:.2f} s; the "
                "captions are of another narration."
            )
