"""Several ids, topics and files in one command (Q45), and what `-v` adds (Q49)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.desk import Desk


def test_a_topic_is_canceled_retried_and_looked_at(desk: Desk) -> None:
    desk.enqueue("one", "two", "three")

    canceled = desk.shaped("cancel", "topic/")
    assert (canceled["canceled"], len(canceled["jobs"]), canceled["absent"]) == (3, 3, [])
    assert [row["state"] for row in desk.shaped("result", "topic/", status=1)["jobs"]] == ["canceled"] * 3
    assert len(desk.shaped("explain", "topic/")["jobs"]) == 3
    assert desk.shaped("wait", "topic/", status=1)["counts"] == {"canceled": 3}
    assert desk.shaped("retry", "topic/", "--yes")["requeued"] == 3
    assert desk.shaped("result", "topic:one", "topic:two", status=75)["jobs"][1]["state"] == "waiting"


def test_the_jobs_of_a_file_are_named_by_the_file(desk: Desk) -> None:
    desk.enqueue("one", "two")
    file = desk.file_of("one", "two", "new", name="more.yaml")

    told = desk.shaped("explain", "--file", file, status=65)
    assert ([row["request_id"] for row in told["jobs"]], told["absent"]) == (
        ["topic:one", "topic:two"],
        ["topic:new"],
    )
    assert desk.shaped("result", "--file", file, status=65)["absent"] == ["topic:new"]
    waited = desk.run("wait", "--file", file)
    assert waited.returncode == 65
    assert "topic:new; enqueue the file first" in waited.stderr
    assert desk.shaped("cancel", "--file", file)["canceled"] == 2
    assert desk.shaped("retry", "--file", file, "--yes")["absent"] == ["topic:new"]


def test_people_are_told_counts_and_what_was_left(desk: Desk) -> None:
    desk.enqueue("one", "two")
    desk.queue.cancel("topic:two")

    retried = desk.run("retry", "topic/", "-y")
    assert retried.stdout == "waiting: topic:two, which was canceled\n"
    assert retried.stderr == "requeued 1 of 2; 1 did not end badly and stay as they are\n"
    canceled = desk.run("cancel", "topic:one", "topic/")
    assert canceled.stdout.splitlines() == [f"canceled: topic:{x}, which was waiting" for x in ("one", "two")]
    assert canceled.stderr == "canceled 2 of 2\n"


def test_a_topic_with_jobs_of_every_state_is_a_line_for_each(world: Desk) -> None:
    rows = {row["request_id"]: row for row in world.shaped("result", "topic/", status=1)["jobs"]}
    lines = world.run("result", "topic/").stdout.splitlines()

    assert Path(rows["topic:done"]["files"][0]).is_file()
    assert len(lines) == len(rows) + 1
    assert [line for line in lines if line.endswith(rows["topic:done"]["files"][0])]
    assert len(world.shaped("explain", "topic/")["jobs"]) == len(rows)


def test_one_wrong_name_and_nothing_is_done(desk: Desk) -> None:
    desk.enqueue("one", "two")

    done = desk.run("cancel", "topic:one", "topic:too")

    assert (done.returncode, "did you mean topic:two" in done.stderr) == (65, True)
    assert desk.queue.snapshot().waiting == 2
    assert "did you mean topic/?" in desk.run("retry", "tpoic/", "-y").stderr


@pytest.mark.parametrize("command", ["cancel", "retry", "result", "explain", "wait"])
def test_a_command_that_is_told_no_job_says_how_to_name_some(desk: Desk, command: str) -> None:
    done = desk.run(command)

    assert done.returncode == 2
    assert "a topic with topic/" in done.stderr
    assert "--file FILE" in done.stderr


@pytest.mark.parametrize("command", ["cancel", "retry", "result", "explain", "wait"])
def test_bytes_that_are_no_text_are_no_id(desk: Desk, command: str) -> None:
    done = desk.run(command, "\udcff")

    assert done.returncode == 65
    assert "is no request id: it holds bytes that are not UTF-8" in done.stderr


def test_enqueueing_again_counts_what_is_known_and_names_what_differs(desk: Desk) -> None:
    desk.enqueue("one", "two")

    again = desk.run("enqueue", desk.file_of("one", "two", "three"))
    assert (again.stdout, again.stderr) == ("created    topic:three\n", "1 created, 2 already known\n")
    each = desk.run("enqueue", desk.file_of("one", "two", "three"), "-v")
    assert [line.split()[:2] for line in each.stdout.splitlines()] == [
        ["duplicate", f"topic:{name}"] for name in ("one", "two", "three")
    ]
