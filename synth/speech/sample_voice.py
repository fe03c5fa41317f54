"""Who speaks where nobody asked for a voice: to hear that an engine speaks, or how fast."""

from __future__ import annotations

import contextlib
from typing import Final

from lib.voices import EngineFacts, InvalidVoice, ResolvedVoice, VoiceKind, VoiceRegistry, engine_facts

#: Of jobs that name none.
USUAL_PROFILE: Final = "balanced"
_SAMPLE_DESIGN: Final = "A calm, clear voice of a grown person, close to the microphone."


def first_voice(facts: EngineFacts) -> ResolvedVoice:
    """The engine's first speaker, in English where it speaks that."""
    speaker, preset = next(iter(facts.speakers.items()))
    return ResolvedVoice(facts.name, None, speaker, preset, _language(facts))


def voice_of_model(model: str, registry: VoiceRegistry, engine: str) -> tuple[ResolvedVoice, str]:
    """Who speaks with `model`, in which profile: the first speaker, or a cloned or designed voice.

    A cloned one is of the registry; a designed one needs nothing. Where nobody speaks with it, the first
    speaker in the usual profile.

    Raises:
        lib.voices.UnknownEngine: there is none of that name.
    """
    facts = engine_facts(engine)
    profiles = sorted(facts.models, key=lambda profile: profile != USUAL_PROFILE)
    speaking, cloning, designing = (
        [each for each in profiles if facts.model_of(each, kind) == model]
        for kind in (VoiceKind.BUILT_IN, VoiceKind.CLONED, VoiceKind.DESIGNED)
    )
    if designing and not speaking and facts.designs:
        designed = ResolvedVoice(facts.name, "sample", None, None, _language(facts), design=_SAMPLE_DESIGN)
        return designed, designing[0]
    if cloning and not speaking and (name := _cloned_voice(registry, facts.name)) is not None:
        return registry.resolve(name, None, "English", facts.name), cloning[0]
    return first_voice(facts), (*speaking, USUAL_PROFILE)[0]


def _language(facts: EngineFacts) -> str:
    return "English" if "English" in facts.languages else min(facts.languages)


def _cloned_voice(registry: VoiceRegistry, engine: str) -> str | None:
    """The first voice of `engine` that has a recording and is valid."""
    for name in registry.names():
        with contextlib.suppress(InvalidVoice):
            voice = registry.get(name)
            if voice.engine == engine and voice.reference is not None:
                return name
    return None
