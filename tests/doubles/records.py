"""Records as a worker and a watcher would have written them, small and whole."""

from __future__ import annotations

import hashlib
from typing import Any

from lib.records import DoneRecord, FileRef, SpokenRecord, Take, done_record


def file_ref(name: str, data: bytes = b"RIFF", key: str | None = None) -> FileRef:
    """The file of that name with that content."""
    return FileRef(name, len(data), hashlib.sha256(data).hexdigest(), key)


def take(number: int = 1, audio: FileRef | None = None, **changes: Any) -> Take:
    """A take of 1.5 seconds with a file of its own, and no waveform."""
    given: dict[str, Any] = {
        "take": number,
        "audio": audio or file_ref(f"audio-{number}.wav", b"RIFF %d" % number),
        "audio_seconds": 1.5,
        "made": number,
        "seed": 7,
        "loudness_lufs": -16.0,
        "true_peak_dbtp": -3.1,
        "measures": {"active_s": 1.2, "rate": None},
    }
    return Take(**{**given, **changes})


def spoken(*takes: Take, **changes: Any) -> SpokenRecord:
    """What the engine hibari spoke, with one take if none is given."""
    given: dict[str, Any] = {
        "engine": "hibari",
        "model": "hibari-tts",
        "revision": "0.2.1-abcdef",
        "speaker": "Ryan",
        "language": "English",
        "profile": "balanced",
        "characters": 12,
        "pieces": 1,
        "work_seconds": 0.3,
        "real_time_factor": 0.2,
        "sample_rate": 44_100,
        "audio_format": "wav",
        "takes": takes or (take(),),
        "chosen_why": "It is the only take.",
        "verdict": "UNVERIFIED",
        "verdict_why": "Nobody compared it.",
        "created_at": "2026-11-22T09:00:00.000Z",
    }
    return SpokenRecord(**{**given, **changes})


def done(name: str = "topic/beat-001", takes: int = 1, *, place: str = "blobs", **changes: Any) -> DoneRecord:
    """A done job whose takes are published as `name`.1.wav and so on, stored under `place`/1 and so on."""
    stored = [
        take(number, file_ref(f"{name}.{number}.wav", key=f"{place}/{number}"))
        for number in range(1, takes + 1)
    ]
    return done_record(
        spoken(**changes).placed(stored),
        started_at=11.0,
        finished_at=11.4,
        enqueued_at=10.0,
        now=11.5,
        provider="local",
        callback_data={},
    )
