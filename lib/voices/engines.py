"""The table of the engines that come with the program, and where those of other packages are found."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from lib.voices.errors import UnknownEngine, nearest, quoted
from lib.voices.facts import EngineFacts, Preset, ProfileModel
from lib.voices.languages import AUTO, LANGUAGES

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

DEFAULT_ENGINE: Final = "hibari"
#: Entry points of third parties: the engine's class, and (where importing that is not cheap) its facts.
ENGINES_GROUP: Final = "job_runner.engines"
FACTS_GROUP: Final = "job_runner.engine_facts"

_LEAST_AHEAD: Final = 4

#: The built-in speakers of the Qwen speech models, whose names job files carry.
QWEN_SPEAKERS: Final = (
    "Aiden",
    "Dylan",
    "Eric",
    "Ono_Anna",
    "Ryan",
    "Serena",
    "Sohee",
    "Uncle_Fu",
    "Vivian",
)


def _presets(*presets: Preset) -> dict[str, Preset]:
    return {preset.name: preset for preset in presets}


#: One model speaks all of these: its pitch is scaled and its spectral envelope warped. Neighbours in pitch
#: stay more than 20 Hz apart, so that two speakers of one file are told apart by ear.
_HIBARI_PRESETS: Final = _presets(
    Preset("bass", 0.38, 0.80, "the lowest voice, large and slow"),
    Preset("deep", 0.49, 0.83, "a deep voice"),
    Preset("low", 0.60, 0.87, "a low voice"),
    Preset("mid", 0.72, 0.92, "a middle voice, the newsroom's"),
    Preset("light", 0.83, 0.96, "a light, young voice"),
    Preset("heart", 1.00, 1.00, "the model's own voice, unchanged"),
    Preset("bright", 1.14, 1.04, "a bright voice"),
    Preset("clear", 1.26, 1.07, "a high, clear voice"),
    Preset("high", 1.42, 1.10, "the highest voice"),
)

#: What its model was taught, which is American English; the capitals are diphthongs, T is the t of "city".
#: It has a place for more signs and never heard them. Held against its own dictionary by a test.
_HIBARI_PHONEMES: Final = frozenset("AIOTWYbdfhijklmnpstuvwzæðŋɐɑɔəɛɜɡɪɹɾʃʊʌʒʔʤʧˈˌθᵊᵻ")
#: The usual alphabet for the same sounds, and signs of it that make no difference to this voice.
_HIBARI_SPELLINGS: Final = {
    **{"eɪ": "A", "aɪ": "I", "oʊ": "O", "əʊ": "O", "aʊ": "W", "ɔɪ": "Y"},
    **{"tʃ": "ʧ", "dʒ": "ʤ", "t͡ʃ": "ʧ", "d͡ʒ": "ʤ"},
    **{"g": "ɡ", "r": "ɹ", "ɚ": "əɹ", "ɝ": "ɜɹ", "e": "ɛ", "a": "æ", "o": "O", "ɒ": "ɑ", "ɫ": "l", "ʍ": "w"},
    **{"ː": "", ".": "", "-": "", "'": "ˈ", ",": "ˌ"},
}

HIBARI: Final = EngineFacts(
    name="hibari",
    title="hibari: a small neural voice on the CPU, offline, English",
    languages=frozenset({"English"}),
    speakers={
        "Aiden": "light",
        "Dylan": "deep",
        "Eric": "mid",
        "Ono_Anna": "high",
        "Ryan": "low",
        "Serena": "bright",
        "Sohee": "clear",
        "Uncle_Fu": "bass",
        "Vivian": "heart",
        "heart": "heart",  # Vivian's other name, for whoever asks for the model's own voice
    },
    presets=_HIBARI_PRESETS,
    one_voice=True,
    outpaces_hearing=True,
    max_characters=5_000,
    max_chunked_characters=1_000_000,
    scripts=frozenset({"LATIN"}),
    # Measured with hibari-tts 0.2.1 on 63 texts of one word to three sentences (tests/corpus/scripts and
    # jobs.example.yaml), a fit over words, pauses and an onset; whole scripts lie within 7 % of it.
    letters_per_second=16.8,
    package="hibari-tts",
    settings=("HIBARI_BATCH",),
    version="0.2.1",  # pinned: presets use what is not its public interface
    models=dict.fromkeys(("fast", "balanced", "quality"), ProfileModel("hibari heart")),
    phonemes=_HIBARI_PHONEMES,
    phoneme_spellings=_HIBARI_SPELLINGS,
    speeds=(0.5, 2.0),
)

_QWEN_PRESETS: Final = _presets(
    Preset("aiden", 1.0, 1.0, "a man, native in English"),
    Preset("dylan", 1.0, 1.0, "a man, native in the Chinese of Beijing"),
    Preset("eric", 1.0, 1.0, "a man, native in the Chinese of Sichuan"),
    Preset("ono_anna", 1.0, 1.0, "a woman, native in Japanese"),
    Preset("ryan", 1.0, 1.0, "a man, native in English"),
    Preset("serena", 1.0, 1.0, "a woman, native in Chinese"),
    Preset("sohee", 1.0, 1.0, "a woman, native in Korean"),
    Preset("uncle_fu", 1.0, 1.0, "a man, native in Chinese"),
    Preset("vivian", 1.0, 1.0, "a woman, native in Chinese"),
)

#: What its checkpoints come with; `max_new_tokens` of theirs is replaced by a budget for each text.
_QWEN_SAMPLING: Final = {"temperature": 0.9, "top_k": 50, "top_p": 1.0, "repetition_penalty": 1.05}


#: Published in this one size, so every profile speaks a designed voice with it.
_QWEN_DESIGN: Final = "Qwen3-TTS-12Hz-1.7B-VoiceDesign"


def _qwen_model(size: str) -> ProfileModel:
    name = f"Qwen3-TTS-12Hz-{size}"
    return ProfileModel(f"{name}-CustomVoice", f"{name}-Base", _QWEN_SAMPLING, _QWEN_DESIGN)


QWEN3: Final = EngineFacts(
    name="qwen3",
    title="Qwen3-TTS: large models on a GPU, ten languages, cloned and designed voices",
    languages=frozenset(LANGUAGES) - {AUTO},
    speakers={name: name.lower() for name in QWEN_SPEAKERS},
    presets=_QWEN_PRESETS,
    scripts=frozenset({"LATIN", "CYRILLIC", "CJK", "HIRAGANA", "KATAKANA", "HANGUL"}),
    clones=True,
    designs=True,
    letters_per_second=14.0,  # as others report it; nothing of the weights was run here
    package="qwen-tts",
    version="0.1.1",  # the first that decodes batches rightly; other versions were not tried
    extra="qwen",
    requirements="qwen",
    packages_gb=3.0,  # measured: 2.99 GB of wheels for CPython 3.11 on x86_64, most of it CUDA's
    settings=("QWEN_MODEL", "QWEN_DEVICE", "QWEN_BATCH"),
    weights_setting="QWEN_MODEL",
    least_cuda=13.0,  # the torch of its set is built with CUDA 13.0
    least_vram_gb=16.0,  # what its authors recommend for 1.7B; 0.6B is said to need 8
    download_gb=4.5,  # of the largest checkpoint
    models={"fast": _qwen_model("0.6B"), "balanced": _qwen_model("1.7B"), "quality": _qwen_model("1.7B")},
    batch=8,
)

#: What the library's variants sound like: measured on English, against its own voice (about 103 Hz).
_ESPEAK_PRESETS: Final = _presets(
    Preset("deep", 0.74, 0.97, "the lowest voice, a little rough"),
    Preset("low", 1.00, 1.00, "the library's own voice, unchanged"),
    Preset("mid", 1.22, 0.96, "a middle voice"),
    Preset("light", 1.43, 1.00, "a light voice"),
    Preset("soft", 1.65, 1.20, "a low woman's voice"),
    Preset("bright", 1.92, 1.10, "a bright voice"),
    Preset("clear", 2.17, 1.15, "a high, clear voice"),
    Preset("high", 2.50, 1.20, "the highest voice"),
)

_KANA: Final = frozenset({"HIRAGANA", "KATAKANA"})

ESPEAK: Final = EngineFacts(
    name="espeak",
    title="eSpeak NG: a robotic voice made by rules, on the CPU, offline, ten languages",
    languages=frozenset(LANGUAGES) - {AUTO},
    speakers={
        **{"Aiden": "light", "Dylan": "light", "Eric": "mid", "Ono_Anna": "high", "Ryan": "low"},
        **{"Serena": "bright", "Sohee": "clear", "Uncle_Fu": "deep", "Vivian": "soft"},
    },
    presets=_ESPEAK_PRESETS,
    one_voice=True,
    # Of a script that its language has not it would say the names of the letters, one by one.
    language_scripts={
        "Chinese": frozenset({"LATIN", "CJK"}),
        "Japanese": _KANA | {"LATIN"},
        "Korean": frozenset({"LATIN", "HANGUL"}),
        "Russian": frozenset({"LATIN", "CYRILLIC"}),
    },
    unread_scripts={"Japanese": frozenset({"CJK"})},  # it has no dictionary of how they are said
    # Measured on jobs.example.yaml and the ten scripts of tests/corpus/scripts, which lie within 6 %: on
    # English, for no script in another language is here.
    letters_per_second=15.3,
    package="espeakng-loader",
    version="0.2.4",
    outpaces_hearing=True,
    extra="espeak",
    requirements="espeak",
    models=dict.fromkeys(("fast", "balanced", "quality"), ProfileModel("eSpeak NG")),
    speeds=(0.5, 2.0),
)

#: One row for each folder of synth/engines that holds an engine.
_BUILT_IN: Final = {facts.name: facts for facts in (HIBARI, ESPEAK, QWEN3)}

_points: Final[dict[tuple[str, str, tuple[str, ...]], EntryPoint]] = {}


def engine_names() -> list[str]:
    """Every engine that is known here: ours, then those of installed packages, by name."""
    return [*_BUILT_IN, *sorted(_foreign_names() - set(_BUILT_IN))]


def comes_with_the_program(name: str) -> bool:
    """Whether the engine is one of ours."""
    return name in _BUILT_IN


def engine_facts(name: str) -> EngineFacts:
    """Facts of the engine `name`.

    A third party's come from its entry point in `FACTS_GROUP`; without one, from the engine's class: what it
    says as `facts`, else what its methods say and the usual limits.

    Raises:
        UnknownEngine: nothing installed provides it, or what is registered cannot be used.
    """
    known = _BUILT_IN.get(name)
    if known is not None:
        return known
    point = _point(FACTS_GROUP, name)
    if point is not None:
        facts = point.load()
        if not isinstance(facts, EngineFacts):
            raise UnknownEngine(
                f"The engine {quoted(name)} is registered by {point.value}, which is no EngineFacts."
            )
        return facts
    registered = engine_point(name)
    if registered is None:
        raise UnknownEngine(
            f"The engine {quoted(name)} is not installed here. {nearest(name, engine_names())} "
            "Set VOICE_ENGINE or --engine to one of them."
        )
    return _facts_of_class(name, registered)


def jobs_ahead(name: str, hibari_batch: int = 1) -> int:
    """Jobs that a worker of the engine holds: one batch is spoken, another is ready, so that it never waits.

    `hibari_batch` is how many texts a worker of hibari speaks at once, which depends on its cores. An engine
    that is not known here, which no worker can load, has none to fill.
    """
    try:
        batch = hibari_batch if name == HIBARI.name else engine_facts(name).batch
    except UnknownEngine:
        batch = 1
    return max(_LEAST_AHEAD, 2 * batch)


def engine_point(name: str) -> EntryPoint | None:
    """Where an installed package registers the engine's class; None when none does."""
    return _point(ENGINES_GROUP, name)


