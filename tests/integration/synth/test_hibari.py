"""The default engine itself: presets, determinism, nothing lost, nothing crashes (V2, V3, V13)."""

from __future__ import annotations

import gzip
import itertools
import json
from importlib.metadata import entry_points
from pathlib import Path

import hibari
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lib.clock import SystemClock
from lib.voices import ENGINES_GROUP, ResolvedVoice, TextRefused, UnknownEngine, VoiceRegistry, engine_facts
from lib.voices.engines import HIBARI
from synth.audio.level_stream import measure_levels
from synth.audio.loudness_meter import integrated_loudness
from synth.audio.trim import trim
from synth.engines import Engine, Speech, Utterance, create_engine, installed_engines
from synth.engines.hibari import ENGINE
from synth.engines.hibari.text import MOST_PHONEMES, fit, readable
from synth.speech.performance import perform
from synth.speech.request import SpeakRequest
from synth.speech.takes import Performance
from tests.contract.engines.pitch import median_pitch

RATE = 24_000
SENTENCE = "The quick brown fox jumps over the lazy dog, and then it rests for a while in the warm shade."


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = create_engine("hibari")
    made.load()
    return made


def spoken(engine: Engine, text: str = SENTENCE, preset: str = "heart", **changes: object) -> Speech:
    utterance = Utterance(text, "English", preset, 1, **changes)  # type: ignore[arg-type]  # any field
    (speech,) = engine.speak([utterance])
    assert isinstance(speech, Speech)
    return speech


def performed(engine: Engine, text: str, speaker: str = "Ryan", **changes: object) -> Performance:
    voice = VoiceRegistry().resolve(None, speaker, "English")
    request = SpeakRequest(text, voice, **changes)  # type: ignore[arg-type]  # any field
    request.check()
    return perform(request, engine, SystemClock(), lambda done, total: None)


def test_the_engine_is_registered_as_anyone_else_would_register_theirs() -> None:
    """V2: the entry point leads to what the table of engines leads to."""
    points = {point.name: point for point in entry_points(group=ENGINES_GROUP)}

    assert points["hibari"].load() is ENGINE
    assert "hibari" in installed_engines()


def test_an_engine_nobody_brought_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownEngine, match="'kokoro' is not installed here; there are: espeak, hibari"):
        create_engine("kokoro")


def test_engine_and_static_table_agree(engine: Engine) -> None:
    facts = engine_facts("hibari")

    assert engine.speakers() == facts.speakers
    assert engine.languages() == facts.languages


def test_presets_are_at_least_twenty_hertz_apart(engine: Engine) -> None:
    """V3, measured on the sound."""
    pitches = sorted(
        median_pitch(spoken(engine, preset=name).samples) for name in engine_facts("hibari").presets
    )

    assert all(above - below >= 20 for below, above in itertools.pairwise(pitches)), pitches


@pytest.mark.parametrize("preset", sorted(engine_facts("hibari").presets))
def test_every_preset_speaks_as_quickly_and_evenly_as_the_voice_itself(engine: Engine, preset: str) -> None:
    """A preset that lights up what the model never meant to sound has peaks that hide its own speech."""
    own, speech = spoken(engine), spoken(engine, preset=preset)

    sounding = [trim(one.samples, RATE).active.sum() for one in (own, speech)]
    assert sounding[1] == pytest.approx(sounding[0], rel=0.08)
    assert float(np.abs(speech.samples).max()) < 0.9


def test_the_same_text_speaker_and_seed_give_the_same_samples() -> None:
    """V3, over two instances of the model."""
    first, second = (spoken(create_engine("hibari"), preset="low").samples for _ in range(2))

    assert np.array_equal(first, second)


def test_speed_and_intonation_change_the_take(engine: Engine) -> None:
    plain, quick = spoken(engine), spoken(engine, speed=1.06)
    flat = spoken(engine, intonation=0.9)

    assert len(quick.samples) < len(plain.samples) * 0.97
    assert len(flat.samples) == len(plain.samples)
    assert np.corrcoef(flat.samples, plain.samples)[0, 1] < 0.9


def test_takes_of_one_text_differ(engine: Engine) -> None:
    """V6: more than by their noise."""
    takes = performed(engine, SENTENCE, variants=4).takes

    lengths = [len(take.samples) for take in takes]
    assert len(set(lengths)) == 4


@pytest.mark.parametrize(
    "text", ["word " * 45, "a" * 250, "1" * 200, "pneumono" * 20, "no stop " * 30 + "end"]
)
def test_nothing_of_an_over_long_sentence_is_cut(engine: Engine, text: str) -> None:
    """Unknown words lose their ends, long numbers raise; twice the text must last about twice as long.

    Twice of each but the longest words is more than the model holds at a time.
    """
    once, twice = (trim(spoken(engine, part).samples, RATE) for part in (text, f"{text}, {text}"))

    assert twice.active.sum() > 1.7 * once.active.sum()


