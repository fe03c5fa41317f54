"""`job-watcher run --json` as a program that follows it reads it."""

from __future__ import annotations

import json
import signal

from tests.integration.watcher.conftest import Deployment, beats


def test_with_json_each_transition_is_a_line(deployment: Deployment) -> None:
    """W1."""
    (job,) = beats(1)
    deployment.enqueue([job])
    watcher = deployment.start_watcher("--json")
    deployment.wait_until_done([job])
    watcher.send_signal(signal.SIGTERM)

    assert watcher.wait(60) == 0
    lines = [json.loads(line) for line in (deployment.data / "watcher.log").read_text().splitlines()]
    events = [line["event"] for line in lines if line["event"] != "log"]
    assert [event for event in events if event != "started"] == [
        "claimed",
        "begun",
        "done",
        "draining",
        "stopped",
    ]
    assert {line["request_id"] for line in lines if "request_id" in line} == {job.request_id}
