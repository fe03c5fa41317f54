"""The ways in which an engine can come by a voice; each may have a model of its own."""

from __future__ import annotations

from enum import StrEnum


class VoiceKind(StrEnum):
    """What a voice is made from."""

    BUILT_IN = "built_in"  # a preset of the engine
    CLONED = "cloned"  # a recording
    DESIGNED = "designed"  # a description


def kind_of(reference: object | None, design: str | None) -> VoiceKind:
    """The kind of a voice with that recording, or made from that description; None where there is none."""
    if reference is not None:
        return VoiceKind.CLONED
    return VoiceKind.BUILT_IN if design is None else VoiceKind.DESIGNED
