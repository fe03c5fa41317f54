"""P32: the overview, the queue, the history and the scripts as pages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from job_console.pages.charts import ChartValue, bar_chart
from job_console.pages.overview import fed, throughput
from job_console.stream.hub import NewsSources
from lib.jobqueue import ErrorClass, Failure
from lib.jobs.scripts import ScriptShelf, UnknownScript
from lib.jobspec import parse_any_file
from tests.doubles.console import ConsoleDesk, job_file
from tests.unit.console.test_many_jobs import fail
from tests.unit.console.test_scripts import hand_in

EVIL = "<script>alert(1)</script>"
PAGES = ("/", "/?span=month", "/queue", "/queue?state=failed", "/history", "/history?grouped=true", "/upload")


def test_a_page_of_nothing_says_why_it_is_empty(client: httpx.Client) -> None:
    for path in PAGES:
        answer = client.get(path)
        assert (path, answer.status_code) == (path, 200)
        assert 'class="empty"' in answer.text, path


NOT_ASKED = (
    "/?span=year",
    "/queue?state=done",
    "/queue?after=%2e%2e",
    "/history?status=lost",
    "/history?after=x",
    "/history?signature=zz",
    "/upload?script=..",
    "/scripts/..%2f..%2fabout",
    f"/queue?text={'x' * 201}",
)


def test_what_no_page_is_asked_for_is_refused_with_a_page(client: httpx.Client) -> None:
    for path in NOT_ASKED:
        answer = client.get(path)
        assert (path, answer.status_code) in ((path, 404), (path, 422))
        assert answer.headers["content-type"].startswith("text/html")


def test_no_text_of_a_caller_is_more_than_text(desk: ConsoleDesk, client: httpx.Client) -> None:
    text = job_file("a", "b", text=f"{EVIL} more.")
    script = hand_in(client, text, f"&name={EVIL.replace('/', '')}.yaml")["script"]["id"]
    fail(desk, f"{EVIL} 'quoted\" failed")
    pages = [*PAGES, "/history?status=failed", f"/scripts/{script}", f"/upload?script={script}"]
    pages += [f"/{room}?text={EVIL.replace('/', '%2f')}" for room in ("queue", "history")]
    shown = [client.get(path).text for path in pages]
    assert all("<script>alert" not in page for page in shown)
    assert sum("&lt;script&gt;alert" in page for page in shown) >= 8


def test_the_overview_says_why_nothing_runs(desk: ConsoleDesk, client: httpx.Client) -> None:
    desk.enqueue("a")
    desk.start()
    desk.work()
    page = client.get("/").text
    assert "no watcher runs" in page
    assert "1 gate waits for a decision" in page
    desk.queue.pause()
    page = client.get("/").text
    assert "The queue is paused with 1 outstanding." in page
    assert 'data-post="/api/v1/queue/resume"' in page


def test_the_queue_is_read_a_page_at_a_time(desk: ConsoleDesk, client: httpx.Client) -> None:
    desk.enqueue(*(f"b{number:03}" for number in range(120)))
    seen: list[str] = []
    path = "/queue"
    while path:
        page = client.get(path).text
        seen += re.findall(r'<tr data-job="([^"]+)"', page)
        more = re.search(r'href="([^"]+)">Next page', page)
        path = more[1].replace("&amp;", "&") if more else ""
    assert seen == [f"topic:b{number:03}" for number in range(120)]


def test_the_history_is_found_again_by_id_and_by_what_failures_share(
    desk: ConsoleDesk, client: httpx.Client
) -> None:
    desk.enqueue("a1", "a2", "b1")
    for number in range(2):
        fail(desk, f"Take {number} is silent.")
    fail(desk, "Gone.")
    assert re.findall(r'<a href="/jobs/([^"]+)"', client.get("/history?text=B1").text) == ["topic%3Ab1"]
    grouped = client.get("/history?grouped=true").text
    (first, *_) = re.findall(r"signature=([0-9a-f]{12})", grouped)
    found = client.get(f"/history?signature={first}").text
    assert re.findall(r'<a href="/jobs/([^"]+)"', found) == ["topic%3Aa2", "topic%3Aa1"]


def test_the_chart_counts_what_ended_in_each_hour(desk: ConsoleDesk) -> None:
    desk.enqueue("a", "b")
    desk.speak("a")
    fail(desk, "No.")
    now = desk.queue.snapshot().server_time
    for span in ("day", "month"):
        chart = throughput(desk.queue, now, span)
        assert [(bar.value.good, bar.value.bad) for bar in chart.bars][-1] == (1, 1)
        assert sum(bar.value.good + bar.value.bad for bar in chart.bars) == 2
        later = throughput(desk.queue, now + 3 * 86_400, span).bars
        assert (later[-1].value.good, later[-1].value.bad) == (0, 0)


def test_bars_stand_on_the_floor_and_none_is_higher_than_its_room() -> None:
    values = [ChartValue(str(n), good, bad, "") for n, (good, bad) in enumerate([(0, 0), (1, 0), (600, 400)])]
    chart = bar_chart(values)
    for bar in chart.bars:
        assert bar.good_y + bar.good_height == chart.floor
        assert bar.bad_y >= 0
    assert [bar.good_height > 0 for bar in chart.bars] == [False, True, True]


def test_the_feed_ends_where_the_stream_begins(desk: ConsoleDesk) -> None:
    desk.enqueue("a")
    desk.start()
    sources = NewsSources(desk.queue, desk.ledger)
    place = sources.now()
    desk.enqueue("late")
    desk.work()
    told = [(line.name, line.kind) for line in fed(desk.parts, place)]
    assert sorted(told) == [("r1", "job_started"), ("topic:a", "created")]
    missed = [news.told for news in sources.of_queue(place.queue)]
    assert [news["request_id"] for news in missed] == ["topic:late"]


def test_a_script_shows_its_lines_in_pages(desk: ConsoleDesk, client: httpx.Client) -> None:
    script = hand_in(client, job_file(*(f"b{number:03}" for number in range(130))))["script"]["id"]
    first, rest = (client.get(f"/scripts/{script}{query}").text for query in ("", "?from=101"))
    assert first.count("data-number=") == 100
    assert re.findall(r'data-number="(\d+)"', rest) == [str(number) for number in range(101, 131)]
    assert f'href="/scripts/{script}?from=101"' in first
    assert "0 of 130 spoken" in first


def test_a_line_that_failed_says_why_and_one_that_is_done_can_be_heard(
    desk: ConsoleDesk, client: httpx.Client
) -> None:
    script = hand_in(client, job_file("a", "b", "c"))["script"]["id"]
    desk.speak("a")
    (lease,) = desk.queue.claim("worker")
    desk.queue.fail(desk.queue.begin(lease), Failure(ErrorClass.BAD_INPUT, "It is silent."))
    page = client.get(f"/scripts/{script}").text
    (source,) = re.findall(r'data-src="([^"]+)"', page)
    assert client.get(source).headers["content-type"] == "audio/wav"
    assert "bad_input: It is silent." in page
    told = [json.loads(each) for each in re.findall(r"data-filter='([^']+)'", page)]
    assert told == [{"jobs": ["topic:b"]}, {"jobs": ["topic:c"]}]
    assert "audio.zip" not in page


def test_the_oldest_of_too_many_scripts_go(tmp_path: Path) -> None:
    shelf = ScriptShelf(tmp_path / "scripts", 2)
    kept = []
    for number in range(3):
        data = job_file(f"b{number}").encode()
        file = parse_any_file(data, name="t")
        kept.append(shelf.keep(data, file, name="t", operator="ann", at=float(number)))
    assert [script.id for script in shelf.latest()] == [kept[2].id, kept[1].id]
    with pytest.raises(UnknownScript):
        shelf.text(kept[0].id)
    with pytest.raises(UnknownScript):
        shelf.script(f"../scripts/{kept[1].id}")
    assert shelf.script(kept[1].id) == kept[1]
