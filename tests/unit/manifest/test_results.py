"""What counts as done, and how a worker's files come to their places."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.captions import Cue
from lib.jobspec import JobSpec, fingerprint, to_payload
from lib.manifest import (
    Inputs,
    Order,
    OutFolder,
    check_inputs,
    deliver,
    finished_result,
)
from lib.manifest.folder import InTheWay
from lib.manifest.inputs import UnspeakableJobs, _speaker, model_version
from lib.records import FileRef, Take
from lib.spool import InvalidSpoolData, LocalFiles, SpoolClient, SpoolJob, SpoolResult, entry_name
from lib.voices import UnknownEngine, VoiceRegistry, engines
from lib.voices.voice_store import NewVoice, add_voice
from tests.doubles import records
from tests.unit.manifest.jobs import several, spec


def inputs_of(job: JobSpec, *, engine: str = "hibari", voices: Path | None = None) -> Inputs:
    return check_inputs([Order(job)], VoiceRegistry([voices] if voices else []), engine)[0]


class Outbox:
    """A spool whose worker has spoken `takes` takes of a job, each with a waveform or without."""

    def __init__(
        self, root: Path, inputs: Inputs, takes: int = 1, *, drawn: bool = True, said: str = ""
    ) -> None:
        self.client = SpoolClient(LocalFiles(root))
        spec = inputs.order.spec
        job = SpoolJob(spec.request_id, inputs.lease_no, "manifest", 1, fingerprint(spec), to_payload(spec))
        self.entry = job.entry
        self.folder = root / "outbox" / job.entry
        self.folder.mkdir(parents=True)
        captions = (Cue(0.1, 1.2, said, "piece"),) if said else ()
        self.takes = [replace(self._take(number, drawn), captions=captions) for number in range(1, takes + 1)]
        record = records.spoken(*self.takes, work_seconds=0.1)
        self.result = SpoolResult(job.entry, job.request_id, 1.0, 2.0, record)

    def _take(self, number: int, drawn: bool) -> Take:
        peaks = self._file(f"peaks.{number}") if drawn else None
        return records.take(number, self._file(f"audio.{number}"), peaks=peaks)

    def _file(self, name: str) -> FileRef:
        data = f"{self.folder.name} {name}".encode()
        (self.folder / name).write_bytes(data)
        return records.file_ref(name, data)


@pytest.fixture
def folder(tmp_path: Path) -> OutFolder:
    (tmp_path / "out").mkdir()
    return OutFolder(tmp_path / "out")


def _deliver(folder: OutFolder, job: JobSpec, spool: Path, takes: int = 1) -> Inputs:
    inputs = inputs_of(job)
    box = Outbox(spool, inputs, takes)
    deliver(folder, inputs, box.client, box.entry, box.result)
    return inputs


def test_a_delivered_job_is_done(folder: OutFolder, tmp_path: Path) -> None:
    inputs = _deliver(folder, spec(variants=2), tmp_path / "spool", takes=2)

    finished = finished_result(folder, inputs)

    assert finished is not None
    assert finished.record.chosen.audio_seconds == 1.5
    assert (
        finished.record.chosen.main.sha256
        == hashlib.sha256(folder.path("topic/beat-001.wav").read_bytes()).hexdigest()
    )
    record = json.loads(folder.path("topic/beat-001/result.json").read_bytes())
    assert [take["file"] for take in record["takes"]] == ["beat-001.wav", "beat-001.take-02.wav"]
    assert record["file"] == "beat-001.wav"
    assert folder.path("topic/beat-001.take-02.wav").exists()
    for take, name in zip(record["takes"], ("beat-001", "beat-001.take-02"), strict=True):
        data = folder.path(f"topic/{name}.peaks.json").read_bytes()
        assert take["peaks"] == records.file_ref(f"{name}.peaks.json", data).to_json()


def test_a_job_whose_waveform_is_gone_or_changed_is_not_done(folder: OutFolder, tmp_path: Path) -> None:
    inputs = _deliver(folder, spec(), tmp_path / "spool")
    peaks = folder.path("topic/beat-001.peaks.json")
    whole = peaks.read_bytes()

    peaks.write_bytes(whole[::-1])
    assert finished_result(folder, inputs) is None
    peaks.unlink()
    assert finished_result(folder, inputs) is None
    peaks.write_bytes(whole)
    assert finished_result(folder, inputs) is not None


def test_a_record_without_a_waveform_is_done_as_it_always_was(folder: OutFolder, tmp_path: Path) -> None:
    inputs = inputs_of(spec())
    box = Outbox(tmp_path / "spool", inputs, drawn=False)

    deliver(folder, inputs, box.client, box.entry, box.result)

    assert finished_result(folder, inputs) is not None
    assert not folder.path("topic/beat-001.peaks.json").exists()


@pytest.mark.parametrize("peaks", [5, True, [1], "abc", {}, {"file": "x", "bytes": 1}])
def test_a_record_with_a_damaged_waveform_is_not_done(
    folder: OutFolder, tmp_path: Path, peaks: object
) -> None:
    inputs = _deliver(folder, spec(), tmp_path / "spool")
    path = folder.path("topic/beat-001/result.json")
    record = json.loads(path.read_bytes())
    record["takes"][0]["peaks"] = peaks
    path.write_text(json.dumps(record))

    assert finished_result(folder, inputs) is None


def test_new_audio_without_a_waveform_leaves_no_old_one_beside_it(folder: OutFolder, tmp_path: Path) -> None:
    inputs = _deliver(folder, spec(), tmp_path / "a")
    box = Outbox(tmp_path / "b", inputs, drawn=False)

    deliver(folder, inputs, box.client, box.entry, box.result)

    assert not folder.path("topic/beat-001.peaks.json").exists()


def test_a_result_of_an_earlier_lease_is_taken_from_where_it_lies(folder: OutFolder, tmp_path: Path) -> None:
    """The entry is the caller's word: a result may have been left by a lease before this one."""
    inputs = inputs_of(spec())
    box = Outbox(tmp_path / "spool", inputs)
    earlier = entry_name(inputs.order.spec.request_id, inputs.lease_no + 1, "earliest")
    box.folder.rename(box.folder.with_name(earlier))

    finished = deliver(folder, inputs, box.client, earlier, box.result)

    assert finished_result(folder, inputs) == finished
    assert finished.record.inputs == inputs.hash


