"""What commands say of names before they are filled, of edited files, and of audio beside a file (Q43)."""

from __future__ import annotations

import pytest

from job_runner.display.results import show_results
from lib.errors import BadInput
from lib.jobqueue import Changed, JobSpec
from lib.jobs.explain import Reason, explain
from lib.jobs.explain_evidence import evidence_of
from lib.jobs.follow import Batch
from lib.jobs.names import held_by_others
from lib.jobs.report import report_on
from lib.jobs.results import result_rows
from tests.unit.jobs.studio import NAME, Studio


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
