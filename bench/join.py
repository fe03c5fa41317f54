"""What joining an episode costs beside its encoder alone, and how much memory ten hours take.

    python -m bench.join [--json] [--minutes 10] [--hours 10] [--sounding 1] [--formats m4b,mp3]

For each format, in one run: the processor seconds of `join` of beats at their level, then of a join that has
to lift them by 3 LU through the limiter, and those of the same encoder that gets the same samples out of
memory and has nothing else to do; the least of three rounds each. `beside` is what join takes beyond the
encoder for an hour of audio, in seconds, at their level and lifted. The audio is swelling noise at -19 LUFS,
read from WAV files whose hashes are compared, as `job-runner join` has it; the same minute over and over,
which no encoder knows. Memory is the largest resident size of a process of its own that joins `--hours` hours
with the limiter (0: it is left out). `--sounding 0.1`: a tenth of each minute sounds there, for a quicker
answer: what takes memory, packets and levels, is the same for silence.
"""

from __future__ import annotations

import argparse
import hashlib
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

from synth.audio.levels import Samples
from synth.audio.loudness_normalizer import level
from synth.audio.tags import Tags
from synth.join.episode import join_playlist
from synth.join.mp4 import BRANDS, written_mp4
from synth.join.playlist import read_playlist
from synth.join.writers import Contents, written

_RATE: Final = 24_000
_ROUNDS: Final = 3
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
    known = {
        "file": "beat.wav",
        "sha256": hashlib.sha256((folder / "beat.wav").read_bytes()).hexdigest(),
        "true_peak_dbtp": -1.5,
    }
    beats = [{"title": f"beat {number}", **known} for number in range(minutes)]
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


def costs(short: Path, target: Path, minutes: int) -> dict[str, Any]:
    """Of the encoder, of `join`, and of `join` with the limiter; in turns, so that all meet the same load."""
    alone, joined, limited = (
        min(each)
        for each in zip(
            *(
                (encoder_s(target, minutes), joined_s(short, target, -19.0), joined_s(short, target, -16.0))
                for _ in range(_ROUNDS)
            ),
            strict=True,
        )
    )
    target.unlink()
    return {
        "encoder_s": round(alone, 2),
        "join_s": round(joined, 2),
        "ratio": round(joined / alone, 2),
        "limited_ratio": round(limited / alone, 2),
        "beside": [round((each - alone) * 60 / minutes, 1) for each in (joined, limited)],
    }


def measure(formats: list[str], minutes: int, hours: float, sounding: float) -> dict[str, Any]:
    found: dict[str, Any] = {each: {} for each in formats}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if minutes:
            short = playlist(folder, minutes)
            for file_format in formats:
                found[file_format] |= costs(short, folder / f"episode.{file_format}", minutes)
        if hours:
            long = playlist(folder, round(hours * 60), sounding=sounding)
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
    parser.add_argument("--sounding", type=float, default=1.0)
    parser.add_argument("--formats", default=",".join(_FORMATS))
    parser.add_argument("--one", nargs=3, metavar=("PLAYLIST", "TARGET", "LUFS"))
    options = parser.parse_args()
    if options.one:
        path, target, lufs = options.one
        joined_s(Path(path), Path(target), float(lufs))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
        return
    found = measure(options.formats.split(","), options.minutes, options.hours, options.sounding)
    if options.json:
        print(json.dumps(found))
        return
    for file_format, each in found.items():
        print(f"{file_format:5}", "  ".join(f"{name} {value}" for name, value in each.items()))


if __name__ == "__main__":
    main()
