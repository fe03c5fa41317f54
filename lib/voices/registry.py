"""The registry: voices from folders, speakers from static tables, resolved without loading an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.errors import BadConfiguration
from lib.voices.engines import DEFAULT_ENGINE, engine_facts
from lib.voices.errors import UnknownLanguage, UnknownSpeaker, UnknownVoice, nearest, quoted
from lib.voices.facts import EngineFacts
from lib.voices.languages import AUTO, canonical_language
from lib.voices.voice_fields import NAME_PATTERN, Reference
from lib.voices.voice_kind import VoiceKind, kind_of
from lib.voices.voicefile import FILE_NAME, ExaminedVoice, Voice, examine_voice, load_voice

#: The voices that come with the package.
SHIPPED: Final = Path(__file__).parent / "shipped"


@dataclass(frozen=True, slots=True)
class ResolvedVoice:
    """Who speaks a job: the engine and what it needs to know. Exactly one of `voice` and `speaker` is set."""

    engine: str
    voice: str | None
    speaker: str | None
    preset: str | None  # None only for a cloned or designed voice
    language: str
    reference: Reference | None = None
    design: str | None = None  # the description that a designed voice is made from

    @property
    def kind(self) -> VoiceKind:
        """What the voice is made from."""
        return kind_of(self.reference, self.design)


class VoiceRegistry:
    """Voices of `folders` (first wins), then the shipped ones. Reads a voice when it is first asked for.

    A folder that does not exist holds no voices. What was read is kept, so one registry answers for one
    run; make a new one to see changed files.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = [*folders, SHIPPED]
        self._loaded: dict[str, Voice] = {}
        self._resolved: dict[tuple[str | None, str | None, str, str], ResolvedVoice] = {}

    def names(self) -> list[str]:
        """Every voice's name, sorted, whether or not its file is valid.

        Raises:
            BadConfiguration: a folder exists and cannot be read.
        """
        found: set[str] = set()
        for folder in self._folders:
            try:
                children = list(folder.iterdir())
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise BadConfiguration(
                    f"The voices folder {folder} cannot be read: {error.strerror}."
                ) from None
            found.update(c.name for c in children if NAME_PATTERN.fullmatch(c.name) and _holds_voice(c))
        return sorted(found)

    def get(self, name: str) -> Voice:
        """The voice, checked with every file it names.

        Raises:
            UnknownVoice: no folder holds it; the sentence suggests the nearest.
            InvalidVoice: its file breaks a rule, or a file it names is missing or changed.
        """
        voice = self._loaded.get(name)
        if voice is None:
            voice = self._loaded[name] = load_voice(self._folder_of(name))
        return voice

    def path_of(self, name: str) -> Path:
        """Where its `voice.yaml` is. Raises UnknownVoice."""
        return self._folder_of(name) / FILE_NAME

    def examine(self, name: str) -> ExaminedVoice:
        """The voice as it is now, with every problem instead of the first. Raises UnknownVoice."""
        return examine_voice(self._folder_of(name))

    def resolve(
        self,
        voice: str | None,
        speaker: str | None,
        language: str,
        default_engine: str = DEFAULT_ENGINE,
    ) -> ResolvedVoice:
        """Who speaks: a voice brings its engine; a speaker is one of `default_engine`'s.

        Raises:
            UnknownVoice, UnknownSpeaker, UnknownLanguage, InvalidVoice: the job is wrong.
            UnknownEngine: the setting is wrong.
            ValueError: both or neither of voice and speaker are given.
        """
        if (voice is None) == (speaker is None):
            raise ValueError("give exactly one of voice and speaker")
        key = (voice, speaker, language, default_engine)
        resolved = self._resolved.get(key)
        if resolved is None:
            resolved = self._resolve(voice, speaker, language, default_engine)
            self._resolved[key] = resolved
        return resolved

    def _resolve(
        self, voice: str | None, speaker: str | None, language: str, default_engine: str
    ) -> ResolvedVoice:
        wanted = canonical_language(language)
        if voice is not None:
            found = self.get(voice)
            facts = engine_facts(found.engine)
            spoken = _spoken_language(_own_language(found, wanted), facts)
            return ResolvedVoice(
                facts.name, found.name, None, found.builtin, spoken, found.reference, found.design
            )
        facts = engine_facts(default_engine)
        named = facts.preset_of(speaker or "")
        if named is None:
            raise UnknownSpeaker(
                f"The engine {facts.name} has no speaker {quoted(speaker or '')}. "
                f"{nearest(speaker or '', facts.speakers)}"
            )
        return ResolvedVoice(facts.name, None, named[0], named[1], _spoken_language(wanted, facts))

    def _folder_of(self, name: str) -> Path:
        if NAME_PATTERN.fullmatch(name):  # so that no caller's name can lead out of a folder
            for folder in self._folders:
                if _holds_voice(folder / name):
                    return folder / name
        raise UnknownVoice(f"There is no voice {quoted(name)}. {nearest(name, self.names())}")


def _holds_voice(folder: Path) -> bool:
    return (folder / FILE_NAME).is_file()


def _own_language(voice: Voice, wanted: str) -> str:
    """The language of the job, or where that is `Auto` the one of a voice that is no preset.

    A clone speaks no other than its recording's, unless that is `Auto`: it would have the accent of the one,
    and say some words wrong.
    """
    if voice.kind is VoiceKind.BUILT_IN:
        return wanted
    if wanted == AUTO:
        return voice.language
    if voice.kind is VoiceKind.CLONED and voice.language not in (AUTO, wanted):
        raise UnknownLanguage(
            f"The voice {quoted(voice.name)} was recorded in {voice.language} and the job is in {wanted}. "
            f"Give the job `language: {voice.language}`; or a voice that was recorded in {wanted}; or this "
            "voice `language: Auto`, if it may be heard with an accent."
        )
    return wanted


def _spoken_language(wanted: str, facts: EngineFacts) -> str:
    """The language the engine will speak; `Auto` becomes its only one where it has just one."""
    if wanted in facts.languages:
        return wanted
    if wanted == AUTO:
        return next(iter(facts.languages)) if len(facts.languages) == 1 else AUTO
    raise UnknownLanguage(
        f"The engine {facts.name} does not speak {wanted}; it speaks {', '.join(sorted(facts.languages))}."
    )
