"""What a killed watcher leaves behind, and who may take it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from job_watcher.journal import LeaseJournal
from job_watcher.slot import take_slot
from lib.errors import BadConfiguration
from lib.jobqueue import Lease
from lib.jobspec import normalize_job_spec

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


def test_a_lease_comes_back_exactly(tmp_path: Path) -> None:
    LeaseJournal(tmp_path / "leases").write("e.3", LEASE)

    assert list(LeaseJournal(tmp_path / "leases").leases()) == [("e.3", LEASE)]


def test_a_forgotten_lease_does_not_come_back(tmp_path: Path) -> None:
    journal = LeaseJournal(tmp_path)
    journal.write("e.3", LEASE)

    journal.forget("e.3")
    journal.forget("e.3")

    assert list(journal.leases()) == []


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b'{"request_id": 1}', b"\xff\xfe"])
def test_a_damaged_file_is_dropped_and_the_others_stay(tmp_path: Path, junk: bytes) -> None:
    journal = LeaseJournal(tmp_path)
    journal.write("b.3", LEASE)
    (tmp_path / "a.1.json").write_bytes(junk)

    assert [entry for entry, _ in journal.leases()] == ["b.3"]
    assert not (tmp_path / "a.1.json").exists()


def test_the_journal_is_for_this_user_alone(tmp_path: Path) -> None:
    """It holds fencing tokens."""
    LeaseJournal(tmp_path / "leases")

    assert stat.S_IMODE((tmp_path / "leases").stat().st_mode) == 0o700


def test_two_watchers_get_two_folders_and_a_freed_one_is_taken_again(tmp_path: Path) -> None:
    first, second = take_slot(tmp_path), take_slot(tmp_path)
    assert first.folder != second.folder

    first.release()
    third = take_slot(tmp_path)

    assert third.folder == first.folder
    second.release()
    third.release()


def test_a_data_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "watchers").write_text("a file stands in the way")

    with pytest.raises(BadConfiguration, match="JOBS_DATA_DIR"):
        take_slot(tmp_path)
