"""Starting, listing and showing runs; each `--json` has its documented shape."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.pipeline.conftest import SHOP, PipelineDesk


def test_init_db_leaves_an_active_snapshot_and_changes_nothing_the_second_time(
    pipelines: PipelineDesk,
) -> None:
    """P8."""
    first = pipelines.shaped("init-db", "--dag", "shop:dag")
    second = pipelines.shaped("init-db", "--dag", "shop:dag")

    assert first == second
    assert [(each["dag"], each["active"]) for each in first["snapshots"]] == [("shop", True)]
    assert "shop: snapshot" in pipelines.run("init-db", "--dag", "shop:dag").out


def test_changed_code_is_a_snapshot_of_its_own_that_new_runs_take_when_it_is_activated(
    pipelines: PipelineDesk,
) -> None:
    """P2."""
    pipelines.start("old")
    (pipelines.folder / "shop2.py").write_text(
        SHOP + '\n@dag.task(requires=["audio"])\ndef mix(inputs):\n    return 1\n'
    )
    stored = pipelines.shaped("snapshot", "--dag", "shop2:dag")["snapshots"][0]
    before = pipelines.shaped("enqueue", "--dag", "shop", "--run-id", "between")["snapshot"]
    pipelines.run("snapshot", "--dag", "shop2:dag", "--activate")
    after = pipelines.shaped("enqueue", "--dag", "shop", "--run-id", "new")["snapshot"]

    assert not stored["active"]
    assert (before == stored["id"], after == stored["id"]) == (False, True)
    listed = {each["id"]: each["active"] for each in pipelines.shaped("snapshot", "--list")["snapshots"]}
    assert listed == {before: False, after: True}
    runs = {run["id"]: run["stages"] for run in pipelines.shaped("list-jobs")["runs"]}
    assert runs == {
        "old": ["script", "audio"],
        "between": ["script", "audio"],
        "new": ["script", "audio", "mix"],
    }
    assert pipelines.run("snapshot", "--list", "--activate", status=2).out == ""


def test_enqueue_gives_the_roots_what_the_options_say_and_keeps_the_rest(pipelines: PipelineDesk) -> None:
    """P8."""
    (pipelines.folder / "in.json").write_text('{"topic": "tides"}')
    (pipelines.folder / "rules.yaml").write_text("gates:\n  script:\n    timeout_minutes: 7\n")
    words = ["--inputs", "@in.json", "--uri", "s3://b/x", "--metadata", '{"by": "ann"}']
    words += ["--slug", "tides", "--intent", "a pilot", "--config", "rules.yaml"]
    started = pipelines.shaped("enqueue", "--dag", "shop:dag", *words)

    shown = pipelines.shaped("show", started["id"])

    assert started["created"]
    assert shown["inputs"] == {"topic": "tides", "uri": "s3://b/x"}
    assert (shown["metadata"], shown["slug"], shown["intent"]) == ({"by": "ann"}, "tides", "a pilot")
    assert shown["config"]["gates"]["script"]["timeout_minutes"] == 7


def test_the_same_id_with_the_same_inputs_is_a_duplicate_and_with_others_a_conflict(
    pipelines: PipelineDesk,
) -> None:
    """P8."""
    pipelines.start(tide="high")
    again = pipelines.shaped("enqueue", "--dag", "shop", "--run-id", "ep-7", "--inputs", '{"tide": "high"}')

    assert not again["created"]
    assert (
        "duplicate: ep-7 was started before"
        in pipelines.run("enqueue", "--run-id", "ep-7", "--inputs", '{"tide": "high"}').out
    )
    assert "started with other inputs" in pipelines.refused(
        "enqueue", "--run-id", "ep-7", "--inputs", '{"tide": "low"}', status=65
    )


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["--inputs", "{"], 65, "--inputs is no JSON"),
        (["--inputs", "[1]"], 65, "--inputs is no JSON object"),
        (["--inputs", '{"x": NaN}'], 65, "NaN is no JSON"),
        (["--inputs", "@none.json"], 65, "none.json of --inputs cannot be read"),
        (["--metadata", "7"], 65, "--metadata is no JSON object"),
        (["--run-id", "../../etc"], 65, "cannot be the id of a run"),
        (["--config", "none.yaml"], 78, "none.yaml"),
        (["--uri", "a", "--inputs", '{"uri": "b"}'], 2, "--uri"),
        (["--dag", "nothing"], 2, "no pipeline 'nothing' is stored"),
        (["--dag", "nothing:dag"], 78, "there is no module 'nothing'"),
        (["--dag", "shop:nothing"], 78, "shop has no nothing"),
        (["--inputs", '{"x": "\\ud800"}'], 65, "half of a character"),
        (["--slug", "a\udcff"], 2, "is not UTF-8"),
        (["--uri", "a\udcff"], 2, "is not UTF-8"),
        (["--intent", "x" * 10_001], 65, "intent of the run"),
    ],
)
def test_what_cannot_be_started_is_one_sentence(
    pipelines: PipelineDesk, words: list[str], status: int, sentence: str
) -> None:
    """P1, P8."""
    pipelines.run("init-db", "--dag", "shop:dag")

    assert sentence in pipelines.refused("enqueue", *words, status=status)
    assert pipelines.shaped("list-jobs")["runs"] == []


def test_a_stage_in_the_operators_file_that_no_pipeline_has_is_refused(pipelines: PipelineDesk) -> None:
    """P12."""
    (pipelines.folder / "conf").mkdir()
    (pipelines.folder / "conf" / "operator.yaml").write_text("gates:\n  scrpit:\n    required: true\n")

    assert "scrpit" in pipelines.refused("enqueue", "--dag", "shop:dag", status=78)


def test_the_pipeline_may_be_left_out_where_only_one_is_stored(pipelines: PipelineDesk) -> None:
    """P8."""
    pipelines.refused("enqueue", status=2)
    pipelines.run("init-db", "--dag", "shop:dag")
    assert pipelines.shaped("enqueue")["dag"] == "shop"
    pipelines.run("init-db", "--dag", "demo")

    assert "demo, shop" in pipelines.refused("enqueue", status=2)


def test_the_pipeline_of_the_settings_is_meant_where_none_is_named(
    pipelines: PipelineDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P1."""
    monkeypatch.setenv("ORCHEX_DAG", "shop:dag")

    assert pipelines.shaped("enqueue")["dag"] == "shop"
    assert [each["dag"] for each in pipelines.shaped("init-db")["snapshots"]] == ["shop"]


