"""P32: the page of a job: its state and why, its takes side by side, its line to change."""

from __future__ import annotations

import html
import re

import httpx
import pytest

from job_console.pages.players import HeardTake, matched
from lib.jobqueue import Changed, ErrorClass, Failure
from lib.jobspec import normalize_job_spec
from lib.records import FaultRecord, Verification
from tests.doubles.console import ConsoleDesk, check_answer
from tests.doubles.spoken_jobs import perform

PAGE = "/jobs/topic:a"
HOSTILE = """<img src=x onerror=alert(1)>'"></textarea><script>alert(2)</script>{{ 7*7 }}"""


def ask_for(desk: ConsoleDesk, text: str) -> None:
    spec = normalize_job_spec({"output_name": "topic/a", "text": f"Job a. {text}", "speaker": "Ryan"})
    desk.queue.enqueue([spec], changed=Changed.REPLACE)


def takes_of(page: str) -> list[dict[str, str]]:
    """The data of each take of the player, in order."""
    found = re.findall(r'<li class="take[^"]*" data-take ([^>]*)>', page)
    return [
        {name: html.unescape(value) for name, value in re.findall(r'data-([a-z0-9-]+)="([^"]*)"', each)}
        for each in found
    ]


class TestStates:
    """What is said of a job wherever it is."""

    def test_that_waits(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.enqueue("a")
        page = client.get(PAGE)
        assert page.status_code == 200
        assert "no watcher runs" in page.text
        assert "heard here as soon as it is done" in page.text
        assert f"/api/v1/queue{PAGE}/cancel".replace(":", "%3A") in page.text
        assert "Job a. The sea comes back." in page.text

    def test_that_failed(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.enqueue("a")
        lease = desk.queue.begin(desk.queue.claim("w")[0])
        evidence = {"log": ["line one", HOSTILE]}
        desk.queue.fail(lease, Failure(ErrorClass.BAD_INPUT, f"No. {HOSTILE}", evidence))
        page = client.get(PAGE).text
        assert "bad_input" in page
        assert "line one" in page
        assert f"/api/v1/queue{PAGE}/retry".replace(":", "%3A") in page
        assert "<script>alert" not in page
        assert "<img" not in page.replace('<img src="/static/', "")

    def test_that_is_done(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.enqueue("a")
        perform(desk, "a", "Job a. The sea comes back.", takes=2, lufs=(-16.0, -22.5))
        page = client.get(PAGE).text
        first, second = takes_of(page)
        assert first["src"] == f"/api/v1/queue{PAGE}/takes/1?revision=1".replace(":", "%3A")
        assert (first["gain"], second["gain"]) == ("-6.5", "0.0")
        assert "UNVERIFIED" in page
        assert "Nobody compared it." in page
        assert "nothing was rented for it" in page
        for what in (first["src"], first["peaks"], first["captions"], second["src"]):
            assert client.get(what).status_code == 200

    def test_its_times_are_those_of_people(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.enqueue("a")
        told = "It is 2026-11-30T09:33:04.642Z, not 2026-13-30T09:33:04Z."
        desk.queue.fail(desk.queue.begin(desk.queue.claim("w")[0]), Failure(ErrorClass.BAD_INPUT, told))
        assert "(bad_input: It is Nov 30, 09:33:04 UTC, not 2026-13-30T09:33:04Z)" in client.get(PAGE).text

    def test_that_nobody_knows(self, client: httpx.Client) -> None:
        page = client.get("/jobs/topic:b")
        assert page.status_code == 404
        assert "topic:b" in page.text
        assert client.get("/jobs/%2e%2e%2fetc").status_code in (404, 422)
        assert client.get(f"{PAGE}?compare=x").status_code == 422

    def test_of_a_picture(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.queue.enqueue(
            [normalize_job_spec({"output_name": "topic/a", "kind": "image", "prompt": HOSTILE})]
        )
        page = client.get(PAGE).text
        assert html.escape("</textarea>") in page
        assert "<script>alert" not in page


class TestRevisions:
    """The old audio beside the new."""

    def test_the_old_is_heard_beside_the_new(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        for text in ("One.", "Two.", "Three."):
            ask_for(desk, text)
            perform(desk, "a", f"Job a. {text}")
        labels = [(take["note-take"], take.get("note-revision")) for take in takes_of(client.get(PAGE).text)]
        assert labels == [("1", "3"), ("1", "2")]
        oldest = takes_of(client.get(f"{PAGE}?compare=1").text)[1]
        assert oldest["note-revision"] == "1"
        assert (
            client.get(oldest["src"]).content != client.get(takes_of(client.get(PAGE).text)[1]["src"]).content
        )
        assert client.get(f"{PAGE}?compare=4").status_code == 422

    def test_while_it_is_spoken_anew_the_old_is_heard(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        ask_for(desk, "One.")
        perform(desk, "a", "Job a. One.")
        ask_for(desk, "Two.")
        page = client.get(PAGE).text
        assert [take["note-revision"] for take in takes_of(page)] == ["1"]
        assert "Job a. Two.</textarea>" in page

    def test_a_note_about_it_stands_where_the_line_is_changed(
        self, desk: ConsoleDesk, client: httpx.Client
    ) -> None:
        for text in ("One.", "Two.", "Three."):
            ask_for(desk, text)
            perform(desk, "a", f"Job a. {text}")
            asked = {"job": "topic:a", "seconds": 1, "words": f"{text} {HOSTILE}", "operator": HOSTILE[:28]}
            assert client.post("/api/v1/notes", json=asked).status_code == 201
        page = client.get(PAGE).text
        change = page[page.index('id="change-a-line"') :]
        assert "One. &lt;img" in change  # those of what the player plays are listed by it
        assert "Two. &lt;img" not in change
        assert "<img src=x" not in page


class TestTheLine:
    """What is changed."""

    def test_what_was_asked_for_is_given_back(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        ask_for(desk, f"Say {HOSTILE}")
        perform(desk, "a", f"Job a. Say {HOSTILE}")
        told = client.get(f"/api/v1/queue{PAGE}/specification").json()
        check_answer("GET", "/queue/jobs/{request_id}/specification", 200, told)
        assert (told["exact"], told["job"]["text"]) == (True, f"Job a. Say {HOSTILE}")
        page = client.get(PAGE).text
        assert page.count("<script") == page.count('<script type="module" src="/static/')
        assert "{{ 7*7 }}" in page  # as it was written, and not 49
        same = client.post(
            "/api/v1/queue/jobs?changed=replace&dry_run=true", json={"jobs": [told["job"]]}
        ).json()
        assert same["jobs"][0]["outcome"] == "duplicate"
        other = {**told["job"], "text": "Other words."}
        new = client.post("/api/v1/queue/jobs?changed=replace", json={"jobs": [other]}).json()["jobs"][0]
        assert (new["outcome"], new["revision"]) == ("replaced", 2)

    def test_what_is_guessed_says_so(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        spec = normalize_job_spec(
            {
                "output_name": "topic/a",
                "text": "Two words.",
                "speaker": "Ryan",
                "pronounce": {"words": "wurds"},
            }
        )
        desk.queue.enqueue([spec])
        perform(desk, "a", "Two words.")
        assert "What was asked for is kept no more" in client.get(PAGE).text


class TestLoudness:
    """Takes are compared as loud as each other, and nothing is louder than full scale."""

    @pytest.mark.parametrize(
        ("levels", "gains"),
        [
            ((-16.0, -22.5, -19.0), (-6.5, 0.0, -3.5)),
            ((-19.0, None), (0.0, 0.0)),
            ((-19.0, None, -20.0), (-1.0, 0.0, 0.0)),
            ((-16.0, -60.0), (-20.0, 0.0)),
            ((), ()),
        ],
    )
    def test_gains(self, levels: tuple[float | None, ...], gains: tuple[float, ...]) -> None:
        takes = [HeardTake(label="", src="", lufs=level) for level in levels]
        assert tuple(take.gain_db for take in matched(takes)) == gains


def test_a_verdict_is_that_of_the_take(desk: ConsoleDesk, client: httpx.Client) -> None:
    desk.enqueue("a")
    judged = (
        Verification(1, ok=True, score=0.02, why=None),
        Verification(2, ok=False, score=0.4, why="It is cut off."),
        Verification(3, ok=None, score=None, why=None, faults=(FaultRecord("clipping", 1, "It clips."),)),
    )
    perform(
        desk,
        "a",
        "Job a. The sea comes back.",
        takes=4,
        verdict="PASSED",
        verdict_why="It was heard.",
        verification=judged,
    )
    page = client.get(PAGE).text
    words = re.findall(r'<span class="word (\w+)">([^<]+)</span>', page[page.index('id="takes"') :])
    assert words[:4] == [("good", "PASSED"), ("bad", "FAILED"), ("bad", "FAILED"), ("warn", "UNVERIFIED")]
    assert "It was heard. Score 0.02 (less is better)." in page
    assert "It is cut off. Score 0.4 (less is better)." in page
    assert "It clips." in page
