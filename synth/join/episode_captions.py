"""The captions of the whole: each beat's, moved to where it stands."""

from __future__ import annotations

from collections.abc import Sequence

from lib.captions import Cue, rendered
from synth.join.chapters import Chapter
from synth.join.playlist import Beat


def whole_captions(beats: Sequence[Beat], chapters: Sequence[Chapter], sample_rate: int) -> dict[str, bytes]:
    """The files of the captions of all beats by suffix; none where no beat has any."""
    seconds = chapters[-1].end / sample_rate
    return rendered(_cues(beats, chapters, sample_rate), round(seconds, 3))


def _cues(beats: Sequence[Beat], chapters: Sequence[Chapter], sample_rate: int) -> list[Cue]:
    """The cues of all beats, in seconds of the whole."""
    found = []
    for beat, chapter in zip(beats, chapters, strict=True):
        # Lengths in records are rounded: no cue may reach into the next beat.
        begin, end = chapter.start / sample_rate, chapter.end / sample_rate
        for cue in beat.captions:
            first, last = round(begin + cue.start, 3), round(min(begin + cue.end, end), 3)
            if first < last:
                found.append(Cue(first, last, cue.text, cue.source))
    return found
