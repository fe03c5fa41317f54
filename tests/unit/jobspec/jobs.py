"""Jobs and file bytes for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from lib.jobspec.names import CAPTION_SUFFIXES, MAX_TAKES, PEAKS_SUFFIX, RESULT_FILE, TEXT_FILE

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcd", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
JSON_OBJECTS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.text("abcd", max_size=2), JSON_VALUES, max_size=4
)
SEGMENTS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}", fullmatch=True)
OUTPUT_NAMES = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)

RAW_JOBS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "output_name": OUTPUT_NAMES,
        "request_id": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,30}", fullmatch=True),
        "text": st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: text + "a"),
        "voice": st.just("newsroom"),
    },
    optional={
        "language": st.sampled_from(["English", "German", "Auto"]),
        "profile": st.sampled_from(["fast", "balanced", "quality"]),
        "variants": st.integers(1, 16),
        "select_best": st.booleans(),
        "chunk": st.booleans(),
        "seed": st.integers(0, 2**32 - 1),
        "format": st.sampled_from(["wav", "flac", "mp3", "opus"]),
        "priority": st.sampled_from(["high", "normal", "low"]),
        "not_before": st.floats(0, 253_402_300_799),
        "max_attempts": st.integers(1, 100),
        "timeout_s": st.integers(1, 86_400),
        "callback_data": JSON_OBJECTS,
        "batch": st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
        "kind": st.just("tts"),
    },
)


def raw_job(**fields: Any) -> dict[str, Any]:
    """A valid job with `fields` changed; a value of ... takes the field away."""
    raw = {"output_name": "topic/beat-001", "text": "Hello.", "voice": "newsroom"} | fields
    return {name: value for name, value in raw.items() if value is not ...}


def file_names(output_name: str, audio_format: str) -> Iterator[str]:
    """Every file that may be derived from a job: the text, the record, the audio, what is beside it."""
    yield f"{output_name}/{TEXT_FILE}"
    yield f"{output_name}/{RESULT_FILE}"
    for suffix in (audio_format, PEAKS_SUFFIX, *CAPTION_SUFFIXES):
        yield f"{output_name}.{suffix}"
        for number in range(1, MAX_TAKES + 1):
            yield f"{output_name}.take-{number:02d}.{suffix}"
