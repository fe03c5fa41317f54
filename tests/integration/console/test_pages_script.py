"""P32: a script is changed from how it is spoken by now, and plain text becomes one, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib.jobqueue import Changed
from lib.jobspec import parse_job_file
from tests.chromium import needs_chromium
from tests.doubles.console import ConsoleDesk, job_file
from tests.doubles.spoken_jobs import perform
from tests.pages import grave_faults

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium


def revisions(desk: ConsoleDesk, *names: str) -> list[int]:
    records = desk.queue.jobs([f"topic:{name}" for name in names])
    return [record.revision if record else 0 for record in records]


def mend(desk: ConsoleDesk, name: str, text: str) -> None:
    specs = parse_job_file(job_file(name, text=text).encode(), name="t", base_dir=None).specs
    desk.queue.enqueue(specs, changed=Changed.REPLACE)


def test_what_was_mended_elsewhere_is_not_undone(desk: ConsoleDesk, page: Page) -> None:
    page.goto("/upload")
    page.get_by_label("The script").fill(job_file("a", "b", "c"))
    page.get_by_role("button", name="Hand in").click()
    page.get_by_role("heading", name="script.yaml").wait_for()
    mend(desk, "a", "Mended.")
    page.locator("#said-1", has_text="Job a. Mended.").wait_for()
    mend(desk, "b", "Read otherwise.")
    perform(desk, "a", "Job a. Mended.")
    perform(desk, "b", "Job b. Read otherwise.", speaker="Aiden")  # what was asked for cannot be proved
    perform(desk, "c", "Job c. The sea comes back.")

    page.get_by_role("link", name="Change the script").click()
    text = page.get_by_label("The script")
    text.fill(text.input_value().replace("Job c.", "Line c."))
    page.get_by_text("2 lines are known with other content").wait_for()
    apart = page.locator("#stale-list li", has_text="topic:b")
    assert apart.locator("dd").all_inner_texts() == ["Job b. The sea comes back.", "Job b. Read otherwise."]
    assert grave_faults(page) == []
    page.get_by_role("button", name="Hand in, 1 line spoken anew").click()
    page.get_by_text("2 of 3 spoken, 1 to come").wait_for()
    assert revisions(desk, "a", "b", "c") == [2, 2, 2]


def test_plain_text_becomes_a_script(desk: ConsoleDesk, page: Page) -> None:
    page.goto("/upload")
    page.get_by_label("Name", exact=True).fill("tides.txt")
    page.get_by_label("The script").fill("The sea: it comes.\n\nAnd it goes\nagain.")
    page.get_by_role("button", name="Make a script of it").click()
    page.get_by_text("2 lines, 2 to be made").wait_for()
    assert page.locator("#prose").is_hidden()
    page.get_by_role("button", name="Hand in").click()
    page.get_by_role("heading", name="tides.yaml").wait_for()
    assert page.locator(".said").all_inner_texts() == ["The sea: it comes.", "And it goes again."]
