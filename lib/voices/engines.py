"""What is known about each speech engine without loading it: speakers, presets, languages, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lib.voices.errors import UnknownEngine, nearest, quoted

DEFAULT_ENGINE: Final = "hibari"
FACTS_GROUP: Final = "job_runner.engine_facts"
#: How fast narration in English usually is. For engines that give no figure of their own.
USUAL_CHARACTERS_PER_SECOND: Final = 14.0

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


@dataclass(frozen=True, slots=True)
class Preset:
    """One way an engine can sound."""

    name: str
    pitch: float  # factor on the model's fundamental frequency
    formant: float  # factor on the position of its formants; below 1 is a larger speaker
    description: str


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """The static side of an engine. `speakers` maps each accepted speaker to the preset that speaks it."""

    name: str
    title: str
    languages: frozenset[str]
    speakers: Mapping[str, str]
    presets: Mapping[str, Preset]
    max_characters: int  # of one text without `chunk`
    max_chunked_characters: int  # of one text with `chunk`
    scripts: frozenset[str]  # first words of Unicode character names whose letters it can speak
    clones: bool = False  # whether a voice may bring reference audio
    characters_per_second: float = (
        USUAL_CHARACTERS_PER_SECOND  # of text in one second of audio, pauses included
    )

    def preset_of(self, speaker: str) -> tuple[str, str] | None:
        """The speaker as the table writes it and its preset; None when unknown. Case does not matter."""
        wanted = speaker.casefold()
        for name, preset in self.speakers.items():
            if name.casefold() == wanted:
                return name, preset
        return None


def _presets(*presets: Preset) -> dict[str, Preset]:
    return {preset.name: preset for preset in presets}


#: One model speaks all of these: its pitch is scaled and its spectral envelope warped. Neighbours in pitch
#: stay more than 20 Hz apart, so that two speakers of one file are told apart by ear.
_HIBARI_PRESETS: Final = _presets(
    Preset("deep", 0.49, 0.83, "the lowest voice, large and slow"),
    Preset("low", 0.60, 0.87, "a low voice"),
    Preset("mid", 0.72, 0.92, "a middle voice, the newsroom's"),
    Preset("light", 0.83, 0.96, "a light, young voice"),
    Preset("heart", 1.00, 1.00, "the model's own voice, unchanged"),
    Preset("bright", 1.14, 1.04, "a bright voice"),
    Preset("clear", 1.26, 1.07, "a high, clear voice"),
    Preset("high", 1.42, 1.10, "the highest voice"),
)

HIBARI: Final = EngineFacts(
    name="hibari",
    title="hibari: a small neural voice on the CPU, offline, English",
    languages=frozenset({"English"}),
    speakers={
        "Aiden": "light",
        "Dylan": "light",
        "Eric": "mid",
        "Ono_Anna": "high",
        "Ryan": "low",
        "Serena": "bright",
        "Sohee": "clear",
        "Uncle_Fu": "deep",
        "Vivian": "heart",
        "heart": "heart",
    },
    presets=_HIBARI_PRESETS,
    max_characters=5_000,
    max_chunked_characters=1_000_000,
    scripts=frozenset({"LATIN"}),
    # Measured with hibari-tts 0.2.1: the nine texts of jobs.example.yaml, 2475 characters, become 139.3 s;
    # single ones lie between 17.3 and 18.7, whatever the preset.
    characters_per_second=17.8,
)

_BUILT_IN: Final = {HIBARI.name: HIBARI}


def estimated_audio_s(text: str, characters_per_second: float = USUAL_CHARACTERS_PER_SECOND) -> float:
    """Seconds of audio that one take of a text makes, to a tenth. The one guess of all estimates."""
    return round(len(text.strip()) / characters_per_second, 1)


def engine_names() -> list[str]:
    """Every engine whose facts are known here: ours, then those of installed packages, by name."""
    return [*_BUILT_IN, *sorted(_foreign_names() - set(_BUILT_IN))]


def engine_facts(name: str) -> EngineFacts:
    """Facts of the engine `name`; a third party's come from its `job_runner.engine_facts` entry point.

    Raises:
        UnknownEngine: nothing installed provides it.
    """
    known = _BUILT_IN.get(name)
    if known is not None:
        return known
    return _foreign_facts(name)


def _foreign_names() -> set[str]:
    from importlib.metadata import entry_points

    return {point.name for point in entry_points(group=FACTS_GROUP)}


def _foreign_facts(name: str) -> EngineFacts:
    from importlib.metadata import entry_points

    for point in entry_points(group=FACTS_GROUP, name=name):
        facts = point.load()
        if not isinstance(facts, EngineFacts):
            raise UnknownEngine(
                f"The engine {quoted(name)} is registered by {point.value}, which is no EngineFacts."
            )
        return facts
    raise UnknownEngine(
        f"The engine {quoted(name)} is not installed here. {nearest(name, [*_BUILT_IN, *_foreign_names()])} "
        "Set VOICE_ENGINE or --engine to one of them."
    )
