"""Commands of `job-pipeline` in this process, on a ledger in a folder, whose stages the test carries out."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from job_pipeline.main import PROGRAM
from lib.clock import ManualClock
from lib.pipeline.context import measure_file
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import Artifact
from lib.sql import open_database
from tests.contract.pipeline.floor import Floor
from tests.e2e.home import check_shape

#: A pipeline of a user: one stage that asks, and one that waits for it.
SHOP = """
from job_pipeline import Dag
dag = Dag("shop")

@dag.task(gate=True)
def script(inputs):
    return inputs

@dag.task(requires=["script"], retries=1)
def audio(inputs):
    return inputs
"""


class Printed(NamedTuple):
    """What a command printed."""

    out: str
    err: str


class PipelineDesk:
    """A folder with a pipeline in it, and a ledger of its own."""

    def __init__(self, folder: Path, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self._database = open_database(f"sqlite:///{database}")
        self.clock = ManualClock()
        self.floor = Floor(PipelineLedger(self._database), self.clock)

    def run(self, *words: object, status: int = 0) -> Printed:
        """Run a command line; its exit status must be that."""
        self._capsys.readouterr()
        ended = PROGRAM.run([str(word) for word in words])
        printed = Printed(*self._capsys.readouterr())
        assert ended == status, printed.err
        return printed

    def shaped(self, *words: object, schema: str | None = None, status: int = 0) -> Any:
        """What a command prints with `--json`, held against its schema."""
        value = json.loads(self.run(*words, "--json", status=status).out)
        check_shape(schema or f"job-pipeline-{words[0]}", value)
        return value

    def refused(self, *words: object, status: int) -> str:
        """The one sentence that a command ends with."""
        printed = self.run(*words, status=status)
        assert printed.err.count("\n") == 1, printed.err
        return printed.err.removeprefix("error: ").strip()

    def start(self, run: str = "ep-7", **inputs: object) -> None:
        """Start a run of the shop, whose code the test's workers know."""
        from job_pipeline.dag_loading import load_dags

        (dag,) = load_dags(["shop:dag"])
        self.floor.dags[dag.name] = dag
        self.run("enqueue", "--dag", "shop:dag", "--run-id", run, "--inputs", json.dumps(inputs))

    def make(self, *, text: str = "Twice a day.") -> None:
        """Carry out one stage as a worker does: it writes a file and is done."""
        (task,) = self.floor.claim(count=1)
        path = self.folder / "runs" / task.run / f"{task.name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        size, sha256 = measure_file(path)
        words = len(text.split())
        made = Artifact(
            path=path.name, type="text/plain", sha256=sha256, size=size, measures={"words": words}
        )
        assert self.floor.done(task, text, files=[made])

    def fail(self, error: str = "no sound") -> None:
        """Have one stage fail, to be tried again at once."""
        (task,) = self.floor.claim(count=1)
        assert self.floor.fail(task, error)

    def close(self) -> None:
        self._database.close()


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables, to be copied."""
    file = tmp_path_factory.mktemp("ledger") / "pipeline.db"
    with contextlib.closing(open_database(f"sqlite:///{file}")) as database:
        PipelineLedger(database)
    return file


@pytest.fixture
def pipelines(
    tmp_path: Path, empty_ledger: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[PipelineDesk]:
    """The desk, in its folder."""
    file = tmp_path / "pipeline.db"
    shutil.copy(empty_ledger, file)
    (tmp_path / "shop.py").write_text(SHOP)
    for name in ("JOBS_DATA_DIR", "JOB_PIPELINE_DAG", "ORCHEX_DAG", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{file}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    desk = PipelineDesk(tmp_path, file, capsys)
    yield desk
    desk.close()
    sys.modules.pop("shop", None)
