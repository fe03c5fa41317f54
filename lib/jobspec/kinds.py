"""The kinds of jobs: which fields are a kind's own, and which of them it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lib.jobspec.problems import Refused
from lib.jobspec.rules import Rule, choice

DEFAULT_KIND: Final = "tts"
IMAGE: Final = "image"


@dataclass(frozen=True, slots=True)
class Need:
    """Exactly one of `fields` must be set. `missing` and `both` complete "field NAME ..."."""

    fields: tuple[str, ...]
    missing: str  # said of the first
    both: str = ""  # said of the second, where it stands beside the first
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class JobKind:
    """What one kind of job is made of. Fields that no kind owns are for all of them.

    `refused` completes "field kind ...": why there is no such job though one might look for it.
    """

    own: frozenset[str]
    needs: tuple[Need, ...] = ()
    refused: str | None = None


SPEECH_FIELDS: Final = frozenset(
    {"text", "text_file", "voice", "speaker", "language", "profile", "variants", "select_best", "chunk"}
    | {"format", "pronounce", "lexicon", "speed", "loudness", "sample_rate", "gap_after"}
)

PICTURE_FIELDS: Final = frozenset({"prompt", "backend", "width", "height"})

#: By the word that a job file carries.
KINDS: Final[dict[str, JobKind]] = {
    "tts": JobKind(
        own=SPEECH_FIELDS,
        needs=(
            Need(
                ("voice", "speaker"),
                "is missing; name a voice or a speaker",
                "stands beside voice; exactly one of the two may be set",
                "write voice: null to use the speaker, or speaker: null to use the voice",
            ),
            Need(
                ("text", "text_file"),
                "is missing; write text or text_file",
                "stands beside text; exactly one of the two may be set",
            ),
        ),
    ),
    "image": JobKind(
        own=PICTURE_FIELDS,
        needs=(Need(("prompt",), "is missing; say what the picture shows"),),
    ),
    # A job is made of what its file says and of nothing else, and no job waits for another. A video is made
    # of audio and pictures that have to be finished, and whose lengths decide its own.
    "video": JobKind(
        own=frozenset(),
        refused="is video, which no job makes by itself: it is assembled from finished audio and pictures; "
        "make those with jobs of kind tts and image, then use video-synth assemble or job-pipeline",
    ),
}


def kind_rule() -> Rule:
    """One of the kinds that can be made."""
    standing = choice(*(name for name, kind in KINDS.items() if kind.refused is None))

    def check(value: object) -> str:
        kind = KINDS.get(value) if isinstance(value, str) else None
        if kind is None:
            accepted: str = standing.check(value)
            return accepted
        if kind.refused is not None:
            raise Refused(kind.refused)
        return str(value)

    return Rule(standing.expects, standing.schema, check)


def foreign_fields(kind: JobKind) -> frozenset[str]:
    """The fields that only other kinds have."""
    return frozenset().union(*(other.own for other in KINDS.values())) - kind.own
