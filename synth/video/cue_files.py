"""Captions read back from files: SubRip, WebVTT with times of words, and our own JSON."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.captions import BrokenCaptions, read_json
from lib.captions.breaks import blank_between
from lib.errors import BadInput
from lib.files import NotPlain, read_plain

_MOST_BYTES: Final = 32 * 1024 * 1024
_MOST_CUES: Final = 50_000
_MOST_CHARACTERS: Final = 1_000
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
        if self.start < before - 0.0005:
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


def read_cues(path: Path) -> tuple[VideoCue, ...]:
    """The cues of a file .srt, .vtt or .captions.json, in order.

    Raises:
        BadInput: it cannot be read, is none of these, or its cues are not in order.
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
        found = tuple(_read(path, data))
        _check(found)
    except UnicodeDecodeError:
        raise BadInput(f"The captions {path} are not in UTF-8; save them so.") from None
    except (BrokenCaptions, ValueError, RecursionError) as error:
        raise BadInput(f"The captions {path} cannot be used: {str(error).rstrip('.')}.") from None
    return found


def _read(path: Path, data: bytes) -> Iterator[VideoCue]:
    if path.suffix.lower() == ".json":
        for cue in read_json(data)[1]:
            yield VideoCue(cue.start, cue.end, cue.text)
        return
    if path.suffix.lower() not in (".srt", ".vtt"):
        raise ValueError("its name ends in none of .srt, .vtt and .captions.json")
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    lines = iter(text.split("\n"))
    for line in lines:
        times = _TIMES.fullmatch(line)
        if times is None:
            if "-->" in line:
                raise ValueError(f"no time can be read in the line “{line.strip()[:60]}”")
            continue
        said: list[str] = []
        for each in lines:
            if not each.strip():
                break
            said.append(each.strip())
        if said:
            yield _cue(_seconds(times.groups()[:4]), _seconds(times.groups()[4:]), _one_line(said))


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


def _check(cues: tuple[VideoCue, ...]) -> None:
    if not cues:
        raise ValueError("there are none in it")
    if len(cues) > _MOST_CUES:
        raise ValueError(f"there are more than {_MOST_CUES} of them")
    before = 0.0
    for number, cue in enumerate(cues, start=1):
        trouble = cue.trouble(before)
        if trouble is not None:
            raise ValueError(f"number {number} {trouble}")
        before = cue.end
