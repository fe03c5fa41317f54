"""What a killed watcher leaves behind, and who may take it."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from job_watcher.work_folder import take_slot
from lib.dispatch import LeaseJournal, Publication
from lib.errors import BadConfiguration
from lib.jobqueue import Lease
from lib.jobspec import normalize_job_spec
from lib.records import FileRef, Take
from lib.spool import SpoolFull, SpoolUnusable

SPEC = normalize_job_spec(
    {
        "output_name": "topic/beat-001",
        "text": "Hello — there.",
        "speaker": "Ryan",
        "callback_data": {"n": [1]},
    }
)
LEASE = Lease(
    request_id=SPEC.request_id,
    lease_no=3,
    token="5f2c",
    consumer="host-1-a",
    spec=SPEC,
    attempt=1,
    expires_at=1000.5,
    enqueued_at=900.25,
)

OWED = Publication(
    "b.3", "topic:beat-001", 3, (Take(1, FileRef("a.wav", 4, "0" * 64, "blobs/x"), 1.0),), 77, 2
)


def test_a_lease_comes_back_exactly(tmp_path: Path) -> None:
    LeaseJournal(tmp_path / "leases").write("e.3", LEASE, "here")

    assert list(LeaseJournal(tmp_path / "leases").leases()) == [("e.3", LEASE, "here")]


def test_a_forgotten_lease_does_not_come_back(tmp_path: Path) -> None:
    journal = LeaseJournal(tmp_path)
    journal.write("e.3", LEASE, "here")

    journal.forget("e.3")
    journal.forget("e.3")

    assert list(journal.leases()) == []


def _damaged(**changes: object) -> bytes:
    record = {**asdict(LEASE), "spec": {"output_name": "a", "request_id": "a", "text": "Hello."}}
    return json.dumps({"host": "here", "lease": {**record, **changes}}).encode()


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"{",
        b"[]",
        b'{"request_id": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
        _damaged(spec={"output_name": "a"}),
        _damaged(spec={"colour": "red"}),
        _damaged(spec=[]),
        _damaged(spec=None),
        _damaged(lease_no="three"),
        _damaged(token=None),
        _damaged(expires_at="soon"),
    ],
)
def test_a_damaged_file_is_dropped_and_the_others_stay(tmp_path: Path, junk: bytes) -> None:
    journal = LeaseJournal(tmp_path)
    journal.write("b.3", LEASE, "here")
    (tmp_path / "a.1.json").write_bytes(junk)

    assert [entry for entry, _, _ in journal.leases()] == ["b.3"]
    assert not (tmp_path / "a.1.json").exists()


@pytest.mark.parametrize(
    "junk",
    [
        *(b"", b"[]", b"{}", b'{"request_id": "a", "lease_no": 1, "takes": [{}]}'),
        b'{"request_id": "a", "lease_no": 1, "takes": [], "order": "late"}',
    ],
)
def test_a_damaged_publication_is_dropped_and_the_others_stay(tmp_path: Path, junk: bytes) -> None:
    journal = LeaseJournal(tmp_path)
    journal.owe(OWED)
    (tmp_path / "a.1.publish").write_bytes(junk)

    assert list(journal.publications()) == [OWED]
    assert not (tmp_path / "a.1.publish").exists()
    journal.published(OWED.entry)
    journal.published(OWED.entry)
    assert list(journal.publications()) == []


def test_what_a_version_without_an_order_wrote_is_read(tmp_path: Path) -> None:
    journal = LeaseJournal(tmp_path)
    journal.owe(OWED)
    journal.write("b.3", replace(LEASE, revision=2), "here")
    for name in ("b.3.publish", "b.3.json"):
        record = json.loads((tmp_path / name).read_text())
        for values in (record, record.get("lease", {})):
            values.pop("order", None)
            values.pop("revision", None)
        (tmp_path / name).write_text(json.dumps(record))

    assert list(journal.publications()) == [replace(OWED, order=0, revision=1)]
    assert list(journal.leases()) == [("b.3", LEASE, "here")]


def test_who_leased_here_is_known_to_the_next_until_struck(tmp_path: Path) -> None:
    assert LeaseJournal(tmp_path).sign("ann") == ()
    assert LeaseJournal(tmp_path).sign("bob") == ("ann",)  # bob is killed before he struck her
    cid = LeaseJournal(tmp_path)
    assert cid.sign("cid") == ("ann", "bob")

    cid.strike(("ann", "bob"))

    assert LeaseJournal(tmp_path).sign("dan") == ("cid",)
    assert list(cid.leases()) == []


@pytest.mark.parametrize("junk", [b"", b"[]", b"{}", b"\xff", b'{"names": 3}'])
def test_names_that_cannot_be_read_are_nobodys(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "consumers").write_bytes(junk)

    assert LeaseJournal(tmp_path).sign("ann") == ()
    assert LeaseJournal(tmp_path).sign("bob") == ("ann",)


@pytest.mark.parametrize("write", [lambda j: j.write("e.3", LEASE, "here"), lambda j: j.owe(OWED)])
def test_a_name_is_on_the_disk_too_when_the_call_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[LeaseJournal], None]
) -> None:
    """After a power cut a file whose folder was not synced may have no name."""
    synced = []
    real = os.fsync

    def fsync(fd: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(fd).st_mode))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)

    write(LeaseJournal(tmp_path))

    assert synced == [False, True]


@pytest.mark.parametrize(("number", "passes"), [(errno.ENOSPC, True), (errno.EROFS, False)])
def test_a_disk_that_refuses_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, passes: bool
) -> None:
    def refuse(fd: int) -> None:
        raise OSError(number, os.strerror(number))

    journal = LeaseJournal(tmp_path)
    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(SpoolUnusable, match="The journal") as caught:
        journal.write("e.3", LEASE, "here")

    assert isinstance(caught.value, SpoolFull) is passes
    with pytest.raises(SpoolUnusable):
        journal.probe()


def test_what_a_killed_watcher_was_just_writing_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / ".0123456789abcdef.part").write_bytes(b"{")

    assert list(LeaseJournal(tmp_path).leases()) == []
    assert list(tmp_path.iterdir()) == []


def test_the_journal_is_for_this_user_alone(tmp_path: Path) -> None:
    """It holds fencing tokens."""
    LeaseJournal(tmp_path / "leases")

    assert stat.S_IMODE((tmp_path / "leases").stat().st_mode) == 0o700


def test_the_folders_of_watchers_are_for_this_user_alone(tmp_path: Path) -> None:
    slot = take_slot(tmp_path / "data")

    for folder in (slot.folder, slot.folder.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    slot.release()


def test_two_watchers_get_two_folders_and_a_freed_one_is_taken_again(tmp_path: Path) -> None:
    first, second = take_slot(tmp_path), take_slot(tmp_path)
    assert first.folder != second.folder

    first.release()
    third = take_slot(tmp_path)

    assert third.folder == first.folder
    second.release()
    third.release()


def test_what_a_killed_watcher_was_just_storing_is_swept_away(tmp_path: Path) -> None:
    killed = take_slot(tmp_path)
    (killed.scratch / "e.3").mkdir(parents=True)
    (killed.scratch / "e.3" / "incoming").write_bytes(b"half of it")
    living = take_slot(tmp_path)
    (living.scratch / "e.4").mkdir(parents=True)
    killed.release()

    next_one = take_slot(tmp_path)

    assert next_one.folder == killed.folder
    assert not next_one.scratch.exists()
    assert (living.scratch / "e.4").exists()
    next_one.release()
    living.release()


def test_a_data_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "watchers").write_text("a file stands in the way")

    with pytest.raises(BadConfiguration, match="JOBS_DATA_DIR"):
        take_slot(tmp_path)