def test_what_is_delivered_is_what_is_found_done(folder: OutFolder, tmp_path: Path) -> None:
    inputs = inputs_of(spec())
    box = Outbox(tmp_path / "spool", inputs)

    delivered = deliver(folder, inputs, box.client, box.entry, box.result)

    assert finished_result(folder, inputs) == delivered
    assert box.result.record is not None
    assert delivered.record.takes[0].main.sha256 == box.result.record.takes[0].main.sha256


def _edit(change: Callable[[dict[str, Any]], object]) -> Callable[[OutFolder], object]:
    def harm(folder: OutFolder) -> None:
        path = folder.path("topic/beat-001/result.json")
        value = json.loads(path.read_bytes())
        change(value)
        path.write_text(json.dumps(value))

    return harm


def _swap_numbers(value: dict[str, Any]) -> None:
    value["takes"][0]["take"], value["takes"][1]["take"] = 2, 1


def _audio_becomes_a_link(folder: OutFolder) -> None:
    folder.path("topic/beat-001.wav").rename(folder.path("moved"))
    folder.path("topic/beat-001.wav").symlink_to("../moved")


def _audio_becomes_a_folder(folder: OutFolder) -> None:
    folder.path("topic/beat-001.wav").unlink()
    folder.path("topic/beat-001.wav").mkdir()


