"""P32: what was changed on a line's own page is kept when its script is changed; prose becomes a script."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx

from lib.jobqueue import Changed
from lib.jobspec import parse_any_file, parse_job_file
from tests.doubles.console import ConsoleDesk, job_file
from tests.doubles.spoken_jobs import perform
from tests.unit.console.test_routes import YAML, ask
from tests.unit.console.test_scripts import hand_in, look_over


def mend(desk: ConsoleDesk, text: str) -> None:
    desk.queue.enqueue(parse_job_file(text.encode(), name="t", base_dir=None).specs, changed=Changed.REPLACE)


def written(client: httpx.Client, script: str) -> str:
    page = client.get(f"/upload?script={script}").text
    found = re.search(r"<textarea.*?>\n?(.*?)</textarea>", page, re.DOTALL)
    assert found
    return html.unescape(found[1]).lstrip("\n")


def test_a_script_is_changed_from_how_it_is_spoken_by_now(desk: ConsoleDesk, client: httpx.Client) -> None:
    text = "# by ann\n" + job_file("a", "b")
    script = hand_in(client, text)["script"]["id"]
    mend(desk, job_file("a", text="The tide is mended."))
    assert written(client, script) == text.replace("Job a. The sea comes back.", "Job a. The tide is mended.")
    assert "1 line was changed since" in client.get(f"/upload?script={script}").text
    assert look_over(client, written(client, script))["stale"] == []
    page = client.get(f"/scripts/{script}").text
    said = re.findall(r'class="said">(.*?)<', page)
    assert said == ["Job a. The tide is mended.", "Job b. The sea comes back."]
    assert page.count("changed since") == 1


def test_what_cannot_be_put_in_shows_both_texts_and_may_be_left(
    desk: ConsoleDesk, client: httpx.Client
) -> None:
    text = job_file("a", "b")
    script = hand_in(client, text)["script"]["id"]
    mend(desk, job_file("a", text="Mended."))
    perform(desk, "a", "Job a. Mended.", speaker="Aiden")  # the fingerprint proves something else
    perform(desk, "b", "Job b. The sea comes back.")
    assert written(client, script) == text
    stays = client.get(f"/upload?script={script}").text
    assert 'data-apart="[&#34;topic:a&#34;]"' in stays
    edited = text.replace("Job b.", "Line b.")
    stale = {each["request_id"]: each for each in look_over(client, edited)["stale"]}
    assert (stale["topic:a"]["text"], stale["topic:a"]["now"]) == (
        "Job a. The sea comes back.",
        "Job a. Mended.",
    )
    told = hand_in(client, edited, "&changed=replace&leave=topic:a&leave=topic:new")
    assert told["enqueued"]["counts"] == {"replaced": 1}
    assert revision(desk, "a") == 2
    assert revision(desk, "b") == 2


def revision(desk: ConsoleDesk, name: str) -> int:
    record = desk.queue.job(f"topic:{name}")
    assert record
    return record.revision


def test_one_that_the_queue_does_not_know_cannot_be_left(desk: ConsoleDesk, client: httpx.Client) -> None:
    assert hand_in(client, job_file("a"), "&leave=topic:a")["enqueued"]["counts"] == {"created": 1}
    assert hand_in(client, job_file("a"), "&leave=topic:a")["enqueued"]["counts"] == {}


def test_a_paused_queue_is_told_where_one_waits_for_it(desk: ConsoleDesk, client: httpx.Client) -> None:
    script = hand_in(client, job_file("a"))["script"]["id"]
    pages = (f"/scripts/{script}", "/queue")
    assert not [path for path in pages if "/queue/resume" in client.get(path).text]
    ask(client, "POST", "/queue/pause")
    for path in pages:
        page = client.get(path).text
        assert "The queue is paused" in page
        assert 'data-post="/api/v1/queue/resume"' in page


def test_a_job_leads_back_to_the_script_that_names_it(desk: ConsoleDesk, client: httpx.Client) -> None:
    names = [f"l{number}" for number in range(120)]
    old = hand_in(client, job_file(*names))["script"]["id"]
    link = f'href="/scripts/{old}?from=101#row-102"'
    assert link in client.get("/jobs/topic:l101").text
    new = hand_in(client, "# edited\n" + job_file(*names), f"&edited={old}")["script"]["id"]
    assert f"/scripts/{new}?from=101#row-102" in client.get("/jobs/topic:l101").text
    desk.enqueue("alone")
    assert "/scripts/" not in client.get("/jobs/topic:alone").text


def test_the_job_page_says_speed_and_takes_of_now(desk: ConsoleDesk, client: httpx.Client) -> None:
    desk.enqueue("a")
    asked = client.get("/jobs/topic:a").text.partition('id="asked"')[2]
    assert asked.partition(">")[0].strip() == 'data-live="job" data-of="topic:a"'
    assert "<dt>speed</dt><dd>1.0</dd>" in asked
    assert "<dt>takes</dt><dd>1</dd>" in asked


PROSE = "The Harbour\n\nHe said: go,\nand text: they went.\n\n\n- Not a job.\n"


def make(client: httpx.Client, text: str, query: str, status: int = 200) -> Any:
    return ask(
        client,
        "POST",
        f"/scripts/draft?{query}",
        template="/scripts/draft",
        status=status,
        content=text,
        headers=YAML,
    )


def test_prose_becomes_a_script(client: httpx.Client) -> None:
    assert look_over(client, PROSE)["prose"] is True
    told = make(client, PROSE, "name=Old+Harbour.txt&speaker=Ryan")
    file = parse_any_file(told["text"].encode(), name="t")
    assert [(spec.output_name, spec.speaker, spec.text) for spec in file.specs] == [
        ("Old-Harbour/line-001", "Ryan", "The Harbour"),
        ("Old-Harbour/line-002", "Ryan", "He said: go, and text: they went."),
        ("Old-Harbour/line-003", "Ryan", "- Not a job."),
    ]
    assert told["name"] == "Old Harbour.yaml"
    assert look_over(client, told["text"])["prose"] is False
    assert "voice: ann" in make(client, PROSE, "voice=ann")["text"]
    for query in ("", "voice=a&speaker=b"):
        make(client, PROSE, query, status=422)


def test_a_script_that_is_wrong_is_no_prose(client: httpx.Client) -> None:
    for text in ("jobs: [", "text: a: b", '{"beats": ', "[1", "", "- output_name: a\n  txt: b"):
        assert look_over(client, text)["prose"] is False
    assert make(client, "jobs: [", "speaker=Ryan", status=422)["error"]["message"].startswith("this is ")


def test_what_speaks_beats_does_not_keep_prose_from_being_looked_over(client: httpx.Client) -> None:
    told = ask(
        client,
        "POST",
        "/scripts/plan?speaker=Ryan",
        template="/scripts/plan",
        content=PROSE,
        headers=YAML,
    )
    assert told["prose"] is True
    assert "make a script of it" in told["plan"]["problems"][0]["suggestion"]
