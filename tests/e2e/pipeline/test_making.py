"""`make` stops at its gates for a person, and does what the person says (P10, P20)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_pipeline import decisions, wiring
from job_pipeline.attendance import attend, decider_of
from job_pipeline.attended_runs import RunsEnd, show_runs
from job_pipeline.decisions import GateAnswer
from job_pipeline.film_run import again, run_name, start_film
from lib.jobqueue.memory.queue import MemoryQueue
from lib.pipeline.model import GateRow
from lib.pipeline.views import RunView, get_job_status, list_runs
from tests.doubles.console import TOKEN, ConsoleDesk
from tests.e2e.pipeline.conftest import PipelineDesk
from tests.unit.webhooks.test_delivery import Ear

SMALL = "film: {width: 96, height: 64, fps: 4, pictures: mock}\n"


@pytest.fixture
def told_ear(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ear]:
    """A receiver of notifications, with links to a console."""
    ear = Ear()
    for name, value in (
        ("WEBHOOK_URL", ear.url),
        ("WEBHOOK_SECRET", "a long random text"),
        ("JOB_CONSOLE_URL", "https://console.example.org"),
        ("JOB_CONSOLE_TOKEN", TOKEN),
        ("JOB_CONSOLE_REVIEWERS", "zoe"),
    ):
        monkeypatch.setenv(name, value)
    yield ear
    ear.close()


@pytest.mark.parametrize(
    ("name", "run"),
    [("Lamp at Sea.md", "lamp-at-sea"), ("Überfahrt 2.txt", "uberfahrt-2"), ("灯台.md", "film-f2df7bb7")],
)
def test_a_run_is_called_as_its_file(name: str, run: str) -> None:
    assert run_name(Path(name)) == run


def test_a_person_rejects_with_words_then_approves_then_leaves(
    pipelines: PipelineDesk, tmp_path: Path, told_ear: Ear
) -> None:
    script = tmp_path / "sea.md"
    script.write_text("The sea leaves twice a day. It comes back. Nobody has to call it.")
    (tmp_path / "small.yaml").write_text(SMALL)
    answers: Iterator[GateAnswer | None] = iter([GateAnswer("at most 7 words"), GateAnswer(), None])
    asked = list[str]()

    def decider(view: RunView, gate: GateRow) -> GateAnswer | None:
        asked.append(f"{gate.task} {gate.attempt}")
        return next(answers)

    with wiring.open_room() as room:
        run = start_film(room, "video", script, None, str(tmp_path / "small.yaml"))
        found = attend(room, [run], wiring.WorkerWords(dags=["video"]), decider, "ann")
        view = get_job_status(room.ledger, run)
        text = (room.trail_files.folder_of(run) / "script.txt").read_text()

    assert (run, found.exit_status) == ("sea", 75)
    assert asked == ["script 1", "script 2", "storyboard 1"]
    assert "It comes back." not in text
    decided = [(gate.task, gate.decision, gate.operator) for gate in view.gates]
    assert decided == [
        ("script", "rejected", "ann"),
        ("script", "approved", "ann"),
        ("storyboard", None, None),
    ]
    told = [json.loads(body) for _, body in told_ear.heard]
    assert [(each["event"], each["stage"], each["attempt"]) for each in told] == [
        ("gate", "script", 1),
        ("gate", "script", 2),
        ("gate", "storyboard", 1),
    ]
    decide_by_link(tmp_path, told[-1]["links"][0]["url"])


def decide_by_link(folder: Path, url: str) -> None:
    """Approve from a phone: the console looks at the same ledger and files."""
    desk = ConsoleDesk(folder, MemoryQueue())
    try:
        with desk.client({}) as phone:
            where = url.removeprefix("https://console.example.org")
            shown = phone.get(where)
            assert (shown.status_code, "/files/" in shown.text) == (200, True)
            assert phone.post(where, data={"decision": "approve"}).status_code == 303
        gate = get_job_status(desk.ledger, "sea").gates[-1]
        assert (gate.task, gate.decision, gate.operator) == ("storyboard", "approved", "zoe")
    finally:
        desk.close()


def test_a_film_that_was_interrupted_says_how_to_go_on(
    pipelines: PipelineDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Path("the sea.md")
    script.write_text("# The sea\n\nIt leaves.\n")
    with wiring.open_room() as room:
        run = start_film(room, "video", script, None, None)
        found = RunsEnd([get_job_status(room.ledger, run)])
        show_runs(found, again("video", script, run, None))
        demo = capsys.readouterr().err
        show_runs(found)

    assert "no worker has taken it; job-pipeline make 'the sea.md' --run-id the-sea\n" in demo
    assert "no worker has taken it; job-pipeline worker\n" in capsys.readouterr().err
    assert again("factory", script, "x", "own.yaml") == (
        "job-pipeline make 'the sea.md' --run-id x --dag factory --config own.yaml"
    )


def test_without_a_terminal_nothing_is_decided(pipelines: PipelineDesk) -> None:
    with wiring.open_room() as room:
        assert decider_of(room, False, False) is decisions.leaves
        assert decider_of(room, True, False) is decisions.approves


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("\n", GateAnswer()),
        ("yes\n", GateAnswer()),
        ("q\n", None),
        ("", None),
        ("make it  shorter\n", GateAnswer("make it shorter")),
    ],
)
def test_what_is_typed_at_a_gate(
    pipelines: PipelineDesk, monkeypatch: pytest.MonkeyPatch, typed: str, answer: GateAnswer | None
) -> None:

    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    gate = GateRow(number=1, run="r", task="script", attempt=1, seen="", opened_at=0.0)
    with wiring.open_room() as room:
        view = type("View", (), {"artifacts": (), "results": {}})()
        assert decisions.asks(room)(view, gate) == answer


def test_a_gate_says_what_became_of_a_note(
    pipelines: PipelineDesk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("q\n"))
    gate = GateRow(number=1, run="r", task="script", attempt=2, seen="", opened_at=0.0)
    note = {
        "notes": ["a stronger title"],
        "applied": "",
        "not_applied": "only a language model changes titles",
    }
    with wiring.open_room() as room:
        view = type("View", (), {"artifacts": (), "results": {"script": {"instruction": note}}})()
        decisions.asks(room)(view, gate)

    told = capsys.readouterr().err
    assert "you asked: a stronger title" in told
    assert "not done: only a language model changes titles" in told
    assert "  done:" not in told


@pytest.mark.parametrize(
    ("data", "words"), [(b" \n", "is empty"), (b"\xff\xfe", "no text in UTF-8"), (None, "cannot be read")]
)
def test_what_is_no_script_is_refused_before_there_is_a_run(
    pipelines: PipelineDesk, tmp_path: Path, data: bytes | None, words: str
) -> None:
    script = tmp_path / "sea.md"
    if data is not None:
        script.write_bytes(data)

    assert words in pipelines.refused("make", script, status=65)
    with wiring.open_room() as room:
        assert list_runs(room.ledger) == []
