"""Captions against the audio of the default engine: each sentence's cue begins when it is heard (V10)."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lib.captions import Cue, cue_trouble
from lib.clock import SystemClock
from lib.records import SpokenRecord
from lib.voices import VoiceRegistry
from synth.engines import Engine, create_engine
from synth.speech.request import SpeakRequest
from synth.speech.speak import speak

#: Sentences that are long enough to be cues of their own.
TEXTS = [
    "Twice a day the sea leaves and comes back. Boats that floated at breakfast lie on mud by noon.",
    "Dr. Smith paid $42.50 for 5 kg of apples on May 20, 2024. He had asked for 3.5 kg, and nobody "
    "knew why.\n\nThen 1,234 people went home to New York.",
    "# The shape of the bay\n\nWhy does the sea rise fifteen metres in the Bay of Fundy, and barely a hand's "
    "width in the Mediterranean? Water in a bay swings to and fro, like tea in a carried cup, and every bay "
    "has its own rhythm. [pause 0.8s] Fundy's is close to that of the tide itself.",
    "The train left at 6:42 in the morning. It was the 3rd of May, and 40% of the seats were empty!",
    "“Come in,” she said at last. “The door was never locked.” He stood on the step for a long time.",
    "The Moon pulls on everything, but not equally. The side of the Earth that faces it is pulled "
    "a little harder.",
    "Marta has worked this line for nineteen years. She knows every passenger's first question, which is "
    "whether the bed is long enough, and every passenger's second, which is whether there will be coffee.",
    "Please press the red button twice. Peter picked the paper up, put it back, and pulled the curtain.",
    "Somewhere after two the wheels change their note. We are climbing through the snow and the dark.",
    "See the shore; she sells sea shells there. Seven ships sailed south, and six of them came back.",
    "The [Ouse](/ˈuz/) flows through **York** & Selby. It floods every winter, e.g. in 2015 and in 2020.",
    "Chapter IV begins here and now. Queen Elizabeth II was crowned in 1953, when she was 27 years old.",
    "How far is it to the harbour wall? About 3/4 of a mile, if you walk along the river and the wall.",
    "The SQL server at 10.0.0.1 was down for 2 h. Nobody at NASA had noticed it before Tuesday evening.",
    "He whispered something to the old dog. The dog looked up, and sighed, and went on sleeping by the fire.",
    "Temperatures will reach -5 °C tonight. By Friday, 12 Jan., they may rise to 10 °C in the valleys.",
    "What a terrible noise that was! Everyone ran to the window; nobody could see anything at all.",
    "On the one hand it was late already. On the other hand, the lights were on, and there was music.",
    "First we take the left road, then the right one. After that there is only sand, and wind, and the sea.",
    "Good morning, and thank you for listening. This was episode 12 of Night Trains, made in Utrecht.",
]
CLOSE_S = 0.05
#: A last t or k is let go after a silence of its own: loud in a frame of 5 ms, and not in one of 20 ms.
_LET_GO_S = 0.12
_SENTENCE_S = 0.32  # of silence; a comma's is 0.2, a sentence's 0.45


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = create_engine("hibari")
    made.load()
    return made


def said(engine: Engine, text: str, folder: Path, speaker: str) -> SpokenRecord:
    voice = VoiceRegistry().resolve(None, speaker, "English")
    request = SpeakRequest(text, voice, chunk=True)
    request.check()
    return speak(request, engine, SystemClock(), folder / "o", lambda done, total: None)


def heard(path: Path) -> list[tuple[float, float]]:
    """From when to when a sentence sounds: frames of 5 ms over 38 dB under the loudest."""
    samples, rate = soundfile.read(path, dtype="float32")
    frame = rate // 200
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    level = np.sqrt(np.square(frames).mean(axis=1))
    loud = np.flatnonzero(level > level.max() * 10 ** (-38 / 20)) * 0.005
    parts = np.split(loud, np.flatnonzero(np.diff(loud) > _SENTENCE_S) + 1)
    return [(float(part[0]), float(part[-1]) + 0.005) for part in parts]


def sentences(cues: tuple[Cue, ...]) -> list[list[Cue]]:
    """The cues of each sentence: one ends with its mark, or with its paragraph."""
    found: list[list[Cue]] = [[]]
    for cue in cues:
        found[-1].append(cue)
        if re.search(r"[.!?][”\"]?$|The shape of the bay$", cue.text) and not cue.text.endswith("Jan.,"):
            found.append([])
    return [each for each in found if each]


def is_close(cues: list[Cue], sound: tuple[float, float]) -> bool:
    """Whether a sentence's cues begin with it and end with it, or are still read after it."""
    first, last = cues[0], cues[-1]
    stays = max(1.0, len(last.text) / 17)
    ends = -_LET_GO_S <= last.end - sound[1] <= CLOSE_S or sound[1] < last.end <= last.start + stays + 0.002
    return abs(first.start - sound[0]) <= CLOSE_S and ends


def check(engine: Engine, text: str, folder: Path, speaker: str) -> None:
    record = said(engine, text, folder, speaker)
    cues, sounds = record.chosen.captions, heard(folder / "o.wav")
    told = sentences(cues)

    assert cue_trouble(cues, record.audio_seconds) is None
    assert len(told) == len(sounds), (told, sounds)
    off = [
        (each[0].text, each[0].start, sound)
        for each, sound in zip(told, sounds, strict=True)
        if not is_close(each, sound)
    ]
    assert off == []
    for cue, following in pairwise(cues):
        assert cue.end <= following.start


@pytest.mark.parametrize("text", TEXTS[:3], ids=range(3))
def test_cues_are_within_fifty_milliseconds_of_the_audio(engine: Engine, text: str, tmp_path: Path) -> None:
    check(engine, text, tmp_path, "Ryan")


@pytest.mark.soak
@pytest.mark.parametrize("speaker", ["Ryan", "Serena"])
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_cues_of_twenty_texts_are_within_fifty_milliseconds_of_the_audio(
    engine: Engine, text: str, speaker: str, tmp_path: Path
) -> None:
    check(engine, text, tmp_path, speaker)


def test_a_cue_that_is_a_tenth_of_a_second_off_is_noticed() -> None:
    cue = Cue(1.0, 3.0, "We climb through the snow.", "piece")

    assert is_close([cue], (1.04, 3.04))
    assert not is_close([cue], (1.1, 3.0))
    assert not is_close([cue], (0.9, 3.0))
    assert not is_close([cue], (1.0, 3.15))
    assert not is_close([cue], (1.0, 2.9))
