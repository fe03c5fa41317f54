"""Whether the jobs of a file can be spoken here: every job, also one that is wrong in another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from lib.errors import BadInput
from lib.jobspec import Draft, InvalidJobFile, JobFile, Problem, Sayings, printable, source_name
from lib.jobspec.kinds import IMAGE
from lib.jobspec.pictures import USUAL_BACKEND
from lib.picture_backends.names import (
    SHIPPED_BACKENDS,
    BackendFacts,
    PictureSettings,
    UnknownBackend,
    facts_of,
)
from lib.voices import (
    AUTO,
    USUAL_LETTERS_PER_SECOND,
    NamedFor,
    SpeedRefused,
    TextRefused,
    UnknownLanguage,
    UnknownSpeaker,
    VoiceKind,
    VoiceRegistry,
    canonical_language,
    check_speed,
    check_text,
    engine_facts,
    refused_sayings,
    unread_phonemes,
    unspoken_characters,
    words_of,
)

_SHOWN_LETTERS: Final = 40
_SPOKEN_BY: Final = ("voice", "speaker")
_SHOWN_WORDS: Final = 10
#: Where what a field holds can stand in a job.
_PLACES: Final = {"text": ("text", "text_file", "narration"), "pronounce": ("pronounce", "lexicon")}


@dataclass(frozen=True, slots=True)
class JobVoice:
    """Who would speak a job, and how fast."""

    engine: str
    preset: str | None
    letters_per_second: float = USUAL_LETTERS_PER_SECOND
    kind: VoiceKind = VoiceKind.BUILT_IN


@dataclass(frozen=True, slots=True)
class NotSpeakable:
    """Why a job cannot be spoken here: the field to change, a sentence, and the word if it is about one."""

    field: str
    message: str
    word: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Who would speak a job, as far as it can be told, and all that speaks against it.

    `unspoken` are the letters of its text that would be left out, each once; `unread` the words whose
    phonemes would not be read. `drawn` are the facts of the backend, where it is a picture.
    """

    speech: JobVoice | None
    problems: tuple[NotSpeakable, ...] = ()
    unspoken: str = ""
    unread: tuple[str, ...] = ()
    drawn: BackendFacts | None = None


class VoiceCheck(Protocol):
    """Answers for one job who would speak it, without loading an engine."""

    def check(self, values: Mapping[str, Any]) -> Answer:
        """Who would speak the job with these fields; fields that are missing are not complained about."""
        ...


