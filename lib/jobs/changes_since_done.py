"""What differs between a job and the record of a done one, whose specification is kept no more.

The record tells most fields; the fingerprint, which the queue keeps, proves a guess about the others; and the
seed that was used, where nobody asked for one, tells whether the text is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any, Final

from lib.jobspec import USUAL_LUFS, JobSpec
from lib.records import DoneRecord, SpokenRecord, Take
from lib.storage import output_name_of
from lib.voices import AUTO, LANGUAGES
from lib.voices.seeds import SEEDS, usual_seed

#: The fields of which a record says what was asked for.
_TOLD: Final = ("voice", "speaker", "language", "profile", "variants", "format", "output_name")


def unlike_record(spec: JobSpec, spoken: SpokenRecord, fingerprint: str | None) -> tuple[str, ...]:
    """The fields of `spec` that differ from those of the job that was spoken so, as exactly as can be told.

    `fingerprint` is that job's. A name such as "text or pronounce" says that it is one of the two, or both.
    """
    told = tuple(_plainly_unlike(spec, spoken))
    if spoken.characters != len(spec.text):
        return (*told, "text")
    for guess in _guesses(spec, spoken):
        if guess.fingerprint == fingerprint:
            return tuple(name for name in _names() if getattr(guess, name) != getattr(spec, name))
    same = _same_text(spec, spoken)
    rest = "text or pronounce" if same is None else "pronounce" if same else "text or seed"
    return (*told, rest)


def proved_spec(spec: JobSpec, spoken: SpokenRecord, fingerprint: str) -> JobSpec | None:
    """The job that was spoken so, if `spec` has its text and the words are said as they are written.

    `fingerprint` is that job's, and proves it. None where it does not. What decides no output is `spec`'s.
    """
    if spoken.characters != len(spec.text):
        return None
    return next((guess for guess in _guesses(spec, spoken) if guess.fingerprint == fingerprint), None)


def unlike_drawn(spec: JobSpec, done: DoneRecord) -> tuple[str, ...]:
    """The fields of `spec` that differ from a done job, where either is a picture, as far as can be told."""
    if done.drawn is None or not spec.is_picture:
        return ("kind",)
    picture = done.drawn.picture
    made = {
        "output_name": output_name_of(done.takes),
        "backend": done.drawn.backend,
        "width": picture.width,
        "height": picture.height,
        "seed": picture.seed,
    }
    asked = {
        "output_name": spec.output_name,
        "backend": spec.drawn_by,
        "width": spec.size[0],
        "height": spec.size[1],
        "seed": picture.seed if spec.seed is None else spec.seed,
    }
    told = tuple(name for name in made if made[name] != asked[name])
    if done.drawn.characters != len(spec.words) or not told:  # nothing else is left that could differ
        told += ("prompt",)
    return told


def _names() -> Iterator[str]:
    """The fields in the order in which they are told."""
    yield from (*_TOLD, "chunk", "select_best", "seed", "speed", "loudness", "sample_rate", "pronounce")


def _plainly_unlike(spec: JobSpec, spoken: SpokenRecord) -> Iterator[str]:
    """The fields that are not what the record says."""
    first = _first(spoken)
    asked = {name: getattr(spec, name) for name in _TOLD}
    asked["language"] = _spoken_as(spec.language, spoken)
    asked["speaker"] = _like(spec.speaker, spoken.speaker)
    made: dict[str, Any] = {
        "voice": spoken.voice,
        "speaker": spoken.speaker,
        "language": spoken.language,
        "profile": spoken.profile,
        "variants": spoken.asked,
        "format": spoken.audio_format,
        "output_name": output_name_of(spoken.takes),
    }
    yield from (name for name in _TOLD if asked[name] != made[name])
    if spec.seed is not None and first is not None and spec.seed % SEEDS != first.seed:
        yield "seed"
    if first is not None and spec.speed != first.speed:
        yield "speed"
    loudness = USUAL_LUFS if spec.loudness is None else spec.loudness
    if spoken.target_lufs is not None and loudness != spoken.target_lufs:
        yield "loudness"
    if spec.sample_rate not in (None, spoken.sample_rate):
        yield "sample_rate"


def _guesses(spec: JobSpec, spoken: SpokenRecord) -> Iterator[JobSpec]:
    """What may have been asked for with the same text, where it was spoken so."""
    first = _first(spoken)
    speaker, language = spoken.speaker, spoken.language
    choices: Mapping[str, list[Any]] = {
        "speaker": _each(spec.speaker, speaker, speaker and speaker.lower()),
        "language": _each(spec.language, language, language.lower(), AUTO),
        "chunk": [spec.chunk, not spec.chunk],
        "select_best": [spec.select_best, not spec.select_best],
        "seed": _each(spec.seed, None, first and first.seed),
        "loudness": _each(spec.loudness, None, spoken.target_lufs),
        "sample_rate": _each(spec.sample_rate, None, spoken.sample_rate),
        "pronounce": _each(spec.pronounce, dict(spoken.pronounce), {}),
    }
    known = replace(
        spec,
        voice=spoken.voice,
        profile=spoken.profile,
        variants=spoken.asked,
        format=spoken.audio_format,
        output_name=output_name_of(spoken.takes),
        speed=first.speed if first is not None else spec.speed,
    )
    for values in product(*choices.values()):
        yield replace(known, **dict(zip(choices, values, strict=True)))


def _same_text(spec: JobSpec, spoken: SpokenRecord) -> bool | None:
    """Whether the seed that was used is the usual one of this text; None where one was asked for, or nobody
    knows.
    """
    first = _first(spoken)
    if first is None or first.seed is None or spec.seed is not None:
        return None
    usual = usual_seed(spoken.engine, spoken.voice, spoken.speaker, spoken.language, spec.text)
    return first.seed == usual


def _first(spoken: SpokenRecord) -> Take | None:
    """The take that was made first: with the seed and speed that were asked for."""
    return next((take for take in spoken.takes if take.made == 1), None)


def _spoken_as(language: str, spoken: SpokenRecord) -> str:
    if language.casefold() in (spoken.language.casefold(), AUTO.casefold()):
        return spoken.language
    return next((name for name in LANGUAGES if name.casefold() == language.casefold()), language)


def _like(name: str | None, known: str | None) -> str | None:
    """The name as it is known, where only its capitals differ."""
    return known if name is not None and known is not None and name.casefold() == known.casefold() else name


def _each(*values: Any) -> list[Any]:
    """The values, each once."""
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found
