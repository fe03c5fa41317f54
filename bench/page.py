"""How long a page to listen to takes to make, as its process, and how large it is.

    python -m bench.page [--json] [--beats 500] [--seconds 10] [--times 3]

A page of `--beats` beats of that many seconds each, with captions and a text of 150 letters: the wall seconds
and the processor's of `voice-synth page` from its start to its end, the best of some times, with the peaks
beside the audio, as jobs leave them, and without, where the audio is read for the waveforms.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

from lib.captions import Cue
from lib.records import FileRef, SpokenRecord, Take
from synth.audio.peaks import peaks_json

_RATE: Final = 24_000
_TEXT: Final = "Twice a day the sea leaves, and boats that floated at breakfast lie on mud by noon. " * 2


def page_list(folder: Path, count: int, seconds: float, *, peaks: bool) -> Path:
    """A list of one page, whose beats are links to one file, so that the disk takes no part in it."""
    at = np.arange(round(seconds * _RATE)) / _RATE
    hum = (0.3 * np.sin(at * 1400) * (1 + np.sin(at * 9)) / 2).astype(np.float32)
    soundfile.write(folder / "first.wav", hum, _RATE, "PCM_16")
    (folder / "first.peaks.json").write_bytes(peaks_json(hum, _RATE))
    cues = tuple(
        Cue(each, each + 1.0, "Twice a day the sea leaves.", "piece") for each in range(int(seconds))
    )
    beats = []
    for number in range(count):
        name = f"beat-{number:04d}"
        for suffix in ("wav", "peaks.json"):
            (folder / f"{name}.{suffix}").unlink(missing_ok=True)
            os.link(folder / f"first.{suffix}", folder / f"{name}.{suffix}")
        take = Take(1, FileRef(f"{name}.wav", len(hum) * 2, "0" * 64), seconds, captions=cues)
        record = _record(take)
        beat = {"title": name, "text": _TEXT, "record": record.to_json(), "files": [f"{name}.wav"]}
        beats.append({**beat, "peaks": [f"{name}.peaks.json"]} if peaks else beat)
    path = folder / "pages.json"
    path.write_text(
        json.dumps({"format": 1, "pages": [{"file": "listen.html", "title": "Bench", "beats": beats}]})
    )
    return path


def _record(take: Take) -> SpokenRecord:
    return SpokenRecord(
        engine="hibari",
        model="hibari heart",
        revision="1",
        language="English",
        profile="balanced",
        characters=len(_TEXT),
        pieces=2,
        work_seconds=0.1,
        real_time_factor=0.01,
        sample_rate=_RATE,
        audio_format="wav",
        takes=(take,),
        chosen_why="It is the only one.",
        verdict="UNVERIFIED",
        verdict_why="No recogniser compared speech and text.",
        created_at="2026-11-30T00:00:00Z",
        speaker="Ryan",
    )


def made_s(path: Path) -> tuple[float, float]:
    """Seconds of the process: by the wall, and of the processor."""
    before, began = _children_s(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "synth.main", "page", str(path)], check=True, capture_output=True)
    return time.perf_counter() - began, _children_s() - before


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(count: int, seconds: float, times: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found: dict[str, Any] = {"beats": count, "seconds_each": seconds}
        for word, peaks in (("with_peaks", True), ("without_peaks", False)):
            path = page_list(folder, count, seconds, peaks=peaks)
            took = [made_s(path) for _ in range(times)]
            found[f"{word}_s"] = round(min(wall for wall, _ in took), 2)
            found[f"{word}_cpu_s"] = round(min(cpu for _, cpu in took), 2)
        found["page_mb"] = round((folder / "listen.html").stat().st_size / 1e6, 2)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--beats", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    found = measure(options.beats, options.seconds, options.times)
    print(
        json.dumps(found) if options.json else "  ".join(f"{name} {value}" for name, value in found.items())
    )


if __name__ == "__main__":
    main()
