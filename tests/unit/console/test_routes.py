"""Each route calls what the command calls, and answers with its value, in the shape that the OpenAPI says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from job_console import wiring
from job_console.app import build_api
from lib.jobs.overview import overview_of
from lib.pipeline.gates import approve_gate
from lib.pipeline.overview import gates_inbox
from lib.pipeline.runs import advance, cancel_job
from lib.pipeline.snapshots import save_snapshot
from lib.pipeline.states import TaskState
from lib.pipeline.trail import events_after
from lib.pipeline.views import event_json, get_job_status, list_runs
from lib.settings import load_settings
from tests.doubles.console import GATED, ConsoleDesk, check_answer, job_file

API = "/api/v1"
YAML = {"Content-Type": "application/yaml"}


def ask(
    client: httpx.Client,
    method: str,
    path: str,
    *,
    template: str | None = None,
    status: int = 200,
    **given: Any,
) -> Any:
    """The value of an answer, which has that status and its documented shape."""
    answer = client.request(method, API + path, **given)
    assert answer.status_code == status, answer.text
    check_answer(method, template or path.partition("?")[0], status, answer.json())
    return answer.json()


def without_seconds(trail: list[Any]) -> list[Any]:
    return [(kind, task, {k: v for k, v in data.items() if k != "seconds"}) for kind, task, data in trail]


class TestRuns:
    """P20, P30: runs over REST."""

    def test_start_once_however_often_it_is_sent(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        save_snapshot(desk.ledger, GATED.graph())
        asked = {"dag": "gated", "id": "ep-7", "inputs": {"topic": "tides"}, "slug": "tides"}
        first = ask(client, "POST", "/runs", status=201, json=asked)
        again = ask(client, "POST", "/runs", json=asked)
        assert (first["created"], again["created"]) == (True, False)
        other = ask(client, "POST", "/runs", status=409, json={**asked, "inputs": {"topic": "moon"}})
        assert other["error"]["type"] == "RunConflict"
        assert [line.run.id for line in list_runs(desk.ledger)] == ["ep-7"]

    def test_a_started_run_has_the_operators_rules_frozen(
        self, desk: ConsoleDesk, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save_snapshot(desk.ledger, GATED.graph())
        monkeypatch.chdir(desk.folder)
        place = desk.folder / "conf" / "operator.yaml"
        place.parent.mkdir()
        place.write_text("gates: {script: {timeout_minutes: 5}}\n")
        started = ask(client, "POST", "/runs", status=201, json={})
        assert get_job_status(desk.ledger, started["id"]).config["source"] == "conf/operator.yaml"

    def test_show_what_the_command_shows(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start("r1", topic="tides")
        desk.work(files={"script.txt": b"Hello."})
        told = ask(client, "GET", "/runs/r1", template="/runs/{run}")
        assert told == json.loads(json.dumps(get_job_status(desk.ledger, "r1").to_json()))
        lines = ask(client, "GET", "/runs")["runs"]
        assert lines == json.loads(json.dumps([line.to_json() for line in list_runs(desk.ledger)]))

    def test_come_in_pages_that_repeat_and_hide_none(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        for number in range(7):
            desk.start(f"r{number}")
        seen, after = [], ""
        for _ in range(4):
            page = ask(client, "GET", f"/runs?limit=2{after}")
            seen += [run["id"] for run in page["runs"]]
            if page["after"] is None:
                break
            after = f"&after={page['after']}"
            desk.start(f"new-{len(seen)}")  # what comes meanwhile
        assert sorted(seen) == [f"r{number}" for number in range(7)]

    def test_are_canceled_and_go_on(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start("r1")
        path, body = "/runs/r1/cancel", {"operator": "ann", "notes": "another title"}
        first = ask(client, "POST", path, template="/runs/{run}/cancel", json=body)
        again = ask(client, "POST", path, template="/runs/{run}/cancel", json=body)
        assert (first["changed"], again["changed"]) == (True, False)
        told = ask(client, "POST", "/runs/r1/resume", template="/runs/{run}/resume", json={"operator": "ann"})
        assert told["stages"] == ["script", "audio"]

    def test_are_listed_by_state(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        for run in ("waits", "new"):
            desk.start(run)
        desk.work("waits")
        told = ask(client, "GET", "/runs?state=needs_approval&state=paused")
        assert [run["id"] for run in told["runs"]] == ["waits"]
        ask(client, "GET", "/runs?state=asleep", status=422)

    def test_whose_stage_is_dead_try_it_again(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start("r1")
        desk.fail(for_good=True)
        path, template, body = "/runs/r1/retry", "/runs/{run}/retry", {"operator": "ann"}
        told = ask(client, "POST", path, template=template, json=body)
        assert [stage["stage"] for stage in told["retried"]] == ["script"]
        assert ask(client, "POST", path, template=template, json=body) == {"retried": [], "refused": []}
        named = {**body, "stage": "script"}
        assert ask(client, "POST", path, template=template, json=named, status=409)["error"]["message"]
        ask(client, "POST", "/runs/r9/retry", template=template, json=body, status=404)

    def test_that_nobody_knows_are_not_found(self, client: httpx.Client) -> None:
        for path in ("", "/trail", "/artifacts"):
            told = ask(client, "GET", f"/runs/r9{path}", template=f"/runs/{{run}}{path}", status=404)
            assert told["error"]["type"] == "UnknownRun"

    def test_say_that_somebody_must_decide(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start("r1")
        told = ask(client, "POST", "/runs/r1/cancel", template="/runs/{run}/cancel", status=403, json={})
        assert "operator" in told["error"]["message"]


class TestGates:
    """P20, P21: gates over REST leave the trail that the command leaves."""

    APPROVE = "/runs/{run}/gates/{stage}/approve"
    REJECT = "/runs/{run}/gates/{stage}/reject"

    def test_approve_as_the_command_does(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        for run in ("by-rest", "by-command"):
            desk.start(run)
            desk.work(run, files={"script.txt": b"Hello."})
        assert ask(client, "GET", "/gates")["gates"][0]["run"] == "by-rest"
        body = {"operator": "ann", "notes": "good"}
        gate = ask(client, "POST", "/runs/by-rest/gates/script/approve", template=self.APPROVE, json=body)
        approve_gate(desk.ledger, "by-command", "script", operator="ann", notes="good")
        assert gate["decision"] == "approved"
        trails = [
            [(event.kind, event.task, event.data) for event in events_after(desk.ledger, 0, run=run)]
            for run in ("by-rest", "by-command")
        ]
        drop = [
            [(k, t, {n: v for n, v in d.items() if n != "seconds"}) for k, t, d in each] for each in trails
        ]
        assert drop[0] == drop[1]
        lines = (desk.folder / "runs" / "by-rest" / "events.jsonl").read_text().splitlines()
        assert json.loads(lines[-1])["event"] == "gate_approved"

    def test_the_first_decision_wins_and_the_second_hears_who(
        self, desk: ConsoleDesk, client: httpx.Client
    ) -> None:
        desk.start()
        desk.work()
        path = "/runs/r1/gates/script/"
        ask(
            client,
            "POST",
            path + "reject",
            template=self.REJECT,
            json={"operator": "ann"},
        )
        late = ask(
            client, "POST", path + "approve", template=self.APPROVE, status=409, json={"operator": "bob"}
        )
        assert late["error"]["type"] == "AlreadyDecided"
        assert "ann" in late["error"]["message"]
        assert gates_inbox(desk.ledger) == []

    def test_a_file_that_changed_is_looked_at_again(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start()
        desk.work(files={"script.txt": b"Hello."})
        (desk.folder / "runs" / "r1" / "script.txt").write_bytes(b"Other.")
        path, body = "/runs/r1/gates/script/approve", {"operator": "ann"}
        told = ask(client, "POST", path, template=self.APPROVE, status=409, json=body)
        assert told["error"]["type"] == "SeenSomethingElse"
        ask(client, "POST", path, template=self.APPROVE, json=body)

    def test_advance_tells_the_stage_the_note(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start()
        desk.work()
        body = {"operator": "ann", "notes": "less moon"}
        ask(
            client,
            "POST",
            "/runs/r1/gates/script/reject",
            template=self.REJECT,
            json=body,
        )
        wanted = {"operator": "ann", "with_note": True}
        told = ask(client, "POST", "/runs/r1/advance", template="/runs/{run}/advance", json=wanted)
        assert told == {
            **{"run": "r1", "stage": "script", "instruction": "less moon", "operator": "ann"},
            "rejected": [],
        }

    def test_a_rejection_may_run_the_stage_anew_at_once(
        self, desk: ConsoleDesk, client: httpx.Client
    ) -> None:
        desk.start()
        desk.work(files={"script.txt": b"Hello."})
        assert ask(client, "GET", "/gates/count") == {"waiting": 1}
        body = {"operator": "ann", "notes": "less moon", "anew": True}
        gate = ask(client, "POST", "/runs/r1/gates/script/reject", template=self.REJECT, json=body)
        assert gate["decision"] == "rejected"
        (script, _) = get_job_status(desk.ledger, "r1").line.tasks
        assert (script.state, script.instruction) == (TaskState.PENDING, "less moon")
        assert ask(client, "GET", "/gates/count") == {"waiting": 0}
        assert (desk.folder / "runs" / "r1" / ".rejected" / "script-1" / "script.txt").read_text() == "Hello."

    def test_a_decision_about_an_attempt_is_about_no_later_one_that_looks_the_same(
        self, desk: ConsoleDesk, client: httpx.Client
    ) -> None:
        desk.start()
        desk.work(files={"script.txt": b"Hello."})
        (seen,) = (gate["seen"] for gate in ask(client, "GET", "/gates")["gates"])
        body = {"operator": "ann", "seen": seen, "attempt": 1}
        path = "/runs/r1/gates/script/reject"
        ask(client, "POST", path, template=self.REJECT, json={**body, "anew": True})
        desk.work(files={"script.txt": b"Hello."})
        assert ask(client, "GET", "/gates")["gates"][0]["seen"] == seen
        for way, template in (("approve", self.APPROVE), ("reject", self.REJECT)):
            late = {**body, "operator": "bob"}
            told = ask(
                client, "POST", f"/runs/r1/gates/script/{way}", template=template, status=409, json=late
            )
            assert told["error"]["type"] == "AlreadyDecided"
        ask(client, "POST", path, template=self.REJECT, json={**body, "attempt": 2})

    def test_a_rejection_that_cannot_run_anew_says_that_it_stands(
        self, desk: ConsoleDesk, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk.start()
        desk.work()

        def canceled_between(*args: Any, **more: Any) -> str:
            cancel_job(desk.ledger, "r1", operator="bob")
            return advance(*args, **more)

        monkeypatch.setattr("job_console.api.gates.advance", canceled_between)
        body = {"operator": "ann", "anew": True}
        path = "/runs/r1/gates/script/reject"
        told = ask(client, "POST", path, template=self.REJECT, status=409, json=body)
        assert told["error"]["message"].startswith("script of r1 was rejected and stays so, but")


class TestQueue:
    """P30: the queue over REST."""

    def enqueue(
        self, client: httpx.Client, *names: str, query: str = "", status: int = 200, **given: str
    ) -> Any:
        data = job_file(*names, **given)
        path = "/queue/jobs"
        return ask(client, "POST", path + query, template=path, status=status, content=data, headers=YAML)

    def test_enqueue_is_once(self, client: httpx.Client) -> None:
        assert self.enqueue(client, "a", "b")["counts"] == {"created": 2}
        assert self.enqueue(client, "a", "b")["counts"] == {"duplicate": 2}
        told = self.enqueue(client, "a", status=409, text="Otherwise.")
        assert told["error"]["type"] == "Conflict"
        assert self.enqueue(client, "a", query="?changed=replace", text="Otherwise.")["counts"] == {
            "replaced": 1
        }

    def test_what_is_wrong_stands_with_its_line(self, client: httpx.Client) -> None:
        bad = "jobs:\n  - {output_name: a, speaker: Ryan, text: ''}\n"
        answer = client.post(f"{API}/queue/jobs", content=bad, headers=YAML)
        assert answer.status_code == 422
        assert answer.json()["error"]["problems"][0]["line"] == 2

    def test_no_file_of_this_computer_is_read(self, client: httpx.Client) -> None:
        bad = "jobs:\n  - {output_name: a, speaker: Ryan, text_file: /etc/passwd}\n"
        answer = client.post(f"{API}/queue/jobs", content=bad, headers=YAML)
        assert answer.status_code == 422
        assert "root" not in answer.text

    def test_status_is_that_of_the_command(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.enqueue("a")
        told = ask(client, "GET", "/queue/status")
        wanted = json.loads(json.dumps(overview_of(desk.queue).to_json()))
        assert {**told, "oldest_waiting_s": 0} == {**wanted, "oldest_waiting_s": 0}

    def test_a_result_is_there_when_the_job_is_done(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.enqueue("a")
        path, template = "/queue/jobs/topic:a/result", "/queue/jobs/{request_id}/result"
        assert ask(client, "GET", path, template=template, status=202)["state"] == "waiting"
        desk.speak("a")
        told = ask(client, "GET", path, template=template)
        assert told["state"] == "done"
        told = ask(
            client,
            "GET",
            "/queue/jobs/topic:a/explanation",
            template="/queue/jobs/{request_id}/explanation",
        )
        assert told["sentence"]
        ask(client, "GET", "/queue/jobs/topic:z/result", template=template, status=404)

    def test_history_comes_in_pages(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        for name in "abcde":
            desk.enqueue(name)
            desk.speak(name)
        seen, after = [], ""
        while True:
            page = ask(client, "GET", f"/queue/history?limit=2{after}", template="/queue/history")
            seen += [job["request_id"] for job in page["jobs"]]
            if page["after"] is None:
                break
            after = f"&after={page['after']}"
        assert sorted(seen) == [f"topic:{name}" for name in "abcde"]
        ask(client, "GET", "/queue/history?after=nonsense", template="/queue/history", status=422)

    def test_cancel_and_retry(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.enqueue("a", "b")
        cancel, retry = "/queue/jobs/{request_id}/cancel", "/queue/jobs/{request_id}/retry"
        for _ in range(2):
            assert ask(client, "POST", "/queue/jobs/topic:a/cancel", template=cancel)["state"] == "canceled"
        assert ask(client, "POST", "/queue/jobs/topic:a/retry", template=retry)["requeued"] == 1
        ask(client, "POST", "/queue/jobs/topic:a/retry", template=retry, status=409)
        desk.queue.cancel("topic:a")
        desk.speak("b")
        ask(client, "POST", "/queue/jobs/topic:b/cancel", template=cancel, status=409)
        ask(client, "POST", "/queue/jobs/topic:z/retry", template=retry, status=404)


@pytest.mark.parametrize(
    "path", ["/machines", "/instances", "/costs", "/costs?by=job&seconds=3600", "/healthz"]
)
def test_machines_and_money_have_their_shape(client: httpx.Client, path: str) -> None:
    """P30."""
    ask(client, "GET", path)


def test_the_trail_is_that_of_the_ledger(desk: ConsoleDesk, client: httpx.Client) -> None:
    """P24, P30."""
    desk.start()
    desk.work()
    told = ask(client, "GET", "/runs/r1/trail", template="/runs/{run}/trail")
    assert told == [event_json(event) for event in events_after(desk.ledger, 0, run="r1")]
    rest = ask(client, "GET", f"/runs/r1/trail?after={told[1]['position']}", template="/runs/{run}/trail")
    assert rest == told[2:]


def test_metrics_count_stages_and_gates_by_outcome_with_their_seconds(
    desk: ConsoleDesk, client: httpx.Client
) -> None:
    """P30."""
    desk.start()
    desk.work()
    approve_gate(desk.ledger, "r1", "script", operator="ann")
    page = client.get(f"{API}/metrics").text
    assert 'pipeline_stages{dag="gated",stage="script",state="succeeded"} 1.0' in page
    assert 'pipeline_gates{dag="gated",decision="approved",stage="script"} 1.0' in page.replace(
        'stage="script",decision="approved"', 'decision="approved",stage="script"'
    )
    assert "pipeline_gate_seconds" in page
    assert "pipeline_stage_seconds" in page


def test_what_may_not_be_given_together_is_in_the_description(
    desk: ConsoleDesk, client: httpx.Client
) -> None:
    """P30: who follows the OpenAPI is refused nothing by its form."""
    desk.start()
    schema = build_api().openapi()["components"]["schemas"]["AdvanceBody"]
    for body in ({"note": "Louder."}, {"note": None, "with_note": True}, {"note": "a", "with_note": True}):
        answer = client.post(f"{API}/runs/r1/advance", json={"operator": "ann", **body})
        assert Draft202012Validator(schema).is_valid(body) == (answer.status_code != 422), body


def test_a_queue_that_is_away_holds_no_thread_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P31: there are forty threads, and whoever is told 503 comes again."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr("lib.jobqueue.connect", lambda *_, **how: asked.update(how))
    environ = {"REDIS_URL": "redis://127.0.0.1:1/0", "HOME": str(tmp_path)}
    wiring._queue_of(load_settings({}, environ=environ, cwd=tmp_path))
    assert asked["patience_s"] <= 1.0
