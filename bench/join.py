"""What joining an episode costs beside its encoder alone, and how much memory ten hours take.

    python -m bench.join [--json] [--minutes 10] [--hours 10] [--formats m4b,mp3]

For each format, in one run: the processor seconds of `join` of beats at their level, then of a join that has
to lift them by 3 LU through the limiter, and those of the same encoder that gets the same samples out of
memory and has nothing else to do. The audio is swelling noise at -19 LUFS, read from WAV files; the same
minute over and over, which no encoder knows. Memory is the largest resident size of a process of its own
that joins `--hours` hours with the limiter (0: it is left out); there a tenth of each minute sounds, since
what takes memory, packets and levels, is the same for silence, which is encoded sooner.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

from synth.audio.loudness_normalizer import level
from synth.audio.spectrum import Samples
from synth.audio.tags import Tags
from synth.join.episode import join_playlist
from synth.join.mp4 import BRANDS, written_mp4
from synth.join.playlist import read_playlist
from synth.join.writers import Contents, written

_RATE: Final = 24_000
_FORMATS: Final = ("m4b", "m4a", "mp3", "opus", "flac", "wav")


def a_minute() -> Samples:
    """Noise that swells like speech, levelled as beats are."""
    at = np.arange(60 * _RATE) / _RATE
    noise = np.random.default_rng(5).standard_normal(len(at)) * (1.05 + np.sin(2 * np.pi * 3 * at))
    smooth = np.convolve(noise, np.ones(6) / 6, "same")
    return level((0.05 * smooth).astype(np.float32), _RATE, -19.0).samples


def playlist(folder: Path, minutes: int, *, sounding: float = 1.0) -> Path:
    """`minutes` beats that are one file, of which the first part sounds."""
    minute = a_minute()
    minute[round(sounding * len(minute)) :] = 0.0
    soundfile.write(folder / "beat.wav", minute, _RATE, "PCM_16")
    beats = [
        {"title": f"beat {number}", "file": "beat.wav", "true_peak_dbtp": -1.5} for number in range(minutes)
    ]
    path = folder / "playlist.json"
    path.write_text(json.dumps({"format": 1, "gap": 0.7, "title": "Bench", "beats": beats}))
    return path


def joined_s(path: Path, target: Path, lufs: float) -> float:
    """Processor seconds of a join."""
    began = time.process_time()
    join_playlist(read_playlist(path), target, lufs, None, lambda *_: None)
    return time.process_time() - began


def encoder_s(target: Path, minutes: int) -> float:
    """Processor seconds of the encoder alone, with the same samples."""
    minute = np.concatenate([a_minute(), np.zeros(round(0.7 * _RATE), np.float32)])
    file_format = target.suffix[1:]
    contents = Contents(_RATE, minutes * len(minute), Tags(), ())
    make = written_mp4 if file_format in BRANDS else written
    began = time.process_time()
    with make(target, file_format, contents) as writer:
        for _ in range(minutes):
            writer.write(minute)
    return time.process_time() - began


def memory_mb(path: Path, target: Path, lufs: float) -> float:
    """The largest resident size of a process that joins it, in MB."""
    words = [sys.executable, "-m", "bench.join", "--one", str(path), str(target), str(lufs)]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def measure(formats: list[str], minutes: int, hours: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short = playlist(folder, minutes)
        for file_format in formats:
            target = folder / f"episode.{file_format}"
            alone = min(encoder_s(target, minutes) for _ in range(2))
            joined = min(joined_s(short, target, -19.0) for _ in range(2))
            limited = joined_s(short, target, -16.0)
            found[file_format] = {
                "encoder_s": round(alone, 2),
                "join_s": round(joined, 2),
                "ratio": round(joined / alone, 2),
                "limited_ratio": round(limited / alone, 2),
            }
            target.unlink()
        if hours:
            long = playlist(folder, round(hours * 60), sounding=0.1)
            for file_format in formats:
                target = folder / f"episode.{file_format}"
                began = time.perf_counter()
                found[file_format]["mb"] = round(memory_mb(long, target, -16.0))
                found[file_format]["wall_s"] = round(time.perf_counter() - began)
                target.unlink()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--formats", default=",".join(_FORMATS))
    parser.add_argument("--one", nargs=3, metavar=("PLAYLIST", "TARGET", "LUFS"))
    options = parser.parse_args()
    if options.one:
        path, target, lufs = options.one
        joined_s(Path(path), Path(target), float(lufs))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
        return
    found = measure(options.formats.split(","), options.minutes, options.hours)
    if options.json:
        print(json.dumps(found))
        return
    for file_format, each in found.items():
        print(f"{file_format:5}", "  ".join(f"{name} {value}" for name, value in each.items()))


if __name__ == "__main__":
    main()
