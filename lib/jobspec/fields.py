"""The one table of a job's fields: it drives validation, schema, documentation, fingerprint and payload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from lib.jobspec.callback import callback_rule
from lib.jobspec.kinds import DEFAULT_KIND, kind_rule
from lib.jobspec.names import BATCH_PATTERN, LANGUAGE_PATTERN, MAX_TAKES, VOICE_PATTERN
from lib.jobspec.notyet import NOT_YET
from lib.jobspec.pictures import LEAST_PIXELS, MOST_PIXELS, PIXEL_STEP, USUAL_HEIGHT, USUAL_WIDTH
from lib.jobspec.pronunciation import pronounce_rule
from lib.jobspec.rules import (
    Rule,
    choice,
    file_path,
    moment,
    number,
    one_number,
    output_name,
    prompt,
    request_id,
    spoken_text,
    truth,
    whole_number,
    word,
)

FORMATS: Final = ("wav", "flac", "mp3", "opus")
PROFILES: Final = ("fast", "balanced", "quality")
#: Samples a second that every format can have.
SAMPLE_RATES: Final = (8_000, 12_000, 16_000, 24_000, 48_000)
PRIORITIES: Final = ("high", "normal", "low")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a job.

    `default` holds when neither job nor defaults set it. `in_defaults`: may stand under `defaults`.
    `in_fingerprint`: a change asks for other output. `stored`: part of `JobSpec` (text_file and lexicon are
    not; their content becomes `text` and part of `pronounce`). `merges`: mappings of defaults and job are
    merged, the job wins.
    """

    name: str
    rule: Rule
    doc: str
    default: Any = None
    in_defaults: bool = True
    in_fingerprint: bool = True
    stored: bool = True
    merges: bool = False

    def described(self) -> str:
        """What it is for, and whether it is refused so far."""
        return f"{self.doc} Refused so far: not built yet." if self.name in NOT_YET else self.doc


def _voice_word() -> Rule:
    return word(VOICE_PATTERN, "A-Z a-z 0-9 . _ - starting with a letter or digit", 64)


def _pixels() -> Rule:
    return whole_number(LEAST_PIXELS, MOST_PIXELS, step=PIXEL_STEP)


_FIELDS: Final = (
    Field(
        "output_name",
        output_name(),
        "Where the result goes, relative to the output folder and without suffix: `topic/beat-001`. At most "
        "512 bytes, 180 per segment, with what is derived from it; no `..`, `:`, backslash or invisible "
        "character; Unicode NFC. Required.",
        in_defaults=False,
    ),
    Field(
        "request_id",
        request_id(),
        "The job's id in the queue; the same id is done once. 1 to 200 of `A-Z a-z 0-9 . _ : ~ -`, starting "
        "with a letter or digit. Left out: `output_name` with `:` for `/`.",
        in_defaults=False,
    ),
    Field("text", spoken_text(), "What to speak. This or `text_file`.", "", in_defaults=False),
    Field(
        "text_file",
        file_path(),
        "A UTF-8 file with what to speak, relative to the YAML's folder, which it may not leave. This or "
        "`text`.",
        in_defaults=False,
        stored=False,
    ),
    Field("voice", _voice_word(), "A voice of the registry; it brings its engine. This or `speaker`."),
    Field("speaker", _voice_word(), "A built-in speaker of the engine. This or `voice`."),
    Field(
        "language",
        word(LANGUAGE_PATTERN, "letters and -", 40),
        "The language of the text; which ones there are depends on the engine.",
        "English",
    ),
    Field("profile", choice(*PROFILES), "Speed against quality.", "balanced"),
    Field("variants", whole_number(1, MAX_TAKES), "How many takes to make.", 1),
    Field("select_best", truth(), "Choose the best take by measuring all of them.", False),
    Field("chunk", truth(), "Split long text at sentences and join the pieces.", False),
    Field("seed", whole_number(0, 2**32 - 1), "Makes the takes repeatable. Left out: the engine's choice."),
    Field("format", choice(*FORMATS), "The audio file's format and suffix.", "wav"),
    Field(
        "pronounce",
        pronounce_rule(),
        "How words are said, in other words or in `/phonemes/`: docs/reference/pronunciation.md. `defaults` "
        "and job are merged, the job wins.",
        {},
        merges=True,
    ),
    Field(
        "lexicon",
        file_path(),
        "A UTF-8 file of such words, relative to the YAML's folder, which it may not leave: `word: saying` "
        "on each line. What `pronounce` says wins.",
        stored=False,
    ),
    Field(
        "speed",
        number(0.5, 2.0),
        "How quickly it is spoken; 1.1 is a tenth quicker. For engines that can.",
        1.0,
    ),
    Field(
        "loudness",
        number(-40.0, -8.0),
        "The level of the audio in LUFS. Left out: -19. Where peaks keep it from there the result says so.",
    ),
    Field("sample_rate", one_number(*SAMPLE_RATES), "The audio's samples a second. Left out: the engine's."),
    Field(
        "gap_after",
        number(0.0, 60.0),
        "Seconds of silence before the next job where `job-runner join` joins them. Left out: its `--gap`.",
        in_fingerprint=False,
    ),
    Field("priority", choice(*PRIORITIES), "Which jobs go first.", "normal", in_fingerprint=False),
    Field(
        "not_before",
        moment(),
        "Not to be started earlier: RFC 3339 with a zone, or seconds since 1970.",
        in_fingerprint=False,
    ),
    Field(
        "max_attempts",
        whole_number(1, 100),
        "How often the work may be begun before the job has failed.",
        3,
        in_fingerprint=False,
    ),
    Field(
        "timeout_s",
        whole_number(1, 86_400),
        "Seconds one attempt may take, from when its model is loaded. Left out: no limit; a rented machine "
        "is given back when no piece is spoken for ten minutes, and after ten times the usual, a quarter of "
        "an hour at least.",
        in_fingerprint=False,
    ),
    Field(
        "callback_data",
        callback_rule(),
        "Comes back with the result, unread. `defaults` and job are merged deeply: mappings merge, lists and "
        "single values replace, the job wins.",
        {},
        in_fingerprint=False,
        merges=True,
    ),
    Field(
        "batch",
        word(BATCH_PATTERN, "A-Z a-z 0-9 . _ -", 64),
        "A name that groups jobs: `job-watcher costs --by batch` says what they cost together, and "
        "SPEND_CAP_BATCH bounds what is rented for them.",
        in_fingerprint=False,
    ),
    Field("kind", kind_rule(), "What is made.", DEFAULT_KIND),
    Field("prompt", prompt(), "What the picture shows. For `kind: image`, and required there."),
    Field(
        "backend",
        _voice_word(),
        "What makes the picture: docs/reference/image-synth.md. For `kind: image`. Left out: `card`.",
    ),
    Field("width", _pixels(), f"Of the picture, in pixels. For `kind: image`. Left out: {USUAL_WIDTH}."),
    Field("height", _pixels(), f"Of the picture, in pixels. For `kind: image`. Left out: {USUAL_HEIGHT}."),
)

#: Every field by name, in the order of the documentation.
FIELDS: Final[dict[str, Field]] = {field.name: field for field in _FIELDS}
#: The fields a `JobSpec` has.
STORED: Final = tuple(field for field in _FIELDS if field.stored)
