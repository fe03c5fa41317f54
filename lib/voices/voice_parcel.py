"""What of a voice goes to a machine that speaks it: its recording, named by its hash, and its fields.

A voice that is made from a description is text, and nothing else is sent of it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from lib.files import read_plain
from lib.voices.consent import GIVEN_ELSEWHERE
from lib.voices.errors import InvalidVoice, reading_reason
from lib.voices.flatyaml import NotFlat, read_flat
from lib.voices.voice_fields import MAX_AUDIO_BYTES
from lib.voices.voice_store import OURS, NewRecording, NewVoice, voice_yaml
from lib.voices.voicefile import Voice

_SUFFIX: Final = re.compile(r"[a-z0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class VoiceParcel:
    """The files of one voice's folder. `recording` is a file's name and its bytes; None where it has none."""

    name: str
    recording: tuple[str, bytes] | None
    voice_yaml: bytes


def parcel_mark(voice: Voice) -> str:
    """The same for voices whose parcels are the same; no recording is read for it."""
    recording = None if voice.reference is None else (voice.reference.sha256, voice.reference.text)
    parts = (voice.name, voice.engine, voice.language, voice.licence, voice.builtin, voice.design, recording)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def is_sent_voice(written: bytes) -> bool:
    """Whether a `voice.yaml` is one that a parcel brought, of any kind; somebody's own does not say that."""
    try:
        return read_flat(written).get("consent") == GIVEN_ELSEWHERE
    except NotFlat:
        return False


def is_sent_recording(file: str) -> bool:
    """Whether a file is called as parcels call recordings: by their hash."""
    return OURS.fullmatch(file) is not None


def parcel_of(voice: Voice) -> VoiceParcel:
    """Pack a voice as it is now.

    Raises:
        InvalidVoice: its recording was removed or changed since the voice was read.
    """
    recording = None
    if voice.reference is not None:
        try:
            data = read_plain(voice.reference.audio, MAX_AUDIO_BYTES)
        except OSError as error:
            raise InvalidVoice(
                f"{voice.path}: {voice.reference.audio.name} cannot be read: {error.strerror}.",
                reading_reason(error, "missing"),
            ) from None
        suffix = voice.reference.audio.suffix[1:].lower()
        # By hand a file may be called anything; readers go by what is in it.
        suffix = suffix if _SUFFIX.fullmatch(suffix) else "audio"
        recording = NewRecording(data, voice.reference.text, suffix)
        if recording.sha256 != voice.reference.sha256:
            raise InvalidVoice(
                f"{voice.path}: {voice.reference.audio.name} has changed: its sha256 is {recording.sha256}.",
                "changed",
            )
    sent = NewVoice(
        voice.name,
        voice.engine,
        voice.language,
        voice.licence,
        # Who agreed, and to what, is nobody's business on a machine of somebody else. It stands in a voice
        # that needs no consent, too: by it what was sent is known there, and every reader takes it.
        GIVEN_ELSEWHERE,
        builtin=voice.builtin,
        recording=recording,
        design=voice.design,
    )
    named = None if recording is None else (recording.file_name, recording.data)
    return VoiceParcel(voice.name, named, voice_yaml(sent))
