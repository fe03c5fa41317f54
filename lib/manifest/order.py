"""From a job specification to the command line that speaks it, and to the names of what that makes.

What a resident worker gets of the same job: `lib.dispatch.limits_and_intervals`, where leases are kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from lib.jobspec import (
    CAPTION_SUFFIXES,
    NOT_YET,
    PEAKS_SUFFIX,
    JobSpec,
    fingerprint,
    take_name,
    titles,
    to_payload,
)
from lib.jobspec.kinds import PICTURE_FIELDS
from lib.jobspec.names import RESULT_FILE, TEXT_FILE

# Every field that changes the audio, in the order of the command line; a test holds it against the
# specification's table. All are written out, so that a later change of a default changes no manifest.
_VALUES: Final = (
    ("voice", "--voice"),
    ("speaker", "--speaker"),
    ("language", "--language"),
    ("profile", "--profile"),
    ("variants", "--variants"),
    ("seed", "--seed"),
    ("format", "--format"),
)
# Left out where a job leaves them out, as manifests did before there were such fields.
_ADDED: Final = (
    ("speed", "--speed", 1.0),
    ("loudness", "--loudness", None),
    ("sample_rate", "--sample-rate", None),
)
_SWITCHES: Final = (("select_best", "--select-best"), ("chunk", "--chunk"))
#: Fields that the command line carries in another way (the text as a file, the name as places), or that no
#: job can have yet.
CARRIED_OTHERWISE: Final = frozenset(
    {"text", "output_name", "request_id", "kind", "pronounce", *PICTURE_FIELDS, *NOT_YET}
)


@dataclass(frozen=True, slots=True)
class Order:
    """One job of a manifest. Paths are relative to the manifest's folder, with `/`."""

    spec: JobSpec

    @property
    def text_path(self) -> str:
        """Where the text is staged."""
        return f"{self.spec.output_name}/{TEXT_FILE}"

    @property
    def result_path(self) -> str:
        """Where the record of the finished job goes."""
        return f"{self.spec.output_name}/{RESULT_FILE}"

    def audio_path(self, take: int = 1) -> str:
        """Where a take or a picture goes: `topic/beat-001.wav`, then `topic/beat-001.take-02.wav`."""
        return take_name(self.spec.output_name, take, self.spec.suffix)

    def peaks_path(self, take: int = 1) -> str:
        """Where a take's waveform goes: `topic/beat-001.peaks.json`."""
        return take_name(self.spec.output_name, take, PEAKS_SUFFIX)

    def caption_paths(self, take: int = 1) -> dict[str, str]:
        """Where a take's captions go, by suffix: `topic/beat-001.srt` and so on."""
        return {suffix: take_name(self.spec.output_name, take, suffix) for suffix in CAPTION_SUFFIXES}

    def take_paths(self, take: int = 1) -> tuple[str, ...]:
        """Where a take and all that lies beside it goes; beside a picture lies nothing."""
        if self.spec.is_picture:
            return (self.audio_path(take),)
        return (self.audio_path(take), self.peaks_path(take), *self.caption_paths(take).values())

    def text_bytes(self) -> bytes:
        """What `text.txt` holds: the text, or a picture's prompt, and nothing else, in UTF-8."""
        return self.spec.words.encode()

    def argv(self) -> list[str]:
        """The command that speaks or draws this job, to be run in the manifest's folder."""
        spec = self.spec
        if spec.is_picture:
            return self._drawing_argv()
        words = ["voice-synth", "speak", "--text-file", self.text_path]
        words += ["--out-exact", spec.output_name, "--json-result", self.result_path]
        for name, flag in _VALUES:
            value = getattr(spec, name)
            if value is not None:
                words += [flag, str(value)]
        words += [flag for name, flag in _SWITCHES if getattr(spec, name)]
        for name, flag, usual in _ADDED:
            value = getattr(spec, name)
            words += [] if value == usual else [f"{flag}={_number(value)}"]
        words += [f"--pronounce={word}={saying}" for word, saying in spec.pronounce.items()]
        title, album = titles(spec.output_name)
        words += ["--title", title, *(["--album", album] if album else [])]
        return [*words, "--peaks", "--captions"]

    def _drawing_argv(self) -> list[str]:
        spec = self.spec
        words = ["image-synth", "generate", "--out", self.audio_path(), "--backend", spec.drawn_by]
        words += ["--width", str(spec.size[0]), "--height", str(spec.size[1])]
        words += [] if spec.seed is None else ["--seed", str(spec.seed)]
        return [*words, "--", spec.words]  # a prompt may begin with a hyphen

    def entry(self) -> dict[str, Any]:
        """What the manifest says of this job; nothing in it depends on time, place or machine."""
        spec = self.spec
        return {
            "argv": self.argv(),
            "audio": self.audio_path(),
            "fingerprint": fingerprint(spec),
            "output_name": spec.output_name,
            "request_id": spec.request_id,
            "result": self.result_path,
            "spec": to_payload(spec),
            "text_file": self.text_path,
            "text_sha256": hashlib.sha256(self.text_bytes()).hexdigest(),
        }


def _number(value: float) -> str:
    """The number with all its digits, since a worker gets them all; `-16` for -16.0."""
    return repr(value).removesuffix(".0")
