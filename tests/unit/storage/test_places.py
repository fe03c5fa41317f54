"""Places are texts: a URL stays one on its way to people and programs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from job_runner.display.results import show_results
from lib.cli.output import emit_json
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.follow import Batch
from lib.jobs.report import report_on
from lib.jobs.results import result_rows
from lib.records import DoneRecord, Timings
from lib.storage import Claim, MemoryStorage, publish_takes, shared_folder
from tests.doubles import records
from tests.unit.jobs.jobs import spec
from tests.unit.storage.stored import take_of

BUCKET = "s3://bucket/x"


@pytest.mark.parametrize(
    ("places", "shared"),
    [
        ([f"{BUCKET}/outputs/a.wav", f"{BUCKET}/outputs/b.wav"], f"{BUCKET}/outputs/"),
        ([f"{BUCKET}/outputs/t/a.wav", f"{BUCKET}/outputs/u/b.wav"], f"{BUCKET}/outputs/"),
        ([f"{BUCKET}/outputs/a.wav"], f"{BUCKET}/outputs/"),
        (["s3://bucket/a.wav", "s3://bucker/b.wav"], ""),
        (["s3://bucket/a.wav", "/srv/b.wav"], ""),
        (["/srv/out/a.wav", "/srv/outputs/b.wav"], "/srv/"),
        (["/srv/a.wav", "/home/b.wav"], ""),
        (["/a.wav"], ""),
        ([], ""),
    ],
)
def test_the_folder_that_places_share_begins_each_of_them(places: list[str], shared: str) -> None:
    assert shared_folder(places) == shared
    assert all(place.startswith(shared) for place in places)


def test_a_url_reaches_tables_and_json_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs, queue, storage = [spec("a"), spec("b")], MemoryQueue(), MemoryStorage(BUCKET)
    (tmp_path / "audio").write_bytes(b"audio")
    artifact = storage.put(tmp_path / "audio", sha256=hashlib.sha256(b"audio").hexdigest(), bytes=5)
    queue.enqueue(jobs)
    for lease in queue.claim("ann", count=2):
        take = take_of(lease.request_id, artifact)
        done = DoneRecord(records.spoken(take), Timings(0.0, 0.0, 0.0), "local")
        order = queue.complete(queue.begin(lease), done.to_json())
        publish_takes(storage, Claim(lease.request_id, 1, order), [take])

    rows = result_rows(Batch(queue, jobs), storage)
    emit_json([row.file for row in rows])
    from_json = json.loads(capsys.readouterr().out)
    show_results(rows)
    table = capsys.readouterr().out

    report = report_on(queue, jobs, storage, 0.0).to_json()
    assert from_json == [f"{BUCKET}/outputs/a.wav", f"{BUCKET}/outputs/b.wav"]
    assert [row["file"] for row in report["jobs"]] == from_json
    assert f"Files are in {BUCKET}/outputs/\n" in table
    assert "s3:/b" not in table
