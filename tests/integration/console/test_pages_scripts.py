"""P32: who has only the page hands a script in, hears it, changes a line and takes the audio away."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from lib.jobqueue import Changed
from lib.jobspec import JobFile, parse_job_file
from tests.chromium import needs_chromium
from tests.doubles.console import ConsoleDesk, job_file, sound
from tests.pages import grave_faults

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

pytestmark = needs_chromium

BAD = "defaults: {speaker: Ryan}\njobs:\n  - {output_name: a, text: Hello.}\n  - {output_nam: b, text: ''}\n"


def test_what_is_wrong_stands_at_its_line(page: Page) -> None:
    page.goto("/upload")
    page.get_by_label("The script").fill(BAD)
    problem = page.locator("#found li", has_text="output_nam").first
    problem.wait_for()
    assert page.get_by_role("button", name="Hand in").is_disabled()
    assert grave_faults(page) == []
    line = page.locator("#text").evaluate("each => parseFloat(getComputedStyle(each).lineHeight)")
    text, note = page.locator("#text").bounding_box(), problem.bounding_box()
    assert text
    assert note
    assert abs(note["y"] - text["y"] - 3 * line) < line
    problem.get_by_role("button", name="Line 4").click()
    chosen = "each => each.value.slice(each.selectionStart, each.selectionEnd)"
    assert page.locator("#text").evaluate(chosen) == BAD.splitlines()[3]


def test_lines_that_changed_since_they_were_shown_are_looked_at_again(desk: ConsoleDesk, page: Page) -> None:
    def changed(text: str) -> JobFile:
        return parse_job_file(job_file("a", text=text).encode(), name="t", base_dir=None)

    desk.enqueue("a")
    page.goto("/upload")
    page.get_by_label("The script").fill(job_file("a", text="Mine."))
    page.get_by_role("button", name="Hand in, 1 line spoken anew").click(trial=True)
    desk.queue.enqueue(changed("Of somebody else.").specs, changed=Changed.REPLACE)
    page.get_by_role("button", name="Hand in, 1 line").click()
    page.locator("#told", has_text="changed meanwhile").wait_for()
    (spec,) = desk.queue.specs(["topic:a"])
    assert spec == changed("Of somebody else.").specs[0]
    page.get_by_role("button", name="Hand in, 1 line").click()
    page.wait_for_url("**/scripts/*")


def test_from_the_script_to_what_is_taken_away(desk: ConsoleDesk, page: Page, tmp_path: Path) -> None:
    page.goto("/upload")
    script: FilePayload = {
        "name": "tides.yaml",
        "mimeType": "application/yaml",
        "buffer": job_file("z", "a").encode(),
    }
    page.set_input_files("#file", script)
    page.get_by_text("2 lines, 2 to be made").wait_for()
    page.get_by_role("button", name="Hand in").click()
    page.get_by_role("heading", name="tides.yaml").wait_for()

    page.get_by_role("button", name="Play from the top").click()
    page.get_by_text("Line 1 is not spoken yet").wait_for()
    desk.speak("z", sound(0.2))  # it plays by itself, and then the next one is waited for
    page.get_by_text("Line 2 is not spoken yet").wait_for()
    desk.speak("a", sound(0.2))
    page.get_by_text("That was the last line").wait_for()
    assert grave_faults(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="All lines as a ZIP").click()
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.namelist() == ["001-topic-z.wav", "002-topic-a.wav"]

    page.get_by_role("link", name="Change the script").click()
    text = page.get_by_label("The script")
    text.fill(text.input_value().replace("Job a.", "Line a."))
    page.get_by_text("1 line is known with other content").wait_for()
    assert grave_faults(page) == []
    page.get_by_role("button", name="Hand in, 1 line spoken anew").click()
    page.get_by_text("1 of 2 spoken, 1 to come").wait_for()
    desk.speak("a", sound(0.3))
    page.get_by_text("2 of 2 spoken").wait_for()
    record = desk.queue.job("topic:a")
    assert record
    assert record.revision == 2
