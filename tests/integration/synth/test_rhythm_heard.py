"""The pauses of real speech, measured in the audio of the default engine (V16, V17)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

from lib.clock import SystemClock
from lib.voices import VoiceRegistry
from lib.voices.usual_silences import Pauses
from synth.audio.levels import Samples
from synth.audio.trim import FRAME_S, sounding_frames
from synth.engines import Engine, create_engine
from synth.speech.performance import perform
from synth.speech.request import SpeakRequest
from synth.speech.takes import RawTake

TEXT = (
    "We walked along the river, past the old mill, and over the bridge. The water was high. "
    "Nobody was about.\n\n"
    "In the morning, the boats came home. The door was open, and the\nlamp was lit."
)
COMMA, STOP, PARAGRAPH = "comma", "stop", "paragraph"
#: In the order of the text.
PAUSES = [COMMA, COMMA, STOP, STOP, PARAGRAPH, COMMA, STOP, COMMA]


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = create_engine("hibari")
    made.load()
    return made


def take(engine: Engine, text: str, speaker: str = "Ryan", **changes: object) -> RawTake:
    voice = VoiceRegistry().resolve(None, speaker, "English")
    request = SpeakRequest(text, voice, **changes)  # type: ignore[arg-type]  # any field
    request.check()
    return perform(request, engine, SystemClock(), lambda done, total: None).takes[0]


def silences(signal: Samples, sample_rate: int, least: float = 0.13) -> list[float]:
    """Seconds of each silence between sounds; shorter ones are those before p, t and k."""
    sounding = np.flatnonzero(sounding_frames(signal, sample_rate))
    gaps = (np.diff(sounding) - 1) * FRAME_S
    return [float(gap) for gap in gaps[gaps > least]]


def heard(made: RawTake, least: float = 0.13) -> list[float]:
    return silences(made.samples, made.sample_rate, least)


def of_kind(found: Sequence[float], kind: str) -> list[float]:
    return [seconds for seconds, each in zip(found, PAUSES, strict=True) if each == kind]


@pytest.mark.parametrize("speaker", ["Ryan", "heart", "Sohee", "Uncle_Fu"])
def test_a_comma_is_shorter_than_a_stop_and_a_stop_than_a_paragraph(engine: Engine, speaker: str) -> None:
    found = heard(take(engine, TEXT, speaker))

    assert of_kind(found, COMMA) == pytest.approx([0.2] * 4, abs=0.05)
    assert of_kind(found, STOP) == pytest.approx([0.45] * 3, abs=0.05)
    assert of_kind(found, PARAGRAPH) == pytest.approx([0.9], abs=0.05)


def test_pauses_are_as_they_are_set(engine: Engine) -> None:
    found = heard(take(engine, TEXT, pauses=Pauses(0.3, 0.6, 1.2)))

    assert of_kind(found, COMMA) == pytest.approx([0.3] * 4, abs=0.05)
    assert of_kind(found, PARAGRAPH) == pytest.approx([1.2], abs=0.05)


def test_a_break_is_the_silence_that_was_asked_for(engine: Engine) -> None:
    """Without `chunk`, inside a sentence, between two and at a paragraph's end."""
    made = take(
        engine, "The lamp [pause 0.8s] was lit. [pause 1.5s] Nobody knew.\n\n[pause 0.3s] It was May."
    )

    assert heard(made) == pytest.approx([0.8, 1.5, 0.3], abs=0.05)


def test_dialogue_sounds_as_without_its_quotes(engine: Engine) -> None:
    words = "The door is open, he said. Come in, she said, and sit down."
    quoted = '"The door is open," he said. “Come in,” she said, “and sit down.”'

    plain, spoken = take(engine, words, seed=1), take(engine, quoted, seed=1)

    assert np.array_equal(plain.samples, spoken.samples)


@pytest.mark.parametrize("dash", [" -- ", " - ", " — ", "—"])
def test_dashes_pause(engine: Engine, dash: str) -> None:
    made = take(engine, f"The old pier{dash}what was left of it{dash}fell down.")

    assert heard(made) == pytest.approx([0.2, 0.2], abs=0.05)


def test_the_engine_pauses_at_nearly_every_comma(engine: Engine) -> None:
    """Where it speaks on, there is no silence that could be made longer."""
    text = (
        "He bought bread, cheese, apples, and wine. However, nobody knew the answer; the book was lost. "
        "The old man, who lived alone, kept bees, hens, and a goat. Well, I never. If you see him, tell him. "
        "After the storm, the pier, which had stood for a century, was gone. Slowly, carefully, he rose."
    )

    found = heard(take(engine, text))

    assert sum(seconds < 0.3 for seconds in found) >= 0.9 * (text.count(",") + text.count(";"))


def test_a_word_is_said_by_its_phonemes(engine: Engine) -> None:
    """V16: in the engine's signs or the usual ones; the text around stays as it is."""
    plain = take(engine, "The boat came home.", seed=1)
    spelled = [
        take(engine, f"The [skiff](/{phonemes}/) came home.", seed=1)
        for phonemes in ("bˈOt", "ˈboʊt", "bˈəʊt")
    ]

    assert len(spelled[0].samples) == pytest.approx(len(plain.samples), rel=0.1)
    assert not np.array_equal(spelled[0].samples, spelled[1].samples)
    assert len(take(engine, "The [skiff](/ˌæntidˌɪsɪstˈæblɪʃmˌɛnt/) came home.").samples) > 1.3 * len(
        plain.samples
    )


@pytest.mark.parametrize("letter", "AaIiBz")
def test_a_text_of_one_letter_is_the_letters_name(engine: Engine, letter: str) -> None:
    """The word "a" is a mere breath."""
    named = take(engine, f"{letter.upper()}.", seed=1)

    assert np.array_equal(take(engine, letter, seed=1).samples, named.samples)


#: Each is spoken in one breath of a word or two.
LINES = re.findall(
    r"[A-Z][^.?!]*[.?!]",
    "Me. When? Who? Why not? Yes. No. Go! Stop! Run. Wait. Oh. Ah! Now. Never. Always. Come in. Sit down. "
    "Thank you. Good night. Hello. Goodbye. Really? Of course. Not yet. Which one? Tomorrow. Eight. Two. "
    "Help! Quiet. You? Us. Strengths. Chapter one. The end. Ask Ruth. A boat. I did. Fire! Up.",
)


def test_short_lines_pass_at_the_first_take(engine: Engine) -> None:
    """V6: each by itself, four in a job, and all of them."""
    jobs = [*LINES, *("\n\n".join(LINES[at : at + 4]) for at in range(0, 40, 4)), " ".join(LINES)]

    flagged = {text: flags for text in jobs if (flags := take(engine, text).flags)}

    assert len(LINES) == 40
    assert flagged == {}
