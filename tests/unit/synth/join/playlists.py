"""Playlists of tiny beats that begin and end hard, so that a joint without fades would click."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from synth.audio.levels import Samples

RATE = 24_000
FORMATS = ("wav", "flac", "mp3", "opus", "m4a", "m4b")
GAP_S = 0.05


def hard(seconds: float, pitch: float, *, rate: int = RATE, level: float = 0.15) -> Samples:
    """A hum that starts and ends at its highest."""
    at = np.arange(round(seconds * rate)) / rate
    return (level * np.cos(2 * np.pi * pitch * at)).astype(np.float32)


@dataclass(frozen=True)
class Made:
    """A playlist on the disk, and where each beat begins, in samples."""

    path: Path
    starts: tuple[int, ...]
    samples: int
    titles: tuple[str, ...]


def made(folder: Path, count: int, *, gap: float = GAP_S, level: float = 0.15, **more: Any) -> Made:
    """A playlist of `count` beats of 0.1 to 0.2 s and of many pitches."""
    folder.mkdir(exist_ok=True)
    beats, starts, at = [], [], 0
    for number in range(count):
        samples = hard(0.1 + 0.001 * (number % 100), 150.0 + 7 * (number % 50), level=level)
        soundfile.write(folder / f"{number}.wav", samples, RATE, "PCM_16")
        beats.append({"title": f"beat {number:03d}, prélude", "file": f"{number}.wav"})
        starts.append(at)
        at += len(samples) + (round(gap * RATE) if number < count - 1 else 0)
    path = folder / "playlist.json"
    path.write_text(json.dumps({"format": 1, "gap": gap, "beats": beats, **more}))
    return Made(path, tuple(starts), at, tuple(beat["title"] for beat in beats))


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A playlist of three beats, changed."""
    path = made(folder / "beats", 3).path
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))
    return path


def png(width: int, height: int, extra: int = 0) -> bytes:
    """A picture; `extra` bytes of a chunk that no reader looks at make it larger."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x20\x40\x80" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"paDd", bytes(extra)), chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")
