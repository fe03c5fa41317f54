"""What `voice-synth join` is told: beats with titles, gaps and captions (docs/reference/playlist.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.errors import UsageError
from lib.jobs.episode import EpisodeBeat
from lib.jobspec.episode_names import hides_something


@dataclass(frozen=True, slots=True)
class Titles:
    """What the whole is called; "" is left out."""

    title: str
    album: str
    artist: str

    def check(self) -> None:
        """Pass what players show. Raises UsageError."""
        for name, value in (("title", self.title), ("album", self.album), ("artist", self.artist)):
            if hides_something(value):
                raise UsageError(f"--{name} holds a line break or an invisible character; type it anew.")


def playlist(
    beats: Sequence[EpisodeBeat], places: Sequence[Path], chapters: Sequence[str], whole: Titles, gap: float
) -> dict[str, Any]:
    """The playlist of these beats, whose audio lies at `places`; `gap` is for those that name none."""
    engines = sorted({beat.record.engine for beat in beats})
    named = f"Synthetic speech, made with the engine{'s' * (len(engines) > 1)} {' and '.join(engines)}."
    return {
        "format": 1,
        "title": whole.title,
        "album": whole.album,
        "artist": whole.artist or _one_voice(beats),
        "comment": named,
        "gap": gap,
        "beats": [_entry(*each) for each in zip(beats, places, chapters, strict=True)],
    }


def _one_voice(beats: Sequence[EpisodeBeat]) -> str:
    voices = {beat.record.voice or beat.record.speaker or "" for beat in beats}
    return voices.pop() if len(voices) == 1 else ""


def _entry(beat: EpisodeBeat, place: Path, title: str) -> dict[str, Any]:
    take = beat.record.chosen
    return {
        "title": title,
        "file": str(place.absolute()),
        "bytes": take.audio.bytes,
        "sha256": take.audio.sha256,
        "gap_after": beat.spec.gap_after,
        "true_peak_dbtp": take.true_peak_dbtp,
        "captions": [cue.to_json() for cue in beat.cues],
    }
