"""`normalize_job_spec`: the one door for mappings (Q1, Q3, Q4, Q6)."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import BadInput
from lib.jobspec import InvalidJobSpec, JobSpec, Problem, normalize_job_spec
from lib.jobspec.callback import MAX_CALLBACK_BYTES, merged
from lib.jobspec.fields import FIELDS, STORED
from tests.unit.jobspec.jobs import JSON_OBJECTS, RAW_JOBS, raw_job


def _problems(raw: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> list[str]:
    with pytest.raises(InvalidJobSpec) as caught:
        normalize_job_spec(raw, defaults)
    return [f"{problem.field}: {problem.message}" for problem in caught.value.problems]


def test_a_small_job_gets_every_stated_default() -> None:
    """Q3."""
    spec = normalize_job_spec(raw_job())

    assert spec == JobSpec(
        request_id="topic:beat-001",
        output_name="topic/beat-001",
        text="Hello.",
        voice="newsroom",
        speaker=None,
        language="English",
        profile="balanced",
        variants=1,
        select_best=False,
        chunk=False,
        seed=None,
        format="wav",
        priority="normal",
        not_before=None,
        max_attempts=3,
        timeout_s=None,
        callback_data={},
        kind="tts",
        batch=None,
    )


def test_the_table_and_the_spec_have_the_same_fields_and_defaults() -> None:
    spec = normalize_job_spec(raw_job())

    assert {entry.name for entry in STORED} == set(JobSpec.__slots__)
    for entry in STORED:
        if entry.name not in ("request_id", "output_name", "text", "voice"):
            assert getattr(spec, entry.name) == entry.default, entry.name


def test_bad_input_is_exit_status_65() -> None:
    with pytest.raises(InvalidJobSpec) as caught:
        normalize_job_spec({})

    assert isinstance(caught.value, BadInput)
    assert int(caught.value.exit_status) == 65


@pytest.mark.parametrize(
    ("name", "request_id"),
    [("topic/beat-001", "topic:beat-001"), ("a", "a"), ("a/b/c", "a:b:c"), ("A.b_c~d/e", "A.b_c~d:e")],
)
def test_a_missing_request_id_follows_from_the_output_name(name: str, request_id: str) -> None:
    """Q4."""
    assert normalize_job_spec(raw_job(output_name=name)).request_id == request_id
    assert normalize_job_spec(raw_job(output_name=name, request_id=None)).request_id == request_id


def test_an_output_name_that_gives_no_id_needs_an_explicit_one() -> None:
    """Q3."""
    assert "gives no request id" in _problems(raw_job(output_name="öl"))[0]
    assert normalize_job_spec(raw_job(output_name="öl", request_id="oil")).request_id == "oil"


def test_an_explicit_null_beats_a_default() -> None:
    """Q6."""
    defaults = {"voice": "newsroom", "language": "German", "seed": 5, "callback_data": {"a": 1}}
    raw = raw_job(voice=None, speaker="Ryan", language=None, seed=None, callback_data=None)

    spec = normalize_job_spec(raw, defaults)

    assert (spec.voice, spec.speaker, spec.language, spec.seed) == (None, "Ryan", "English", None)
    assert spec.callback_data == {}


def test_a_default_fills_what_a_job_leaves_out_and_the_job_wins() -> None:
    """Q6."""
    defaults = {"voice": "newsroom", "variants": 4, "format": "flac"}

    spec = normalize_job_spec(raw_job(voice=..., variants=2), defaults)

    assert (spec.voice, spec.variants, spec.format) == ("newsroom", 2, "flac")


def test_a_null_default_is_no_default() -> None:
    assert normalize_job_spec(raw_job(), {"language": None, "speaker": None}).language == "English"


@pytest.mark.parametrize("field", ["output_name", "request_id", "text", "text_file"])
def test_defaults_may_not_hold_what_belongs_to_one_job(field: str) -> None:
    """Q6."""
    assert _problems(raw_job(), {field: "a"}) == [
        f"defaults.{field}: may not stand in defaults; each job has its own"
    ]


def test_callback_data_merges_mappings_and_replaces_lists_and_single_values() -> None:
    """Q6."""
    defaults = {"callback_data": {"show": {"id": 1, "tags": ["a", "b"]}, "kept": True, "gone": {"x": 1}}}
    raw = raw_job(callback_data={"show": {"tags": ["c"], "title": "X"}, "gone": 2})

    spec = normalize_job_spec(raw, defaults)

    assert spec.callback_data == {
        "show": {"id": 1, "tags": ["c"], "title": "X"},
        "kept": True,
        "gone": 2,
    }


@given(below=JSON_OBJECTS, above=JSON_OBJECTS)
def test_merging_keeps_everything_of_the_job_and_changes_neither_side(
    below: dict[str, Any], above: dict[str, Any]
) -> None:
    """Q6."""
    before = copy.deepcopy((below, above))

    result = merged(below, above)

    assert (below, above) == before
    assert set(result) == set(below) | set(above)
    assert merged(result, above) == result
    assert all(result[key] == value for key, value in above.items() if not isinstance(value, dict))


def test_callback_data_may_have_64_kib_after_merging_and_not_a_byte_more() -> None:
    """Q3."""
    frame = len('{"a":"","b":""}')
    half = "x" * (MAX_CALLBACK_BYTES // 2)
    rest = "x" * (MAX_CALLBACK_BYTES // 2 - frame)

    normalize_job_spec(raw_job(callback_data={"b": rest}), {"callback_data": {"a": half}})

    assert _problems(raw_job(callback_data={"b": rest + "x"}), {"callback_data": {"a": half}}) == [
        f"callback_data: is {MAX_CALLBACK_BYTES + 1} bytes of JSON after merging; at most 65536 are allowed"
    ]


def test_callback_data_is_counted_in_utf_8() -> None:
    assert _problems(raw_job(callback_data={"a": "é" * 40_000}))


def test_callback_data_that_contains_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop

    assert "nested deeper than 64" in _problems(raw_job(callback_data=loop))[0]


def test_callback_data_that_repeats_itself_without_end_is_refused_quickly() -> None:
    value: list[Any] = ["x"]
    for _ in range(40):
        value = [value, value]

    assert "is larger than" in _problems(raw_job(callback_data={"bomb": value}))[0]


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object(), 1j, datetime(2026, 1, 1, tzinfo=UTC)])
def test_callback_data_is_json_only(value: object) -> None:
    assert "must be JSON" in _problems(raw_job(callback_data={"deep": [value]}))[0]


def test_all_problems_of_a_job_are_told_at_once() -> None:
    """Q7."""
    raw = {"output_name": "../x", "variants": 0, "voise": "newsroom", "seed": True, "kind": "song"}

    told = {problem.split(":")[0] for problem in _problems(raw, {"chunk": "maybe"})}

    assert told == {"defaults.chunk", "output_name", "variants", "voise", "seed", "kind", "voice", "text"}


def test_a_wrong_field_is_not_also_called_missing() -> None:
    assert len(_problems(raw_job(text=5))) == 1
    assert len(_problems(raw_job(voice=5))) == 1
    assert len(_problems(raw_job(output_name=5))) == 1


@pytest.mark.parametrize(
    "field", [name for name, entry in FIELDS.items() if "integer" in str(entry.rule.schema)]
)
@pytest.mark.parametrize("value", [True, False, math.nan, math.inf, -math.inf, "1", 0.5, [1], 10**400])
def test_a_number_is_finite_whole_and_no_truth_value(field: str, value: object) -> None:
    """Q3."""
    assert [problem.split(":")[0] for problem in _problems(raw_job(**{field: value}))] == [field]


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        ("variants", 1, 16),
        ("max_attempts", 1, 100),
        ("timeout_s", 1, 86_400),
        ("seed", 0, 2**32 - 1),
    ],
)
def test_the_ends_of_a_range_belong_to_it(field: str, low: int, high: int) -> None:
    """Q3."""
    for value in (low, high):
        assert getattr(normalize_job_spec(raw_job(**{field: value})), field) == value
    for value in (low - 1, high + 1):
        assert _problems(raw_job(**{field: value}))


@pytest.mark.parametrize(
    ("given_time", "seconds"),
    [
        ("2026-11-22T09:00:00Z", 1795338000.0),
        ("2026-11-22T10:00:00+01:00", 1795338000.0),
        (datetime(2026, 11, 22, 9, tzinfo=UTC), 1795338000.0),
        (1795338000, 1795338000.0),
        (0, 0.0),
    ],
)
def test_a_time_is_rfc_3339_a_date_with_zone_or_seconds(given_time: object, seconds: float) -> None:
    spec = normalize_job_spec(raw_job(not_before=given_time))

    assert spec.not_before == seconds
    assert isinstance(spec.not_before, float)


def test_text_is_kept_as_it_is() -> None:
    text = "  Two\r\nlines, \tand a space at the end. \n"

    assert normalize_job_spec(raw_job(text=text)).text == text


@pytest.mark.parametrize("text", ["", " ", "...", "🙂", "—", "_", "\u200b", "\u0301", "¿?"])
def test_text_without_letter_or_digit_is_nothing_to_speak(text: str) -> None:
    """Q3."""
    assert _problems(raw_job(text=text)) == [
        "text: holds nothing to speak; write at least one letter or digit"
    ]


@pytest.mark.parametrize("text", ["7", "я", "海", "۷", "...x", "ﬁ"])
def test_a_letter_or_digit_of_any_script_is_something_to_speak(text: str) -> None:
    """Q3."""
    assert normalize_job_spec(raw_job(text=text)).text == text


def test_text_may_have_a_mebibyte_and_not_a_byte_more() -> None:
    normalize_job_spec(raw_job(text="x" * 1024 * 1024))

    assert "at most 1048576" in _problems(raw_job(text="é" * (1024 * 512) + "x"))[0]


@pytest.mark.parametrize("field", ["text", "request_id", "voice", "output_name", "callback_data"])
def test_half_a_surrogate_pair_is_no_text(field: str) -> None:
    half = "a\ud800"

    assert _problems(raw_job(**{field: {half: 1} if field == "callback_data" else half}))


def test_a_text_file_is_refused_where_files_have_no_folder() -> None:
    """Q1."""
    assert "is not accepted here" in _problems(raw_job(text=..., text_file="a.txt"))[0]


def test_any_mapping_is_taken_and_none_is_changed() -> None:
    """Q1."""
    raw = raw_job(callback_data={"a": {"b": [1]}})
    defaults = {"callback_data": {"a": {"c": 2}}, "variants": 3}
    before = copy.deepcopy((raw, defaults))

    spec = normalize_job_spec(MappingProxyType(raw), MappingProxyType(defaults))

    assert (raw, defaults) == before
    assert spec.callback_data == {"a": {"b": [1], "c": 2}}


@pytest.mark.parametrize("raw", [None, 5, "text", ["output_name", "a"]])
def test_what_is_no_mapping_is_no_job(raw: Any) -> None:
    assert "must be a mapping" in _problems(raw)[0]


@given(raw=RAW_JOBS)
def test_every_valid_job_is_taken_as_it_is(raw: dict[str, Any]) -> None:
    """Q1, Q3."""
    spec = normalize_job_spec(raw)

    assert all(getattr(spec, name) == value for name, value in raw.items())


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text() | st.integers(), inner, max_size=2),
    max_leaves=4,
)


@given(
    raw=st.dictionaries(st.sampled_from(list(FIELDS)) | st.text(max_size=3) | st.integers(), ANYTHING),
    defaults=st.none() | st.dictionaries(st.sampled_from(list(FIELDS)), ANYTHING, max_size=3),
)
def test_any_mapping_gives_a_spec_or_one_kind_of_error(raw: Any, defaults: Any) -> None:
    """Q1."""
    problems = _told(raw, defaults)

    assert problems is None or problems
    assert all(problem.message and "\n" not in str(problem) for problem in problems or ())


def _told(raw: Any, defaults: Any) -> Sequence[Problem] | None:
    try:
        normalize_job_spec(raw, defaults)
    except InvalidJobSpec as error:
        return error.problems
    return None
