"""Jobs whose files would meet are found, and no others (Q7)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lib.jobspec.files.collisions import clashes
from lib.jobspec.names import folded, folder_names
from tests.unit.jobspec.jobs import file_names

_PARTS = [
    *("a", "A", "b", "text.txt", "TEXT.txt", "result.json", "a.wav", "a.mp3"),
    *("a.take-01", "a.take-16.wav", "a.take-17", "a.take-00.wav", "ß", "SS", "é", "É"),
    *("a.peaks.json", "a.take-02.peaks.json", "a.srt", "a.take-02.vtt", "a.captions.json", "a.captions"),
]
NAMES = st.lists(st.sampled_from(_PARTS), min_size=1, max_size=3).map("/".join)
JOBS = st.fixed_dictionaries(
    {
        "request_id": st.sampled_from("pqrstuvw"),
        "output_name": NAMES,
        "format": st.sampled_from(["wav", "mp3"]),
    }
)


def _meet(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """The rule itself: a file of one is a file of the other, or a folder that the other needs."""
    files, folders = _places(one)
    other_files, other_folders = _places(other)
    return bool(files & other_files or files & other_folders or folders & other_files)


def _places(job: dict[str, Any]) -> tuple[set[str], set[str]]:
    name = job["output_name"]
    return (
        {folded(path) for path in file_names(name, job["format"])},
        {folded(path) for path in folder_names(name)},
    )


@given(one=JOBS, other=JOBS)
def test_two_jobs_clash_exactly_when_their_files_meet(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Q7."""
    found = [clash for clash in clashes([one, other]) if clash.field == "output_name"]

    assert bool(found) is _meet(one, other)
    assert all({clash.index, clash.other} == {0, 1} for clash in found)


@given(jobs=st.lists(JOBS, max_size=6))
def test_every_job_that_meets_another_is_found_among_many(jobs: list[dict[str, Any]]) -> None:
    """Q7."""
    found = {frozenset((clash.index, clash.other)) for clash in clashes(jobs) if clash.field == "output_name"}
    touched = {index for pair in found for index in pair}

    meeting = {
        i for i, one in enumerate(jobs) for k, other in enumerate(jobs) if i != k and _meet(one, other)
    }
    assert all(_meet(*(jobs[index] for index in pair)) for pair in found)
    assert bool(touched) is bool(meeting)


@given(ids=st.lists(st.sampled_from("abc"), max_size=6))
def test_every_repeated_request_id_is_found(ids: list[str]) -> None:
    """Q7."""
    jobs = [{"request_id": request_id, "output_name": f"n{i}"} for i, request_id in enumerate(ids)]

    found = [(clash.index, clash.other) for clash in clashes(jobs)]

    assert found == [(i, ids.index(value)) for i, value in enumerate(ids) if ids.index(value) != i]


def test_a_job_that_is_wrong_elsewhere_still_takes_part() -> None:
    """Q7."""
    assert [clash.index for clash in clashes([{"output_name": "a"}, {}, {"output_name": "A"}])] == [2]
