"""Where one entry lies, and which work it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib.spool import (
    InvalidSpoolData,
    Phase,
    ResultError,
    ResultErrorClass,
    SpoolClient,
    SpoolResult,
    WorkerSpool,
)
from lib.spool.layout import entry_name
from tests.unit.spool.things import finish, job


class TestWhereAnEntryLies:
    def test_is_followed_from_the_inbox_to_the_outbox(
        self, client: SpoolClient, worker: WorkerSpool, root: Path
    ) -> None:
        entry = job().entry
        assert client.phase(entry) is None

        client.submit(job())
        assert client.phase(entry) is Phase.INBOX
        worker.take(1)
        assert client.phase(entry) is Phase.WORK
        finish(worker, entry)
        assert client.phase(entry) is Phase.OUTBOX
        client.acknowledge(entry)
        assert client.phase(entry) is None

    def test_is_the_further_place_while_it_moves(
        self, client: SpoolClient, worker: WorkerSpool, root: Path
    ) -> None:
        entry = client.submit(job())
        waiting = (root / "inbox" / f"{entry}.json").read_bytes()
        worker.take(1)
        (root / "inbox" / f"{entry}.json").write_bytes(waiting)

        assert client.phase(entry) is Phase.WORK

    def test_is_asked_by_the_name_of_an_entry_only(self, client: SpoolClient) -> None:
        for ask in (client.phase, lambda name: client.fingerprint(name, Phase.INBOX)):
            with pytest.raises(InvalidSpoolData, match="is no entry"):
                ask("../../etc")


class TestWhichWorkAnEntryIs:
    def test_is_said_by_its_job_file_and_then_by_its_result(
        self, client: SpoolClient, worker: WorkerSpool
    ) -> None:
        entry = client.submit(job())

        assert client.fingerprint(entry, Phase.INBOX) == "v1:any"
        worker.take(1)
        assert client.fingerprint(entry, Phase.WORK) == "v1:any"
        finish(worker, entry)
        assert client.fingerprint(entry, Phase.OUTBOX) == "v1:any"

    @pytest.mark.parametrize("phase", Phase)
    def test_is_refused_where_the_entry_does_not_lie(self, client: SpoolClient, phase: Phase) -> None:
        with pytest.raises(InvalidSpoolData, match="is not where it was a moment ago"):
            client.fingerprint(entry_name("b", 1, "marknone"), phase)

    @pytest.mark.parametrize("data", [b"", b"[]", b'{"format": 2}'])
    def test_is_refused_where_its_file_cannot_be_read(
        self, client: SpoolClient, root: Path, data: bytes
    ) -> None:
        entry = client.submit(job())
        (root / "inbox" / f"{entry}.json").write_bytes(data)

        with pytest.raises(InvalidSpoolData, match="The job file"):
            client.fingerprint(entry, Phase.INBOX)

    def test_is_never_nothing(self, client: SpoolClient, worker: WorkerSpool, root: Path) -> None:
        """A worker that could not read the job file answers without: no lease may take that for its work."""
        entry = client.submit(job())
        path = root / "inbox" / f"{entry}.json"
        path.write_text(json.dumps({**json.loads(path.read_bytes()), "fingerprint": ""}))
        with pytest.raises(InvalidSpoolData, match="does not say which work it is"):
            client.fingerprint(entry, Phase.INBOX)

        worker.take(1)
        error = ResultError(ResultErrorClass.BAD_INPUT, "The job file is no valid JSON.")
        worker.publish(entry, SpoolResult(entry, None, 1.0, 2.0, error=error))
        with pytest.raises(InvalidSpoolData, match="does not say which work it is"):
            client.fingerprint(entry, Phase.OUTBOX)
