"""One take: its file, its waveform, and what was measured. The same shape wherever a take is told of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lib.captions import Cue, cue_trouble
from lib.records.reading import Fields, InvalidRecord


@dataclass(frozen=True, slots=True)
class FileRef:
    """One file by name and content. `bytes` is its length.

    `file` is a plain name beside a `result.json`, and the published name ("topic/beat-001.wav") in the record
    of a done job; `key` is the store's place of the content, None where nothing is stored.
    """

    file: str
    bytes: int
    sha256: str
    key: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The four keys."""
        return {"file": self.file, "bytes": self.bytes, "sha256": self.sha256, "key": self.key}

    @classmethod
    def from_json(cls, value: object) -> FileRef:
        """Read it. Raises InvalidRecord."""
        return file_from(Fields(value))


def file_from(fields: Fields) -> FileRef:
    """The file of an object's fields. Raises InvalidRecord."""
    return FileRef(
        fields.text("file"),
        fields.whole("bytes", least=1),
        fields.sha256("sha256"),
        fields.optional_text("key"),
    )


@dataclass(frozen=True, slots=True)
class WordTiming:
    """When a word sounds: seconds from the start of the samples it came with."""

    text: str
    start: float
    end: float
    source: str = "engine"  # who says so: that, "piece", "asr" or "estimated"

    def to_json(self) -> dict[str, Any]:
        """The four keys."""
        return {"text": self.text, "start": self.start, "end": self.end, "source": self.source}


def json_bytes(value: object) -> int:
    """How long `value` is as compact JSON in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Take:
    """One take with its file. Number 1 is the chosen one; `made` counts in the order of making."""

    take: int
    audio: FileRef
    audio_seconds: float
    made: int = 1
    peaks: FileRef | None = None
    seed: int | None = None
    speed: float = 1.0
    intonation: float = 1.0
    loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None
    gain_db: float | None = None
    limiter_db: float | None = None
    measures: Mapping[str, float | None] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    words: tuple[WordTiming, ...] = ()
    captions: tuple[Cue, ...] = ()  # what is written, by the clock of this take
    caption_files: tuple[FileRef, ...] = ()  # that were made of them; none in what a worker tells

    @property
    def main(self) -> FileRef:
        """The file that goes by the take's name: its audio."""
        return self.audio

    @property
    def files(self) -> tuple[FileRef, ...]:
        """All its files, the audio first."""
        return (self.audio, *self.extras)

    @property
    def extras(self) -> tuple[FileRef, ...]:
        """Its files beside the audio, which is good without them."""
        return (*(() if self.peaks is None else (self.peaks,)), *self.caption_files)

    @property
    def caption_bytes(self) -> int:
        """How long its cues are as compact JSON in UTF-8."""
        return json_bytes([cue.to_json() for cue in self.captions])

    @property
    def word_bytes(self) -> int:
        """How long the times of its words are, likewise."""
        return json_bytes([word.to_json() for word in self.words])

    def placed(self, audio: FileRef, peaks: FileRef | None, caption_files: Sequence[FileRef] = ()) -> Take:
        """The same take with its files in another place."""
        return replace(self, audio=audio, peaks=peaks, caption_files=tuple(caption_files))

    def to_json(self) -> dict[str, Any]:
        """One entry of `takes`."""
        return {
            "take": self.take,
            "made": self.made,
            **self.audio.to_json(),
            "peaks": None if self.peaks is None else self.peaks.to_json(),
            "audio_seconds": self.audio_seconds,
            "seed": self.seed,
            "speed": self.speed,
            "intonation": self.intonation,
            "loudness_lufs": self.loudness_lufs,
            "true_peak_dbtp": self.true_peak_dbtp,
            "gain_db": self.gain_db,
            "limiter_db": self.limiter_db,
            "measures": dict(self.measures),
            "flags": list(self.flags),
            "words": [word.to_json() for word in self.words],
            "captions": [cue.to_json() for cue in self.captions],
            "caption_files": [file.to_json() for file in self.caption_files],
        }

    @classmethod
    def from_json(cls, value: object) -> Take:
        """Read one entry of `takes`. Raises InvalidRecord."""
        return take_from(Fields(value))


def take_from(fields: Fields) -> Take:
    """The take of an object's fields. Raises InvalidRecord."""
    measures = fields.mapping("measures")
    if not all(_is_number(number) for number in measures.values()):
        fields.refuse("measures", "must hold numbers or nulls")
    audio_seconds = fields.number("audio_seconds", least=0.0)
    return Take(
        take=fields.whole("take", least=1),
        audio=file_from(fields),
        audio_seconds=audio_seconds,
        made=fields.whole("made", least=1),
        peaks=file_from(fields.object("peaks")) if fields.has("peaks") else None,
        seed=fields.optional_whole("seed"),
        speed=fields.number("speed", 1.0),
        intonation=fields.number("intonation", 1.0),
        loudness_lufs=fields.optional_number("loudness_lufs"),
        true_peak_dbtp=fields.optional_number("true_peak_dbtp"),
        gain_db=fields.optional_number("gain_db"),
        limiter_db=fields.optional_number("limiter_db"),
        measures=measures,
        flags=fields.texts("flags"),
        words=tuple(_word_from(word) for word in fields.objects("words")),
        captions=cues_from(fields, audio_seconds),
        caption_files=tuple(map(file_from, fields.objects("caption_files"))),
    )


def takes_from(fields: Fields) -> tuple[Take, ...]:
    """The `takes` of a record, the chosen one first. Raises InvalidRecord."""
    takes = tuple(sorted(map(take_from, fields.objects("takes")), key=lambda take: take.take))
    if [take.take for take in takes] != list(range(1, len(takes) + 1)) or not takes:
        fields.refuse("takes", "must be numbered from 1, each once")
    names = [file.file for take in takes for file in take.files]
    if len(set(names)) != len(names):
        fields.refuse("takes", "name a file twice")
    return takes


def _word_from(fields: Fields) -> WordTiming:
    return WordTiming(
        fields.text("text"), fields.number("start"), fields.number("end"), fields.text("source")
    )


def cues_from(fields: Fields, audio_seconds: float) -> tuple[Cue, ...]:
    """The `captions` of an object about an audio of that length. Raises InvalidRecord."""
    cues = tuple(
        Cue(cue.number("start", least=0.0), cue.number("end"), cue.text("text"), cue.text("source"))
        for cue in fields.objects("captions")
    )
    trouble = cue_trouble(cues, audio_seconds)
    if trouble is not None:
        fields.refuse(f"captions{trouble.partition(' ')[0]}", trouble.partition(" ")[2])
    return cues


def _is_number(value: object) -> bool:
    try:
        Fields({"it": value}).optional_number("it")
    except InvalidRecord:
        return False
    return True
