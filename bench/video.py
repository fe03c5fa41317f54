"""How long a narrated video takes: one minute at 1080p with moves, fades, captions, a poster and a preview.

    python -m bench.video            against Debian's ffmpeg doing the same, where it is installed

The same pictures, moves, fades, captions, loudness, encoder settings and files come from both; ffmpeg moves
with `zoompan`, which shows whole pixels, on pictures twice as wide and high. They run one after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image, ImageDraw

from synth.typeset.caption_painter import CaptionPainter

SCENE_S, CUE_S, FPS, FADE = 7.5, 3.0, 30, 0.5
LIMIT_S, LIMIT_BYTES, LIMIT_RATIO = 60.0, 10**9, 1.3


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--json", action="store_true")
    options.add_argument("--scenes", type=int, default=8, help="of 7.5 seconds each")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, chosen.scenes)
        found: dict[str, Any] = {"load_before": os.getloadavg()[0], "cores": len(os.sched_getaffinity(0))}
        found["ours"] = measured(ours(folder))
        if shutil.which("ffmpeg"):
            found["ffmpeg"] = measured(*theirs(folder, chosen.scenes))
            found["ratio"] = round(found["ours"]["seconds"] / found["ffmpeg"]["seconds"], 2)
            found["cpu_ratio"] = round(found["ours"]["cpu_s"] / found["ffmpeg"]["cpu_s"], 2)
        found["load_after"] = os.getloadavg()[0]
    print(json.dumps(found, indent=None if chosen.json else 2))
    good = found["ours"]["seconds"] < LIMIT_S and found["ours"]["peak_bytes"] < LIMIT_BYTES
    sys.exit(0 if good and found.get("ratio", 0.0) <= LIMIT_RATIO else 1)


def measured(*commands: list[str]) -> dict[str, float]:
    """Wall seconds, CPU seconds and the largest memory of the commands, one after the other."""
    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    peaks = []
    for command in commands:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(said.decode())
        peaks.append(usage.ru_maxrss * 1024)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "seconds": round(time.monotonic() - begin, 2),
        "cpu_s": round(cpu, 2),
        "peak_bytes": max(peaks),
    }


def prepare(folder: Path, count: int) -> None:
    """A narration, so many cards, a caption for each three seconds, and the timeline."""
    seconds = count * SCENE_S
    t = np.arange(round(seconds * 24_000)) / 24_000
    voice = 0.1 * np.sin(2 * np.pi * 140 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))
    soundfile.write(folder / "voice.wav", voice.astype(np.float32), 24_000)
    rng = np.random.default_rng(3)
    for number in range(count):
        ground = Image.fromarray(rng.integers(20, 120, (3, 4, 3), dtype=np.uint8)).resize((1920, 1080))
        pen = ImageDraw.Draw(ground)
        for row in range(9):
            pen.text(
                (200, 120 + row * 95),
                f"Card {number + 1}, line {row + 1}: the sea leaves",
                "white",
                font_size=64,
            )
        ground.save(folder / f"card_{number}.png")
    cues = [
        {"start": at * 3.0, "end": at * 3.0 + 2.8, "text": f"Caption {at + 1}: twice a day the sea leaves."}
        for at in range(int(seconds / CUE_S))
    ]
    scenes = [{"picture": f"card_{at}.png", "start": at * SCENE_S, "move": "in"} for at in range(count)]
    value = {"format": 1, "narration": "voice.wav", "captions": {"cues": cues}, "scenes": scenes}
    (folder / "timeline.json").write_text(json.dumps(value))
    painter = CaptionPainter(1920, 1080)
    for number, cue in enumerate(cues):
        painter.picture(str(cue["text"])).save(folder / f"caption_{number}.png")


def ours(folder: Path) -> list[str]:
    program = [sys.executable, "-m", "synth.video_main", "assemble", str(folder / "timeline.json")]
    return [*program, "--out", str(folder / "ours.mp4")]


def theirs(folder: Path, count: int) -> list[list[str]]:
    """Two runs of ffmpeg: the loudness is measured first, then all is made at once."""
    seconds, cues = count * SCENE_S, int(count * SCENE_S / CUE_S)
    level = "loudnorm=I=-14:TP=-1.5:LRA=20"
    first = ["ffmpeg", "-y", "-i", str(folder / "voice.wav"), "-af", f"{level}:print_format=json"]
    inputs: list[str] = []
    for number in range(count):
        inputs += ["-i", str(folder / f"card_{number}.png")]
    for number in range(cues):
        inputs += ["-i", str(folder / f"caption_{number}.png")]
    length = SCENE_S
    lines, last = [], ""
    for number in range(count):
        frames = round((length + (FADE if number < count - 1 else 0)) * FPS)
        lines.append(
            f"[{number}:v]scale=3840:2160,zoompan=z='1+0.08*on/{frames}':d={frames}:x='(iw-iw/zoom)/2':"
            f"y='(ih-ih/zoom)/2':s=1920x1080:fps={FPS},format=yuv420p,settb=1/{FPS}[s{number}]"
        )
        if number:
            lines.append(f"{last}[s{number}]xfade=duration={FADE}:offset={length * number}[x{number}]")
        last = f"[x{number}]" if number else "[s0]"
    for number in range(cues):
        when = f"enable='between(t,{number * 3},{number * 3 + 2.8})'"
        lines.append(f"{last}[{count + number}:v]overlay=(W-w)/2:H-h-76:{when}[c{number}]")
        last = f"[c{number}]"
    lines.append(f"{last}split[film][half];[half]scale=854:480[small];[{count + cues}:a]{level},asplit[a][b]")
    coded = ["-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-c:a", "aac", "-b:a", "160k", "-ac", "2"]
    coded += ["-ar", "48000", "-movflags", "+faststart", "-t", str(seconds)]
    second = ["ffmpeg", "-y", *inputs, "-i", str(folder / "voice.wav"), "-filter_complex", ";".join(lines)]
    second += ["-map", "[film]", "-map", "[a]", *coded, "-crf", "20", str(folder / "theirs.mp4")]
    second += ["-map", "[small]", "-map", "[b]", *coded, "-crf", "26", str(folder / "preview.mp4")]
    return [[*first, "-f", "null", "-"], second]


if __name__ == "__main__":
    main()