_HARM: dict[str, Callable[[OutFolder], object]] = {
    "no result": lambda f: f.path("topic/beat-001/result.json").unlink(),
    "broken result": lambda f: f.path("topic/beat-001/result.json").write_text("{"),
    "result no object": lambda f: f.path("topic/beat-001/result.json").write_text("[]"),
    "no audio": lambda f: f.path("topic/beat-001.wav").unlink(),
    "empty audio": lambda f: f.path("topic/beat-001.wav").write_bytes(b""),
    "another byte": lambda f: f.path("topic/beat-001.wav").write_bytes(
        f.path("topic/beat-001.wav").read_bytes()[:-1] + b"X"
    ),
    "second take gone": lambda f: f.path("topic/beat-001.take-02.wav").unlink(),
    "audio is a link": _audio_becomes_a_link,
    "audio is a folder": _audio_becomes_a_folder,
    "other inputs": _edit(lambda v: v.update(inputs="v1:0")),
    "spoken by hand": _edit(lambda v: v.pop("inputs")),
    "no takes": _edit(lambda v: v.update(takes=[])),
    "takes change places": _edit(_swap_numbers),
    "a number twice": _edit(lambda v: v["takes"][1].update(take=1)),
    "of another format": _edit(lambda v: v["takes"][0].update(seconds=v["takes"][0].pop("audio_seconds"))),
    "take no object": _edit(lambda v: v.update(takes=[1])),
    "hash no text": _edit(lambda v: v["takes"][0].update(sha256=None)),
}


@pytest.mark.parametrize("name", _HARM)
def test_a_job_is_not_done_when_anything_of_it_is_not_whole(
    folder: OutFolder, tmp_path: Path, name: str
) -> None:
    """Q12."""
    inputs = _deliver(folder, spec(variants=2), tmp_path / "spool", takes=2)

    _HARM[name](folder)

    assert finished_result(folder, inputs) is None


def test_fewer_takes_remove_the_files_nobody_describes_any_more(folder: OutFolder, tmp_path: Path) -> None:
    _deliver(folder, spec(variants=3), tmp_path / "a", takes=3)
    folder.path("topic/beat-001.take-04.wav").write_bytes(b"mine")

    _deliver(folder, spec(variants=1), tmp_path / "b")

    names = sorted(path.name for path in folder.path("topic").iterdir() if path.is_file())
    assert names == ["beat-001.peaks.json", "beat-001.take-04.wav", "beat-001.wav"]


class TestWhatAWorkerWrites:
    def _refused(self, folder: OutFolder, box: Outbox, inputs: Inputs, result: SpoolResult) -> None:
        with pytest.raises(InvalidSpoolData):
            deliver(folder, inputs, box.client, box.entry, result)
        assert not folder.path("topic/beat-001/result.json").exists()

    def test_must_be_what_its_record_says(self, folder: OutFolder, tmp_path: Path) -> None:
        inputs = inputs_of(spec())
        box = Outbox(tmp_path / "spool", inputs)
        (box.folder / "audio.1").write_bytes(b"something else")

        self._refused(folder, box, inputs, box.result)
        assert not folder.path("topic/beat-001.wav").exists()

    def test_must_hold_takes_and_not_too_many(self, folder: OutFolder, tmp_path: Path) -> None:
        inputs = inputs_of(spec())
        box = Outbox(tmp_path / "spool", inputs, takes=17)

        self._refused(folder, box, inputs, box.result)
        self._refused(folder, box, inputs, replace(box.result, record=None))
        assert not folder.path("topic/beat-001.wav").exists()

    def test_must_have_a_waveform_that_is_what_its_record_says(
        self, folder: OutFolder, tmp_path: Path
    ) -> None:
        inputs = inputs_of(spec())
        box = Outbox(tmp_path / "spool", inputs)
        (box.folder / "peaks.1").write_bytes(b"something else")

        self._refused(folder, box, inputs, box.result)

    def test_never_goes_through_a_link(self, folder: OutFolder, tmp_path: Path) -> None:
        inputs = inputs_of(spec())
        box = Outbox(tmp_path / "spool", inputs)
        (tmp_path / "elsewhere").mkdir()
        folder.path("topic").symlink_to(tmp_path / "elsewhere")

        with pytest.raises(InTheWay):
            deliver(folder, inputs, box.client, box.entry, box.result)
        assert list((tmp_path / "elsewhere").iterdir()) == []