def test_new_job_starts_the_shipped_factory_with_its_sample(pipelines: PipelineDesk) -> None:
    """P8."""
    started = pipelines.shaped("new-job")
    shown = pipelines.shaped("show", started["id"])

    assert (started["dag"], started["created"]) == ("factory", True)
    assert [stage["name"] for stage in shown["stages"]] == ["audio", "visuals", "render"]
    assert shown["inputs"]["script"].startswith("# ")
    named = pipelines.shaped("new-job", "--dag", "video", "--inputs", '{"topic": "tides"}')
    assert pipelines.shaped("show", named["id"])["inputs"] == {"topic": "tides"}


def test_init_db_stores_the_shipped_pipelines(pipelines: PipelineDesk) -> None:
    """P8."""
    stored = {each["dag"]: each["active"] for each in pipelines.shaped("init-db")["snapshots"]}

    assert stored == {"factory": True, "video": True}


def test_list_jobs_has_the_line_of_the_contract(pipelines: PipelineDesk) -> None:
    """P8."""
    pipelines.start("one")
    waiting = pipelines.run("list-jobs").out
    pipelines.floor.claim("host:12")
    working = pipelines.shaped("list-jobs", "--active")["runs"][0]

    assert waiting == "one  script=READY(None)  audio=NEW(None)  attempts=0\n"
    assert pipelines.run("list-jobs").out == ("one  script=RUNNING(host:12)  audio=NEW(None)  attempts=1\n")
    assert working["script_lease_owner"] == "host:12"
    assert re.fullmatch(r"[\d-]+T[\d:.]+Z", working["script_lease_expires_at"])
    assert working["audio_lease_owner"] is None


def test_show_tells_the_story_of_a_run(pipelines: PipelineDesk) -> None:
    """P8."""
    pipelines.start("one")
    pipelines.make()
    pipelines.run("reject", "one", "--operator", "ann", "--notes", "less moon")
    story = pipelines.run("show", "one").out

    assert "state     paused" in story
    assert "gate script, attempt 1" in story
    assert "rejected by ann" in story
    assert "script.txt" in story
    assert "job-pipeline advance one --with-note" in story
    assert pipelines.shaped("show", "one")["waits"][0]["command"] == "job-pipeline advance one --with-note"
    assert pipelines.refused("show", "two", status=65).startswith("there is no run 'two'")


def test_artifacts_say_where_they_lie(pipelines: PipelineDesk) -> None:
    """P23."""
    pipelines.start("one")
    pipelines.make(text="Twice a day.")

    found = pipelines.shaped("artifacts", "one")

    assert found["folder"] == str(pipelines.folder / "runs" / "one")
    assert [(each["path"], each["measures"]) for each in found["artifacts"]] == [("script.txt", {"words": 3})]
    assert "words=3" in pipelines.run("artifacts", "one").out


def test_cancel_stops_a_run_once_and_resume_lets_it_go_on(pipelines: PipelineDesk) -> None:
    """P22."""
    pipelines.start("one")
    first = pipelines.shaped("cancel", "one", "--operator", "ann", "--notes", "another title")
    second = pipelines.shaped("cancel", "one")
    resumed = pipelines.shaped("resume", "one")

    assert (first["changed"], second["changed"], first["operator"]) == (True, False, "ann")
    assert resumed["stages"] == ["script", "audio"]
    assert pipelines.shaped("show", "one")["state"] == "queued"
    pipelines.refused("resume", "one", status=65)


def test_events_are_the_journal_and_end_with_the_run_they_follow(pipelines: PipelineDesk) -> None:
    """P24."""
    pipelines.start("one")
    pipelines.start("two")
    pipelines.run("cancel", "one", "--operator", "ann")
    everything = pipelines.shaped("events")
    followed = pipelines.run("events", "--follow", "--run", "one", "--json").out.splitlines()

    trail_files = (pipelines.folder / "jobs" / "state.jsonl").read_text().splitlines()
    of_one = (pipelines.folder / "runs" / "one" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in trail_files] == everything
    assert [json.loads(line) for line in of_one] == [json.loads(line) for line in followed]
    assert [event["event"] for event in map(json.loads, of_one)] == [
        "job_started",
        "stage_canceled",
        "stage_canceled",
        "job_canceled",
    ]
    assert len(pipelines.shaped("events", "--after", 3)) == len(everything) - 3
    assert "operator=ann" in pipelines.run("events", "--run", "one").out
    pipelines.refused("events", "--run", "three", status=65)
