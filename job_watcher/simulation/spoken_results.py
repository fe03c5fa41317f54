"""What a simulated worker says that it spoke."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache

from lib.records import FileRef, SpokenRecord, Take

_RATE = 24_000
_WHY = "It is simulated."


@cache
def _template(engine: str) -> SpokenRecord:
    """All that is the same for each job: making it costs more than changing it."""
    return SpokenRecord(
        engine=engine,
        model="simulated",
        revision="0",
        language="English",
        profile="balanced",
        characters=0,
        pieces=1,
        work_seconds=0.0,
        real_time_factor=0.0,
        sample_rate=_RATE,
        audio_format="wav",
        takes=(),
        chosen_why=_WHY,
        verdict="UNVERIFIED",
        verdict_why=_WHY,
        created_at="1970-01-01T00:00:00Z",
    )


def spoken_record(engine: str, audio: Sequence[bytes], seconds: float) -> SpokenRecord:
    """The record of takes that hold these bytes and last `seconds` each."""
    takes = []
    for number, data in enumerate(audio, start=1):
        digest = hashlib.sha256(data).hexdigest()
        file = FileRef(f"take-{number:02d}.wav", len(data), digest)
        takes.append(Take(take=number, made=number, audio=file, audio_seconds=seconds))
    return _template(engine).placed(takes)
