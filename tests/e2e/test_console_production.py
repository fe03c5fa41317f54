"""P20, P32: a producer who has only the pages, over the programs themselves; a gate decided in every way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.studio import Studio
from tests.pages import chromium_driven, logged_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROKEN = """\
defaults: {speaker: Ryan}
jobs:
  - {output_name: sea/beat-001, text: 'The sea leaves.'}
  - {output_name: sea/beat-002, txt: 'The sea comes back.'}
"""
SCRIPT = BROKEN.replace("txt:", "text:")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    yield studio
    studio.close()


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
    runs = ("by-page", "by-terminal", "by-rest", "by-link")
    for run in runs:
        studio.film(run)
    studio.until_gate("by-page")  # a page without it would show the gate that is there first
    page.goto("/gates?run=by-page&stage=script")
    page.wait_for_selector("#gate[data-run=by-page]")
    page.fill("#decide [name=note]", "shorter")
    page.uncheck("#decide [name=anew]")
    page.click("[data-act=reject]")
    page.goto("/runs")  # who leaves the page does not wait for the time to take it back
    gone = [*("reject", "by-terminal", "script"), *("--operator", "ann", "--notes", "shorter")]
    studio.until_gate("by-terminal")
    assert studio.home.run(*gone, program="job-pipeline").returncode == 0
    studio.until_gate("by-rest")
    studio.ask("POST", "/runs/by-rest/gates/script/reject", {"operator": "ann", "notes": "shorter"})
    studio.until_gate("by-link")
    page.goto("about:blank")  # a live page goes on asking, and complains when its session is gone
    page.context.clear_cookies()  # whoever has the link needs no session
    page.goto(studio.link("by-link", "ann"))
    page.fill("[name=note]", "shorter")
    page.click("[name=decision][value=reject]")
    page.wait_for_selector("text=rejected by ann")

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
    page.wait_for_selector("#head:has-text('canceled')", timeout=30_000)
    assert [told[0] for told in studio.decided("redo")] == [
        *("gate_pause", "gate_rejected", "gate_pause", "gate_approved"),
    ]
