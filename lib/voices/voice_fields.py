"""The fields of a `voice.yaml`, each taken with its rule; a refusal names file, field and remedy."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeVar

from lib.files import NotPlain, open_plain
from lib.voices.consent import consent_fault
from lib.voices.engines import engine_facts
from lib.voices.errors import InvalidVoice, UnknownEngine, UnknownLanguage, nearest, quoted, reading_reason
from lib.voices.facts import EngineFacts
from lib.voices.languages import AUTO, canonical_language
from lib.voices.recording_faults import RecordingFault, wav_fault
from lib.voices.voice_design import design_fault, one_line

T = TypeVar("T")

NAME_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
REQUIRED: Final = ("name", "engine", "language", "licence", "consent")
REFERENCE: Final = ("reference_audio", "reference_text", "sha256")
KNOWN: Final = (*REQUIRED, *REFERENCE, "builtin", "design", "description")
MAX_AUDIO_BYTES: Final = 64 * 1024 * 1024
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Reference:
    """The recording a cloned voice is made from."""

    audio: Path  # absolute, inside the voice's folder
    text: str
    sha256: str


class VoiceFields:
    """What `values` say of the voice whose file is, or will be, `path`; its recording lies beside that."""

    def __init__(self, path: Path, values: Mapping[str, Any]) -> None:
        self.path = path
        self.values = values
        self.problems: list[InvalidVoice] = []
        self.recorded: Path | None = None  # the recording once it was read, whatever is wrong with it

    def collect(self, take: Callable[[], T]) -> T | None:
        """What `take` gives; None where it refuses, and then that stands among the problems."""
        try:
            return take()
        except InvalidVoice as error:
            self.problems.append(error)
            return None

    def refusal(self, field: str, problem: str, reason: str = "field") -> InvalidVoice:
        """The error about a field; `problem` ends its sentence."""
        return InvalidVoice(f"{self.path}: {field} {problem}.", reason)

    def refuse_unknown(self) -> None:
        """Raises InvalidVoice for a field that no voice has."""
        for field in self.values:
            if field not in KNOWN:
                raise InvalidVoice(
                    f"{self.path}: {quoted(field)} is no field of a voice. {nearest(field, KNOWN)}"
                )

    def text(self, field: str) -> str:
        """The field's text. Raises InvalidVoice where there is none."""
        if field in REQUIRED and field not in self.values:
            raise self.refusal(field, "is missing", "consent" if field == "consent" else "field")
        value = self.values.get(field)
        if not isinstance(value, str) or not value.strip():
            reason = "consent" if field == "consent" else "field"
            raise InvalidVoice(f"{self.path}: {field} must be a text that is not empty.", reason)
        return value.strip()

    def name(self) -> str:
        """The name, which is that of the folder, too."""
        name, folder = self.text("name"), self.path.parent.name
        if not NAME_PATTERN.fullmatch(name):
            raise self.refusal("name", "is not a name of letters, digits, '.', '_' and '-' (at most 64)")
        if name != folder:
            raise self.refusal("name", f"is {quoted(name)}, but its folder is called {quoted(folder)}")
        return name

    def engine(self) -> EngineFacts:
        """The facts of the engine that speaks the voice."""
        try:
            return engine_facts(self.text("engine"))
        except UnknownEngine as error:
            raise InvalidVoice(f"{self.path}: engine: {error.message}") from None

    def language(self, facts: EngineFacts) -> str:
        """The language of the voice, one that its engine speaks, or Auto."""
        try:
            language = canonical_language(self.text("language"))
        except UnknownLanguage as error:
            raise InvalidVoice(f"{self.path}: language: {error.message}") from None
        if language != AUTO and language not in facts.languages:
            raise self.refusal("language", f"is {language}, which the engine {facts.name} does not speak")
        return language

    def consent(self) -> str:
        """Whose voice it is and that they agreed; of a recording it has to be said so that one can ask.

        Nobody is heard in a voice that is made from a description, so it may leave this out: "".
        """
        if "consent" not in self.values and "design" in self.values and not self.has_reference:
            return ""
        consent = self.text("consent")
        fault = consent_fault(consent) if self.has_reference else None
        if fault is not None:
            raise self.refusal("consent", fault, "consent")
        return consent

    @property
    def has_reference(self) -> bool:
        """Whether any field of a recording is there."""
        return any(field in self.values for field in REFERENCE)

    def sound(self, facts: EngineFacts) -> tuple[str | None, Reference | None, str | None]:
        """A built-in preset, a reference or a design: exactly one, and complete."""
        given = [field for field in REFERENCE if field in self.values]
        ways = [*(way for way in ("builtin", "design") if way in self.values), *given[:1]]
        if len(ways) > 1:
            raise self.refusal(ways[1], f"does not go with {ways[0]}; keep one of the two")
        if not ways:
            raise self.refusal(
                "builtin", "is missing; give it, or design, or reference_audio, reference_text and sha256"
            )
        if ways == ["builtin"]:
            return self._builtin(facts), None, None
        if ways == ["design"]:
            return None, None, self._design(facts)
        if not facts.clones:
            raise self.refusal(
                given[0], f"does not fit: the engine {facts.name} cannot clone a voice; use builtin"
            )
        return None, self._reference(), None

    def _design(self, facts: EngineFacts) -> str:
        if not facts.designs:
            raise self.refusal(
                "design",
                f"does not fit: the engine {facts.name} cannot make a voice from a description; use builtin, "
                "or an engine that can, such as qwen3",
            )
        design = one_line(self.text("design"))
        fault = design_fault(design)
        if fault is not None:
            raise self.refusal("design", fault)
        return design

    def _builtin(self, facts: EngineFacts) -> str:
        builtin = self.text("builtin")
        if builtin not in facts.presets:
            known = ", ".join(facts.presets)
            raise self.refusal(
                "builtin", f"{quoted(builtin)} is no preset of the engine {facts.name} ({known})"
            )
        return builtin

    def _reference(self) -> Reference:
        relative, sha256 = self.text("reference_audio"), self.text("sha256")
        if not _SHA256.fullmatch(sha256):
            raise self.refusal("sha256", "must be 64 hexadecimal digits in lower case")
        audio = self._inside(relative)
        found, fault = self._heard(audio, relative)
        self.recorded = audio
        if found != sha256:
            raise self.refusal(
                "reference_audio",
                f"{quoted(relative)} has changed: its sha256 is {found}; put back the file that was agreed "
                "to, or add the voice anew with its consent",
                "changed",
            )
        if fault is not None:
            raise self.refusal("reference_audio", f"{quoted(relative)} {fault.problem}", fault.reason)
        return Reference(audio=audio, text=self.text("reference_text"), sha256=sha256)

    def _inside(self, relative: str) -> Path:
        """The recording's path, which no link, `..`, address or root leads out of the voice's folder."""
        # Of the registry as it is named, so that a linked voice's folder is no way out either.
        folder = self.path.parent.parent.resolve() / self.path.parent.name
        if _ADDRESS.match(relative) or relative.startswith("//"):
            raise self.refusal(
                "reference_audio",
                f"{quoted(relative)} is an address; a recording lies in the voice's folder: "
                "download it and add that file",
                "outside",
            )
        try:
            leads = PurePosixPath(relative).is_absolute() or ".." in PurePosixPath(relative).parts
            audio = (folder / relative).resolve()
        except (OSError, RuntimeError, ValueError):  # a link to itself, or a NUL
            leads, audio = True, folder
        if leads or not audio.is_relative_to(folder):
            raise self.refusal(
                "reference_audio",
                f"{quoted(relative)} leads out of the voice's folder; copy the recording into it",
                "outside",
            )
        return audio

    def _heard(self, audio: Path, shown: str) -> tuple[str, RecordingFault | None]:
        """The sha256 of the file, and what is wrong with it as far as its bytes tell that here."""
        try:
            with os.fdopen(open_plain(audio), "rb") as file:
                if os.fstat(file.fileno()).st_size > MAX_AUDIO_BYTES:
                    raise self.refusal(
                        "reference_audio",
                        f"{quoted(shown)} is over {MAX_AUDIO_BYTES} bytes; 3 to 15 seconds are enough",
                        "too_large",
                    )
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)
                return sha256, wav_fault(file)
        except (FileNotFoundError, NotADirectoryError, NotPlain):
            problem = "is missing: no such file; put it back, or add the voice anew"
            raise self.refusal("reference_audio", f"{quoted(shown)} {problem}", "missing") from None
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
            raise self.refusal(
                "reference_audio", f"{quoted(shown)} {problem}", reading_reason(error, "missing")
            ) from None