class TestInputs:
    def test_change_with_everything_that_decides_the_audio(self, tmp_path: Path) -> None:
        jobs = [
            spec(),
            spec(text="Other."),
            spec(seed=1),
            spec(variants=2),
            spec(format="flac"),
            spec(speaker="Vivian"),
            spec(voice="newsroom"),
        ]

        assert len({inputs_of(job).hash for job in jobs}) == len(jobs)

    def test_stay_when_only_the_queue_is_told_something_else(self) -> None:
        assert inputs_of(spec()).hash == inputs_of(spec(priority="high", max_attempts=9, timeout_s=5)).hash

    def test_follow_a_changed_voice(self, tmp_path: Path) -> None:
        voice = tmp_path / "mine"
        voice.mkdir()
        hashes = set()
        for preset in ("mid", "deep"):
            (voice / "voice.yaml").write_text(
                (Path("lib/voices/shipped/newsroom/voice.yaml").read_text())
                .replace("newsroom", "mine")
                .replace("builtin: mid", f"builtin: {preset}")
            )
            hashes.add(inputs_of(spec(voice="mine"), voices=tmp_path).hash)
        assert len(hashes) == 2

    def test_follow_the_version_of_the_model(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from lib.manifest import inputs

        before = inputs_of(spec()).hash
        inputs._speaker.cache_clear()
        monkeypatch.setattr(inputs, "model_version", lambda engine: "9.9")
        after = inputs_of(spec()).hash
        inputs._speaker.cache_clear()

        assert model_version("hibari") is not None
        assert before != after

    def test_follow_the_description_that_a_voice_is_made_from(self, tmp_path: Path) -> None:
        def hash_of(design: str, description: str = "") -> str:
            new = NewVoice("granny", "qwen3", "English", "own", "", description, design=design)
            add_voice(tmp_path, new, replace=True)
            return inputs_of(spec(voice="granny"), voices=tmp_path).hash

        before = hash_of("A low voice.")

        assert hash_of("A low  voice.", description="for people") == before
        assert hash_of("A high voice.") != before

    def test_say_nothing_of_a_description_where_there_is_none(self) -> None:
        """Else what was spoken before voices could be designed would be spoken again."""
        said = json.loads(_speaker(VoiceRegistry().resolve("newsroom", None, "English")))

        assert sorted(said) == [
            *("engine", "front_end", "language", "model", "preset", "reference", "speaker", "voice"),
        ]

    def test_give_a_lease_number_every_reader_can_hold(self) -> None:
        numbers = {inputs_of(job).lease_no for job in several() if job.language == "English"}

        assert len(numbers) == 5
        assert all(0 <= number < 2**53 for number in numbers)

    def test_name_every_job_that_cannot_be_spoken(self) -> None:
        jobs = [spec("a", voice="nobody"), spec("b"), spec("c", text="你好"), spec("d", language="German")]
        jobs += [spec("e", text="The Rue.", pronounce={"Rue": "/ʁu/"}), spec("f", text="The [Rue](/ʁu/).")]

        with pytest.raises(UnspeakableJobs) as caught:
            check_inputs(map(Order, jobs), VoiceRegistry(), "hibari")

        assert [problem.partition(":")[0] for problem in caught.value.problems] == [
            *("job a", "job c", "job d", "job e", "job f")
        ]

    def test_name_a_speed_that_the_engine_has_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(engines._BUILT_IN, "hibari", replace(engines.HIBARI, speeds=None))

        inputs_of(spec())
        with pytest.raises(UnspeakableJobs, match="its own pace only"):
            inputs_of(spec(speed=1.5))

    def test_change_with_the_pauses_of_the_settings(self) -> None:
        hashes = {
            check_inputs([Order(spec())], VoiceRegistry(), "hibari", pauses)[0].hash
            for pauses in (None, "0.2,0.45,0.9", "0.3,0.45,0.9")
        }

        assert len(hashes) == 3

    def test_need_an_engine_that_is_there(self) -> None:
        with pytest.raises(UnknownEngine):
            inputs_of(spec(), engine="nothing")