class RegistryCheck:
    """Asks the voice registry, once for each voice or speaker, and the engine's limits for each text."""

    def __init__(
        self,
        registry: VoiceRegistry,
        default_engine: str,
        named: NamedFor = lambda facts: None,
        backends: PictureSettings = SHIPPED_BACKENDS,
    ) -> None:
        self._backends = backends
        self._registry = registry
        self._engine = default_engine
        self._named = named
        self._known: dict[tuple[str | None, str | None, str], Answer] = {}

    def check(self, values: Mapping[str, Any]) -> Answer:
        """Who would speak the job with these fields, and everything that speaks against it.

        Raises:
            UnknownEngine: the setting VOICE_ENGINE is wrong, whatever the job says.
            BadConfiguration: the file of picture backends is wrong, whatever the job says.
        """
        if values.get("kind") == IMAGE:
            return self._of_picture(values.get("backend", USUAL_BACKEND))
        key = (values.get("voice"), values.get("speaker"), values.get("language", "English"))
        answer = self._known.get(key)
        if answer is None:
            answer = self._known[key] = self._resolve(*key)
        if answer.speech is None:
            return answer
        engine, text = answer.speech.engine, values.get("text")
        refused = [*self._model_missing(answer.speech, values), *_refusals(values, engine)]
        if refused:
            return replace(answer, problems=(*answer.problems, *refused))
        if text is None:
            return answer
        language = values.get("language", "English")
        unspoken = unspoken_characters(text, engine, language)
        if unspoken:  # some are read all the same: µ, or №
            unspoken = unspoken_characters(_as_words(text, values), engine, language)
        pronounce = values.get("pronounce", {})
        used = pronounce.used_in(text) if isinstance(pronounce, Sayings) else pronounce
        unread = unread_phonemes(text, used, engine)
        return replace(answer, unspoken=unspoken, unread=unread) if unspoken or unread else answer

    def _of_picture(self, backend: str) -> Answer:
        """Nobody speaks a picture; what draws it may not exist."""
        try:
            facts = facts_of(backend, self._backends)
        except UnknownBackend as error:
            return Answer(None, (NotSpeakable("backend", _phrase(error)),))
        return Answer(None, drawn=facts)

    def _model_missing(self, speech: JobVoice, values: Mapping[str, Any]) -> Iterator[NotSpeakable]:
        """Where the settings name weights, and not those that the job's profile needs."""
        facts = engine_facts(speech.engine)
        named = self._named(facts)
        if named is None:
            return
        why = named.refusal(facts, values.get("profile", "balanced"), speech.kind)
        if why is not None:
            yield NotSpeakable("profile", why)

    def _resolve(self, voice: str | None, speaker: str | None, language: str) -> Answer:
        problems: list[NotSpeakable] = []
        try:
            canonical_language(language)
        except UnknownLanguage as error:
            problems.append(NotSpeakable("language", _phrase(error)))
            language = AUTO
        speeches = []
        if voice is not None:
            speeches.append(self._speech(voice, None, language, problems))
        if speaker is not None:
            speeches.append(self._speech(None, speaker, language, problems))
        speech = speeches[0] if len(speeches) == 1 else None  # neither or both: the file's own problem
        return Answer(speech, tuple(dict.fromkeys(problems)))

    def _speech(
        self, voice: str | None, speaker: str | None, language: str, problems: list[NotSpeakable]
    ) -> JobVoice | None:
        try:
            found = self._registry.resolve(voice, speaker, language, self._engine)
        except UnknownLanguage as error:
            problems.append(NotSpeakable("language", _phrase(error)))
            found = self._registry.resolve(voice, speaker, AUTO, self._engine)
        except UnknownSpeaker as error:
            problems.append(NotSpeakable("speaker", _phrase(error)))
            known = next(iter(engine_facts(self._engine).speakers), None)  # the engine is right all the same
            return None if known is None else self._speech(None, known, language, problems)
        except BadInput as error:
            problems.append(NotSpeakable("voice", _phrase(error)))
            return None
        rate = engine_facts(found.engine).letters_per_second
        return JobVoice(found.engine, found.preset, rate, found.kind)


def _refusals(values: Mapping[str, Any], engine: str) -> Iterator[NotSpeakable]:
    """What the engine refuses of a job, field by field."""
    text = values.get("text", "")
    try:
        if text:
            check_text(
                text,
                engine,
                values.get("chunk", False),
                pronounce=values.get("pronounce"),
                language=values.get("language", "English"),
            )
    except TextRefused as error:
        yield NotSpeakable("text", _phrase(error))
    for saying in refused_sayings(text, values.get("pronounce", {}), engine):
        yield NotSpeakable(saying.field, _phrase(saying), saying.word)
    try:
        check_speed(values.get("speed", 1.0), engine)
    except SpeedRefused as error:
        yield NotSpeakable("speed", _phrase(error))


def _as_words(text: str, values: Mapping[str, Any]) -> str:
    return words_of(text, values.get("pronounce"), values.get("language", "English")).script


