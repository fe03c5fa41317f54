"""What `reconcile` says was done, several things wrong with one job, and rows that cannot be read (Q22)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib.findings import Finding
from lib.jobqueue.errors import DamagedRow
from lib.jobs.explain_evidence import evidence_of
from lib.jobs.reconcile import reconcile
from lib.jobs.reconcile_messages import closing
from lib.storage import FileStorage
from tests.contract.jobqueue.jobs import job
from tests.integration.jobs.conftest import Yard
from tests.integration.jobs.test_reconcile import draw, ids, look


def blob(yard: Yard) -> Path:
    """The audio of the job `done`."""
    return next((yard.folder / "store/blobs").rglob("*/*/*"))


def published(yard: Yard) -> Path:
    return Path(yard.storage.location("done.wav"))


def last_line(findings: list[Finding], *, applied: bool) -> str:
    return closing(findings, applied=applied) or ""


def test_audio_waveform_and_published_file_of_one_job_are_found_and_mended_by_one_run(yard: Yard) -> None:
    before = set((yard.folder / "store/blobs").rglob("*/*/*"))
    waveform = draw(yard)
    audio = Path(yard.storage.location("drawn.wav")).read_bytes()
    new = set((yard.folder / "store/blobs").rglob("*/*/*")) - before
    (drawn,) = (found for found in new if found.read_bytes() == audio)
    drawn.unlink()
    waveform.unlink()

    assert ids(look(yard)) == ["R019", "R021"]
    assert [(item.kind.id, item.mended) for item in look(yard, mend=True)] == [("R019", True), ("R021", True)]
    assert look(yard) == []

    waveform.unlink()
    Path(yard.storage.location("drawn.wav")).unlink()
    assert ids(look(yard)) == ["R021", "R020"]
    assert all(item.mended for item in look(yard, mend=True))
    assert look(yard) == []


def test_damaged_audio_is_never_published(yard: Yard) -> None:
    stored = blob(yard)
    stored.write_bytes(b"x" * stored.stat().st_size)
    published(yard).unlink()

    assert ids(look(yard, mend=True, deep=True)) == ["R019"]
    assert not published(yard).exists()


def test_a_damaged_row_whose_file_is_gone_too_hides_nothing(yard: Yard) -> None:
    yard.raw.hset(yard.key("state"), "done", "notjson")
    published(yard).unlink()

    assert "R022" in ids(look(yard))


def test_publishing_what_is_missing_leaves_an_edited_file_beside_it(yard: Yard) -> None:
    draw(yard)
    edited = Path(yard.storage.location("drawn.wav"))
    edited.write_bytes(b"louder")
    Path(yard.storage.location("drawn.peaks.json")).unlink()

    assert ids(look(yard, mend=True)) == ["R020"]
    assert edited.read_bytes() == b"louder"


def test_audio_that_came_back_is_told_otherwise_than_a_job_that_was_forgotten(yard: Yard) -> None:
    blob(yard).unlink()
    (before,) = look(yard)
    (back,) = look(yard, mend=True, forget_gone=True)
    assert (before.remedy, before.fix) == (
        "--apply",
        "it is copied back from the published file, which is whole",
    )
    assert "job-runner reconcile --apply" in last_line([before], applied=False)
    assert "--forget-gone" not in last_line([before], applied=False)
    assert (back.mended, back.fix) == (True, "copied back from the published file")
    assert closing([back], applied=True) is None

    blob(yard).unlink()
    published(yard).unlink()
    (gone,) = look(yard, mend=True, forget_gone=True)
    assert (gone.mended, gone.fix) == (True, "forgotten: enqueue it again")
    assert yard.queue.job("done") is None


@pytest.mark.parametrize(
    ("edited", "why"), [(False, "done.wav is gone, too"), (True, "done.wav is another one")]
)
def test_audio_without_a_whole_copy_names_what_alone_mends_it(yard: Yard, edited: bool, why: str) -> None:
    blob(yard).unlink()
    if edited:
        published(yard).write_bytes(b"louder")
    else:
        published(yard).unlink()

    (before,), (after,) = look(yard), look(yard, mend=True)

    assert before.remedy == "--apply --forget-gone"
    assert why in before.fix
    assert "only this mends it: job-runner reconcile --apply --forget-gone" in last_line(
        [before], applied=False
    )
    assert not after.mended
    assert why in after.fix
    assert "nothing was copied back" in after.fix
    assert "--apply --forget-gone, then enqueue again" in last_line([after], applied=True)


def test_the_last_line_tells_apart_what_apply_mends_and_what_it_does_not(yard: Yard) -> None:
    draw(yard).unlink()
    blob(yard)
    found = look(yard)
    assert last_line(found, applied=False).endswith("mend it with: job-runner reconcile --apply")
    Path(yard.storage.location("drawn.peaks.json")).unlink()

    (left,) = look(yard)
    assert left.remedy == "left"
    assert left.harmless  # it fails no check that runs every night
    assert "--apply" not in last_line([left], applied=False)
    (left,) = look(yard, mend=True)
    assert "--apply" not in left.fix + last_line([left], applied=True)


def test_a_store_that_refuses_is_quoted_and_apply_is_not_offered_again(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lib.storage import StorageUnavailable

    def refuse(*args: object, **words: object) -> None:
        raise StorageUnavailable("the disk is full.")

    blob(yard).unlink()
    monkeypatch.setattr(type(yard.storage), "restore", refuse)
    (audio,) = look(yard, mend=True)
    monkeypatch.undo()
    look(yard, mend=True)
    published(yard).unlink()
    monkeypatch.setattr(type(yard.storage), "publish", refuse)
    (file,) = look(yard, mend=True)

    assert (audio.mended, audio.fix) == (False, "it was not copied back: the disk is full")
    assert (file.mended, file.fix) == (False, "it was not published again: the disk is full")
    assert "--apply" not in last_line([audio, file], applied=True)


def test_audio_of_the_right_length_that_is_damaged_is_not_published_again(yard: Yard) -> None:
    blob(yard).write_bytes(b"?" * blob(yard).stat().st_size)
    published(yard).unlink()

    (file,) = look(yard, mend=True)

    assert not file.mended
    assert "is damaged in the store and was not published as done.wav" in file.fix
    assert not published(yard).exists()


@pytest.mark.parametrize(
    "name", ["waiting", "running", "returned", "later", "done", "failed", "canceled", "again"]
)
def test_a_damaged_row_hides_nothing_else_and_goes_with_all_of_its_job(yard: Yard, name: str) -> None:
    yard.raw.hset(yard.key("state"), name, "notjson")
    yard.raw.zrem(yard.key("history"), "failed" if name == "done" else "done")

    found = ids(look(yard))
    mended = look(yard, mend=True)

    assert {"R022", "R007"} <= set(found)
    assert ids(mended)[:1] == ["R007"]
    assert all(item.mended for item in mended)
    assert look(yard) == []
    assert yard.queue.enqueue([job(name)])[0].outcome.value == "created"
    assert look(yard) == []


def test_a_row_that_is_another_one_by_now_stays(yard: Yard) -> None:
    assert yard.upkeep._run("repair_row", "waiting", "notjson") == 0
    assert yard.queue.job("waiting") is not None


def test_a_damaged_row_is_a_sentence_for_who_asks_of_the_job(yard: Yard) -> None:
    yard.raw.hset(yard.key("state"), "waiting", json.dumps(["sleeping"]))

    for ask in (
        lambda: evidence_of(yard.queue, yard.storage, "waiting"),
        lambda: yard.queue.jobs(["done", "waiting"]),
        lambda: yard.queue.result("waiting"),
        lambda: yard.upkeep.inspector.place("waiting"),
    ):
        with pytest.raises(DamagedRow, match=r"waiting .* \(R022\); job-runner reconcile --apply removes it"):
            ask()


def test_a_flush_passes_over_a_damaged_row(yard: Yard) -> None:
    yard.raw.hset(yard.key("state"), "weird", "notjson")

    yard.upkeep.flush(hard=False, force=True)

    assert ids(look(yard)) == ["R022"]


def test_a_store_without_the_audio_of_any_job_is_taken_for_another_one(yard: Yard, tmp_path: Path) -> None:
    """A wrong STORAGE_URL is likelier than the loss of everything: nobody is told to forget all jobs."""
    draw(yard)

    elsewhere = reconcile(yard.queue, FileStorage(tmp_path / "elsewhere"), apply=False)

    assert elsewhere.closing is not None
    assert elsewhere.closing.startswith("none of the ")
    assert "is STORAGE_URL the store they were made for?" in elsewhere.closing
    blob(yard).unlink()
    published(yard).unlink()
    some = reconcile(yard.queue, yard.storage, apply=False)
    assert some.closing is not None
    assert "STORAGE_URL" not in some.closing
