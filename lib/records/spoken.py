"""What was spoken and how: `result.json` (docs/reference/result-json.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lib.records.reading import Fields
from lib.records.takes import Take, json_bytes, takes_from
from lib.records.verification import Verification, verification_from

FORMAT: Final = 2


@dataclass(frozen=True, slots=True)
class SpokenRecord:
    """One job as it was spoken; `takes` has the chosen one first, so number 1.

    `work_seconds` is the time for speaking, levelling and encoding all takes. `inputs` is the hash of all
    that decided the audio, where a manifest's folder keeps the record.
    """

    engine: str
    model: str
    revision: str
    language: str
    profile: str
    characters: int
    pieces: int
    work_seconds: float
    real_time_factor: float
    sample_rate: int
    audio_format: str
    takes: tuple[Take, ...]
    chosen_why: str
    verdict: str
    verdict_why: str
    created_at: str
    voice: str | None = None
    speaker: str | None = None
    preset: str | None = None
    pronounce: Mapping[str, str] = field(default_factory=dict)  # words that were said as somebody asked
    target_lufs: float | None = None
    warnings: tuple[str, ...] = ()
    verification: tuple[Verification, ...] = ()  # where a take was judged or made again
    inputs: str | None = None
    variants: int | None = None  # that were asked for; None: as many as there are takes

    @property
    def asked(self) -> int:
        """How many takes were asked for; there are fewer where one of the first was perfect."""
        return len(self.takes) if self.variants is None else self.variants

    @property
    def pieces_spoken(self) -> int:
        """Pieces of all takes, those included that were said again."""
        return self.pieces * len(self.takes) + sum(len(each.rejected) for each in self.verification)

    @property
    def pieces_broken(self) -> int:
        """How many of them were found wrong; a take that was made again as a whole counts as one."""
        return sum(each.broken for each in self.verification)

    @property
    def chosen(self) -> Take:
        """The take that goes by the job's own name."""
        return self.takes[0]

    @property
    def audio_seconds(self) -> float:
        """Length of the chosen take."""
        return self.chosen.audio_seconds

    def placed(self, takes: Sequence[Take]) -> SpokenRecord:
        """The same record with its takes in another place."""
        return replace(self, takes=tuple(takes))

    def with_captions(self, most_bytes: int) -> SpokenRecord:
        """The same record, where the cues of all takes are at most so many bytes of compact JSON.

        The last takes lose theirs first; files that were made of them stay.
        """
        kept, left = [], most_bytes
        for take in self.takes:
            left -= take.caption_bytes
            kept.append(take if left >= 0 else replace(take, captions=()))
        return self.placed(kept)

    def within(self, most_bytes: int) -> SpokenRecord:
        """The same record, at most so many bytes without its cues, as far as the times of words are too much.

        The last takes lose theirs first; cues that were made of them stay.
        """
        bare = self.placed([replace(take, words=(), captions=()) for take in self.takes])
        kept, left = [], most_bytes - json_bytes(bare.to_json())
        for take in self.takes:
            left -= take.word_bytes
            kept.append(take if left >= 0 else replace(take, words=()))
        return self.placed(kept)

    def of_inputs(self, inputs: str) -> SpokenRecord:
        """The same record with the hash of what decided its audio."""
        return replace(self, inputs=inputs)

    def to_json(self) -> dict[str, Any]:
        """The whole `result.json`."""
        chosen = self.chosen
        said = {"pronounce": dict(self.pronounce)} if self.pronounce else {}
        value = {
            "format": FORMAT,
            "engine": self.engine,
            "model": self.model,
            "revision": self.revision,
            "voice": self.voice,
            "speaker": self.speaker,
            "preset": self.preset,
            "language": self.language,
            "profile": self.profile,
            "seed": chosen.seed,
            "characters": self.characters,
            **said,
            "pieces": self.pieces,
            "audio_seconds": self.audio_seconds,
            "work_seconds": self.work_seconds,
            "real_time_factor": self.real_time_factor,
            "sample_rate": self.sample_rate,
            "audio_format": self.audio_format,
            **chosen.audio.to_json(),
            "loudness_lufs": chosen.loudness_lufs,
            "target_lufs": self.target_lufs,
            "true_peak_dbtp": chosen.true_peak_dbtp,
            "takes": [take.to_json() for take in self.takes],
            "chosen": {"take": chosen.take, "made": chosen.made, "why": self.chosen_why},
            "verdict": self.verdict,
            "verdict_why": self.verdict_why,
            "warnings": list(self.warnings),
            "created_at": self.created_at,
        }
        if self.variants is not None:
            value["variants"] = self.variants
        if self.verification:
            value["verification"] = [each.to_json() for each in self.verification]
        return value if self.inputs is None else {**value, "inputs": self.inputs}

    @classmethod
    def from_json(cls, value: object) -> SpokenRecord:
        """Read a `result.json`; the chosen take is read from its takes. Raises InvalidRecord."""
        return spoken_from(Fields(value))


def spoken_from(fields: Fields) -> SpokenRecord:
    """The spoken record of an object's fields. Raises InvalidRecord."""
    return SpokenRecord(
        engine=fields.text("engine"),
        model=fields.text("model"),
        revision=fields.text("revision"),
        language=fields.text("language"),
        profile=fields.text("profile"),
        characters=fields.whole("characters"),
        pieces=fields.whole("pieces"),
        work_seconds=fields.number("work_seconds", least=0.0),
        real_time_factor=fields.number("real_time_factor", least=0.0),
        sample_rate=fields.whole("sample_rate"),
        audio_format=fields.text("audio_format"),
        takes=takes_from(fields),
        chosen_why=fields.object("chosen").text("why"),
        verdict=fields.text("verdict"),
        verdict_why=fields.text("verdict_why"),
        created_at=fields.text("created_at"),
        voice=fields.optional_text("voice"),
        speaker=fields.optional_text("speaker"),
        preset=fields.optional_text("preset"),
        pronounce=_pronounce_from(fields),
        target_lufs=fields.optional_number("target_lufs"),
        warnings=fields.texts("warnings"),
        verification=tuple(map(verification_from, fields.objects("verification"))),
        inputs=fields.optional_text("inputs"),
        variants=fields.optional_whole("variants"),
    )


def _pronounce_from(fields: Fields) -> Mapping[str, str]:
    told = fields.mapping("pronounce")
    if not all(isinstance(saying, str) for saying in told.values()):
        fields.refuse("pronounce", "must hold texts")
    return dict(told)