@given(st.lists(st.integers(1, 900), max_size=30))
def test_phonemes_are_broken_between_words_and_all_kept(lengths: list[int]) -> None:
    words = ["x" * length for length in lengths]

    parts = list(fit(" ".join(words)))

    assert all(0 < len(part) <= MOST_PHONEMES == 380 for part in parts)
    assert "".join(parts).replace(" ", "") == "".join(words)


def test_long_words_and_numbers_get_blanks_and_ordinary_ones_do_not() -> None:
    def plain(text: str) -> str:
        return readable(text, HIBARI)

    assert plain("note¹A") == "note 1 A"
    assert plain("a" * 30) == "a" * 28 + " aa"
    assert plain("1234567890123456") == " ".join("1234567890123456")
    assert plain("tiếng Việt Łódź") == "tieng Viet Łódź"
    assert plain("antidisestablishmentarianism 123456789012345 café") == (
        "antidisestablishmentarianism 123456789012345 café"
    )


def test_speech_comes_at_the_usual_rate(engine: Engine) -> None:
    """The measure against which takes are judged (V6) fits this engine."""
    texts = [SENTENCE, "In the year 1897 the bridge was opened.", "Why not? Nobody had counted the boxes."]
    for speaker in ("heart", "Ryan", "Ono_Anna"):
        for text in texts:
            [take] = performed(engine, text, speaker).takes
            assert take.flags == (), (speaker, text, take.measures)


def test_the_voice_is_quiet_as_it_comes(engine: Engine) -> None:
    """Why a loudness step is needed at all."""
    loudness = integrated_loudness(measure_levels(spoken(engine).samples, RATE))

    assert loudness is not None
    assert loudness < -22


@pytest.mark.parametrize("text", ["你好", "🎉", "...", "שלום"])
def test_what_it_cannot_speak_is_refused_before(engine: Engine, text: str) -> None:
    with pytest.raises(TextRefused):
        performed(engine, text)


_STRANGE = st.text(
    st.sampled_from(
        "abcXYZ019.,:;!?'\"-—…()[]{}/\\|<>@#&*_+=~^`%$€£éßłñ½²ªº°µΩ№™你мשم😀\x00\x07\x1b\u200b\u202e\ufeff\n\t"
    ),
    max_size=60,
)


@example("¹A")
@example("1$¹")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(_STRANGE, st.text(max_size=40)))
def test_any_text_is_spoken_or_refused(engine: Engine, text: str) -> None:
    """V13: control characters, emoji, mixed scripts, right-to-left."""
    try:
        performance = performed(engine, text)
    except TextRefused:
        return
    assert len(performance.takes[0].samples) > 0


def test_two_hundred_thousand_characters_are_begun_without_ado(engine: Engine) -> None:
    """V13: split and spoken piece by piece; all of it takes a minute or two, so the test stops early."""

    class Enough(Exception):
        pass

    def stop_at_ten(done: int, total: int) -> None:
        assert total > 600
        if done == 10:
            raise Enough

    voice = ResolvedVoice("hibari", None, "Ryan", "low", "English")
    request = SpeakRequest("word " * 40_000, voice, chunk=True)
    request.check()
    with pytest.raises(Enough):
        perform(request, engine, SystemClock(), stop_at_ten)


def test_its_phonemes_are_those_its_dictionary_holds() -> None:
    """V16: a sign it was never taught is noise; one that is missing here could not be asked for."""
    folder = Path(hibari.__file__).parent / "assets"
    known = set(json.loads((folder / "vocab.json").read_text()))
    taught: set[str] = set()
    for name in ("gold", "silver"):
        words = json.loads(gzip.decompress((folder / f"lexicon_us_{name}.json.gz").read_bytes()))
        for said in words.values():
            for phonemes in said.values() if isinstance(said, dict) else [said]:
                taught |= set(phonemes or "")

    assert HIBARI.phonemes >= taught
    assert HIBARI.phonemes - taught == {"ɐ", "T"}  # of "a" before a word, and what ɾ becomes
    assert HIBARI.phonemes <= known


@pytest.mark.parametrize("speed", [0.5, 0.75, 1.0, 1.25, 2.0])
def test_audio_is_as_much_shorter_as_it_is_quicker(engine: Engine, speed: float) -> None:
    """V16."""
    text = f"{SENTENCE} Nobody was about.\n\nIn the morning, the boats came home."
    [usual], [asked] = performed(engine, text).takes, performed(engine, text, speed=speed).takes

    assert len(usual.samples) / len(asked.samples) == pytest.approx(speed, rel=0.06)
    assert asked.flags == ()


def test_no_two_speakers_sound_alike_but_for_the_other_name_of_one() -> None:
    """V3: a dialogue of any two is heard as one."""
    presets = [preset for name, preset in HIBARI.speakers.items() if name != "heart"]

    assert len(presets) == len(set(presets)) == 9
