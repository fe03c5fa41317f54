"""`voice.yaml`: one voice of the registry, read strictly. Its reference page is docs/reference/engines.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lib.files import NotPlain, read_plain
from lib.voices.errors import InvalidVoice, reading_reason
from lib.voices.flatyaml import NotFlat, read_flat
from lib.voices.voice_fields import Reference, VoiceFields
from lib.voices.voice_kind import VoiceKind, kind_of

FILE_NAME: Final = "voice.yaml"
_MAX_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Voice:
    """One valid voice: a built-in preset of its engine, a clone with its reference, or a design."""

    name: str
    engine: str
    language: str
    licence: str
    consent: str  # empty only where nobody is heard: in a design
    description: str  # for people; nothing is made of it
    builtin: str | None
    reference: Reference | None
    design: str | None  # the description that it is made from, in one line
    path: Path  # of its voice.yaml

    @property
    def kind(self) -> VoiceKind:
        """What it is made from."""
        return kind_of(self.reference, self.design)

    def to_json(self) -> dict[str, Any]:
        """Plain data for `--json`: stable keys; paths as strings."""
        return {
            "name": self.name,
            "engine": self.engine,
            "language": self.language,
            "description": self.description,
            "builtin": self.builtin,
            "reference_audio": str(self.reference.audio) if self.reference else None,
            "reference_text": self.reference.text if self.reference else None,
            "sha256": self.reference.sha256 if self.reference else None,
            "design": self.design,
            "licence": self.licence,
            "consent": self.consent,
            "file": str(self.path),
        }


@dataclass(frozen=True, slots=True)
class ExaminedVoice:
    """A voice's folder with all that is wrong with it; `voice` is None when anything is."""

    path: Path  # of its voice.yaml
    voice: Voice | None
    recorded: Path | None  # its recording, wherever that can be read and lies inside, whatever else is wrong
    problems: tuple[InvalidVoice, ...]


def load_voice(folder: Path) -> Voice:
    """Read and check `folder`/voice.yaml and the files it names; the folder has the voice's name.

    Raises:
        InvalidVoice: the sentence names the file and the field; of several problems it is the first.
    """
    examined = examine_voice(folder)
    if examined.voice is None:
        raise examined.problems[0]
    return examined.voice


def examine_voice(folder: Path) -> ExaminedVoice:
    """As `load_voice`, with every problem that can be told. Raises nothing for what is wrong there."""
    path = folder / FILE_NAME
    try:
        values = _parse(path)
    except InvalidVoice as error:
        return ExaminedVoice(path, None, None, (error,))
    return examine_values(path, values)


def examine_values(path: Path, values: Mapping[str, Any]) -> ExaminedVoice:
    """As `examine_voice`, of a file `path` that holds `values`, or will; its recording lies beside it."""
    fields = VoiceFields(path, values)
    fields.collect(fields.refuse_unknown)
    name, facts = fields.collect(fields.name), fields.collect(fields.engine)
    language = None if facts is None else fields.collect(lambda: fields.language(facts))
    licence, consent = fields.collect(lambda: fields.text("licence")), fields.collect(fields.consent)
    sound = None if facts is None else fields.collect(lambda: fields.sound(facts))
    described = "description" in values
    description = fields.collect(lambda: fields.text("description")) if described else ""
    builtin, reference, design = sound or (None, None, None)
    if (
        fields.problems
        or name is None
        or facts is None
        or language is None
        or licence is None
        or consent is None
        or description is None
    ):
        return ExaminedVoice(path, None, fields.recorded, tuple(fields.problems))
    voice = Voice(name, facts.name, language, licence, consent, description, builtin, reference, design, path)
    return ExaminedVoice(path, voice, fields.recorded, ())


def _parse(path: Path) -> Mapping[str, Any]:
    try:
        data = read_plain(path, _MAX_BYTES, follow=True)
    except NotPlain:
        raise InvalidVoice(f"{path}: is no regular file.", "unreadable") from None
    except OSError as error:
        raise InvalidVoice(
            f"{path}: cannot be read: {error.strerror}.", reading_reason(error, "unreadable")
        ) from None
    if len(data) > _MAX_BYTES:
        raise InvalidVoice(
            f"{path}: the file is over {_MAX_BYTES} bytes; a voice.yaml is short.", "unreadable"
        )
    try:
        return read_flat(data)
    except NotFlat as error:
        line = f" line {error.line}:" if error.line is not None else ""
        raise InvalidVoice(f"{path}:{line} {error}.", "unreadable") from None
