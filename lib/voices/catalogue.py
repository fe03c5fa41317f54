"""Voices and speakers as rows: what `voices list`, `voices show` and the console tell."""

from __future__ import annotations

from typing import Any

from lib.voices.engines import engine_facts
from lib.voices.errors import InvalidVoice, UnknownVoice
from lib.voices.facts import EngineFacts
from lib.voices.registry import VoiceRegistry


def voice_rows(registry: VoiceRegistry) -> list[dict[str, Any]]:
    """Every voice of the registry; one that is invalid has its `problem` and nothing else."""
    rows: list[dict[str, Any]] = []
    for name in registry.names():
        try:
            rows.append({**registry.get(name).to_json(), "kind": "voice", "problem": None})
        except InvalidVoice as error:
            rows.append({"name": name, "kind": "voice", "problem": error.message})
    return rows


def speaker_rows(engine: str) -> list[dict[str, Any]]:
    """Every speaker of `engine`. Raises UnknownEngine."""
    facts = engine_facts(engine)
    return [
        {
            "name": speaker,
            "kind": "speaker",
            "engine": facts.name,
            "preset": preset,
            "description": facts.presets[preset].description if preset in facts.presets else "",
            "languages": sorted(facts.languages),
            "same_as": _same_as(facts, speaker),
            "one_voice": facts.one_voice,
        }
        for speaker, preset in sorted(facts.speakers.items(), key=lambda item: item[0].casefold())
    ]


def _same_as(facts: EngineFacts, speaker: str) -> str | None:
    """The speaker, first in the engine's table, that has the same sound; None where that is this one."""
    preset = facts.speakers[speaker]
    first = next(name for name, other in facts.speakers.items() if other == preset)
    return None if first == speaker else first


def kind_of_speakers(engine: str) -> str:
    """What there is to say of all speakers of `engine`, as a sentence; "" where there is nothing."""
    facts = engine_facts(engine)
    if not facts.one_voice:
        return ""
    return (
        f"All speakers of {facts.name} are one voice of one model, its pitch and spectrum moved; they are "
        "not the voices of those whose names they have."
    )


def find(name: str, registry: VoiceRegistry, engine: str) -> dict[str, Any]:
    """The voice or, failing that, the speaker of that name.

    Raises:
        UnknownVoice: there is neither.
        InvalidVoice: the voice's file breaks a rule.
    """
    try:
        return {**registry.get(name).to_json(), "kind": "voice", "problem": None}
    except UnknownVoice:
        for row in speaker_rows(engine):
            if row["name"].casefold() == name.casefold():
                return row
        raise
