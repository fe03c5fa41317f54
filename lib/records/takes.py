"""One take: its file, its waveform, and what was measured. The same shape wherever a take is told of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

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

    def placed(self, audio: FileRef, peaks: FileRef | None) -> Take:
        """The same take with its files in another place."""
        return replace(self, audio=audio, peaks=peaks)

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
    return Take(
        take=fields.whole("take", least=1),
        audio=file_from(fields),
        audio_seconds=fields.number("audio_seconds", least=0.0),
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
    )


def takes_from(fields: Fields) -> tuple[Take, ...]:
    """The `takes` of a record, the chosen one first. Raises InvalidRecord."""
    takes = tuple(sorted(map(take_from, fields.objects("takes")), key=lambda take: take.take))
    if [take.take for take in takes] != list(range(1, len(takes) + 1)) or not takes:
        fields.refuse("takes", "must be numbered from 1, each once")
    names = [part.file for take in takes for part in (take.audio, take.peaks) if part is not None]
    if len(set(names)) != len(names):
        fields.refuse("takes", "name a file twice")
    return takes


def _word_from(fields: Fields) -> WordTiming:
    return WordTiming(
        fields.text("text"), fields.number("start"), fields.number("end"), fields.text("source")
    )


def _is_number(value: object) -> bool:
    try:
        Fields({"it": value}).optional_number("it")
    except InvalidRecord:
        return False
    return True
