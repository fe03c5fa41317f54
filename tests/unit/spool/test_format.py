"""What the files of a spool hold, and that nothing which breaks the format is believed (V11)."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.captions import Cue
from lib.records import SpokenRecord
from lib.spool import (
    Heartbeat,
    InvalidSpoolData,
    ResultError,
    ResultErrorClass,
    SpoolJob,
    SpoolResult,
    WorkerState,
    entry_name,
    is_entry,
)
from lib.spool.layout import MAX_CAPTIONS_BYTES, MAX_FILE_BYTES, MAX_FILES, MAX_PEAKS_BYTES
from tests.doubles import records

ENTRY = entry_name("topic:beat-001", 3, "abCD_-12")
PEAKS = records.file_ref("audio-1.peaks.json")
DONE = SpoolResult(
    ENTRY, "topic:beat-001", 10.0, 12.5, records.spoken(records.take(1, peaks=PEAKS), records.take(2))
)
FAILED = SpoolResult(
    ENTRY, None, 1.0, 2.0, error=ResultError(ResultErrorClass.ENGINE, "It broke.", ("a", "b"))
)


def test_an_entry_is_a_hash_and_the_lease_number() -> None:
    assert entry_name("topic:beat-001", 7, "abCD_-12").endswith(".7-abCD_-12")
    assert is_entry(entry_name("../../etc", 0, "abCD_-12"))
    assert (
        len(
            {
                entry_name(name, no, mark)
                for name in "ab"
                for no in (1, 2)
                for mark in ("12345678", "87654321")
            }
        )
        == 8
    )
    with pytest.raises(ValueError, match="negative"):
        entry_name("a", -1, "abCD_-12")


WRONG = [
    ("g" * 32, "1-abCD_-12"),
    ("a" * 32, "01-abCD_-12"),
    ("a" * 32, "1-abCD_-12\n"),
    ("a" * 32, "1-short"),
    ("a" * 32, "1-abCD/..2"),
]


@pytest.mark.parametrize(
    "name", ["", "..", "a.1", "a" * 32, "a" * 32 + ".1", *(f"{digest}.{rest}" for digest, rest in WRONG)]
)
def test_no_other_name_is_an_entry(name: str) -> None:
    assert not is_entry(name)


@given(
    st.text(max_size=50),
    st.integers(0, 10**9),
    st.dictionaries(st.text(max_size=9), st.integers() | st.text(max_size=30), max_size=5),
)
def test_a_job_reads_back_as_it_was_written(request_id: str, lease_no: int, spec: dict[str, Any]) -> None:
    job = SpoolJob(request_id, lease_no, "abCD_-12", 1, "v1:any", spec)

    assert SpoolJob.from_bytes(job.to_bytes()) == job


@pytest.mark.parametrize("result", [DONE, FAILED], ids=["done", "failed"])
def test_a_result_reads_back_as_it_was_written(result: SpoolResult) -> None:
    assert SpoolResult.from_bytes(result.to_bytes()) == result


def test_a_heartbeat_reads_back_as_it_was_written() -> None:
    beat = Heartbeat(7, WorkerState.WORKING, 2.0, 1.0, "hibari", 3, (ENTRY,), 1, 4)

    assert Heartbeat.from_bytes(beat.to_bytes()) == beat


def test_an_over_long_failure_is_shortened_from_its_front() -> None:
    log = tuple(f"{number} {'x' * 5000}" for number in range(100))
    written = SpoolResult(ENTRY, "a", 0.0, 0.0, error=ResultError(ResultErrorClass.ENGINE, "m" * 9000, log))

    error = SpoolResult.from_bytes(written.to_bytes()).error

    assert error is not None
    assert len(error.message) == 2000
    assert (len(error.log), error.log[-1][:3]) == (50, "99 ")


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (["format"], 1, "format is not 2; the two sides have different versions"),
        (["entry"], 5, "entry must be a text"),
        (["state"], "perhaps", "state must be done or failed"),
        (["state"], "failed", "error must be an object"),
        (["record"], None, "record must be an object"),
        (["record"], [], "record must be an object"),
        (["record"], {"notes": "x" * 70_000}, "record is over 65536 bytes"),
        (["record", "takes"], [], "takes must be numbered from 1"),
        (["record", "takes", 0, "take"], 2, "takes must be numbered from 1"),
        (["record", "takes", 0, "file"], "../x.wav", "names a file that is no plain file name"),
        (["record", "takes", 0, "file"], "result.json", "names a file that is no plain file name"),
        (["record", "takes", 0, "file"], "/etc/passwd", "names a file that is no plain file name"),
        (["record", "takes", 0, "file"], ".hidden", "names a file that is no plain file name"),
        (["record", "takes", 0, "file"], "audio-1.peaks.json", "takes name a file twice"),
        (["record", "takes", 0, "sha256"], "zz", r"takes\[0\].sha256 must be 64"),
        (["record", "takes", 0, "bytes"], 0, r"takes\[0\].bytes must be a whole number"),
        (["record", "takes", 0, "bytes"], MAX_FILE_BYTES + 1, "has a file of more than"),
        (["record", "takes", 0, "peaks", "file"], "../x", "names a file that is no plain file name"),
        (["record", "takes", 0, "peaks", "bytes"], MAX_PEAKS_BYTES + 1, "has a file of more than"),
        (["record", "takes", 0, "peaks"], {"file": "x"}, "peaks.bytes must be a whole number"),
        (["record", "work_seconds"], True, "work_seconds must be a number"),
        (["started_at"], "now", "started_at must be a number"),
        (["started_at"], 1e300, "started_at is out of range"),
        (["started_at"], 10**400, "started_at is out of range"),
        (["request_id"], "x" * 300, "request_id is longer than 200"),
    ],
)
def test_a_result_that_breaks_the_format_is_refused_with_the_field(
    path: list[Any], value: Any, sentence: str
) -> None:
    raw = json.loads(DONE.to_bytes())
    place = raw
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    with pytest.raises(InvalidSpoolData, match=sentence):
        SpoolResult.from_bytes(json.dumps(raw).encode())


def test_more_takes_than_a_spool_carries_are_refused() -> None:
    many = [records.take(number) for number in range(1, MAX_FILES + 2)]
    written = SpoolResult(ENTRY, "a", 0.0, 0.0, records.spoken(*many))

    with pytest.raises(InvalidSpoolData, match=f"has more than {MAX_FILES} takes"):
        SpoolResult.from_bytes(written.to_bytes())


def _cues(count: int) -> tuple[Cue, ...]:
    return tuple(Cue(at / 1000, (at + 1) / 1000, "é" * 900, "piece") for at in range(count))


def test_cues_may_be_more_than_the_rest_of_a_record_and_have_an_end() -> None:
    """They are kept in files; only a part of them with the job."""
    each = records.take(1, captions=_cues(1)).caption_bytes
    few, many = (records.take(1, captions=_cues(MAX_CAPTIONS_BYTES // each + more)) for more in (-20, 20))

    written, too_much = (SpoolResult(ENTRY, "a", 0.0, 0.0, records.spoken(take)) for take in (few, many))

    assert SpoolResult.from_bytes(written.to_bytes()).record == written.record
    with pytest.raises(InvalidSpoolData, match=f"has captions of over {MAX_CAPTIONS_BYTES} bytes"):
        SpoolResult.from_bytes(too_much.to_bytes())


def test_cues_count_only_where_they_stand() -> None:
    """A field of another name is as long as all of a record may be."""
    raw = json.loads(DONE.to_bytes())
    raw["record"]["takes"][0]["captions_too"] = ["x" * 70_000]

    with pytest.raises(InvalidSpoolData, match="record is over 65536 bytes"):
        SpoolResult.from_bytes(json.dumps(raw).encode())


def test_files_of_captions_are_made_of_the_cues_and_never_taken_from_a_worker() -> None:
    files = (records.file_ref("audio-1.srt"), records.file_ref("../../passwd"))
    written = SpoolResult(ENTRY, "a", 0.0, 0.0, records.spoken(records.take(1, caption_files=files)))

    record = SpoolResult.from_bytes(written.to_bytes()).record

    assert isinstance(record, SpokenRecord)
    assert record.takes[0].caption_files == ()


def test_a_record_of_a_later_version_may_say_more() -> None:
    raw = json.loads(DONE.to_bytes())
    raw["record"]["later"] = {"score": [0.5]}

    assert SpoolResult.from_bytes(json.dumps(raw).encode()) == DONE


def test_a_character_beyond_the_first_plane_is_no_half_pair() -> None:
    written = DONE.to_bytes().replace(b"It is the only take.", b"\\ud83d\\ude00")

    record = SpoolResult.from_bytes(written).record

    assert isinstance(record, SpokenRecord)
    assert record.chosen_why == "\U0001f600"


def test_a_log_line_that_is_no_unicode_reaches_the_reader_all_the_same() -> None:
    """Names of files may be anything; they come as half surrogate pairs."""
    written = SpoolResult(ENTRY, "a", 0.0, 0.0, error=ResultError(ResultErrorClass.ENGINE, "No \udcff.wav"))

    error = SpoolResult.from_bytes(written.to_bytes()).error

    assert error is not None
    assert error.message == "No ?.wav"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"nul",
        b'{"a": NaN}',
        b"[" * 100_000,
        b'{"format": ' + b"1" * 10_000 + b"}",
        b'{"a": 1e400}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": ' + b"[" * 80 + b"]" * 80 + b"}",
        b'{"a": "\xed\xa0\x80"}',
    ],
    ids=[
        "empty",
        "binary",
        "list",
        "no-json",
        "nan",
        "deep",
        "huge-number",
        "infinite",
        "half-a-pair",
        "half-a-pair-as-key",
        "65-levels",
        "half-a-pair-in-bytes",
    ],
)
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    for reader in (SpoolJob.from_bytes, SpoolResult.from_bytes, Heartbeat.from_bytes):
        with pytest.raises(InvalidSpoolData, match=r"no valid JSON|must be a JSON object|deeper than"):
            reader(data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(json.loads(DONE.to_bytes()))), _JSON)
def test_nothing_but_a_refusal_comes_of_a_strange_value(field: str, value: Any) -> None:
    raw = json.loads(DONE.to_bytes())
    raw[field] = value

    with contextlib.suppress(InvalidSpoolData):
        SpoolResult.from_bytes(json.dumps(raw).encode())


@given(st.sampled_from(sorted(records.spoken().to_json())), _JSON)
def test_what_is_accepted_can_be_written_again(field: str, value: Any) -> None:
    raw = json.loads(DONE.to_bytes())
    raw["record"][field] = value

    with contextlib.suppress(InvalidSpoolData):
        accepted = SpoolResult.from_bytes(json.dumps(raw).encode())
        assert accepted.record is not None
        json.dumps(accepted.record.to_json(), ensure_ascii=False, allow_nan=False).encode("utf-8")
