"""Every command of `job-runner` against a real server; each `--json` has its documented shape."""

from __future__ import annotations

import csv
import io
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from lib.jobqueue import ErrorClass, Failure, JobQueue, QueueOptions, connect
from lib.jobspec import load_job_file
from tests.e2e.home import Home, check_shape
from tests.integration.servers import Server

WORLD = ("done", "gone", "failed", "canceled", "running", "waiting", "delayed", "changed", "missing")


class Desk(Home):
    """A home whose queue is on a server of the test, and that queue itself."""

    def __init__(self, folder: Path, url: str, prefix: str) -> None:
        super().__init__(folder, REDIS_URL=url, JOBS_PREFIX=prefix)
        self.queue: JobQueue = connect(url, QueueOptions(prefix=prefix))

    def shaped(self, *words: str | Path, schema: str | None = None, status: int = 0) -> Any:
        """What a command prints with `--json`, held against its schema."""
        done = self.run(*words, "--json")
        assert done.returncode == status, done.stderr
        value = json.loads(done.stdout)
        check_shape(schema or str(words[0]), value)
        return value

    def work(self) -> None:
        """Have the waiting jobs spoken, for real."""
        worked = self.run("once", program="job-watcher")
        assert worked.returncode == 0, worked.stderr

    def file_of(self, *names: str, text: str = "The sea comes back.", name: str = "some.yaml") -> Path:
        """A file of jobs topic/<name>; `delayed` is not due in our time."""
        lines = ["defaults: {speaker: Ryan}", "jobs:"]
        for job in names:
            late = ", not_before: 2099-01-01T00:00:00Z" if job == "delayed" else ""
            lines.append(f"  - {{output_name: topic/{job}, text: 'Job {job}. {text}'{late}}}")
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def empty(self) -> None:
        """Delete every key of this queue."""
        with redis.Redis.from_url(self.environ["REDIS_URL"], protocol=2) as client:
            for key in client.scan_iter(f"{self.environ['JOBS_PREFIX']}:*"):
                client.delete(key)

    def enqueue(self, *names: str) -> None:
        self.queue.enqueue(load_job_file(self.file_of(*names)).specs)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = Server()
    started.start()
    yield started
    started.remove()


