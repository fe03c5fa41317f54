"""`voice.yaml`: one voice of the registry, read strictly. Its reference page is docs/reference/engines.md."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lib.files import NotPlain, read_plain
from lib.voices.engines import engine_facts
from lib.voices.errors import InvalidVoice, UnknownEngine, UnknownLanguage, nearest, quoted
from lib.voices.facts import EngineFacts
from lib.voices.flatyaml import NotFlat, read_flat
from lib.voices.languages import AUTO, canonical_language

FILE_NAME: Final = "voice.yaml"
NAME_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_BYTES: Final = 64 * 1024
_MAX_AUDIO_BYTES: Final = 64 * 1024 * 1024
_SHA256: Final = re.compile(r"[0-9a-f]{64}")

_REQUIRED: Final = ("name", "engine", "language", "licence", "consent")
_REFERENCE: Final = ("reference_audio", "reference_text", "sha256")
_KNOWN: Final = (*_REQUIRED, *_REFERENCE, "builtin", "description")


@dataclass(frozen=True, slots=True)
class Reference:
    """The recording a cloned voice is made from."""

    audio: Path  # absolute, inside the voice's folder
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Voice:
    """One valid voice: either a built-in preset of its engine or a clone with its reference."""

    name: str
    engine: str
    language: str
    licence: str
    consent: str
    description: str
    builtin: str | None
    reference: Reference | None
    path: Path  # of its voice.yaml

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
            "licence": self.licence,
            "consent": self.consent,
            "file": str(self.path),
        }


def load_voice(folder: Path) -> Voice:
    """Read and check `folder`/voice.yaml and the files it names; the folder has the voice's name.

    Raises:
        InvalidVoice: the sentence names the file and the field.
    """
    path = folder / FILE_NAME
    fields = _VoiceFields(path, _parse(path))
    fields.refuse_unknown()
    name = fields.text("name")
    if not NAME_PATTERN.fullmatch(name):
        fields.refuse("name", "is not a name of letters, digits, '.', '_' and '-' (at most 64)")
    if name != folder.name:
        fields.refuse("name", f"is {quoted(name)}, but its folder is called {quoted(folder.name)}")
    facts = fields.engine()
    builtin, reference = _sound(fields, facts)
    return Voice(
        name=name,
        engine=facts.name,
        language=fields.language(facts),
        licence=fields.text("licence"),
        consent=fields.text("consent"),
        description=fields.text("description") if "description" in fields.values else "",
        builtin=builtin,
        reference=reference,
        path=path,
    )


def _parse(path: Path) -> Mapping[str, Any]:
    try:
        data = read_plain(path, _MAX_BYTES, follow=True)
    except NotPlain:
        raise InvalidVoice(f"{path}: is no regular file.") from None
    except OSError as error:
        raise InvalidVoice(f"{path}: cannot be read: {error.strerror}.") from None
    if len(data) > _MAX_BYTES:
        raise InvalidVoice(f"{path}: the file is over {_MAX_BYTES} bytes; a voice.yaml is short.")
    try:
        return read_flat(data)
    except NotFlat as error:
        line = f" line {error.line}:" if error.line is not None else ""
        raise InvalidVoice(f"{path}:{line} {error}.") from None


class _VoiceFields:
    """The file's fields, each taken with its rule; a refusal names file and field."""

    def __init__(self, path: Path, values: Mapping[str, Any]) -> None:
        self.path = path
        self.values = values

    def refuse(self, field: str, problem: str) -> None:
        raise InvalidVoice(f"{self.path}: {field} {problem}.")

    def refuse_unknown(self) -> None:
        for field in self.values:
            if field not in _KNOWN:
                raise InvalidVoice(
                    f"{self.path}: {quoted(field)} is no field of a voice. {nearest(field, _KNOWN)}"
                )
        for field in _REQUIRED:
            if field not in self.values:
                self.refuse(field, "is missing")

    def text(self, field: str) -> str:
        value = self.values.get(field)
        if not isinstance(value, str) or not value.strip():
            raise InvalidVoice(f"{self.path}: {field} must be a text that is not empty.")
        return value.strip()

    def engine(self) -> EngineFacts:
        try:
            return engine_facts(self.text("engine"))
        except UnknownEngine as error:
            raise InvalidVoice(f"{self.path}: engine: {error.message}") from None

    def language(self, facts: EngineFacts) -> str:
        try:
            language = canonical_language(self.text("language"))
        except UnknownLanguage as error:
            raise InvalidVoice(f"{self.path}: language: {error.message}") from None
        if language != AUTO and language not in facts.languages:
            self.refuse("language", f"is {language}, which the engine {facts.name} does not speak")
        return language


def _sound(fields: _VoiceFields, facts: EngineFacts) -> tuple[str | None, Reference | None]:
    """A built-in preset or a reference: exactly one, and complete."""
    given = [field for field in _REFERENCE if field in fields.values]
    if "builtin" in fields.values:
        if given:
            fields.refuse(given[0], "does not go with builtin; keep one of the two")
        builtin = fields.text("builtin")
        if builtin not in facts.presets:
            fields.refuse(
                "builtin",
                f"{quoted(builtin)} is no preset of the engine {facts.name} ({', '.join(facts.presets)})",
            )
        return builtin, None
    if not given:
        fields.refuse("builtin", "is missing; give it, or reference_audio, reference_text and sha256")
    if not facts.clones:
        fields.refuse(given[0], f"does not fit: the engine {facts.name} cannot clone a voice; use builtin")
    return None, _reference(fields)


def _reference(fields: _VoiceFields) -> Reference:
    relative, folder = fields.text("reference_audio"), fields.path.parent.resolve()
    sha256 = fields.text("sha256")
    if not _SHA256.fullmatch(sha256):
        fields.refuse("sha256", "must be 64 hexadecimal digits in lower case")
    audio = (folder / relative).resolve()
    if not audio.is_relative_to(folder):
        fields.refuse("reference_audio", f"{quoted(relative)} leads out of the voice's folder")
    if not audio.is_file():
        fields.refuse("reference_audio", f"{quoted(relative)} is missing")
    if audio.stat().st_size > _MAX_AUDIO_BYTES:
        fields.refuse("reference_audio", f"{quoted(relative)} is over {_MAX_AUDIO_BYTES} bytes")
    with audio.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        fields.refuse("reference_audio", f"{quoted(relative)} has changed: its sha256 is {found}")
    return Reference(audio=audio, text=fields.text("reference_text"), sha256=sha256)
