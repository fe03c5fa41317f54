"""Whose audio lies under a name, as commands tell of it and mend it (Q43)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import ExitStatus
from lib.jobqueue import Changed, ErrorClass, Failure
from lib.jobs.follow import Batch
from lib.jobs.names import published_anew, strange_file, taken_back, to_be_replaced
from lib.jobs.report import Standing, report_on
from lib.jobs.results import ending_of, result_rows
from lib.storage import Claim, publish_takes
from tests.doubles import records
from tests.unit.jobs.studio import NAME, Studio


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
