"""Records come back as they were written; what is none of ours is refused with the field's path."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.captions import Cue
from lib.errors import ExitStatus
from lib.records import (
    DoneRecord,
    ExecutionJob,
    ExecutionRecord,
    FailedRecord,
    FaultRecord,
    FileRef,
    InvalidRecord,
    RejectedRecord,
    SpokenRecord,
    Take,
    Timings,
    Verification,
    WordTiming,
    done_record,
)
from tests.doubles import records

WORDS = (WordTiming("Hello", 0.1, 0.4, "piece"), WordTiming("you", 0.4, 0.6, "asr"))
FULL = records.spoken(
    records.take(
        1,
        peaks=records.file_ref("audio-1.peaks.json"),
        flags=("gap",),
        words=WORDS,
        captions=(Cue(0.1, 0.7, "Hello, you.", "piece"), Cue(0.7, 1.5, "Good-bye.", "estimated")),
        caption_files=(records.file_ref("audio-1.srt"), records.file_ref("audio-1.vtt")),
    ),
    records.take(2, speed=1.03, intonation=0.9, loudness_lufs=None, gain_db=4.5, limiter_db=-0.5),
    voice="newsroom",
    preset="calm",
    target_lufs=-16.0,
    pronounce={"Ouse": "ooz"},
    warnings=("It is quiet.",),
    verification=(
        Verification(
            1,
            False,
            0.4,
            "It differs.",
            (RejectedRecord(2, 1.0, 1.0, None, "Noise.", 1, ("noise",)),),
            (FaultRecord("gap", 2, "It is silent."), FaultRecord("noise", 2, "There is noise.")),
        ),
    ),
    inputs="v1:abc",
    variants=3,
)
EXECUTION = ExecutionRecord(
    state="failed",
    manifest="manifest.json",
    manifest_sha256="a" * 64,
    engine="hibari",
    started_at="2026-11-22T09:00:00.000Z",
    updated_at="2026-11-22T09:00:05.000Z",
    finished_at=None,
    wall_seconds=5.0,
    totals={"jobs": 2, "waiting": 0, "running": 0, "done": 1, "skipped": 0, "failed": 1},
    jobs=(
        ExecutionJob("t:a", "t/a", "done", "t/a.wav", "b" * 64, 0.3, 1.5, 1, None, None, (), ("Quiet.",)),
        ExecutionJob(
            "t:b", "t/b", "failed", None, None, None, None, 2, "It broke.", "engine", ("one", "two")
        ),
    ),
)
FAILURE = FailedRecord("poison", "It killed its worker.", {"log": ["one", "two"], "worker_class": "engine"})

Reader = Callable[[object], Any]
WRITTEN: dict[str, tuple[Any, Reader]] = {
    "file": (records.file_ref("a.wav", key="blobs/a"), FileRef.from_json),
    "take": (FULL.takes[0], Take.from_json),
    "spoken": (FULL, SpokenRecord.from_json),
    "done": (replace(records.done(takes=3), callback_data={"n": [1]}), DoneRecord.from_json),
    "failed": (FAILURE, FailedRecord.from_json),
    "execution": (EXECUTION, ExecutionRecord.from_json),
}


def changed(raw: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    """`raw` with another value at `path`; ... removes it."""
    place: Any = raw
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return raw


@pytest.mark.parametrize("name", WRITTEN)
def test_a_record_comes_back_as_it_was_written(name: str) -> None:
    record, read = WRITTEN[name]

    assert read(json.loads(json.dumps(record.to_json(), allow_nan=False))) == record


def test_no_field_of_a_record_is_always_written_with_its_default() -> None:
    """Else a field that is not read at all would come back as it was written."""
    told: dict[str, bool] = {}

    def look(value: object) -> None:
        if isinstance(value, Mapping | list | tuple):
            for inner in value.values() if isinstance(value, Mapping) else value:
                look(inner)
        if not is_dataclass(value) or isinstance(value, type):
            return
        for field in fields(value):
            held = getattr(value, field.name)
            default = field.default_factory() if callable(field.default_factory) else field.default
            name = f"{type(value).__name__}.{field.name}"
            told[name] = told.get(name, False) or held != default
            look(held)

    for record, _ in WRITTEN.values():
        look(record)

    assert [name for name, differs in told.items() if not differs] == []


@pytest.mark.parametrize("name", WRITTEN)
def test_fields_of_a_later_version_are_passed_over(name: str) -> None:
    record, read = WRITTEN[name]
    raw = record.to_json()
    for part in (
        raw,
        *raw.get("takes", []),
        *raw.get("jobs", []),
        *([raw["spoken"]] if "spoken" in raw else []),
    ):
        part["new"] = [1]

    assert read(raw) == record


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("value", [None, [], "text", 5, {}, True])
def test_what_is_no_record_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidRecord, match=r"^The record's .* must .*\.$") as caught:
        WRITTEN[name][1](value)

    assert caught.value.exit_status is ExitStatus.JOB_FAILED


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (["engine"], None, "engine must be a text"),
        (["voice"], 5, "voice must be a text"),
        (["work_seconds"], ..., "work_seconds must be a number"),
        (["work_seconds"], True, "work_seconds must be a number"),
        (["work_seconds"], -1.0, "work_seconds is out of range"),
        (["work_seconds"], math.nan, "work_seconds is out of range"),
        (["work_seconds"], math.inf, "work_seconds is out of range"),
        (["work_seconds"], 10**400, "work_seconds is out of range"),
        (["target_lufs"], [], "target_lufs must be a number"),
        (["target_lufs"], -1e300, "target_lufs is out of range"),
        (["pieces"], 1.0, "pieces must be a whole number"),
        (["warnings"], "one", "warnings must be a list"),
        (["warnings"], [1], "warnings must be a list of texts"),
        (["chosen"], "1", "chosen must be an object"),
        (["chosen", "why"], ..., "chosen.why must be a text"),
        (["takes"], ..., "takes must be numbered from 1, each once"),
        (["takes"], {}, "takes must be a list"),
        (["takes"], [5], "takes[0] must be an object"),
        (["takes", 0, "take"], 2, "takes must be numbered from 1, each once"),
        (["takes", 1, "take"], 3, "takes must be numbered from 1, each once"),
        (["takes", 0, "take"], 0, "takes[0].take must be a whole number, at least 1"),
        (["takes", 1, "file"], "audio-1.wav", "takes name a file twice"),
        (["takes", 1, "file"], "audio-1.peaks.json", "takes name a file twice"),
        (["takes", 0, "bytes"], 0, "takes[0].bytes must be a whole number, at least 1"),
        (["takes", 0, "made"], 0, "takes[0].made must be a whole number, at least 1"),
        (["takes", 0, "bytes"], True, "takes[0].bytes must be a whole number"),
        (["takes", 0, "sha256"], "A" * 64, "takes[0].sha256 must be 64 hexadecimal digits"),
        (["takes", 0, "sha256"], "a" * 64 + "\n", "takes[0].sha256 must be 64 hexadecimal digits"),
        (["takes", 0, "peaks", "sha256"], "zz", "takes[0].peaks.sha256 must be 64"),
        (["takes", 0, "peaks"], "x", "takes[0].peaks must be an object"),
        (["takes", 0, "key"], 5, "takes[0].key must be a text"),
        (["takes", 0, "audio_seconds"], "1", "takes[0].audio_seconds must be a number"),
        (["takes", 1, "measures"], [], "takes[1].measures must be an object"),
        (["takes", 1, "measures", "rate"], "fast", "takes[1].measures must hold numbers or nulls"),
        (["takes", 1, "measures", "rate"], math.inf, "takes[1].measures must hold numbers or nulls"),
        (["verification", 0, "ok"], "yes", "verification[0].ok must be true or false"),
        (["verification", 0, "rejected", 0, "why"], None, "verification[0].rejected[0].why must be a text"),
        (["takes", 0, "words"], [5], "takes[0].words[0] must be an object"),
        (["takes", 0, "words", 1, "end"], None, "takes[0].words[1].end must be a number"),
        (["takes", 0, "captions"], "x", "takes[0].captions must be a list"),
        (["takes", 0, "captions", 0, "start"], -0.1, "takes[0].captions[0].start is out of range"),
        (["takes", 0, "captions", 0, "start"], 0.7, "takes[0].captions[0] ends before it starts"),
        (["takes", 0, "captions", 1, "start"], 0.6, "takes[0].captions[1] starts before the one before it"),
        (["takes", 0, "captions", 1, "end"], 1.6, "takes[0].captions[1] ends after the audio"),
        (["takes", 0, "captions", 1, "text"], " ", "takes[0].captions[1] has a text that is empty"),
        (["takes", 0, "captions", 1, "text"], "x" * 1001, "takes[0].captions[1] has a text that is empty"),
        (["takes", 0, "captions", 1, "text"], "a\x1b[2J", "takes[0].captions[1] holds control characters"),
        (["takes", 0, "captions", 1, "text"], "a\nb", "takes[0].captions[1] holds control characters"),
        (["takes", 0, "captions", 1, "text"], "\ud800", "takes[0].captions[1] holds control characters"),
        (["takes", 0, "captions", 1, "source"], "me", "takes[0].captions[1] names a source that is none"),
        (["takes", 0, "caption_files", 0, "sha256"], "x", "takes[0].caption_files[0].sha256 must be 64"),
        (["takes", 0, "caption_files", 0, "file"], "audio-2.wav", "takes name a file twice"),
    ],
)
def test_a_broken_field_is_refused_with_its_path(path: list[Any], value: Any, sentence: str) -> None:
    raw = changed(FULL.to_json(), path, value)

    with pytest.raises(InvalidRecord) as caught:
        SpokenRecord.from_json(raw)

    assert caught.value.message.startswith(f"The record's {sentence}")


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (["spoken"], ..., "spoken must be an object"),
        (["spoken", "takes", 0, "audio_seconds"], "1", "spoken.takes[0].audio_seconds must be a number"),
        (["timings", "worked_s"], None, "timings.worked_s must be a number"),
        (["callback_data"], [], "callback_data must be an object"),
    ],
)
def test_a_broken_done_record_is_refused_with_its_path(path: list[Any], value: Any, sentence: str) -> None:
    raw = changed(records.done().to_json(), path, value)

    with pytest.raises(InvalidRecord) as caught:
        DoneRecord.from_json(raw)

    assert sentence in caught.value.message


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (["format"], 1, "format is not 2"),
        (["wall_seconds"], None, "wall_seconds must be a number"),
        (["totals", "done"], "1", "totals.done must be a whole number"),
        (["jobs", 1, "state"], None, "jobs[1].state must be a text"),
        (["jobs", 0, "audio_seconds"], "long", "jobs[0].audio_seconds must be a number"),
    ],
)
def test_a_broken_execution_is_refused_with_its_path(path: list[Any], value: Any, sentence: str) -> None:
    raw = changed(EXECUTION.to_json(), path, value)

    with pytest.raises(InvalidRecord) as caught:
        ExecutionRecord.from_json(raw)

    assert sentence in caught.value.message


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(FULL.to_json())), _JSON)
def test_nothing_but_a_refusal_comes_of_a_strange_value(field: str, value: Any) -> None:
    raw = FULL.to_json() | {field: value}

    try:
        record = SpokenRecord.from_json(raw)
    except InvalidRecord:
        return

    json.dumps(record.to_json(), allow_nan=False)


def test_a_record_of_an_earlier_version_has_no_captions() -> None:
    raw = changed(changed(FULL.to_json(), ["takes", 0, "captions"], ...), ["takes", 0, "caption_files"], ...)

    (take, _) = SpokenRecord.from_json(raw).takes

    assert (take.captions, take.caption_files) == ((), ())


def test_cues_over_a_limit_are_left_out_from_the_last_take_on() -> None:
    cues = (Cue(0.0, 1.0, "ä" * 50, "piece"),)
    takes = [records.take(number, captions=cues) for number in (1, 2, 3)]
    size = takes[0].caption_bytes
    assert size == len(json.dumps([cues[0].to_json()], ensure_ascii=False, separators=(",", ":")).encode())

    kept = [
        [bool(take.captions) for take in records.spoken(*takes).with_captions(most).takes]
        for most in (3 * size, 3 * size - 1, 2 * size - 1, size - 1)
    ]

    assert kept == [[True] * 3, [True, True, False], [True, False, False], [False] * 3]


def test_takes_are_in_the_order_of_their_numbers_however_they_were_written() -> None:
    raw = FULL.to_json()
    raw["takes"].reverse()

    record = SpokenRecord.from_json(raw)

    assert [take.take for take in record.takes] == [1, 2]
    assert record.chosen.audio.file == "audio-1.wav"


def test_a_take_is_one_flat_object_in_json_wherever_it_is_told_of() -> None:
    spoken, done = FULL.to_json()["takes"][0], records.done().to_json()["spoken"]["takes"][0]

    assert list(spoken) == list(done)
    assert list(spoken)[:7] == ["take", "made", "file", "bytes", "sha256", "key", "peaks"]
    assert set(spoken["peaks"]) == {"file", "bytes", "sha256", "key"}


def test_what_a_record_says_of_the_chosen_take_is_the_takes() -> None:
    raw = FULL.to_json() | {"file": "another.wav", "audio_seconds": 99.0}

    record = SpokenRecord.from_json(raw)

    assert (record.audio_seconds, record.to_json()["file"]) == (1.5, "audio-1.wav")


def test_a_done_record_has_one_list_of_takes_with_published_names_and_keys() -> None:
    (made,) = records.spoken().takes
    stored = made.placed(replace(made.audio, file="topic/a.wav", key="blobs/a"), None)

    done = done_record(
        records.spoken().placed([stored]),
        started_at=12.5,
        finished_at=12.0,  # by another clock
        enqueued_at=10.0,
        now=12.25,
        provider="local",
        callback_data={"n": 1},
    )

    assert (done.output, done.takes, done.record.takes) == ("topic/a.wav", (stored,), (stored,))
    assert done.timings == Timings(2.5, 0.0, 0.25)
    assert set(done.to_json()) == {"output", "spoken", "timings", "provider", "callback_data"}


@pytest.mark.parametrize(
    ("times", "timings"),
    [
        ((10.0, 12.5, 13.0, 13.25), Timings(2.5, 0.5, 0.25)),
        ((10.0, 9.0, 13.0, 13.25), Timings(0.0, 4.0, 0.25)),
        ((10.0, 12.5, 13.0, 11.0), Timings(2.5, 0.5, 0.0)),
        ((10.0, 12.00049, 12.00149, 13.0), Timings(2.0, 0.001, 0.999)),
    ],
    ids=["one clock", "the worker's is behind", "ours is behind", "to the millisecond"],
)
def test_no_clock_that_is_off_makes_a_time_less_than_nothing(
    times: tuple[float, float, float, float], timings: Timings
) -> None:
    enqueued, started, finished, now = times
    spoken = records.spoken()

    done = done_record(
        spoken,
        started_at=started,
        finished_at=finished,
        enqueued_at=enqueued,
        now=now,
        provider="local",
        callback_data={},
    )

    assert done.timings == timings


def test_a_record_tells_of_its_inputs_only_in_a_manifests_folder() -> None:
    assert "inputs" not in records.spoken().to_json()
    assert records.spoken().of_inputs("v1:a").to_json()["inputs"] == "v1:a"


@pytest.mark.parametrize("evidence", [{}, {"log": "text", "worker_class": 5}, {"log": None}])
def test_a_failure_whose_worker_said_nothing_has_no_log_and_no_class_of_it(evidence: dict[str, Any]) -> None:
    quiet = FailedRecord("transient", "It failed.", evidence)
    assert (quiet.log, quiet.worker_class) == ((), None)
    assert (FAILURE.log, FAILURE.worker_class) == (("one", "two"), "engine")


def test_a_failure_may_come_without_evidence() -> None:
    bare = FailedRecord.from_json({"class": "bad_input", "message": "No."})

    assert bare == FailedRecord("bad_input", "No.")
