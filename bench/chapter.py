"""How much memory and disk a chapter of hours takes, and how long it takes to go on with it after a crash.

    python -m bench.chapter [--json] [--hours 3] [--format wav] [--noise]

`voice-synth speak --chunk` with the built-in engine (with `--noise`, for a busy machine: one that only
swells, as long and as loud; the engine's own memory is not in it), in a process of its own that ends, as a
crash would, once all is spoken and written and before the pieces are removed; then the same again, which
finds all pieces. Memory is the largest resident size of each process. The disk is what the pieces take, and
the joined and the levelled take that lie beside them meanwhile.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from lib.clock import SystemClock
from lib.voices import VoiceRegistry
from synth.engines import EngineLimits, Model, Speech, Utterance, create_engine
from synth.speech.kept_pieces import KeptPieces
from synth.speech.request import SpeakRequest
from synth.speech.speak import speak

_RATE: Final = 24_000
_SENTENCE: Final = (
    "Sentence number {n} tells of a river that runs slowly past the old mill, and of those who live there; "
    "nobody hurries, not even on market days."
)
_SENTENCES_AN_HOUR: Final = 405  # of these, in the first speaker's voice


class SwellingEngine:
    """Swells for 70 ms a letter, between silences."""

    name = "hibari"

    def __init__(self) -> None:
        at = np.arange(60 * _RATE) / _RATE
        noise = np.random.default_rng(5).standard_normal(len(at)) * (1.05 + np.sin(2 * np.pi * 3 * at))
        self._sound = (0.05 * np.convolve(noise, np.ones(6) / 6, "same")).astype(np.float32)

    def load(self) -> Model:
        """Nothing to load."""
        return Model("swelling", "1", _RATE)

    def speak(self, utterances: Sequence[Utterance]) -> list[Speech]:
        """As long as each text."""
        return [self._speech(utterance) for utterance in utterances]

    def speakers(self) -> Mapping[str, str]:
        """One."""
        return {"heart": "heart"}

    def languages(self) -> frozenset[str]:
        """English."""
        return frozenset({"English"})

    def limits(self) -> EngineLimits:
        """As the built-in one."""
        return EngineLimits(300, 1, seed_varies=False, usual_rate=None)

    def _speech(self, utterance: Utterance) -> Speech:
        letters = sum(map(str.isalpha, utterance.text))
        return Speech(np.pad(self._sound[: round(0.07 * letters * _RATE)], _RATE // 5), _RATE, letters)


def text_of(hours: float) -> str:
    """A chapter that lasts about so long, in paragraphs."""
    sentences = [_SENTENCE.format(n=n) for n in range(1, round(hours * _SENTENCES_AN_HOUR) + 1)]
    paragraphs = [" ".join(sentences[first : first + 8]) for first in range(0, len(sentences), 8)]
    return "\n\n".join(paragraphs)


def speak_here(folder: Path, file_format: str, noise: bool) -> dict[str, Any]:
    """Speak what lies in `folder`, leaving the pieces."""
    text = (folder / "chapter.txt").read_text()
    voice = VoiceRegistry().resolve(None, "Ryan", "English", "hibari")
    asked = SpeakRequest(text, voice, chunk=True, file_format=file_format, peaks=True)
    began, spent = time.perf_counter(), time.process_time()
    with KeptPieces(folder / "pieces", lambda line: None) as kept:
        engine = SwellingEngine() if noise else create_engine("hibari")
        record = speak(asked, engine, SystemClock(), folder / "chapter", lambda *_: None, kept=kept)
        disk = sum(path.stat().st_size for path in kept.folder.iterdir())
    return {
        "audio_hours": round(record.takes[0].audio_seconds / 3600, 2),
        "pieces": record.pieces,
        "loudness_lufs": record.takes[0].loudness_lufs,
        "wall_s": round(time.perf_counter() - began, 1),
        "cpu_s": round(time.process_time() - spent, 1),
        "mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "disk_mb": round(disk / 1e6),
        "sha256": record.takes[0].audio.sha256,
    }


def in_a_process(folder: Path, file_format: str, noise: bool) -> dict[str, Any]:
    """The same in one that ends."""
    words = [sys.executable, "-m", "bench.chapter", "--one", str(folder), "--format", file_format]
    words += ["--noise"] if noise else []
    found: dict[str, Any] = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--format", default="wav")
    parser.add_argument("--noise", action="store_true")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one is not None:
        print(json.dumps(speak_here(asked.one, asked.format, asked.noise)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "chapter.txt").write_text(text_of(asked.hours))
        found = {kind: in_a_process(folder, asked.format, asked.noise) for kind in ("spoken", "gone on with")}
    if found["spoken"]["sha256"] != found["gone on with"]["sha256"]:
        raise SystemExit("the two differ")
    if asked.json:
        print(json.dumps(found))
        return
    for kind, each in found.items():
        print(f"{kind}: {each['audio_hours']} h in {each['pieces']} pieces at {each['loudness_lufs']} LUFS")
        print(f"  {each['mb']} MB resident, {each['disk_mb']} MB of disk")
        print(f"  {each['wall_s']} s, {each['cpu_s']} s of the processor")


if __name__ == "__main__":
    main()
