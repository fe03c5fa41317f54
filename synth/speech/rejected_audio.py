"""The best of what was rejected, kept so that somebody can hear why the job failed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lib.errors import JobFailed
from synth.audio.encode import Written, write_audio
from synth.audio.loudness_normalizer import level
from synth.speech.takes import Performance, rank

#: What stands between the name of the audio and its suffix: `O.rejected.wav`.
REJECTED: Final = "rejected"
_LONGEST_S: Final = 600.0  # a chapter's first ten minutes, where its best take is longer


class NotVerified(JobFailed):
    """No take passed the checks and the verifier, and the profile does not let that pass."""

    def __init__(self, message: str, performance: Performance) -> None:
        super().__init__(message)
        self.performance = performance


def keep_rejected(performance: Performance, out: Path) -> Written:
    """Write the best take of a job that failed beside where its audio would be, as WAV at its level.

    Raises:
        BadConfiguration: the folder cannot be written, or the disk is full.
        lib.errors.JobFailed: the encoder failed.
    """
    best = performance.takes[rank(performance.takes, select_best=True)[0]]
    samples = best.samples[: round(_LONGEST_S * best.sample_rate)]
    leveled = level(samples, best.sample_rate, performance.request.loudness_lufs)
    path = out.with_name(f"{out.name}.{REJECTED}.wav")
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_audio(path, leveled.samples, best.sample_rate, "wav")
