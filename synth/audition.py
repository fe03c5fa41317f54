"""Each voice says one sentence, and a page lets them be compared: who takes part, and what each says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lib.clock import Clock
from lib.errors import BadInput, JobRunnerError
from lib.records import SpokenRecord
from lib.voices import ResolvedVoice, check_text
from synth.engines import Engine, create_engine
from synth.page.page_list import ShownBeat
from synth.speech.request import SpeakRequest
from synth.speech.speak import speak

PAGE: Final = "listen.html"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One who is heard: the name, what is known of it in a sentence, and how it speaks, or why it cannot."""

    name: str
    about: str
    voice: ResolvedVoice | None
    sentence: str
    problem: str = ""


class Audition:
    """Speaks with one candidate after the other, each engine loaded once. One thread."""

    def __init__(self, folder: Path, profile: str, settings: Mapping[str, str], clock: Clock) -> None:
        self._folder, self._profile, self._settings, self._clock = folder, profile, settings, clock
        self._engines: dict[str, Engine] = {}

    def heard(self, candidate: Candidate) -> ShownBeat:
        """The candidate on the page: with audio, or with the sentence why there is none.

        Raises:
            BadConfiguration: the folder cannot be written.
        """
        shown = ShownBeat(candidate.name, candidate.sentence, "failed", candidate.problem)
        if candidate.voice is None:
            return shown
        try:
            record = self._spoken(candidate, candidate.voice)
        except JobRunnerError as error:
            return replace(shown, note=error.message)
        takes = record.takes
        return ShownBeat(
            title=candidate.name,
            text=candidate.sentence,
            record=record,
            files=tuple(self._folder / take.audio.file for take in takes),
            peaks=tuple(self._folder / take.peaks.file if take.peaks else None for take in takes),
            about=candidate.about,
        )

    def _spoken(self, candidate: Candidate, voice: ResolvedVoice) -> SpokenRecord:
        check_text(candidate.sentence, voice.engine, chunk=False, language=voice.language)
        engine = self._engines.get(voice.engine)
        if engine is None:
            engine = self._engines[voice.engine] = create_engine(voice.engine, self._settings)
        request = SpeakRequest(
            candidate.sentence,
            voice,
            self._profile,
            title=candidate.name,
            album="audition",
            peaks=True,
        )
        request.check()
        return speak(request, engine, self._clock, self._folder / candidate.name, lambda *_: None)


def candidates(
    names: Sequence[str],
    voices: Sequence[Mapping[str, Any]],
    speakers: Sequence[Mapping[str, Any]],
    resolve: Callable[[str], ResolvedVoice],
    sentence_of: Callable[[str], str],
) -> list[Candidate]:
    """Those who are heard: the ones that are named, else each sound once, voices first.

    `voices` and `speakers` are rows of the catalogue, `resolve` finds a name as a job would, `sentence_of`
    says what is said in a language.

    Raises:
        BadInput: a name is nobody's, or nobody is there.
    """
    rows = {row["name"]: row for row in (*speakers, *voices)}
    wanted = list(dict.fromkeys(names)) or _each_sound([*voices, *speakers])
    if not wanted:
        raise BadInput("There is no voice and no speaker to be heard; add a voice: voice-synth voices add")
    found = []
    for name in wanted:
        row = rows.get(name, {})
        about = str(row.get("description") or row.get("design") or "")
        alike = (
            [] if names else [other for other in rows if other != name and _sound(rows[other]) == _sound(row)]
        )
        if alike:
            about += f" The same sound: {', '.join(alike)}."
        try:
            voice = resolve(name)
        except JobRunnerError as error:
            if names and name not in rows:
                raise
            found.append(Candidate(name, about, None, "", error.message))
        else:
            found.append(Candidate(name, about, voice, sentence_of(voice.language)))
    return found


def _each_sound(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first name of each sound."""
    first: dict[tuple[str, str], str] = {}
    for row in rows:
        if row.get("same_as") is None:
            first.setdefault(_sound(row), row["name"])
    return list(first.values())


def _sound(row: Mapping[str, Any]) -> tuple[str, str]:
    """By which two rows sound alike: the engine's preset; that of no preset is alike to nobody."""
    preset = row.get("preset") or row.get("builtin")
    return (row.get("engine") or "", preset) if preset else ("", f"{row['kind']} {row['name']}")