def _facts_of_class(name: str, point: EntryPoint) -> EngineFacts:
    try:
        made: Any = point.load()
        facts = getattr(made, "facts", None)
        return facts if isinstance(facts, EngineFacts) else _usual_facts(name, made())
    except (ImportError, AttributeError, TypeError) as error:
        raise UnknownEngine(
            f"The engine {quoted(name)} is registered by {point.value}, which cannot be used: {error}."
        ) from None


def _usual_facts(name: str, engine: Any) -> EngineFacts:
    """What an engine says of itself before it is loaded, with the usual limits."""
    speakers = dict(engine.speakers())
    return EngineFacts(
        name=name,
        title=f"{name}: an engine of another package",
        languages=frozenset(engine.languages()) & frozenset(LANGUAGES),
        speakers=speakers,
        presets=_presets(*(Preset(preset, 1.0, 1.0, "") for preset in speakers.values())),
        batch=max(int(engine.limits().batch), 1),
    )


def _point(group: str, name: str) -> EntryPoint | None:
    """Looked for once where it is found: that reads a file of every installed package."""
    from importlib.metadata import entry_points

    place = (group, name, tuple(sys.path))
    if place not in _points:
        found = next(iter(entry_points(group=group, name=name)), None)
        if found is None:
            return None
        _points[place] = found
    return _points[place]


def _foreign_names() -> set[str]:
    from importlib.metadata import entry_points

    return {point.name for group in (ENGINES_GROUP, FACTS_GROUP) for point in entry_points(group=group)}
