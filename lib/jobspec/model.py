"""The job specification: what one job asks for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

from lib.errors import BadInput
from lib.jobspec.fields import STORED, Field
from lib.jobspec.kinds import IMAGE
from lib.jobspec.pictures import PICTURE_SUFFIX, USUAL_BACKEND, USUAL_HEIGHT, USUAL_WIDTH
from lib.jobspec.problems import Problem

FINGERPRINT_VERSION: Final = "v1"
#: The level of a job that names none, in LUFS: a mono file of it plays as loud as a stereo one of -16.
USUAL_LUFS: Final = -19.0

_json: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, allow_nan=False
).encode


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One valid job, made only by `normalize_job_spec` and `from_payload`: each field passed its rule."""

    request_id: str
    output_name: str
    text: str = ""  # only jobs that speak have one
    voice: str | None = None
    speaker: str | None = None
    language: str = "English"
    profile: str = "balanced"
    variants: int = 1
    select_best: bool = False
    chunk: bool = False
    seed: int | None = None
    format: str = "wav"
    pronounce: Mapping[str, str] = field(default_factory=dict)  # what a lexicon says included
    speed: float = 1.0
    loudness: float | None = None  # LUFS
    sample_rate: int | None = None  # Hz
    gap_after: float | None = None  # seconds
    priority: str = "normal"
    not_before: float | None = None  # seconds since the epoch
    max_attempts: int = 3
    timeout_s: int | None = None
    callback_data: Mapping[str, Any] = field(default_factory=dict)
    batch: str | None = None
    kind: str = "tts"
    prompt: str | None = None
    backend: str | None = None
    width: int | None = None  # pixels
    height: int | None = None

    @property
    def is_picture(self) -> bool:
        """Whether it is drawn; else it is spoken."""
        return self.kind == IMAGE

    @property
    def words(self) -> str:
        """What it is made of: the text to speak, or the prompt of a picture."""
        return (self.prompt or "") if self.is_picture else self.text

    @property
    def suffix(self) -> str:
        """Of the file that goes by its name, without the dot."""
        return PICTURE_SUFFIX if self.is_picture else self.format

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its picture, in pixels."""
        return self.width or USUAL_WIDTH, self.height or USUAL_HEIGHT

    @property
    def drawn_by(self) -> str:
        """The name of the backend that draws it."""
        return self.backend or USUAL_BACKEND

    @property
    def fingerprint(self) -> str:
        """`v1:` and the SHA-256 of what decides the output. Computed anew at each call, about 4 us."""
        return fingerprint(self)


class Draft(NamedTuple):
    """One job as it stands in a file, right or wrong.

    `values` holds its fields that passed their rules, those of the defaults included; `lines` the line of
    each field that stands in the job itself, and under `("pronounce", word)` of each word there. `spec` is
    None when anything is wrong.
    """

    label: str  # as errors name it
    line: int  # from 1, where it starts
    values: Mapping[str, Any]
    lines: Mapping[Any, int]
    spec: JobSpec | None


@dataclass(frozen=True, slots=True)
class JobFile:
    """A valid file of jobs. `lines[i]` is the line (from 1) on which `specs[i]` starts.

    `drafts` are all jobs of the file and `default_lines` the lines of the fields in its defaults, for those
    who check what a file alone cannot tell. `warnings` are what is right and probably not meant.
    """

    path: Path
    specs: tuple[JobSpec, ...]
    lines: tuple[int, ...]
    drafts: tuple[Draft, ...] = field(default=(), compare=False, repr=False)
    default_lines: Mapping[Any, int] = field(default_factory=dict, compare=False, repr=False)
    warnings: tuple[Problem, ...] = field(default=(), compare=False)


class InvalidJobFile(BadInput):
    """A job file breaks rules; nothing of it is used.

    `problems` holds all of them, by line. `sound` holds the jobs that are right in themselves, and drafts
    of all jobs that could be read, so that a caller with rules of its own can add what it finds there.
    """

    def __init__(self, name: str, problems: Iterable[Problem], sound: JobFile | None = None) -> None:
        self.name = name
        self.problems = tuple(problems)
        self.sound = sound or JobFile(Path(name), (), ())
        count = len(self.problems)
        head = f"{name} has {count} problem{'' if count == 1 else 's'}; nothing of it was used."
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))


class _SpecFields:
    """Some fields of a specification, read together."""

    def __init__(self, fields: Iterable[Field]) -> None:
        entries = sorted(fields, key=lambda entry: entry.name)
        self._names = tuple(entry.name for entry in entries)
        self._defaults = tuple(entry.default for entry in entries)
        self._values = attrgetter(*self._names)

    def unlike_defaults(self, spec: JobSpec) -> dict[str, Any]:
        """The values that are no defaults, by name, in the names' order."""
        pairs = zip(self._names, self._values(spec), self._defaults, strict=True)
        return {name: value for name, value, default in pairs if value != default}


_DECISIVE: Final = _SpecFields(entry for entry in STORED if entry.in_fingerprint)
_OTHERS: Final = _SpecFields(entry for entry in STORED if not entry.in_fingerprint)


def fingerprint(spec: JobSpec) -> str:
    """Identify what decides the output: `v1:` and 64 hex digits.

    SHA-256 over JSON with sorted keys, no spaces and UTF-8 text as it is. Defaults are left out, so that a
    field added later changes no fingerprint; so are the fields that do not change the output.
    """
    return payload_and_fingerprint(spec)[1]


def to_payload(spec: JobSpec) -> dict[str, Any]:
    """The spec as a JSON object with defaults left out; `from_payload` gives the same spec back."""
    return _DECISIVE.unlike_defaults(spec) | _OTHERS.unlike_defaults(spec)


def payload_and_fingerprint(spec: JobSpec) -> tuple[str, str]:
    """The payload as JSON text, and the fingerprint. The text to speak, most of both, is encoded once."""
    payload = canonical = _json(_DECISIVE.unlike_defaults(spec))
    others = _OTHERS.unlike_defaults(spec)
    if others:
        payload = f"{canonical[:-1]},{_json(others)[1:]}"
    return payload, f"{FINGERPRINT_VERSION}:{hashlib.sha256(canonical.encode()).hexdigest()}"
