"""The names of an episode's files, for whoever asks for one and whoever joins it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lib.errors import UsageError
from lib.jobspec.names import CAPTION_SUFFIXES

EPISODE_FORMATS: Final = ("m4b", "m4a", "mp3", "opus", "flac", "wav")
CHAPTERS_SUFFIX: Final = "chapters.json"


def check_episode_name(target: Path) -> None:
    """Pass a file whose suffix is a format. Raises UsageError."""
    if target.suffix[1:] not in EPISODE_FORMATS:
        raise UsageError(f"--out must end with one of .{', .'.join(EPISODE_FORMATS)}; not {target.name!r}.")


def files_beside(target: Path) -> dict[str, Path]:
    """Where chapters and captions of an episode go, by suffix: `episode.chapters.json`, `episode.srt`."""
    return {suffix: target.with_suffix(f".{suffix}") for suffix in (CHAPTERS_SUFFIX, *CAPTION_SUFFIXES)}
