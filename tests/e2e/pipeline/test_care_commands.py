"""Gates, repair, and what fails: the commands for whoever looks after pipelines."""

from __future__ import annotations

import getpass
import json

import pytest

from lib.pipeline.claims import Parked, TaskReport, finish
from lib.pipeline.decision_links import read_link
from tests.e2e.pipeline.conftest import PipelineDesk


def test_a_stage_that_the_queue_has_says_when_no_watcher_lives(pipelines: PipelineDesk) -> None:
    """P11: only then is the queue asked, and nothing is started for it."""
    pipelines.start()
    before = pipelines.shaped("show", "ep-7")["waits"][0]["command"]
    (task,) = pipelines.floor.claim(count=1)
    specs = {"ep-7-script-1": {"text": "one"}, "ep-7-script-2": {"text": "two"}}
    finish(pipelines.floor.ledger, [TaskReport(task, Parked(specs=specs))], owner="ann:1")

    (wait, *_) = pipelines.shaped("show", "ep-7")["waits"]

    assert before == "job-pipeline worker"
    assert wait == {
        "stage": "script",
        "sentence": "waits for the queue, which has done 0 of its 2 jobs, and no watcher lives",
        "command": "job-watcher run",
    }
    assert not list(pipelines.folder.rglob("*.sock*"))


def test_a_rejected_stage_runs_anew_with_its_note_and_is_approved(pipelines: PipelineDesk) -> None:
    """P20."""
    pipelines.start()
    pipelines.make()
    (waiting,) = pipelines.shaped("gates")["gates"]
    rejected = pipelines.shaped("reject", "ep-7", "script", "--notes", "less moon")
    advanced = pipelines.shaped("advance", "ep-7", "--with-note")
    (told,) = (task.instruction for task in pipelines.floor.claim("bob:1"))

    assert (waiting["run"], waiting["stage"], waiting["artifacts"][0]["path"]) == (
        "ep-7",
        "script",
        "script.txt",
    )
    assert (rejected["decision"], rejected["operator"]) == ("rejected", getpass.getuser())
    assert (advanced["stage"], advanced["instruction"], told) == ("script", "less moon", "less moon")


def test_an_approval_is_about_the_files_and_the_first_decision_wins(pipelines: PipelineDesk) -> None:
    """P20, P21."""
    pipelines.start()
    pipelines.make()
    script = pipelines.folder / "runs" / "ep-7" / "script.txt"
    script.write_text("mended by hand")
    before = pipelines.shaped("gates")["gates"][0]["seen"]

    changed = pipelines.refused("approve", "ep-7", status=75)
    stale = pipelines.refused("approve", "ep-7", "--seen", before, status=75)
    approved = pipelines.shaped("approve", "ep-7", "script", "--operator", "ann", "--notes", "better")
    late = pipelines.refused("reject", "ep-7", "script", "--operator", "bob", status=65)

    assert "script.txt of script has changed since it was made; look again, then approve" in changed
    assert "has changed since you looked" in stale
    assert (approved["decision"], approved["operator"], approved["notes"]) == ("approved", "ann", "better")
    assert "was approved by ann" in late
    assert pipelines.run("gates").out == ""


