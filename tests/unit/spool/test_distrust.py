"""What a worker puts into the outbox is not believed, and never leads out of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib.spool import (
    InvalidSpoolData,
    SpoolClient,
    WorkerSpool,
)
from tests.unit.spool.things import AUDIO, finish, job


class TestAWorkerThatCannotBeTrusted:
    def test_another_jobs_result_is_refused(
        self, client: SpoolClient, worker: WorkerSpool, root: Path
    ) -> None:
        first, second = client.submit(job("a")), client.submit(job("b"))
        worker.take(2)
        finish(worker, first)
        (root / "outbox" / first).rename(root / "outbox" / second)

        with pytest.raises(InvalidSpoolData, match="belongs to another job"):
            client.result(second)

    def test_audio_that_is_not_what_the_result_says_is_refused(
        self, client: SpoolClient, worker: WorkerSpool, tmp_path: Path
    ) -> None:
        for changes, sentence in (
            ({"bytes": 999}, "has 14 bytes where its result says 999"),
            ({"bytes": 3}, "is over 3 bytes"),
            ({"sha256": "0" * 64}, "has another sha256"),
            ({"file": "other.wav"}, "lacks its file other.wav"),
        ):
            entry = client.submit(job())
            worker.take(1)
            finish(worker, entry, **changes)
            result = client.result(entry)
            assert result is not None
            assert result.record is not None

            with pytest.raises(InvalidSpoolData, match=sentence):
                client.fetch(entry, result.record.chosen.main, tmp_path / "got.wav")

            assert not (tmp_path / "got.wav").exists()
            client.acknowledge(entry)

    def test_a_link_instead_of_audio_is_not_followed(
        self, client: SpoolClient, worker: WorkerSpool, root: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "secret").write_bytes(AUDIO)
        entry = client.submit(job())
        worker.take(1)
        finish(worker, entry)
        audio = root / "outbox" / entry / "audio.wav"
        audio.unlink()
        audio.symlink_to(tmp_path / "secret")
        result = client.result(entry)
        assert result is not None
        assert result.record is not None

        with pytest.raises(InvalidSpoolData, match="is no plain file"):
            client.fetch(entry, result.record.chosen.main, tmp_path / "got.wav")

    def test_a_link_instead_of_a_result_or_its_folder_is_not_followed(
        self, client: SpoolClient, worker: WorkerSpool, root: Path, tmp_path: Path
    ) -> None:
        """The same bytes, reached through a link: a worker must not point us to files of others."""
        entry = client.submit(job())
        worker.take(1)
        finish(worker, entry)
        own = root / "outbox" / entry
        own.rename(tmp_path / "elsewhere")
        own.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(InvalidSpoolData, match="is no plain file"):
            client.result(entry)

        own.unlink()
        own.mkdir()
        (own / "result.json").symlink_to(tmp_path / "elsewhere" / "result.json")
        with pytest.raises(InvalidSpoolData, match="is no plain file"):
            client.result(entry)

        client.acknowledge(entry)
        assert client.entries() == {}
        assert (tmp_path / "elsewhere" / "audio.wav").exists()

    def test_a_file_instead_of_the_results_folder_is_refused_and_removed(
        self, client: SpoolClient, worker: WorkerSpool, root: Path
    ) -> None:
        entry = job().entry
        (root / "outbox" / entry).write_bytes(b"?")

        with pytest.raises(InvalidSpoolData, match="is no plain file"):
            client.result(entry)

        client.acknowledge(entry)
        assert client.entries() == {}

    def test_a_fifo_instead_of_a_result_does_not_hang_the_client(
        self, client: SpoolClient, worker: WorkerSpool, root: Path
    ) -> None:
        entry = job().entry
        (root / "outbox" / entry).mkdir()
        os.mkfifo(root / "outbox" / entry / "result.json")

        with pytest.raises(InvalidSpoolData, match="is no plain file"):
            client.result(entry)

    def test_a_result_without_end_is_not_read(
        self, client: SpoolClient, worker: WorkerSpool, root: Path
    ) -> None:
        entry = job().entry
        (root / "outbox" / entry).mkdir()
        (root / "outbox" / entry / "result.json").write_bytes(b" " * (5 * 1024 * 1024))

        with pytest.raises(InvalidSpoolData, match="is over 4194304 bytes"):
            client.result(entry)

    def test_no_name_of_an_entry_leads_out_of_the_spool(self, client: SpoolClient, tmp_path: Path) -> None:
        (tmp_path / "precious").write_text("keep")

        for call in (client.acknowledge, client.cancel, client.withdraw, client.result):
            with pytest.raises(InvalidSpoolData, match="is no entry"):
                call("../../precious")

        assert (tmp_path / "precious").exists()