@pytest.fixture
def desk(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A fresh queue."""
    made = Desk(tmp_path, server.url, f"t{abs(hash(request.node.nodeid))}")
    yield made
    made.queue.close()


@pytest.fixture(scope="module")
def world(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A queue with a job in each state; `world.yaml` names them all. Not to be changed by tests."""
    made = Desk(tmp_path_factory.mktemp("world"), server.url, "world")
    made.enqueue("done", "gone", "changed")
    made.work()
    key = made.json("result", "topic:gone")["result"]["takes"][0]["key"]
    (made.folder / ".local/share/job-runner/storage" / key).unlink()
    made.enqueue("failed")
    (lease,) = made.queue.claim("tests")
    made.queue.fail(made.queue.begin(lease), Failure(ErrorClass.BAD_INPUT, "It cannot be spoken."))
    made.enqueue("canceled")
    made.queue.cancel("topic:canceled")
    made.enqueue("running")
    (lease,) = made.queue.claim("tests", lease_ms=3_600_000)
    made.queue.begin(lease)
    made.enqueue("waiting", "delayed")
    whole = made.file_of(*WORLD, name="world.yaml")
    whole.write_text(whole.read_text().replace("Job changed.", "Job changed, and how."))
    yield made
    made.queue.close()


def sheet_in(folder: Path, **beat: Any) -> Path:
    path = folder / "tides.json"
    beats = [{"id": "b1", "text": "Twice a day."}, {"id": "b2", "narration": "It is the moon.", **beat}]
    path.write_text(json.dumps({"topic": "tides", "beats": beats}))
    return path


# --- report (Q19) ---------------------------------------------------------------------------------


def test_report_says_of_each_job_how_it_stands_and_why(world: Desk) -> None:
    """Q19."""
    value = world.shaped("report", "world.yaml", status=1)

    rows = {row["request_id"].removeprefix("topic:"): row for row in value["jobs"]}
    assert {name: row["state"] for name, row in rows.items()} == {
        **{name: name for name in WORLD},
        "gone": "artifact_gone",
    }
    assert value["totals"] == {
        "jobs": 9,
        **dict.fromkeys(
            [
                *("missing", "changed", "delayed", "waiting", "running"),
                *("done", "failed", "canceled", "artifact_gone"),
            ],
            1,
        ),
    }
    assert Path(rows["done"]["file"]).is_file()
    assert rows["failed"]["reason"] == "bad_input: It cannot be spoken."
    assert "2099" in rows["delayed"]["reason"]
    assert "request_id" in rows["changed"]["reason"]
    assert [name for name, row in rows.items() if not row["reason"]] == ["done"]


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (("done",), 0),
        (("done", "waiting"), 75),
        (("done", "running"), 75),
        (("done", "delayed"), 75),
        (("done", "missing"), 75),
        (("done", "waiting", "failed"), 1),
        (("canceled",), 1),
        (("gone", "waiting"), 1),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_the_exit_status_of_report_is_1_when_somebody_must_act_75_when_time_will_do(
    world: Desk, names: tuple[str, ...], status: int
) -> None:
    """Q19."""
    assert world.run("report", world.file_of(*names, name="part.yaml")).returncode == status


def test_report_for_people_has_a_line_for_each_job_and_the_totals_on_stderr(world: Desk) -> None:
    """Q19."""
    shown = world.run("report", "world.yaml")

    assert len(shown.stdout.splitlines()) == 1 + len(WORLD)
    assert "9 jobs: 1 missing, 1 changed" in shown.stderr


# --- the other readers ----------------------------------------------------------------------------


def test_wait_says_how_each_job_ended(world: Desk) -> None:
    """Q22."""
    good = world.shaped("wait", "topic:done")
    mixed = world.shaped("wait", "topic:done", "topic:failed", "topic:done", status=1)

    assert good["counts"] == {"done": 1}
    assert [(row["state"], row["error"]) for row in mixed["jobs"]] == [
        ("done", None),
        ("failed", "It cannot be spoken."),
    ]
    assert world.run("wait", "topic:canceled").returncode == 1


def test_wait_gives_up_after_its_timeout_with_75(world: Desk) -> None:
    """Q22."""
    value = world.shaped("wait", "topic:waiting", "topic:failed", "--timeout", "0.2", status=75)

    assert value["counts"] == {"waiting": 1, "failed": 1}


def test_wait_refuses_unknown_ids_at_once_and_names_the_nearest(world: Desk) -> None:
    """Q22."""
    one = world.shaped("wait", "topic:dne", schema="error", status=65)
    two = world.run("wait", "topic:done", "topic:fialed", "nothing-like-it")

    assert "topic:done" in one["error"]["message"]
    assert two.returncode == 65
    assert "topic:failed" in two.stderr
    assert "nothing-like-it" in two.stderr


def test_export_writes_a_record_on_each_line_most_recent_first(world: Desk) -> None:
    """Q22."""
    lines = world.run("export").stdout.splitlines()

    records = [json.loads(line) for line in lines]
    for record in records:
        check_shape("finished-job", record)
    assert [record["request_id"].removeprefix("topic:") for record in records[:2]] == ["canceled", "failed"]
    assert len(records) == 5
    assert world.shaped("export") == records


def test_export_as_csv_has_the_same_records_flat(world: Desk) -> None:
    """Q22."""
    rows = list(csv.DictReader(io.StringIO(world.run("export", "--format", "csv").stdout)))

    by_id = {row["request_id"]: row for row in rows}
    assert by_id["topic:failed"]["error"] == "It cannot be spoken."
    assert by_id["topic:failed"]["seconds"] == ""
    assert by_id["topic:done"]["output"] == "topic/done.wav"
    assert float(by_id["topic:done"]["seconds"]) > 0.5


def test_export_and_history_take_a_time_a_day_or_a_span(world: Desk) -> None:
    """Q17, Q22."""
    counts = {
        since: len(world.run("export", "--since", since).stdout.splitlines())
        for since in ("2099-01-01T00:00:00Z", "2000-01-01", "1h")
    }

    assert counts == {"2099-01-01T00:00:00Z": 0, "2000-01-01": 5, "1h": 5}
    assert len(world.shaped("history", "--since", "1h", "--status", "failed")) == 1
    assert world.run("export", "--since", "yesterday").returncode == 2
    assert world.run("export", "--json", "--format", "csv").returncode == 2


def test_the_readers_have_their_documented_shapes(world: Desk) -> None:
    world.shaped("status")
    world.shaped("history")
    world.shaped("result", "topic:done")
    world.shaped("result", "topic:failed", status=1)
    world.shaped("result", "topic:waiting", status=75)
    world.shaped("result", "topic:unknown", schema="error", status=65)
    value = world.shaped("dashboard")
    assert value["status"]["outstanding"] == 3
    assert len(value["history"]) == 5


def test_the_dashboard_shows_status_and_history(world: Desk) -> None:
    """Q23."""
    shown = world.run("dashboard")

    assert shown.returncode == 0
    assert "outstanding" in shown.stdout
    assert "topic:canceled" in shown.stdout
    assert world.run("dashboard", "--watch").returncode == 2  # nothing to redraw
    assert world.run("dashboard", "--watch", "--json").returncode == 2


# --- enqueue (Q14) and enqueue-beatsheet (Q15) ----------------------------------------------------


def test_enqueue_says_what_became_of_each_job(desk: Desk) -> None:
    """Q14."""
    first = desk.shaped("enqueue", desk.file_of("a", "b"))
    again = desk.shaped("enqueue", desk.file_of("a", "b", "c"))

    assert first["counts"] == {"created": 2}
    assert again["counts"] == {"created": 1, "duplicate": 2}
    assert [job["state"] for job in again["jobs"]] == ["waiting"] * 3


def test_a_conflict_keeps_the_whole_file_out_unless_it_is_skipped(desk: Desk) -> None:
    """Q14."""
    desk.enqueue("a")
    changed = desk.file_of("a", "b", text="Other words.")

    refused = desk.shaped("enqueue", changed, status=65)
    assert refused["counts"] == {"conflict": 1, "withheld": 1}
    assert desk.json("status")["outstanding"] == 1

    skipped = desk.shaped("enqueue", changed, "--skip-conflicts")
    assert skipped["counts"] == {"created": 1, "conflict": 1}
    assert desk.json("status")["outstanding"] == 2


def test_a_dry_run_says_the_same_and_changes_nothing(desk: Desk) -> None:
    """Q14."""
    would = desk.shaped("enqueue", desk.file_of("a", "b"), "--dry-run")

    assert would["counts"] == {"created": 2}
    assert "would be" in desk.run("enqueue", desk.file_of("a"), "--dry-run").stderr
    assert desk.json("status")["outstanding"] == 0


def test_a_full_queue_rejects_the_file_with_75(desk: Desk) -> None:
    """Q14."""
    desk.environ["JOBS_MAX_DEPTH"] = "1"

    assert desk.shaped("enqueue", desk.file_of("a", "b"), status=75)["counts"] == {"rejected": 2}


def test_enqueue_wait_follows_the_jobs_to_their_end(desk: Desk) -> None:
    """Q14."""
    process = desk.start("enqueue", desk.file_of("a", "b"), "--wait", "--json")
    _until_it_follows(process)
    desk.work()
    out, err = process.communicate(timeout=30)

    value = json.loads(out)
    check_shape("enqueue", value)
    assert process.returncode == 0
    assert [row["state"] for row in value["results"]] == ["done", "done"]
    assert "jobs: 2/2 (100%)" in err


def test_ctrl_c_while_waiting_leaves_the_jobs_and_says_how_to_go_on(desk: Desk) -> None:
    """Q14."""
    for words in (("enqueue", desk.file_of("a"), "--wait"), ("wait", "topic:a")):
        process = desk.start(*words)
        _until_it_follows(process)

        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)

        assert process.returncode == 130
        assert "Look again with: job-runner" in err
        assert desk.json("status")["waiting"] == 1


