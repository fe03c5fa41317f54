"""P32: the overview, the queue, the history, and the way of a script, in a real browser."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.jobqueue import Changed, ErrorClass, Failure
from lib.jobspec import JobFile, parse_job_file
from tests.chromium import needs_chromium
from tests.doubles.console import ConsoleDesk, job_file, sound
from tests.pages import grave_faults

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page, Route

pytestmark = needs_chromium

BAD = "defaults: {speaker: Ryan}\njobs:\n  - {output_name: a, text: Hello.}\n  - {output_nam: b, text: ''}\n"


def state_of(desk: ConsoleDesk, name: str) -> str:
    record = desk.queue.job(f"topic:{name}")
    return record.state.value if record else ""


def fail(desk: ConsoleDesk, message: str) -> None:
    (lease,) = desk.queue.claim("worker")
    desk.queue.fail(desk.queue.begin(lease), Failure(ErrorClass.BAD_INPUT, message))


def test_what_happens_is_fed_in_order_and_once(desk: ConsoleDesk, page: Page) -> None:
    desk.enqueue("before")
    page.goto("/")
    desk.enqueue(*(f"b{number}" for number in range(20)))
    desk.start()
    page.get_by_text("topic:b19").first.wait_for()
    page.locator("#feed a", has_text="r1").first.wait_for()
    told = page.locator("#feed a[href^='/jobs/']").all_inner_texts()
    wanted = [event.request_id for event in desk.queue.latest_events(100)]
    assert told == wanted[::-1]
    page.locator("#verdict").get_by_text("21 jobs are outstanding").wait_for()


def test_the_queue_is_held_and_goes_on_from_the_overview(desk: ConsoleDesk, page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Pause the queue").click()
    page.get_by_role("button", name="Resume the queue").click()
    page.get_by_role("button", name="Pause the queue").wait_for()
    assert [event.kind for event in desk.queue.latest_events(2)] == ["paused", "resumed"]


def test_one_is_withdrawn_once_it_cannot_be_taken_back(desk: ConsoleDesk, page: Page) -> None:
    desk.enqueue("a", "b")
    page.clock.install()
    page.goto("/queue")
    page.get_by_role("button", name="Cancel topic:a").click()
    page.keyboard.press("u")
    page.get_by_role("button", name="Cancel topic:b").click()
    page.clock.run_for(11_000)
    page.get_by_text("1 job was changed.").wait_for()
    assert (state_of(desk, "a"), state_of(desk, "b")) == ("waiting", "canceled")


def test_what_is_chosen_stays_so_while_the_list_is_renewed(desk: ConsoleDesk, page: Page) -> None:
    desk.enqueue("a", "b")
    page.goto("/queue")
    page.get_by_label("Choose topic:b").check()
    desk.enqueue("c")
    page.get_by_label("Choose topic:c").wait_for()
    assert page.get_by_label("Choose topic:b").is_checked()
    page.get_by_role("button", name="Cancel 1 job").click()
    page.goto("/history")  # leaving sends what was decided
    page.get_by_role("link", name="topic:b").wait_for()
    assert (state_of(desk, "a"), state_of(desk, "b")) == ("waiting", "canceled")


def test_failures_of_one_kind_are_tried_again_with_one_press(desk: ConsoleDesk, page: Page) -> None:
    desk.enqueue("a", "b", "c")
    for message in ("Take 1 is silent.", "Take 2 is silent.", "The voice is gone."):
        fail(desk, message)
    page.clock.install()
    page.goto("/history?grouped=true")
    page.get_by_role("button", name="Try all again").click()
    page.clock.run_for(11_000)
    page.get_by_text("2 jobs were changed.").wait_for()
    assert [state_of(desk, name) for name in "abc"] == ["waiting", "waiting", "failed"]


def test_all_that_a_filter_shows_is_withdrawn(desk: ConsoleDesk, page: Page) -> None:
    desk.enqueue(*(f"a{number}" for number in range(60)), "b")
    page.clock.install()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/queue?text=topic:a")
    page.get_by_role("button", name="Cancel all that the filter shows").click()
    page.clock.run_for(11_000)
    page.get_by_text("60 jobs were changed.").wait_for()
    assert desk.queue.snapshot().waiting == 1


def test_everybody_can_use_them(desk: ConsoleDesk, page: Page) -> None:
    desk.enqueue(*"abcd")
    desk.speak("a")
    fail(desk, "Take 1 is silent.")
    desk.queue.claim("worker")
    for path in ("/", "/queue?state=failed"):
        page.goto(path)
        assert (path, grave_faults(page)) == (path, [])


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
    page.get_by_role("button", name="Hand in, 1 line spoken anew").click()
    page.get_by_text("1 of 2 spoken, 1 to come").wait_for()
    desk.speak("a", sound(0.3))
    page.get_by_text("2 of 2 spoken").wait_for()
    record = desk.queue.job("topic:a")
    assert record
    assert record.revision == 2


def look_away(page: Page, state: str) -> None:
    page.evaluate(
        """state => {
            Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )


def test_a_page_that_nobody_looks_at_leaves_its_connection_and_misses_nothing(
    desk: ConsoleDesk, page: Page
) -> None:
    page.clock.install()
    page.goto("/")
    page.wait_for_selector("#live[data-state=live]")
    look_away(page, "hidden")
    with page.expect_event("requestfailed", lambda request: "/api/v1/events" in request.url):
        page.clock.fast_forward(6000)
    desk.enqueue("meanwhile")
    look_away(page, "visible")
    page.locator("#feed a", has_text="topic:meanwhile").wait_for()
    assert page.locator("#feed a").count() == 1


def test_what_fails_halfway_says_how_far_it_was(desk: ConsoleDesk, page: Page, complaints: list[str]) -> None:
    desk.enqueue(*(f"c{number}" for number in range(3)))
    asked: list[dict[str, Any]] = []

    def answer(route: Route) -> None:
        asked.append(route.request.post_data_json or {})
        if len(asked) > 1:
            route.fulfill(status=503, json={"error": {"message": "the queue does not answer"}})
        else:
            route.fulfill(json={"canceled": 2, "jobs": [], "after": "topic:c1"})

    page.route("**/api/v1/queue/cancel", answer)
    page.clock.install()
    page.goto("/queue")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("[data-whole]")
    page.clock.fast_forward(10_000)
    page.locator(".notice", has_text="It stopped after 2 jobs").wait_for()
    assert page.locator(".notice", has_text="so far").count() == 0
    assert [each["after"] for each in asked] == [None, "topic:c1"]
    complaints.clear()


def test_leaving_a_whole_filter_says_that_a_part_may_be_left(desk: ConsoleDesk, page: Page) -> None:
    desk.enqueue("d")
    page.goto("/queue")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("[data-whole]")
    page.goto("/history")
    page.locator(".notice", has_text="look what is left").wait_for()


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
