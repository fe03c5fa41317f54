"""Jobs that were spoken: their audio, waveforms and captions lie in the store, as a watcher leaves them."""

from __future__ import annotations

import io
import json
import math
import struct
import wave
from functools import cache
from typing import Any

from lib.captions import Cue
from lib.records import FileRef, SpokenRecord, Take, done_record
from tests.doubles import records
from tests.doubles.console import ConsoleDesk

RATE = 8_000


@cache
def tone(seconds: float, *, pitch: float = 220.0, level: float = 0.3) -> bytes:
    """A WAV of a tone, so that there is something to hear."""
    count = round(seconds * RATE)
    samples = (level * 32_767 * math.sin(2 * math.pi * pitch * at / RATE) for at in range(count))
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{count}h", *(round(each) for each in samples)))
    return data.getvalue()


def peaks(seconds: float) -> bytes:
    """A waveform of that length."""
    pairs = round(seconds * 50)
    told = {"version": 2, "channels": 1, "sample_rate": RATE, "samples_per_pixel": RATE // 50, "bits": 8}
    return json.dumps({**told, "length": pairs, "data": [-40, 40] * pairs}).encode()


def perform(
    desk: ConsoleDesk,
    name: str,
    text: str,
    *,
    takes: int = 1,
    seconds: float = 3.0,
    lufs: tuple[float | None, ...] = (-19.0,),
    **changes: Any,
) -> SpokenRecord:
    """Do the next waiting job, topic:<name>; each take is half a second longer than the one before."""
    (lease,) = desk.queue.claim("worker")
    assert lease.request_id == f"topic:{name}"
    begun = desk.queue.begin(lease)
    made = [
        _take(
            desk,
            name,
            number,
            text,
            seconds + (number - 1) / 2,
            lufs[(number - 1) % len(lufs)],
            begun.revision,
        )
        for number in range(1, takes + 1)
    ]
    record = records.spoken(*made, characters=len(text), **changes)
    done = done_record(
        record,
        started_at=11.0,
        finished_at=11.4,
        enqueued_at=10.0,
        now=11.5,
        provider="local",
        callback_data={},
    )
    desk.queue.complete(begun, done.to_json())
    return record


def _take(
    desk: ConsoleDesk, name: str, number: int, text: str, seconds: float, lufs: float | None, revision: int
) -> Take:
    stem = f"topic/{name}" if number == 1 else f"topic/{name}.take-{number:02}"
    pitch = 200.0 + 40 * number + 10 * revision
    return records.take(
        number,
        _stored(desk, f"{stem}.wav", tone(seconds, pitch=pitch)),
        audio_seconds=seconds,
        loudness_lufs=lufs,
        peaks=_stored(desk, f"{stem}.peaks.json", peaks(seconds)),
        captions=(Cue(0.1, seconds, text, "piece"),),
        caption_files=(_stored(desk, f"{stem}.srt", b"1\n00:00:00,100 --> 00:00:03,000\nWords.\n"),),
    )


def _stored(desk: ConsoleDesk, name: str, data: bytes) -> FileRef:
    place = desk.folder / "made"
    place.write_bytes(data)
    found = records.file_ref(name, data)
    stored = desk.storage.put(place, sha256=found.sha256, bytes=found.bytes)
    return records.file_ref(name, data, stored.key)
