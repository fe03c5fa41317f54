"""Renders captions again: from the record of a spoken job, or from a file of captions in JSON."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lib.captions import Cue, fitted, read_json, render
from lib.errors import BadConfiguration, BadInput
from lib.files import write_whole, written_over
from lib.foreign import parse_json
from lib.jobspec import CAPTION_SUFFIXES
from lib.records import InvalidRecord, SpokenRecord

_LARGEST: Final = 64 * 1024 * 1024
_JSON: Final = f".{CAPTION_SUFFIXES[-1]}"
_HINT: Final = "Give the result.json of a spoken job, or a file .captions.json."


@dataclass(frozen=True, slots=True)
class CaptionFile:
    """One file that was written, and how many cues it holds."""

    path: Path
    cues: int

    def to_json(self) -> dict[str, Any]:
        """The two keys."""
        return {"file": str(self.path), "cues": self.cues}


@dataclass(frozen=True, slots=True)
class _Source:
    """The cues of one take, and the path of its files without a suffix."""

    stem: Path
    cues: tuple[Cue, ...]
    audio_seconds: float


def caption_again(
    records: Sequence[Path], suffixes: Sequence[str], characters: int, folder: Path | None
) -> list[CaptionFile]:
    """Write the captions of each take in these formats, whole or not at all, beside its audio or in `folder`.

    A file of captions that is read is not written again: its times are the surer ones. Nothing is written
    before all records were read.

    Raises:
        BadInput: a file is no record and no captions, or holds no cues; its audio is not found; what would be
            written is read, or belongs to two records.
        BadConfiguration: a file cannot be written.
    """
    planned: dict[str, tuple[Path, str, _Source]] = {}
    for record in records:
        for source in _sources(record, folder):
            targets = [(source.stem.with_name(f"{source.stem.name}.{suffix}"), suffix) for suffix in suffixes]
            kept = [each for each in targets if written_over([record], [each[0]]) is None]
            if not kept:
                raise BadInput(f"{record} would be written over, and it is read here; choose another --out.")
            for path, suffix in kept:
                key = os.path.realpath(path)
                if key in planned:
                    raise BadInput(f"Two records have {path} as their captions; give each another --out.")
                planned[key] = (path, suffix, source)
    lost = written_over(records, [path for path, _, _ in planned.values()])
    if lost is not None:
        raise BadInput(f"{lost} would be written over, and it is read here; choose another --out.")
    return [_written(*each, characters) for each in planned.values()]


def _written(path: Path, suffix: str, source: _Source, characters: int) -> CaptionFile:
    cues = fitted(source.cues, characters)
    try:
        write_whole(path, render(cues, source.audio_seconds, suffix, characters).encode(), sync=True)
    except OSError as error:
        raise BadConfiguration(f"The file {path} cannot be written: {error.strerror}.") from None
    return CaptionFile(path, len(cues))


def _sources(path: Path, folder: Path | None) -> Iterator[_Source]:
    data = _read(path)
    if path.name.endswith(_JSON):
        audio_seconds, cues = read_json(data)
        if not cues:
            raise BadInput(f"{path} holds no cues.")
        yield _Source((folder or path.parent) / path.name.removesuffix(_JSON), cues, audio_seconds)
        return
    try:
        takes = SpokenRecord.from_json(parse_json(data)).takes
    except (InvalidRecord, ValueError, RecursionError):
        raise BadInput(f"{path} is no record of a spoken job. {_HINT}") from None
    told = [take for take in takes if take.captions]
    if not told:
        raise BadInput(
            f"The record {path} holds no captions: it was made by an earlier version, or too long. "
            "Speak its text again, or give the file .captions.json beside its audio."
        )
    for take in told:
        audio = Path(take.audio.file)
        place = folder or _folder_of(path, audio.name)
        yield _Source(place / audio.name.rpartition(".")[0], take.captions, take.audio_seconds)


def _folder_of(record: Path, audio: str) -> Path:
    """Where the audio lies: beside the record, or beside the folder that is named after the job."""
    for folder in (record.parent, record.absolute().parent.parent):
        if (folder / audio).is_file():
            return folder
    raise BadInput(f"The audio {audio} of {record} is not there; say with --out where the captions go.")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}. {_HINT}") from None
    if len(data) > _LARGEST:
        raise BadInput(f"{path} is over {_LARGEST // 1024**2} MiB. {_HINT}")
    return data
