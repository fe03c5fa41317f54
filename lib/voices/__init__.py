"""Which voices there are, which engine speaks each, and which texts an engine can speak.

Cheap to import: no numpy, no engine, no YAML parser until a `voice.yaml` is read. `plan`, the watcher and
`voice-synth` ask the same registry, so a missing voice is an error before any machine is rented.
"""

from __future__ import annotations

from lib.voices.engine_abilities import (
    check_sayings,
    check_speed,
    phoneme_warnings,
    refused_sayings,
    unread_phonemes,
)
from lib.voices.engines import (
    DEFAULT_ENGINE,
    ENGINES_GROUP,
    QWEN_SPEAKERS,
    comes_with_the_program,
    engine_facts,
    engine_names,
    engine_point,
    jobs_ahead,
)
from lib.voices.errors import (
    InvalidVoice,
    SayingRefused,
    SpeedRefused,
    TextRefused,
    UnknownEngine,
    UnknownLanguage,
    UnknownSpeaker,
    UnknownVoice,
)
from lib.voices.facts import (
    USUAL_IMAGE,
    USUAL_LETTERS_PER_SECOND,
    EngineFacts,
    Preset,
    ProfileModel,
)
from lib.voices.hub_ids import HubId, hub_ids
from lib.voices.known_voices import KnownVoices
from lib.voices.languages import AUTO, LANGUAGES, canonical_language
from lib.voices.length_estimate import audio_seconds, estimated_audio_s
from lib.voices.markup import LINK, PAUSE, held_pause_s, without_markup
from lib.voices.named_models import NamedFor, NamedModels, named_by, named_models
from lib.voices.registry import SHIPPED, ResolvedVoice, VoiceRegistry
from lib.voices.text_check import check_text, unspoken_characters
from lib.voices.usual_silences import USUAL_PAUSES, Pauses
from lib.voices.voice_fields import Reference
from lib.voices.voice_kind import VoiceKind, kind_of
from lib.voices.voicefile import Voice, load_voice
from lib.voices.words import words_of

__all__ = [
    "AUTO",
    "DEFAULT_ENGINE",
    "ENGINES_GROUP",
    "LANGUAGES",
    "LINK",
    "PAUSE",
    "QWEN_SPEAKERS",
    "SHIPPED",
    "USUAL_IMAGE",
    "USUAL_LETTERS_PER_SECOND",
    "USUAL_PAUSES",
    "EngineFacts",
    "HubId",
    "InvalidVoice",
    "KnownVoices",
    "NamedFor",
    "NamedModels",
    "Pauses",
    "Preset",
    "ProfileModel",
    "Reference",
    "ResolvedVoice",
    "SayingRefused",
    "SpeedRefused",
    "TextRefused",
    "UnknownEngine",
    "UnknownLanguage",
    "UnknownSpeaker",
    "UnknownVoice",
    "Voice",
    "VoiceKind",
    "VoiceRegistry",
    "audio_seconds",
    "canonical_language",
    "check_sayings",
    "check_speed",
    "check_text",
    "comes_with_the_program",
    "engine_facts",
    "engine_names",
    "engine_point",
    "estimated_audio_s",
    "held_pause_s",
    "hub_ids",
    "jobs_ahead",
    "kind_of",
    "load_voice",
    "named_by",
    "named_models",
    "phoneme_warnings",
    "refused_sayings",
    "unread_phonemes",
    "unspoken_characters",
    "without_markup",
    "words_of",
]
