"""What an earlier result left goes when the new one stands; nothing else goes, whenever it is killed."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import pytest

from lib.jobspec import JobSpec
from lib.manifest import Finished, Order, OutFolder, deliver, finished_result, outputs_of_no_job, owners_of
from lib.manifest.folder import WORKROOM
from tests.unit.manifest.dying import dies_at
from tests.unit.manifest.jobs import spec
from tests.unit.manifest.test_compile import tree
from tests.unit.manifest.test_results import Outbox, inputs_of

_TWO_WAV = spec("a/one", variants=2)
_ONE_MP3 = spec("a/one", format="mp3")
_TAKE_02 = spec("a/one.take-02")


class Place:
    """An output folder and a spool for each delivery into it."""

    def __init__(self, root: Path) -> None:
        self.root, self._spools = root / "out", root
        self.root.mkdir()
        self._count = 0

    def put(self, job: JobSpec, *others: JobSpec, drawn: bool = True) -> Finished:
        """Deliver a job of a file which has these others too."""
        self._count += 1
        inputs = inputs_of(job)
        box = Outbox(self._spools / f"spool-{self._count}", inputs, job.variants, drawn=drawn)
        owners = owners_of(map(Order, (job, *others)))
        return deliver(OutFolder(self.root), inputs, box.client, box.entry, box.result, owners)

    def files(self) -> set[str]:
        """What lies beside the job's folder."""
        return {path.name for path in (self.root / "a").iterdir() if not path.is_dir()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_another_format_and_fewer_takes_leave_nothing_of_the_earlier_audio(place: Place) -> None:
    place.put(_TWO_WAV)
    finished = place.put(_ONE_MP3)

    assert place.files() == {"one.mp3", "one.peaks.json"}
    assert finished.edited == ()


@pytest.mark.parametrize("name", ["one.wav", "one.take-02.wav", "one.take-02.peaks.json"])
def test_what_a_person_edited_stays_and_is_told(place: Place, name: str) -> None:
    place.put(_TWO_WAV)
    (place.root / "a" / name).write_bytes(b"mine")

    finished = place.put(_ONE_MP3)

    assert place.files() == {"one.mp3", "one.peaks.json", name}
    assert finished.edited == (f"a/{name}",)


def test_a_link_stays_with_what_it_points_to(place: Place, tmp_path: Path) -> None:
    place.put(_TWO_WAV)
    wav = place.root / "a/one.wav"
    wav.rename(tmp_path / "moved.wav")
    wav.symlink_to(tmp_path / "moved.wav")

    finished = place.put(_ONE_MP3)

    assert wav.is_symlink()
    assert (tmp_path / "moved.wav").exists()
    assert finished.edited == ("a/one.wav",)


@pytest.mark.parametrize("first", [_TAKE_02, _ONE_MP3])
def test_a_name_that_another_job_of_the_file_has_now_is_left_alone(place: Place, first: JobSpec) -> None:
    """Also while that job is not spoken yet."""
    place.put(_TWO_WAV)
    second = _ONE_MP3 if first is _TAKE_02 else _TAKE_02

    place.put(first, second)
    assert "one.take-02.wav" in place.files()
    finished = place.put(second, first)

    assert place.files() == {"one.mp3", "one.peaks.json", "one.take-02.wav", "one.take-02.peaks.json"}
    assert finished.edited == ()
    assert finished_result(OutFolder(place.root), inputs_of(_TAKE_02)) is not None


def test_the_audio_of_a_job_that_is_gone_is_no_former_take(place: Place) -> None:
    place.put(_TWO_WAV)
    place.put(_TAKE_02)

    finished = place.put(_ONE_MP3)

    assert place.files() == {"one.mp3", "one.peaks.json", "one.take-02.wav", "one.take-02.peaks.json"}
    assert finished.edited == ()


@pytest.mark.parametrize("name", ["two.wav", "../b.wav", "one/text.txt", "one.take-03.wav"])
def test_a_record_that_names_what_is_not_the_jobs_removes_nothing(place: Place, name: str) -> None:
    place.put(_TWO_WAV)
    (place.root / "a/one/text.txt").write_text("text")
    target = place.root / "a" / name
    shutil.copy(place.root / "a/one.take-02.wav", target)
    record = json.loads((place.root / "a/one/result.json").read_bytes())
    record["takes"][1]["file"] = name
    (place.root / "a/one/result.json").write_text(json.dumps(record))

    place.put(_ONE_MP3)

    assert target.exists()


def test_killed_at_any_call_the_next_one_leaves_the_same_files(tmp_path: Path) -> None:
    """And until the new audio stands whole, nothing of the earlier one is gone."""
    whole = Place(_folder(tmp_path / "whole"))
    whole.put(_TWO_WAV)
    former = tree(whole.root)
    whole.put(_ONE_MP3)
    expected = _names(whole)

    for call in range(1, 1000):
        place = Place(_folder(tmp_path / f"at-{call}"))
        place.put(_TWO_WAV)
        died = dies_at(call, partial(place.put, _ONE_MP3))
        if not (place.root / "a/one.mp3").exists():
            assert {"a/one.wav", "a/one.take-02.wav"} <= set(tree(place.root)) & set(former)
        if finished_result(OutFolder(place.root), inputs_of(_ONE_MP3)) is None:  # what a run goes by
            shutil.rmtree(tmp_path / f"at-{call}" / "spool-2", ignore_errors=True)
            place.put(_ONE_MP3)
        assert _names(place) == expected, f"litter or loss after dying at call {call}"
        if not died:
            break
    assert call > 10
    assert not died


class TestOutputsOfNoJob:
    def test_are_those_whose_job_is_no_more(self, place: Place) -> None:
        for job in (_TWO_WAV, spec("b/two"), spec("three", format="flac")):
            place.put(job)

        assert outputs_of_no_job(OutFolder(place.root), [Order(_ONE_MP3)]) == ("b/two.wav", "three.flac")
        assert outputs_of_no_job(OutFolder(place.root), [Order(spec("b/two"))]) == ("a/one.wav", "three.flac")

    def test_are_not_told_once_they_are_removed(self, place: Place) -> None:
        place.put(_TWO_WAV)
        (place.root / "a/one.wav").unlink()

        assert outputs_of_no_job(OutFolder(place.root), [Order(spec("b"))]) == ()

    def test_are_not_what_a_job_of_the_file_has_there_now(self, place: Place) -> None:
        place.put(_TAKE_02)

        assert outputs_of_no_job(OutFolder(place.root), [Order(_TWO_WAV)]) == ()

    def test_are_not_those_of_another_folder_below_or_spoken_by_hand(self, place: Place) -> None:
        place.put(spec("inner/x"))
        (place.root / "inner/manifest.json").write_text("{}")
        place.put(spec("hand"))
        record = json.loads((place.root / "hand/result.json").read_bytes())
        del record["inputs"]
        (place.root / "hand/result.json").write_text(json.dumps(record))

        assert outputs_of_no_job(OutFolder(place.root), [Order(spec("b"))]) == ()


def _names(place: Place) -> set[str]:
    return {name for name in tree(place.root) if not name.startswith(WORKROOM)}


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