@dataclass(frozen=True, slots=True)
class Examined:
    """A file of jobs with an answer for each draft. Problems and warnings stand in the order of lines."""

    file: JobFile
    answers: tuple[Answer, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def examine(load: Callable[[Path], JobFile], path: Path, voices: VoiceCheck) -> Examined:
    """Read a file by `load` and ask `voices` about every job in it. What is wrong is returned, not raised."""
    problems: tuple[Problem, ...] = ()
    try:
        file = load(path)
    except InvalidJobFile as error:
        file, problems = error.sound, error.problems
    found = _Found(path, file)
    answers = tuple(found.asked(draft, voices) for draft in file.drafts)
    return Examined(
        file, answers, _by_line([*problems, *found.problems]), _by_line([*file.warnings, *found.warnings])
    )


def load_examined(load: Callable[[Path], JobFile], path: Path, voices: VoiceCheck) -> JobFile:
    """Read a file by `load` of which every job can be spoken here.

    Raises:
        InvalidJobFile: the file is wrong or a job cannot be spoken; `.problems` lists both kinds.
    """
    examined = examine(load, path, voices)
    if examined.problems:
        raise InvalidJobFile(source_name(path), examined.problems, examined.file)
    return examined.file


class _Found:
    """Collects what the voices say, each at the line of its field, and what stands once only once."""

    def __init__(self, path: Path, file: JobFile) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._name = source_name(path)
        self._defaults = file.default_lines
        self._said: set[NotSpeakable] = set()  # of what stands outside of the jobs

    def asked(self, draft: Draft, voices: VoiceCheck) -> Answer:
        answer = voices.check(self._lenient(draft))
        for unavailable in answer.problems:
            self._add(draft, unavailable)
        if answer.unspoken and answer.speech is not None:
            self.warnings.append(self._unspoken(draft, answer.unspoken, answer.speech.engine))
        if answer.unread and answer.speech is not None:
            self.warnings.append(self._unread(draft, answer.unread, answer.speech.engine))
        return answer

    def _lenient(self, draft: Draft) -> Mapping[str, Any]:
        """The job's values; for what is wrong already, something that nobody complains about."""
        if draft.spec is not None:
            return draft.values
        stand_ins = {"language": AUTO, "chunk": True}
        broken = [name for name in stand_ins if name in draft.lines or name in self._defaults]
        return {**{name: stand_ins[name] for name in broken}, **draft.values}

    def _add(self, draft: Draft, unavailable: NotSpeakable) -> None:
        if unavailable.field == "pronounce" and unavailable.word and self._add_saying(draft, unavailable):
            return
        field = unavailable.field
        own = self._in_the_job(draft, field)
        if own is not None:
            self._problem(draft.lines[own], draft.label, own, unavailable)
        elif field not in self._defaults and field not in _SPOKEN_BY:
            self._problem(draft.line, draft.label, field, unavailable)
        elif unavailable not in self._said:  # in the defaults, or given beside the file
            self._said.add(unavailable)
            line = self._defaults.get(field)
            self._problem(line, None, field if line is None else f"defaults.{field}", unavailable)

    def _add_saying(self, draft: Draft, unavailable: NotSpeakable) -> bool:
        """Add it at the line of its word, once where several jobs share that; False where it is not known."""
        at = ("pronounce", unavailable.word)
        if at in draft.lines:
            self._problem(draft.lines[at], draft.label, "pronounce", unavailable)
            return True
        pronounce = draft.values.get("pronounce")
        place = pronounce.places.get(unavailable.word) if isinstance(pronounce, Sayings) else None
        own = draft.lines.get("lexicon") if place else None
        line = self._defaults.get("lexicon" if place else at) if own is None else own
        if line is None:
            return False
        said = replace(unavailable, message=f"{place}: {unavailable.message}") if place else unavailable
        if said not in self._said:
            self._said.add(said)
            field = "lexicon" if place else "pronounce"
            self._problem(line, None, field if own is not None else f"defaults.{field}", said)
        return True

    def _problem(self, line: int | None, job: str | None, field: str, unavailable: NotSpeakable) -> None:
        self.problems.append(Problem(unavailable.message, self._name, line, job, field))

    def _unspoken(self, draft: Draft, letters: str, engine: str) -> Problem:
        shown = letters if len(letters) <= _SHOWN_LETTERS else letters[: _SHOWN_LETTERS - 1] + "…"
        known = engine_facts(engine).scripts_in(draft.values.get("language", "English"))
        scripts = " or ".join(sorted(script.capitalize() for script in known))
        field = self._in_the_job(draft, "text") or "text"
        return Problem(
            f"holds letters that the engine {engine} leaves out: {printable(shown)}",
            self._name,
            draft.lines.get(field, draft.line),
            draft.label,
            field,
            f"write them in {scripts} letters if they are to be heard",
        )

    def _unread(self, draft: Draft, words: tuple[str, ...], engine: str) -> Problem:
        named = ", ".join(printable(word) for word in words[:_SHOWN_WORDS])
        field = self._in_the_job(draft, "pronounce") or self._in_the_job(draft, "text") or "text"
        return Problem(
            f"gives phonemes, which the engine {engine} does not read: {named}",
            self._name,
            draft.lines.get(field, draft.line),
            draft.label,
            field,
            "respell the words, or they are said as they are written",
        )

    def _in_the_job(self, draft: Draft, field: str) -> str | None:
        """What the field is called where it stands in the job itself."""
        names = _PLACES.get(field, (field,))
        return next((name for name in names if name in draft.lines), None)


def _by_line(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.line or 0))


def _phrase(error: BadInput) -> str:
    """The error's sentence as the end of a problem's line."""
    return error.message.removesuffix(".")
