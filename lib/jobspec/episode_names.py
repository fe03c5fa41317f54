"""The names of an episode's files and chapters, for whoever asks for one and whoever joins it."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Final

from lib.errors import UsageError
from lib.jobspec.names import CAPTION_SUFFIXES
from lib.jobspec.problems import shown

EPISODE_FORMATS: Final = ("m4b", "m4a", "mp3", "opus", "flac", "wav")
CHAPTERS_SUFFIX: Final = "chapters.json"
_LONGEST_TITLE: Final = 255  # bytes: what the chapter list of an MP4 holds of one
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: What joins and parts letters in Persian, Hindi and emoji, says which way a bracket points, and makes a
#: flag: text is not the same without. What turns the text behind it round stays out.
_NEEDED: Final = frozenset(map(chr, (0x200C, 0x200D, 0x200E, 0x200F, 0x061C, *range(0xE0020, 0xE0080))))


def check_episode_name(target: Path) -> None:
    """Pass a file whose suffix is a format. Raises UsageError."""
    if target.suffix[1:] not in EPISODE_FORMATS:
        raise UsageError(f"--out must end with one of .{', .'.join(EPISODE_FORMATS)}; not {target.name!r}.")


def files_beside(target: Path) -> dict[str, Path]:
    """Where chapters and captions of an episode go, by suffix: `episode.chapters.json`, `episode.srt`."""
    return {suffix: target.with_suffix(f".{suffix}") for suffix in (CHAPTERS_SUFFIX, *CAPTION_SUFFIXES)}


def title_trouble(title: str) -> str | None:
    """Why no player shows that title of a chapter, as what is said of whoever has it; None where all do."""
    if not any(character.isprintable() and not character.isspace() for character in title):
        return "has no title for its chapter; give it one."
    if hides_something(title):
        return (
            f"cannot have the chapter title {shown(title)}: it holds a line break or an invisible character; "
            "type it anew."
        )
    length = len(title.encode())
    if length > _LONGEST_TITLE:
        return f"has a chapter title of {length} bytes; players read at most {_LONGEST_TITLE}. Shorten it."
    return None


def hides_something(text: str) -> bool:
    """Whether it has a line break, or an invisible character that no script needs."""
    return any(
        unicodedata.category(character) in _INVISIBLE and character not in _NEEDED for character in text
    )
