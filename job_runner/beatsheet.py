"""A beatsheet of which every beat can be spoken here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from job_runner.planning import Unavailable, VoiceCheck
from lib.jobspec import InvalidJobFile, JobFile, JobSpec, Problem, printable
from lib.jobspec.beatsheet import load_beatsheet


def load_speakable_beatsheet(
    path: Path, voices: VoiceCheck, *, voice: str | None = None, speaker: str | None = None
) -> Sequence[JobSpec]:
    """The jobs of a beatsheet, each with a voice that exists and a text it can speak.

    Raises:
        InvalidJobFile: the file is wrong or a beat cannot be spoken; `.problems` lists both kinds.
        BadInput: `voice` or `speaker` is no name, or both are given.
    """
    problems: tuple[Problem, ...] = ()
    try:
        sheet = load_beatsheet(path, voice=voice, speaker=speaker)
    except InvalidJobFile as error:
        sheet, problems = error.sound, error.problems
    every = [*problems, *_unspeakable(sheet, path, voices)]
    if every:
        by_line = sorted(every, key=lambda problem: problem.line or 0)
        raise InvalidJobFile(printable(str(path)), by_line, sheet)
    return sheet.specs


def _unspeakable(sheet: JobFile, path: Path, voices: VoiceCheck) -> list[Problem]:
    return [
        Problem(answer.message, printable(str(path)), line, spec.request_id, answer.field)
        for spec, line in zip(sheet.specs, sheet.lines, strict=True)
        if isinstance(answer := voices.check(spec), Unavailable)
    ]