def test_waiting_ends_when_the_queue_is_emptied_below_it(desk: Desk) -> None:
    desk.enqueue("a")
    process = desk.start("wait", "topic:a")
    _until_it_follows(process)

    desk.empty()
    _, err = process.communicate(timeout=30)

    assert process.returncode == 75
    assert "gone from the queue" in err


def test_a_beatsheet_becomes_jobs_once_with_the_outcomes_of_enqueue(desk: Desk) -> None:
    """Q15."""
    path = sheet_in(desk.folder, speaker="Ryan")

    first = desk.shaped("enqueue-beatsheet", path, "--voice", "newsroom")
    again = desk.shaped("enqueue-beatsheet", path, "--voice", "newsroom")
    other = desk.shaped("enqueue-beatsheet", path, "--speaker", "Vivian", status=65)
    desk.work()

    assert [job["request_id"] for job in first["jobs"]] == ["tides:b1", "tides:b2"]
    assert again["counts"] == {"duplicate": 2}
    assert other["counts"] == {"conflict": 1, "duplicate": 1}
    done = desk.json("result", "tides:b2")["result"]
    assert done["output"] == "tides/b2.wav"
    assert done["callback_data"] == {"topic": "tides", "beat_id": "b2", "index": 1}
    assert done["record"]["speaker"] == "Ryan"


