"""P30: lists of jobs, and what is done to many of them, over REST."""

from __future__ import annotations

from typing import Any

import httpx
from jsonschema import Draft202012Validator

from job_console.app import build_api
from lib.jobqueue import ErrorClass, Failure
from tests.doubles.console import ConsoleDesk
from tests.unit.console.test_routes import API, ask


def fail(desk: ConsoleDesk, message: str) -> str:
    (lease,) = desk.queue.claim("worker")
    desk.queue.fail(desk.queue.begin(lease), Failure(ErrorClass.BAD_INPUT, message))
    return lease.request_id


def states(desk: ConsoleDesk, *names: str) -> list[str]:
    return [record.state.value if record else "" for record in desk.queue.jobs([f"topic:{n}" for n in names])]


def pages(client: httpx.Client, query: str) -> list[str]:
    found, after = [], ""
    while True:
        page = ask(client, "GET", f"/queue/jobs?{query}{after}")
        found += [job["request_id"] for job in page["jobs"]]
        if page["after"] is None:
            return found
        after = f"&after={page['after']}"


def test_unfinished_jobs_come_in_pages_with_what_they_say(desk: ConsoleDesk, client: httpx.Client) -> None:
    desk.enqueue(*"abcde")
    assert pages(client, "limit=2") == [f"topic:{name}" for name in "abcde"]
    assert pages(client, "limit=2&text=PIC:C") == ["topic:c"]
    desk.queue.claim("worker")
    running = ask(client, "GET", "/queue/jobs?state=running")["jobs"]
    assert [(job["request_id"], job["watcher"], job["voice"]) for job in running] == [
        ("topic:a", "worker", "Ryan")
    ]
    assert running[0]["text"].startswith("Job a.")
    ask(client, "GET", "/queue/jobs?state=done", status=422)


def test_what_a_page_shows_is_withdrawn_and_nothing_else(desk: ConsoleDesk, client: httpx.Client) -> None:
    desk.enqueue("a1", "a2", "b1")
    told = ask(client, "POST", "/queue/cancel", json={"state": "waiting", "text": "a"})
    assert (told["canceled"], told["after"]) == (2, None)
    assert states(desk, "a1", "a2", "b1") == ["canceled", "canceled", "waiting"]
    told = ask(client, "POST", "/queue/cancel", json={"jobs": ["topic:b1", "topic:b1", "topic:none"]})
    assert told["canceled"] == 1
    assert ask(client, "POST", "/queue/cancel", json={"jobs": ["topic:b1"]})["canceled"] == 0


def test_many_are_withdrawn_in_steps(desk: ConsoleDesk, client: httpx.Client) -> None:
    desk.enqueue(*"abcde")
    steps, body = 0, {"state": "waiting", "limit": 2}
    while True:
        told = ask(client, "POST", "/queue/cancel", json=body)
        steps += 1
        if told["after"] is None:
            break
        body = {**body, "after": told["after"]}
    assert (steps, set(states(desk, *"abcde"))) == (3, {"canceled"})


def test_failures_that_look_alike_are_one_group_and_tried_again_together(
    desk: ConsoleDesk, client: httpx.Client
) -> None:
    desk.enqueue(*"abc")
    fail(desk, "Take 17 of /data/x/1.wav of topic:a is silent.")
    fail(desk, "Take 3 of /data/y/22.wav of topic:b is silent.")
    fail(desk, "The voice is gone.")
    found = ask(client, "GET", "/queue/failures")
    assert [(group["count"], group["class"]) for group in found["groups"]] == [
        (2, "bad_input"),
        (1, "bad_input"),
    ]
    assert found["groups"][0]["jobs"] == ["topic:b", "topic:a"]
    signature = found["groups"][0]["signature"]
    told = ask(client, "POST", "/queue/retry", json={"state": "failed", "signature": signature})
    assert (told["requeued"], states(desk, *"abc")) == (2, ["waiting", "waiting", "failed"])
    told = ask(client, "POST", "/queue/retry", json={"jobs": ["topic:a", "topic:c"]})
    assert [job["requeued"] for job in told["jobs"]] == [False, True]


def test_the_queue_is_held_and_goes_on(desk: ConsoleDesk, client: httpx.Client) -> None:
    for path, paused in (("pause", True), ("resume", False)):
        for changed in (True, False):
            told = ask(client, "POST", f"/queue/{path}")
            assert (told["paused"], told["changed"]) == (paused, changed)
        assert desk.queue.snapshot().paused is paused


def test_either_names_or_a_state_is_in_the_description(desk: ConsoleDesk, client: httpx.Client) -> None:
    schemas = build_api().openapi()["components"]["schemas"]
    bodies: list[dict[str, Any]] = [
        {},
        {"jobs": ["topic:a"]},
        {"state": None},
        {"jobs": ["topic:a"], "state": None},
        {"jobs": None, "text": "a"},
    ]
    for path, name, state in (("cancel", "CancelManyBody", "waiting"), ("retry", "RetryManyBody", "failed")):
        for body in [*bodies, {"state": state}, {"state": state, "jobs": ["a"]}]:
            answer = client.post(f"{API}/queue/{path}", json=body)
            schema = {**schemas[name], "components": {"schemas": schemas}}
            assert Draft202012Validator(schema).is_valid(body) == (answer.status_code != 422), body
