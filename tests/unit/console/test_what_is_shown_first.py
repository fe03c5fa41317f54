"""P32: what people want to see stands first: films, pictures, scenes, runs that work or have failed."""

from __future__ import annotations

import json
import re

import httpx

from job_console.pages.scene_tables import SceneRow, scene_rows
from lib.pipeline.gates import approve_gate
from tests.doubles.console import ConsoleDesk
from tests.unit.console.test_run_pages import EVIL, shown

SCENE = {"scene": 0, "narration": "The sea.", "picture": "Waves."}


def test_the_film_of_a_completed_run_stands_at_its_top(desk: ConsoleDesk, client: httpx.Client) -> None:
    desk.start("r1")
    desk.work(files={"video.mp4": b"film", "poster.jpg": b"picture"})
    address = "/api/v1/runs/r1/artifacts/"
    assert 'id="film-head"' not in shown(client, "/runs/r1")
    approve_gate(desk.ledger, "r1", "script", operator="ann")
    desk.work()
    page = shown(client, "/runs/r1")
    assert page.index('id="film-head"') < page.index('id="graph-head"')
    assert f'src="{address}video.mp4" poster="{address}poster.jpg"' in page
    assert f'href="{address}video.mp4" download="r1.mp4"' in page
    for name in ("video.mp4", "poster.jpg"):  # and each file of the run
        assert f'href="{address}{name}" download="{name}"' in page


def test_pictures_stand_before_closed_json_and_a_storyboard_is_a_table(
    desk: ConsoleDesk, client: httpx.Client
) -> None:
    desk.start("r1")
    board = {"scenes": [{**SCENE, "picture": EVIL}]}
    files = {"a.json": b"{}", "storyboard.json": json.dumps(board).encode(), "z.png": b"x", "z.txt": b"x"}
    desk.work(files=files)
    page = shown(client, "/gates")
    assert re.findall(r'data-file="([a-z.]+)"', page) == ["z.png", "z.txt", "a.json", "storyboard.json"]
    assert re.findall(r"<details( open)? data-text", page) == [" open", "", ""]
    assert page.count("<table") == 1
    assert '<td data-head="What is said">The sea.</td>' in page
    assert EVIL not in page


def test_what_is_no_storyboard_has_no_scenes() -> None:
    assert scene_rows(json.dumps({"scenes": [SCENE]})) == [SceneRow(0, "The sea.", "Waves.")]
    for other in (None, "", "[]", "{}", '{"scenes": [1]}', '{"scenes": [{}]}', '{"scenes": 1}'):
        assert scene_rows(other) == ()
    assert scene_rows(json.dumps({"scenes": [{**SCENE, "picture": None}]})) == ()
    assert scene_rows(json.dumps({"scenes": [SCENE] * 501})) == ()


def test_the_overview_tells_runs_at_work_and_runs_that_failed(
    desk: ConsoleDesk, client: httpx.Client
) -> None:
    def part(name: str) -> str:
        page = shown(client, "/")
        return page[page.index(f'id="{name}"') :].partition("</section>")[0]

    assert "no run has failed" in part("failures")
    desk.start("broken")
    desk.fail(EVIL, for_good=True)
    desk.start("busy")
    desk.claim()
    failures, work = part("failures"), part("work")
    assert 'href="/runs/broken#stage-script"' in failures
    assert "onerror" in failures
    assert EVIL not in failures
    assert 'href="/runs/busy"' in work
    assert "script since" in work
    assert "broken" not in work
    assert "busy" not in failures