def test_a_beatsheet_with_any_problem_is_refused_whole_with_every_problem(desk: Desk) -> None:
    """Q15."""
    path = sheet_in(desk.folder, voise="x", speaker="Nobody")

    value = desk.shaped("enqueue-beatsheet", path, "--voice", "nope", schema="error", status=65)

    fields = [(problem["job"], problem["field"]) for problem in value["error"]["problems"]]
    assert ("b2", "voise") in fields
    assert ("tides:b1", "voice") in fields  # no such voice
    assert desk.json("status")["outstanding"] == 0
    assert desk.run("enqueue-beatsheet", path, "--voice", "a", "--speaker", "b").returncode == 2


# --- pause and resume (Q22) -----------------------------------------------------------------------


def test_pause_stops_claims_not_enqueues_and_resume_ends_it(desk: Desk) -> None:
    """Q22."""
    paused = desk.shaped("pause")
    assert (paused["paused"], paused["changed"]) == (True, True)
    assert desk.shaped("pause")["changed"] is False

    assert desk.shaped("enqueue", desk.file_of("a"))["counts"] == {"created": 1}
    assert desk.queue.claim("tests") == []

    resumed = desk.shaped("resume")
    assert (resumed["paused"], resumed["changed"], resumed["waiting"]) == (False, True, 1)
    assert len(desk.queue.claim("tests")) == 1
    assert "not paused" in desk.run("resume").stdout


# --- what needs no server, and this machine -------------------------------------------------------


def test_commands_without_a_queue_have_their_documented_shapes(desk: Desk) -> None:
    path = desk.file_of("a", "b")
    desk.shaped("plan", path)
    desk.shaped("schema")
    desk.shaped("config", "show", schema="config-show")
    desk.shaped("config", "show", "--sources", schema="config-show")
    desk.shaped("logs", schema="error", status=65)
    desk.shaped("compile", path, "--out", desk.folder / "out")
    desk.shaped("run", path, "--dry-run")
    desk.shaped("run", path)
    assert desk.shaped("logs")["totals"]["done"] == 2
    assert "topic:a" in desk.run("logs").stdout
    desk.shaped("execute-manifest", desk.folder / "out")
    (desk.folder / "bad.yaml").write_text("- {}\n")
    desk.shaped("plan", "bad.yaml", status=65)
    desk.shaped("enqueue", "bad.yaml", schema="error", status=65)


def test_up_and_down_have_their_documented_shapes(tmp_path: Path) -> None:
    home = Home(tmp_path)
    check_shape("up", home.json("up", home.jobs(1)))
    check_shape("down", home.json("down"))


@pytest.mark.parametrize(
    ("program", "words", "schema"),
    [
        ("voice-synth", ("voices", "list"), "voice-synth-voices-list"),
        ("voice-synth", ("voices", "show", "Ryan"), "voice-synth-voices-show"),
        ("voice-synth", ("voices", "show", "newsroom"), "voice-synth-voices-show"),
        ("voice-synth", ("voices", "show", "nobody"), "error"),
        (
            "voice-synth",
            ("speak", "--text-file", "t.txt", "--out-exact", "t", "--speaker", "Ryan"),
            "voice-synth-speak",
        ),
        ("job-watcher", ("once",), "job-watcher-once"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else value,
)
def test_the_other_programs_have_their_documented_shapes(
    desk: Desk, program: str, words: tuple[str, ...], schema: str
) -> None:
    (desk.folder / "t.txt").write_text("Twice a day.")

    check_shape(schema, json.loads(desk.run(*words, "--json", program=program).stdout))


def _until_it_follows(process: Any) -> None:
    while line := process.stderr.readline():
        if "following" in line:
            return
    raise AssertionError("it ended before it followed anything")
