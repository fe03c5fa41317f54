"""What the registry's voices are made of, looked at closely: files, consent, and the recording's sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.errors import BadInput
from lib.files import NotPlain, read_plain
from lib.voices import Voice, VoiceRegistry
from lib.voices.voice_fields import MAX_AUDIO_BYTES
from lib.voices.voice_store import NewRecording
from synth.audio.recordings import Recording, examine_recording

_SUFFIXES = {"WAV": "wav", "WAVEX": "wav", "FLAC": "flac", "OGG": "ogg", "MP3": "mp3", "AIFF": "aiff"}


@dataclass(frozen=True, slots=True)
class VoiceProblem:
    """`reason` is one word for programs; `message` a sentence that says what to do."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class VerifiedVoice:
    """A voice with all that is wrong with it; `voice` is None where its file is no voice."""

    name: str
    voice: Voice | None
    recording: Recording | None  # None: a preset, or nothing could be measured
    problems: tuple[VoiceProblem, ...]

    def to_json(self) -> dict[str, Any]:
        """One entry of `voices verify --json`."""
        return {
            "name": self.name,
            "engine": self.voice.engine if self.voice else None,
            "recording": self.recording.to_json() if self.recording else None,
            "problems": [{"reason": item.reason, "message": item.message} for item in self.problems],
        }


def verify_voices(registry: VoiceRegistry, names: Sequence[str]) -> tuple[VerifiedVoice, ...]:
    """Look at the voices of these names, all of the registry when there are none.

    Raises:
        lib.voices.UnknownVoice: no folder holds one of them.
    """
    return tuple(_verified(registry, name) for name in dict.fromkeys(names or registry.names()))


def _verified(registry: VoiceRegistry, name: str) -> VerifiedVoice:
    examined = registry.examine(name)
    problems = [VoiceProblem(error.reason, error.message) for error in examined.problems]
    recording = None
    if examined.recorded is not None:
        recording, heard = _listen(examined.recorded, examined.path)
        known = {problem.reason for problem in problems}
        problems += [problem for problem in heard if problem.reason not in known]
    return VerifiedVoice(name, examined.voice, recording, tuple(problems))


def _listen(audio: Path, voice_file: Path) -> tuple[Recording | None, list[VoiceProblem]]:
    try:
        data = read_plain(audio, MAX_AUDIO_BYTES)
    except OSError:  # gone or refused since it was hashed
        return None, [VoiceProblem("missing", f"{voice_file}: {audio.name} cannot be read any more.")]
    recording, faults = examine_recording(data)
    return recording, [
        VoiceProblem(fault.reason, f"{voice_file}: reference_audio {audio.name!r} {fault.problem}.")
        for fault in faults
    ]


def read_recording(path: Path, text: str) -> NewRecording:
    """The recording at `path`, whose words are `text`, when a voice can be cloned from it.

    Raises:
        BadInput: it is no file, no audio, or has a fault; each is named.
    """
    if "://" in str(path) or str(path).startswith(("http:/", "https:/")):
        raise BadInput(f"{str(path)!r} is an address, and a recording is a file: download it first.")
    try:
        data = read_plain(path, MAX_AUDIO_BYTES, follow=True)
    except NotPlain:
        raise BadInput(f"The recording {path} is no regular file.") from None
    except OSError as error:
        raise BadInput(f"The recording {path} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_AUDIO_BYTES:
        raise BadInput(f"The recording {path} is over {MAX_AUDIO_BYTES} bytes; 3 to 15 seconds are enough.")
    recording, faults = examine_recording(data)
    if recording is None or faults:
        raise BadInput(f"The recording {path} {'; it '.join(fault.problem for fault in faults)}.")
    return NewRecording(data, text, _SUFFIXES.get(recording.file_format, "audio"))
