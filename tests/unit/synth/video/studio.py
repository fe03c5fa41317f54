"""Small videos for tests: a voice of tones that pauses as a speaker does, pictures, captions, a timeline."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image

from synth.video.assemble import AssembledVideo, AssemblyOptions, assemble
from synth.video.timeline import read_timeline

RATE = 24_000
TEXTS = ("The sea leaves.", "It comes back.", "It is the moon.", "And the sun helps.", "Nobody asks why.")

Picture = NDArray[np.uint8]
Sound = NDArray[np.float32]
Repaint = Callable[[int, Picture], Picture]
Resound = Callable[[Sound], Sound]


def voice(sentences: list[float], pause: float = 0.4, seed: int = 0) -> Sound:
    """A buzz for each sentence of so many seconds, with syllables, and a pause after each."""
    rng = np.random.default_rng(seed)
    parts = []
    for seconds in sentences:
        t = np.arange(round(seconds * RATE)) / RATE
        syllables = 0.55 + 0.45 * np.sin(2 * np.pi * rng.uniform(3, 5) * t)
        buzz = sum(np.sin(2 * np.pi * rng.uniform(110, 180) * k * t) / k for k in range(1, 8))
        parts += [0.08 * syllables * buzz, np.zeros(round(pause * RATE))]
    return np.concatenate(parts[:-1]).astype(np.float32)


class Studio:
    """A folder with a timeline that tests change. `length` is the narration's."""

    def __init__(self, folder: Path, sentences: tuple[float, ...] = (1.1, 0.9, 1.05)) -> None:
        self.folder = folder
        self.out = folder / "out" / "film.mp4"
        self.timeline: dict[str, Any] = {"format": 1, "size": [192, 108], "fps": 15, "narration": "voice.wav"}
        self.speak(sentences)

    def speak(self, sentences: tuple[float, ...], seed: int = 0) -> None:
        """A scene, a picture and a caption for each sentence."""
        soundfile.write(self.folder / "voice.wav", voice(list(sentences), seed=seed), RATE)
        cues, scenes, at = [], [], 0.0
        for number, seconds in enumerate(sentences):
            name = f"picture_{number}.png"
            if not (self.folder / name).exists():
                paint(self.folder / name, number)
            scenes.append({"picture": name, "start": round(at, 3), "chapter": f"Part {number + 1}"})
            text = TEXTS[number % len(TEXTS)]
            cues.append({"start": round(at, 3), "end": round(at + seconds, 3), "text": text})
            at += seconds + 0.4
        self.length = round(at - 0.4, 6)
        self.timeline |= {"scenes": scenes, "captions": {"cues": cues}}

    def make(self, **options: Any) -> AssembledVideo:
        """Assemble it."""
        (self.folder / "timeline.json").write_text(json.dumps(self.timeline))
        timeline = read_timeline(self.folder / "timeline.json")
        return assemble(timeline, self.out, AssemblyOptions(**options), lambda done, total: None)


def paint(path: Path, seed: int, size: tuple[int, int] = (240, 135)) -> None:
    """A picture with coarse colours."""
    coarse = np.random.default_rng(seed).integers(40, 230, (5, 8, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)


def frames_of(path: Path) -> list[Picture]:
    """Every frame as RGB."""
    with av.open(str(path)) as container:
        shown = (frame.to_ndarray(format="rgb24") for frame in container.decode(video=0))
        return [frame.astype(np.uint8, copy=False) for frame in shown]


def sound_of(path: Path) -> Sound:
    """Left and right, (2, n)."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def refilmed(
    path: Path,
    target: Path,
    picture: Repaint = lambda number, frame: frame,
    sound: Resound = lambda sound: sound,
) -> Path:
    """The film at `target`, with every frame and all of its sound changed by somebody."""
    with av.open(str(path)) as source:
        fps = source.streams.video[0].average_rate
        seconds = float(source.streams.audio[0].duration or 0) / 48_000
    heard = np.ascontiguousarray(sound(sound_of(path)[:, : round(seconds * 48_000)]))
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video: Any = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "18"})
        audio: Any = container.add_stream("aac", rate=48_000, layout="stereo")
        frames = frames_of(path)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        for number, frame in enumerate(frames):
            shown: Any = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(picture(number, frame)), format="rgb24"
            )
            shown.pts, shown.time_base = number, Fraction(1) / (fps or 1)
            container.mux(video.encode(shown))
        container.mux(video.encode(None))
        said: Any = av.AudioFrame.from_ndarray(heard.astype(np.float32), format="fltp", layout="stereo")
        said.sample_rate, said.pts, said.time_base = 48_000, 0, Fraction(1, 48_000)
        container.mux(audio.encode(said))
        container.mux(audio.encode(None))
    return target
