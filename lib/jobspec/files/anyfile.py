"""A file of jobs of either kind: YAML, or a beatsheet in JSON. What it is, it says itself; its name does not.

Importing this brings the YAML parser, about 30 ms.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from lib.errors import UsageError
from lib.foreign import parse_json
from lib.jobspec.fields import FIELDS
from lib.jobspec.files.beatsheet import parse_beatsheet
from lib.jobspec.files.jobfile import parse_job_file
from lib.jobspec.files.source import read_source, source_name
from lib.jobspec.model import JobFile

_SHEET_KEYS: Final = ("beats", "topic")
_JOB_KEYS: Final = ("jobs",)
#: Where JSON begins, behind what people put before it: a byte order mark, comments, a code fence.
#: Possessive, lest text that is no JSON be read in exponentially many ways.
_OPENING: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s|//[^\n]*\n|#[^\n]*\n|/\*.*?\*/|```[^\n]*\n)*+\{", re.DOTALL
)
#: The same behind words, as of a letter or an answer: up to a few lines, and the last may hold the beginning.
_WORDED: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:[^{}\n]{0,400}\n){0,12}?[^{}\n]{0,400}\{")
_KEYED_LINE: Final = re.compile(rb"^\s*(?:- *)?([\"']?)(\w+)\1[ \t]*:", re.MULTILINE)
_YAML_KEYS: Final = frozenset((*FIELDS, "jobs", "defaults"))
_ANYBODY: Final = "anybody"  # speaks the beats of a sheet of which only the ids are asked for


def load_job_file(path: Path, *, voice: str | None = None, speaker: str | None = None) -> JobFile:
    """Read and check a file of jobs, YAML or a beatsheet; text files of YAML are relative to its folder.

    `voice` or `speaker` speaks the beats of a beatsheet that name nobody.

    Raises:
        InvalidJobFile: not readable, or anything in it is wrong; `.problems` lists all of it.
        BadInput: `voice` or `speaker` is no name.
        UsageError: both are given, or one of them and the file is no beatsheet.
    """
    if voice is not None and speaker is not None:  # before standard input is read
        raise UsageError("give one of --voice and --speaker, not both")
    data, name = read_source(path), source_name(path)
    return replace(parse_any(data, name=name, base_dir=path.parent, voice=voice, speaker=speaker), path=path)


def parse_any(
    data: bytes, *, name: str, base_dir: Path | None, voice: str | None = None, speaker: str | None = None
) -> JobFile:
    """Check the bytes of a file of jobs of either kind. Without `base_dir` it may name no text files.

    Raises: as `load_job_file`.
    """
    if voice is not None and speaker is not None:
        raise UsageError("give one of --voice and --speaker, not both")
    if is_beatsheet(data):
        return parse_beatsheet(data, name=name, voice=voice, speaker=speaker)
    if voice is not None or speaker is not None:
        flag = "voice" if voice is not None else "speaker"
        raise UsageError(
            f"--{flag} is for the beats of a beatsheet, and {name} is a job file; write {flag} under its "
            "defaults, or into its jobs"
        )
    return parse_job_file(data, name=name, base_dir=base_dir)


def load_request_ids(path: Path) -> tuple[str, ...]:
    """The request ids of a file of jobs, in its order. Who speaks a beat makes no difference to them.

    Raises:
        InvalidJobFile: not readable, or anything in it is wrong; `.problems` lists all of it.
    """
    data, name = read_source(path), source_name(path)
    if is_beatsheet(data):
        specs = parse_beatsheet(data, name=name, voice=_ANYBODY).specs
    else:
        specs = parse_job_file(data, name=name, base_dir=path.parent).specs
    return tuple(spec.request_id for spec in specs)


def is_beatsheet(data: bytes) -> bool:
    """Whether these bytes are meant as a beatsheet: an object with beats or a topic, and without jobs.

    JSON with jobs is YAML as well, so it is a job file. A sheet that is broken somewhere is still a sheet:
    what is wrong with it is to be said in words of a beatsheet.
    """
    if not _OPENING.match(data):
        return _follows_words(data)
    try:
        root = parse_json(data.decode("utf-8-sig"))
    except ValueError:
        return _holds_key(data, _SHEET_KEYS) and not _holds_key(data, _JOB_KEYS)
    return isinstance(root, dict) and any(key in root for key in _SHEET_KEYS) and "jobs" not in root


def is_keyed(data: bytes) -> bool:
    """Whether a line begins with a key of a job file, right or wrong as the rest may be."""
    return any(key[2].decode() in _YAML_KEYS for key in _KEYED_LINE.finditer(data))


def _follows_words(data: bytes) -> bool:
    """Whether this is a whole beatsheet behind words that are none of it, and no YAML either."""
    opening = _WORDED.match(data)
    if opening is None:
        return False
    words, sheet = data[: opening.end() - 1], data[opening.end() - 1 :]
    if is_keyed(words):
        return False
    return all(_holds_key(sheet, (key,)) for key in _SHEET_KEYS) and not _holds_key(sheet, _JOB_KEYS)


def _holds_key(data: bytes, keys: tuple[str, ...]) -> bool:
    """Whether one of the keys stands anywhere in text that is not quite JSON."""
    return any(re.search(rb"[{,\s]([\"']?)" + key.encode() + rb"\1\s*:", data) for key in keys)