def test_links_are_printed_for_who_has_no_receiver(
    pipelines: PipelineDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P20: a link for each who is named; it is signed with the console's token, made where there is none."""
    pipelines.start()
    pipelines.make()
    assert "set JOB_CONSOLE_URL" in pipelines.refused("gates", "--link", status=78)
    monkeypatch.setenv("JOB_CONSOLE_URL", "http://console.example.org")
    assert "must begin with https://" in pipelines.refused("gates", "--link", status=78)
    assert "give --watch or --link" in pipelines.refused("gates", "--operator", "ann", status=2)
    monkeypatch.setenv("JOB_CONSOLE_URL", "https://console.example.org/")
    monkeypatch.setenv("JOBS_DATA_DIR", str(pipelines.folder / "data"))
    (gate,) = pipelines.shaped("gates", "--link", "--operator", "ann", "--operator", "bob")["gates"]
    token = (pipelines.folder / "data" / "console.token").read_text().strip()
    signed = [link["url"].removeprefix("https://console.example.org/decide/") for link in gate["links"]]
    read = [read_link(text, token) for text in signed]
    assert [link and (link.run, link.stage, link.operator) for link in read] == [
        ("ep-7", "script", "ann"),
        ("ep-7", "script", "bob"),
    ]
    printed = pipelines.run("gates", "--link").out
    assert f"link for {getpass.getuser()}, until " in printed
    assert "/decide/" not in pipelines.run("gates").out


def test_a_file_that_is_not_here_is_approved_only_by_who_says_so(pipelines: PipelineDesk) -> None:
    """P21."""
    pipelines.start()
    pipelines.make()
    (pipelines.folder / "runs" / "ep-7" / "script.txt").unlink()

    assert "--elsewhere" in pipelines.refused("approve", "ep-7", status=75)
    assert pipelines.shaped("approve", "ep-7", "--elsewhere")["decision"] == "approved"


def test_the_inbox_shows_files_and_what_was_said_before(pipelines: PipelineDesk) -> None:
    """P20."""
    pipelines.start()
    pipelines.make()
    pipelines.run("reject", "ep-7", "--operator", "ann", "--notes", "less moon")
    pipelines.run("advance", "ep-7", "--note", "no moon at all")
    pipelines.make(text="The tide.")

    shown = pipelines.run("gates").out

    assert "GATE ep-7 script" in shown
    assert "script.txt  text/plain" in shown
    assert "rejected in attempt 1 by ann: less moon" in shown


def test_advance_needs_something_to_run_anew(pipelines: PipelineDesk) -> None:
    """P20."""
    pipelines.start()

    assert "no gate of it was rejected" in pipelines.refused("advance", "ep-7", status=65)
    assert "has no stage 'mix'" in pipelines.refused("advance", "ep-7", "--stage", "mix", status=65)
    pipelines.refused("advance", "ep-7", "--note", "a", "--with-note", status=2)
    pipelines.refused("approve", "ep-7", "--operator", " ", status=2)


def test_a_dead_stage_is_told_and_comes_back_with_what_it_blocked(pipelines: PipelineDesk) -> None:
    """P4, P8."""
    pipelines.start()
    pipelines.make()
    pipelines.run("approve", "ep-7")
    pipelines.fail("no sound")
    pipelines.fail("still no sound")

    failing = pipelines.shaped("failures")["stages"]
    depth = pipelines.shaped("queue-depth")["pipelines"]
    back = pipelines.shaped("retry-dead", "--run", "ep-7")["retried"]

    assert [(each["stage"], each["failures"], each["reason"]) for each in failing] == [
        ("audio", 2, "still no sound")
    ]
    assert depth == [{"dag": "shop", "states": {"succeeded": 1, "dead": 1}, "ready": 0}]
    assert [(each["stage"], each["state"]) for each in back] == [("audio", "dead")]
    assert pipelines.shaped("queue-depth")["pipelines"][0]["ready"] == 1
    assert "still no sound" in pipelines.run("failures", "--since", "1h").out
    assert "nothing has failed" in pipelines.run("failures", "--since", "2099-01-01").err
    assert pipelines.shaped("retry-dead")["retried"] == []


def test_failed_stages_are_chosen_by_name_time_and_count(pipelines: PipelineDesk) -> None:
    """P8."""
    pipelines.start("one")
    pipelines.start("two")
    tasks = {task.run: task for task in pipelines.floor.claim()}
    pipelines.floor.fail(tasks["one"], pause_s=1e6)
    pipelines.floor.fail(tasks["two"])
    pipelines.floor.fail(pipelines.floor.claim()[0], pause_s=1e6)

    def retried(*words: object) -> list[str]:
        return [each["run"] for each in pipelines.shaped("retry-failed", *words)["retried"]]

    assert retried("--task", "audio") == []
    assert retried("--since", "2099-01-01") == []
    assert retried("--min-attempts", 2) == ["two"]
    assert retried("--task", "script", "--since", "1h") == ["one"]


def test_a_lease_that_ran_out_is_listed_and_taken_back(pipelines: PipelineDesk) -> None:
    """P5, P8."""
    from lib.pipeline.claims import claim

    pipelines.start()
    claim(pipelines.floor.ledger, {"shop": ["script"]}, owner="host:12", count=1, lease_s=-5)

    (stale,) = pipelines.shaped("stale-locks")["leases"]
    printed = pipelines.run("recovery", "--once", "--json")
    taken = json.loads(printed.out)["taken_back"]

    assert (stale["lease_owner"], stale["stage"]) == ("host:12", "script")
    assert stale["age_seconds"] >= 5
    assert (taken, printed.err) == ([{"run": "ep-7", "stage": "script"}], "")
    pipelines.shaped("recovery", "--once")
    assert "no lease has run out" in pipelines.run("stale-locks").err
    assert pipelines.shaped("list-jobs")["runs"][0]["script_state"] == "READY"


def test_the_orchestrator_makes_ready_what_a_worker_left_to_it(pipelines: PipelineDesk) -> None:
    """P5."""
    pipelines.start()
    pipelines.make()
    pipelines.run("approve", "ep-7")
    (task,) = pipelines.floor.claim()
    pipelines.floor.done(task, settle=False)
    before = pipelines.shaped("show", "ep-7")["state"]

    first, second = pipelines.shaped("orchestrator"), pipelines.shaped("orchestrator")

    assert (before, pipelines.shaped("show", "ep-7")["state"]) == ("running", "completed")
    assert (first["settled"], second["settled"]) == (1, 0)


def test_lists_can_be_of_one_pipeline(pipelines: PipelineDesk) -> None:
    """P1, P9."""
    pipelines.start("one")
    pipelines.run("enqueue", "--dag", "demo", "--run-id", "two")
    pipelines.fail("no sound")

    def ids(*words: object) -> list[str]:
        return [run["id"] for run in pipelines.shaped("list-jobs", *words)["runs"]]

    assert (ids("--dag", "shop"), ids("--dag", "shop:dag", "--active")) == (["one"], ["one"])
    assert ids("--dag", "demo") == ["two"]
    assert sorted(ids("--dag", "demo", "--dag", "shop")) == ["one", "two"]
    for command, key in (("queue-depth", "pipelines"), ("failures", "stages"), ("retry-failed", "retried")):
        assert [each["dag"] for each in pipelines.shaped(command, "--dag", "demo")[key]] in ([], ["demo"])
        assert [each["dag"] for each in pipelines.shaped(command, "--dag", "shop")[key]] == ["shop"]
    for command in ("gates", "stale-locks", "retry-dead"):
        pipelines.shaped(command, "--dag", "shop")
    assert "no pipeline 'shp' is stored" in pipelines.refused("list-jobs", "--dag", "shp", status=2)


def test_what_looks_after_every_pipeline_refuses_one_that_cannot_be_loaded(pipelines: PipelineDesk) -> None:
    """P1."""
    for words in (("orchestrator",), ("orchestrator-loop",), ("recovery",), ("recovery", "--once")):
        assert "there is no module 'nothing'" in pipelines.refused(*words, "--dag", "nothing:dag", status=78)
    pipelines.shaped("orchestrator", "--dag", "shop:dag")
