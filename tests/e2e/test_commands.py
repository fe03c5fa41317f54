"""Every command of `job-runner` against a real server; each `--json` has its documented shape."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.doubles.spoken_jobs import tone
from tests.e2e.desk import WORLD, Desk
from tests.e2e.home import Home, check_shape

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
        "replaced": 0,
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
    assert "--replace" in rows["changed"]["reason"]
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
    assert by_id["topic:failed"]["audio_seconds"] == ""
    assert by_id["topic:done"]["output"] == "topic/done.wav"
    assert float(by_id["topic:done"]["audio_seconds"]) > 0.5


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
    world.shaped("play", "topic:failed", schema="error", status=1)
    (page,) = world.shaped("page", "world.yaml", "--out", "copied")["pages"]
    assert (page["beats"], page["playable"]) == (9, 1)
    value = world.shaped("dashboard")
    assert value["status"]["outstanding"] == 3
    assert len(value["history"]) == 5
    assert value["pace"]["total"] == value["pace"]["ended"] + 3


def test_the_dashboard_shows_status_and_history(world: Desk) -> None:
    """Q23."""
    shown = world.run("dashboard")

    assert shown.returncode == 0
    assert "outstanding" in shown.stdout
    assert "topic:canceled" in shown.stdout
    assert world.run("dashboard", "--watch").returncode == 2  # nothing to redraw
    assert world.run("dashboard", "--watch", "--json").returncode == 2


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
        ("voice-synth", ("voices", "verify"), "voice-synth-voices-verify"),
        ("voice-synth", ("voices", "verify", "nobody"), "error"),
        ("voice-synth", ("voices", "preview", "newsroom", "--text", "Now."), "voice-synth-speak"),
        ("voice-synth", ("voices", "preview", "nobody"), "error"),
        (
            "voice-synth",
            ("speak", "--text-file", "t.txt", "--out-exact", "t", "--speaker", "Ryan"),
            "voice-synth-speak",
        ),
        ("voice-synth", ("caption", "nothing.json"), "error"),
        ("voice-synth", ("peaks", "a.wav"), "voice-synth-peaks"),
        ("voice-synth", ("verify", "nothing.wav", "--text", "Now."), "error"),
        ("voice-synth", ("doctor",), "voice-synth-doctor"),
        ("voice-synth", ("doctor", "--engine", "qwen3"), "voice-synth-doctor"),
        (
            "voice-synth",
            ("bench", "--profile", "fast", "--batch", "2", "--seconds", "0"),
            "voice-synth-bench",
        ),
        ("voice-synth", ("normalize", "--text", "It costs $5 \u2602."), "voice-synth-normalize"),
        ("image-synth", ("generate", "Fog.", "--backend", "mock"), "image-synth-generate"),
        ("image-synth", ("generate", "Fog.", "--backend", "nobody"), "error"),
        ("image-synth", ("usage",), "image-synth-usage"),
        ("job-watcher", ("once",), "job-watcher-once"),
        ("job-watcher", ("machines",), "job-watcher-machines"),
        ("job-watcher", ("status",), "job-watcher-status"),
        ("job-watcher", ("instances",), "job-watcher-instances"),
        ("job-watcher", ("sweep",), "job-watcher-sweep"),
        ("job-watcher", ("costs",), "job-watcher-costs"),
        ("job-watcher", ("doctor",), "job-watcher-doctor"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else value,
)
def test_the_other_programs_have_their_documented_shapes(
    desk: Desk, program: str, words: tuple[str, ...], schema: str
) -> None:
    (desk.folder / "t.txt").write_text("Twice a day.")
    (desk.folder / "a.wav").write_bytes(tone(0.5))

    check_shape(schema, json.loads(desk.run(*words, "--json", program=program).stdout))
