"""Whose audio lies under a name, as commands tell of it and mend it (Q43)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from job_runner.display.results import show_results
from lib.clock import ManualClock
from lib.errors import BadInput, ExitStatus
from lib.jobqueue import Changed, ErrorClass, Failure, FinishedJob, JobQueue, JobSpec
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.explain import Reason, explain
from lib.jobs.explain_evidence import evidence_of
from lib.jobs.follow import Batch
from lib.jobs.names import held_by_others, published_anew, strange_file, taken_back, to_be_replaced
from lib.jobs.report import Report, Standing, report_on
from lib.jobs.results import ending_of, result_rows
from lib.jobspec import normalize_job_spec, take_name
from lib.records import DoneRecord, FileRef, Timings
from lib.storage import Claim, MemoryStorage, publish_takes
from tests.doubles import records

NAME = "topic/x"


class Studio:
    """A queue and a store in memory; `speak` does what a watcher does."""

    def __init__(self, desk: Path) -> None:
        self.clock = ManualClock()
        self.queue: JobQueue = MemoryQueue(now_ms=lambda: round(self.clock.now() * 1000))
        self.storage = MemoryStorage()
        self._desk = desk / "file"

    def spec(self, request_id: str, **fields: object) -> JobSpec:
        given = {"output_name": NAME, "text": f"The line of {request_id}.", "speaker": "Ryan", **fields}
        return normalize_job_spec({"request_id": request_id, **given})

    def stored(self, name: str, data: bytes) -> FileRef:
        self._desk.write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        artifact = self.storage.put(self._desk, sha256=sha256, bytes=len(data))
        return FileRef(name, len(data), sha256, artifact.key)

    def speak(self, spec: JobSpec, *, changed: Changed = Changed.REFUSE, publish: bool = True) -> None:
        self.clock.advance(1)
        self.queue.enqueue([spec], changed=changed)
        (lease,) = self.queue.claim("ann")
        takes = [
            records.take(
                number,
                audio=self.stored(
                    take_name(spec.output_name, number, spec.format), f"{spec.text} {number}".encode()
                ),
            )
            for number in range(1, spec.variants + 1)
        ]
        record = DoneRecord(records.spoken(*takes), Timings(0.0, 0.0, 0.0), "local")
        order = self.queue.complete(self.queue.begin(lease), record.to_json())
        if publish:
            publish_takes(self.storage, Claim(spec.request_id, lease.revision, order), takes)

    def ask_again(self, *specs: JobSpec) -> Batch:
        self.clock.advance(1)
        self.queue.enqueue(specs)
        batch = Batch(self.queue, specs)
        batch.refresh()
        return batch

    def finished(self, request_id: str) -> FinishedJob:
        found = self.queue.result(request_id)
        assert found is not None
        return found

    def report(self, *specs: JobSpec) -> Report:
        return report_on(self.queue, specs, self.storage, self.clock.now())

    def lies(self, path: str = f"{NAME}.wav") -> str | None:
        found = self.storage.objects.get(f"outputs/{path}")
        return None if found is None else found.decode()


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


class TestReport:
    def test_of_the_older_of_two_is_replaced_and_no_success(self, studio: Studio) -> None:
        old, new = studio.spec("old"), studio.spec("new")
        studio.speak(old)
        studio.speak(new)

        report = studio.report(old)

        (row,) = report.rows
        assert (row.standing, report.exit_status) == (Standing.REPLACED, ExitStatus.JOB_FAILED)
        assert "holds the audio of new, which was asked for later" in (row.reason or "")
        assert (row.file or "").startswith("memory://store/blobs/")
        assert report.totals()["replaced"] == 1
        assert studio.report(new).exit_status is ExitStatus.OK

    def test_counts_every_take(self, studio: Studio) -> None:
        two, other = studio.spec("two", variants=2), studio.spec("other", output_name=f"{NAME}.take-02")
        studio.speak(two)
        studio.speak(other)

        assert studio.report(two).rows[0].standing is Standing.REPLACED
        assert studio.report(other).rows[0].standing is Standing.DONE

    @pytest.mark.parametrize("canceled", [False, True])
    def test_of_a_newer_job_that_ended_badly_says_whose_audio_is_there(
        self, studio: Studio, canceled: bool
    ) -> None:
        old, new = studio.spec("old"), studio.spec("new")
        studio.speak(old)
        studio.queue.enqueue([new])
        if canceled:
            studio.queue.cancel("new")
        else:
            (lease,) = studio.queue.claim("ann")
            failure = Failure(ErrorClass.BAD_INPUT, "It cannot be spoken.")
            studio.queue.fail(studio.queue.begin(lease), failure)

        (row,) = studio.report(new).rows

        assert row.standing in (Standing.FAILED, Standing.CANCELED)
        assert (row.reason or "").endswith(f"; {NAME} holds the audio of old, asked for before")
        assert studio.report(old).rows[0].standing is Standing.DONE

    def test_of_a_revision_that_ended_badly_says_that_the_one_before_is_there(self, studio: Studio) -> None:
        changed = studio.spec("old", text="Another line.")
        studio.speak(studio.spec("old"))
        studio.queue.enqueue([changed], changed=Changed.REPLACE)
        studio.queue.cancel("old")

        (row,) = studio.report(changed).rows

        assert (row.reason or "").endswith("holds the audio of an earlier revision of it, asked for before")

    def test_of_a_job_that_was_asked_for_again_and_not_published_says_how(self, studio: Studio) -> None:
        old, new = studio.spec("old"), studio.spec("new")
        studio.speak(old)
        studio.speak(new)
        studio.ask_again(old)

        (row,) = studio.report(old).rows

        assert row.standing is Standing.DONE
        assert "reconcile --apply" in (row.reason or "")
        assert studio.report(new).rows[0].standing is Standing.DONE


class TestResults:
    def test_of_what_is_asked_for_again_are_published_again(self, studio: Studio) -> None:
        """The old line is put back: the audio is in the store, and the name holds another."""
        old, new = studio.spec("old"), studio.spec("new")
        studio.speak(old)
        studio.speak(new)
        batch = studio.ask_again(old)

        rows = result_rows(batch, studio.storage)

        assert studio.lies() == "The line of old. 1"
        assert (rows[0].replaced_by, ending_of(batch, rows)) == (None, ExitStatus.OK)
        assert rows[0].file == studio.storage.location(f"{NAME}.wav")
        assert studio.report(new).rows[0].standing is Standing.REPLACED

    def test_of_an_older_job_that_ends_later_are_no_success(self, studio: Studio) -> None:
        old, new = studio.spec("old"), studio.spec("new")
        studio.speak(old, publish=False)
        studio.speak(new)
        batch = Batch(studio.queue, [old])
        batch.refresh()

        rows = result_rows(batch, studio.storage)

        assert studio.lies() == "The line of new. 1"
        assert (rows[0].replaced_by, ending_of(batch, rows)) == ("new", ExitStatus.JOB_FAILED)
        assert rows[0].to_json()["replaced_by"] == "new"
        assert (rows[0].file or "").startswith("memory://store/blobs/")

    def test_put_back_what_is_missing_and_keep_what_a_person_edited(self, studio: Studio) -> None:
        one = studio.spec("one", variants=2)
        studio.speak(one)
        del studio.storage.objects[f"outputs/{NAME}.wav"]
        studio.storage.objects[f"outputs/{NAME}.take-02.wav"] = b"edited"

        result_rows(studio.ask_again(one), studio.storage)

        assert studio.lies() == "The line of one. 1"
        assert studio.lies(f"{NAME}.take-02.wav") == "edited"
        owner = studio.storage.owner(NAME)
        assert owner is not None
        assert owner.order == studio.finished("one").order

    def test_hold_the_name_against_a_job_between_that_ends_later(self, studio: Studio) -> None:
        old, between = studio.spec("old"), studio.spec("between")
        studio.speak(old)
        studio.queue.enqueue([between])
        result_rows(studio.ask_again(old), studio.storage)
        waiting = studio.queue.job("between")
        assert waiting is not None
        audio = studio.stored(f"{NAME}.wav", b"between")

        publish_takes(studio.storage, Claim("between", 1, waiting.order), [records.take(audio=audio)])

        assert studio.lies() == "The line of old. 1"


def test_a_revision_takes_the_files_of_earlier_ones_away(studio: Studio) -> None:
    first = studio.spec("a")
    second = studio.spec("a", text="Another line.", output_name="topic/y")
    studio.speak(first)
    studio.speak(second, changed=Changed.REPLACE, publish=False)
    job = studio.finished("a")
    done = job.done()
    assert done is not None

    published_anew(studio.queue, studio.storage, job, done.takes)

    assert (studio.lies(), studio.lies("topic/y.wav")) == (None, "Another line. 1")


def test_another_jobs_audio_is_told_from_ones_own_and_a_persons(studio: Studio) -> None:
    studio.speak(studio.spec("a", variants=2))
    job = studio.finished("a")
    done = job.done()
    assert done is not None
    stranger = b"what another job made"
    studio.stored("any", stranger)
    for data, found in ((stranger, f"{NAME}.wav"), (b"edited", None), (b"The line of a. 2", None)):
        studio.storage.objects[f"outputs/{NAME}.wav"] = data
        assert strange_file(studio.storage, job, done.takes, deep=True) == found


def test_what_a_retry_replaces_is_known_before(studio: Studio) -> None:
    old, new = studio.spec("old"), studio.spec("new")
    studio.queue.enqueue([old])
    studio.queue.cancel("old")
    assert to_be_replaced(studio.queue, studio.storage, ["old", "nobody"]) == []
    studio.speak(new)

    assert to_be_replaced(studio.queue, studio.storage, ["old"]) == [("old", NAME, "new")]
    assert to_be_replaced(studio.queue, studio.storage, ["new"]) == []


def test_what_is_asked_for_again_takes_its_name_back_without_being_spoken(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    old, new = studio.spec("old"), studio.spec("new")
    studio.speak(old)
    studio.speak(new)

    studio.clock.advance(1)
    studio.queue.enqueue([old])
    taken = taken_back(studio.queue, studio.storage, ["old", "new"])

    assert taken == [("old", NAME, "new")]
    owner = studio.storage.owner(NAME)
    assert owner is not None
    assert owner.request_id == "old"
    assert taken_back(studio.queue, studio.storage, ["old", "new"]) == []


def test_a_job_that_was_canceled_tells_whether_what_lies_there_was_asked_for_later(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    early = studio.spec("early")
    studio.queue.enqueue([early])
    studio.queue.cancel("early")
    studio.speak(studio.spec("late"))

    (row,) = report_on(studio.queue, [early], studio.storage, studio.clock.now()).rows

    assert "holds the audio of late, asked for later" in (row.reason or "")


def test_whose_audio_a_file_takes_over_is_known_before_it_is_spoken(studio: Studio) -> None:
    """And once it was, of those that are done: not of one whose name a newer job has by then."""
    old, new = studio.spec("old"), studio.spec("new")
    other = studio.spec("other", output_name="topic/y")
    studio.speak(old)
    held = held_by_others(studio.storage, [new, other])
    batch = studio.ask_again(new, other)
    studio.speak(new)
    batch.refresh()

    rows = result_rows(batch, studio.storage, held)

    assert held == [("new", NAME, "old")]
    assert [row.to_json()["replaces"] for row in rows] == ["old", None]
    studio.ask_again(old)
    result_rows(Batch(studio.queue, [old]), studio.storage)
    assert result_rows(batch, studio.storage, held)[0].replaces is None


def test_a_job_takes_nothing_over_from_itself_or_from_one_of_its_file(studio: Studio) -> None:
    first, second = studio.spec("a"), studio.spec("b", output_name="topic/y")
    studio.speak(first)
    studio.speak(second)
    changed = studio.spec("a", text="Another line.")
    crossed = [studio.spec("a", output_name="topic/y"), studio.spec("b")]

    assert held_by_others(studio.storage, [changed]) == []
    assert held_by_others(studio.storage, crossed) == []
    assert held_by_others(studio.storage, crossed[:1]) == [("a", "topic/y", "b")]


def test_every_take_of_a_job_may_take_a_name_over(studio: Studio) -> None:
    studio.speak(studio.spec("other", output_name=f"{NAME}.take-02"))

    found = held_by_others(studio.storage, [studio.spec("two", variants=2)])

    assert found == [("two", f"{NAME}.take-02", "other")]


class TestExplain:
    """A done job is explained by what lies under its name."""

    @staticmethod
    def explained(studio: Studio, request_id: str) -> tuple[Reason, str]:
        found = explain(evidence_of(studio.queue, studio.storage, request_id))
        return found.reason, found.sentence

    def test_says_that_a_newer_job_has_the_name(self, studio: Studio) -> None:
        studio.speak(studio.spec("old"))
        studio.speak(studio.spec("new"))

        reason, sentence = self.explained(studio, "old")

        assert reason is Reason.REPLACED
        assert f"{NAME}.wav holds the audio of new, which was asked for later" in sentence
        assert self.explained(studio, "new")[0] is Reason.DONE

    def test_says_that_an_older_jobs_audio_lies_there(self, studio: Studio) -> None:
        old = studio.spec("old")
        studio.speak(old)
        studio.speak(studio.spec("new"))
        studio.ask_again(old)

        reason, sentence = self.explained(studio, "old")

        assert reason is Reason.ANOTHER_ONES
        assert "reconcile --apply" in sentence

    def test_says_that_a_person_edited_any_take(self, studio: Studio) -> None:
        studio.speak(studio.spec("one", variants=2))
        studio.storage.objects[f"outputs/{NAME}.take-02.wav"] = b"edited"

        reason, sentence = self.explained(studio, "one")

        assert reason is Reason.EDITED
        assert f"{NAME}.take-02.wav no job made" in sentence

    def test_says_that_the_published_file_is_missing(self, studio: Studio) -> None:
        studio.speak(studio.spec("one"))
        del studio.storage.objects[f"outputs/{NAME}.wav"]

        assert self.explained(studio, "one")[0] is Reason.UNPUBLISHED


def test_results_that_point_into_the_store_for_a_persons_file_say_so(
    studio: Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = studio.spec("one"), studio.spec("other", output_name="topic/y")
    studio.speak(one)
    studio.speak(other)
    studio.storage.objects[f"outputs/{NAME}.wav"] = b"edited"

    rows = result_rows(studio.ask_again(one, other), studio.storage)
    show_results(rows)

    assert [row.to_json()["edited"] for row in rows] == [f"{NAME}.wav", None]
    assert (rows[0].file or "").startswith("memory://store/blobs/")
    told = " ".join(capsys.readouterr().err.split())
    assert f"one: what lies at {NAME}.wav no job made" in told


class TestExtra:
    """What `report --extra` names: lines that were renamed or removed leave their audio."""

    @staticmethod
    def extra(studio: Studio, *specs: JobSpec) -> list[tuple[str, str]]:
        report = report_on(studio.queue, specs, studio.storage, studio.clock.now(), extra=True)
        assert report.to_json()["extra"] == [job._asdict() for job in report.extra or ()]
        return [(job.request_id, job.file) for job in report.extra or ()]

    def test_is_the_audio_of_jobs_that_are_not_in_the_file(self, studio: Studio) -> None:
        kept, gone = studio.spec("topic:x"), studio.spec("topic:y", output_name="topic/y")
        for spec in (kept, gone, studio.spec("other:z", output_name="other/z")):
            studio.speak(spec)

        assert self.extra(studio, kept) == [("topic:y", "topic/y.wav")]
        assert self.extra(studio, kept, gone) == []
        assert "extra" not in studio.report(kept).to_json()

    def test_is_not_what_a_revision_took_away_or_another_job_has(self, studio: Studio) -> None:
        studio.speak(studio.spec("topic:x"))
        studio.speak(studio.spec("topic:y", output_name="topic/y"))
        studio.speak(studio.spec("topic:y", output_name="elsewhere/y"), changed=Changed.REPLACE)
        newer = studio.spec("newer")
        studio.speak(newer)  # has the name of topic:x

        assert self.extra(studio, newer) == []

    def test_is_not_looked_for_in_very_many_folders(self, studio: Studio) -> None:
        specs = [studio.spec(f"t{number}", output_name=f"t{number}/x") for number in range(21)]

        with pytest.raises(BadInput, match="21 folders"):
            self.extra(studio, *specs)
