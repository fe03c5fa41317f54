"""P20, P32: a producer who has only the pages, over the programs themselves; and a gate decided in every way."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.doubles.console import BEARER, TOKEN
from tests.e2e.home import Home
from tests.pages import chromium_driven, logged_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

API = "/api/v1"
BROKEN = """\
defaults: {speaker: Ryan}
jobs:
  - {output_name: sea/beat-001, text: 'The sea leaves.'}
  - {output_name: sea/beat-002, txt: 'The sea comes back.'}
"""
SCRIPT = BROKEN.replace("txt:", "text:")
FILM = {"script": "# The lamp\n\n## A light that blinks\n\nAt the end of our pier stands a lamp. It blinks."}


class Studio:
    """All programs of a producer on one computer, and the pages of the console in a browser."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.home = Home(folder, JOB_CONSOLE_TOKEN=TOKEN)
        self.url = f"http://127.0.0.1:{port}"
        self.home.start("up")
        self.home.until(lambda seen: seen.lock_owner is not None)
        for words in (("worker", "--dag", "video"), ("orchestrator-loop",)):
            self.home.start(*words, program="job-pipeline")
        console = self.home.start("serve", "--json", "--listen", f"127.0.0.1:{port}", program="job-console")
        assert console.stdout is not None
        assert json.loads(console.stdout.readline())["url"].startswith(self.url)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What REST answers to somebody with the token."""
        answer = httpx.request(method, f"{self.url}{API}{path}", json=body, headers=BEARER, timeout=60)
        assert answer.is_success, answer.text
        return answer.json()

    def film(self, run: str) -> None:
        """Start a run of `video`; its script is the first thing to be decided about."""
        inputs = json.dumps(FILM)
        done = self.home.run(
            *("new-job", "--dag", "video", "--run-id", run, "--inputs", inputs), program="job-pipeline"
        )
        assert done.returncode == 0, done.stderr

    def until_gate(self, run: str) -> None:
        """Wait until the script of a run is to be decided about."""
        following = self.home.start("events", "--follow", "--run", run, "--json", program="job-pipeline")
        assert following.stdout is not None
        for line in following.stdout:
            told = json.loads(line)
            if told["event"] == "gate_pause" and self.ask("GET", f"/gates?run={run}")["gates"]:
                break
        following.kill()
        following.communicate()

    def decided(self, run: str) -> list[tuple[Any, ...]]:
        """The trail about the gate of its script, without who and when."""
        trail = self.ask("GET", f"/runs/{run}/trail")
        return [
            (told["event"], told["attempt"], told["data"].get("operator"), told["data"].get("notes"))
            for told in trail
            if told["event"].startswith("gate") and told["stage"] == "script"
        ]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    yield studio
    studio.home.close()
    studio.home.run("down")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium_driven() as browser:
        yield browser


@pytest.fixture
def page(studio: Studio, browser: Browser) -> Iterator[Page]:
    with logged_in(browser, studio.url) as page:
        yield page


def test_a_script_is_handed_in_heard_changed_and_taken_away(
    studio: Studio, page: Page, tmp_path: Path
) -> None:
    page.goto("/upload")
    page.fill("[name=name]", "sea.yaml")
    page.fill("#text", BROKEN)
    page.wait_for_selector("#found li")
    assert "4" in page.inner_text("#found li")
    assert page.is_disabled("#hand-in")

    page.fill("#text", SCRIPT)
    page.wait_for_selector("#hand-in:enabled")
    page.click("#hand-in")
    page.wait_for_url("**/scripts/*")
    script = page.url
    for number in (1, 2):  # it comes by itself
        page.wait_for_selector(f"#play-{number}", timeout=60_000)
    page.click("#play-1")
    page.wait_for_function("() => document.getElementById('sound').currentTime > 0.2")

    page.goto("/jobs/sea:beat-002")
    page.fill("#change [name=text]", "The sea comes back in the evening.")
    page.fill("#change [name=variants]", "2")
    page.click("#change [type=submit]")
    second = page.locator("#takes .take").nth(1)
    second.wait_for(timeout=60_000)
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('#takes [data-seek]').value > 0.2")
    page.keyboard.press("2")  # the other take, at the same place
    page.wait_for_selector("#takes .take:nth-child(2).at-hand")
    assert float(page.input_value("#takes [data-seek]")) > 0.2

    page.goto(script)
    page.wait_for_selector("#make button[type=submit]")
    page.select_option("#make [name=format]", "mp3")
    page.click("#make button[type=submit]")
    link = page.wait_for_selector("#episode .files a.first", timeout=60_000)
    assert link is not None
    with page.expect_download() as download:
        link.click()
    taken = tmp_path / "episode"
    download.value.save_as(taken)
    assert taken.stat().st_size > 20_000
    with page.expect_download() as lines:
        page.click("text=All lines as a ZIP")
    assert lines.value.suggested_filename.endswith(".zip")


def test_a_gate_is_decided_in_each_way_and_leaves_the_same_trail(studio: Studio, page: Page) -> None:
    runs = ("by-page", "by-terminal", "by-rest")
    for run in runs:
        studio.film(run)
    page.goto("/gates?run=by-page&stage=script")
    page.wait_for_selector("#gate[data-run=by-page]", timeout=60_000)
    page.fill("#decide [name=note]", "shorter")
    page.uncheck("#decide [name=anew]")
    page.click("[data-act=reject]")
    page.goto("/runs")  # who leaves the page does not wait for the time to take it back
    gone = [*("reject", "by-terminal", "script"), *("--operator", "ann", "--notes", "shorter")]
    studio.until_gate("by-terminal")
    assert studio.home.run(*gone, program="job-pipeline").returncode == 0
    studio.until_gate("by-rest")
    studio.ask("POST", "/runs/by-rest/gates/script/reject", {"operator": "ann", "notes": "shorter"})

    trails = {run: studio.decided(run) for run in runs}
    assert trails["by-page"] == [
        ("gate_pause", 1, None, None),
        ("gate_rejected", 1, "ann", "shorter"),
    ]
    assert len({tuple(trail) for trail in trails.values()}) == 1


def test_a_rejected_script_is_written_anew_compared_and_approved_and_another_run_is_canceled(
    studio: Studio, page: Page
) -> None:
    studio.film("redo")
    studio.until_gate("redo")
    page.goto("/gates?run=redo&stage=script")
    page.fill("#decide [name=note]", "at most 8 words")
    page.keyboard.press("Escape")
    page.click("[data-act=reject]")
    page.goto("/runs/redo")
    page.wait_for_selector("text=attempt 2", timeout=60_000)
    studio.until_gate("redo")
    page.goto("/gates?run=redo&stage=script")
    assert "at most 8 words" in page.inner_text(".changed")
    page.locator("#gate-head").focus()
    page.keyboard.press("a")
    page.wait_for_selector(".notice")
    page.keyboard.press("u")  # taken back
    page.wait_for_selector("#gate[data-run=redo]:not(.decided)")
    page.locator("#gate-head").focus()
    page.keyboard.press("a")
    page.goto("/runs/redo")
    page.wait_for_selector("text=gate approved")

    page.on("dialog", lambda dialog: dialog.accept())
    page.click("text=Cancel the run")
    page.wait_for_selector("text=canceled", timeout=30_000)
    assert [told[0] for told in studio.decided("redo")] == [
        *("gate_pause", "gate_rejected", "gate_pause", "gate_approved"),
    ]
