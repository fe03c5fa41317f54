"""P20, P32: gates are decided from the page: by keys, about what was shown, and taken back in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from job_console.access.session import COOKIE, sign_in
from lib.clock import SystemClock
from lib.pipeline.gates import approve_gate, look_again
from lib.pipeline.model import Artifact, GateRow
from lib.pipeline.views import get_job_status
from tests.doubles.console import BEARER, TOKEN, ConsoleDesk, sound
from tests.integration.console.replayed import heard_from_the_begin
from tests.pages import PHONE, grave_faults

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = b"The moon pulls at the sea.\n"
WINDOW_MS = 10_000


def waits(desk: ConsoleDesk, *runs: str, **files: bytes) -> None:
    for run in runs:
        desk.start(run)
        desk.work(
            run,
            files={"script.txt": SCRIPT, **{name.replace("_", "."): data for name, data in files.items()}},
        )


def gate_of(desk: ConsoleDesk, run: str = "r1") -> GateRow:
    return get_job_status(desk.ledger, run).gates[-1]


def until(told: Callable[[], object]) -> None:
    """Wait until it is so."""
    give_up = time.monotonic() + 20
    while not told():
        assert time.monotonic() < give_up, "it never was so"
        time.sleep(0.02)


def usable_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert grave_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    tall = page.eval_on_selector_all(".decisions button", "all => all.map(each => each.offsetHeight)")
    assert min(tall) >= 44


@pytest.fixture
def inbox(page: Page, desk: ConsoleDesk) -> Page:
    """The inbox of three gates, whose time is the test's."""
    waits(desk, "r1", "r2", "r3")
    page.clock.install()
    page.goto("/gates")
    page.wait_for_selector("#live[data-state=live]")
    return page


def at(page: Page, run: str) -> None:
    page.wait_for_selector(f"#gate[data-run={run}]:not(.decided)")


def test_keys_go_through_the_inbox_decide_and_take_back(inbox: Page, desk: ConsoleDesk) -> None:
    inbox.keyboard.press("j")
    at(inbox, "r2")
    inbox.keyboard.press("k")
    at(inbox, "r1")
    inbox.keyboard.press("a")
    at(inbox, "r2")
    assert gate_of(desk).decision is None  # it can still be taken back
    with inbox.expect_request("**/approve") as sent:
        inbox.clock.fast_forward(WINDOW_MS)
    assert sent.value.post_data_json == {"seen": gate_of(desk).seen, "attempt": 1}
    until(lambda: gate_of(desk).decision)
    assert (gate_of(desk).decision, gate_of(desk).operator) == ("approved", "ann")
    inbox.wait_for_selector("#gates-waiting:text-is('2')")
    inbox.keyboard.press("j")
    at(inbox, "r3")
    inbox.keyboard.press("j")  # what was decided is passed over
    at(inbox, "r2")

    inbox.keyboard.press("a")
    at(inbox, "r3")
    inbox.keyboard.press("u")  # what is taken back in time is never sent
    at(inbox, "r2")
    inbox.clock.fast_forward(2 * WINDOW_MS)
    inbox.wait_for_function("document.querySelectorAll('[data-decided]').length === 0")
    assert gate_of(desk, "r2").decision is None

    inbox.keyboard.press("a")
    at(inbox, "r3")
    inbox.goto("/runs")  # leaving the page sends what was decided
    until(lambda: gate_of(desk, "r2").decision)
    assert gate_of(desk, "r2").decision == "approved"
    inbox.wait_for_selector("#live[data-state=live]")
    assert inbox.locator(".notice").count() == 0  # it was taken, so there is nothing to tell of it


def test_a_rejection_says_why_and_what_comes_instead_is_held_against_it(
    inbox: Page, desk: ConsoleDesk
) -> None:
    inbox.keyboard.press("r")
    assert inbox.is_visible(".hint")  # without a word it is asked for one
    inbox.keyboard.type("less moon, a and j are letters here")
    inbox.keyboard.press("Escape")
    inbox.check("[value=Tone]")
    inbox.keyboard.press("r")
    at(inbox, "r2")
    inbox.clock.fast_forward(WINDOW_MS)
    until(lambda: get_job_status(desk.ledger, "r1").line.tasks[0].instruction)
    assert gate_of(desk).notes == "Tone: less moon, a and j are letters here"
    assert get_job_status(desk.ledger, "r1").line.tasks[0].instruction == gate_of(desk).notes
    desk.work("r1", files={"script.txt": b"The sun pulls at the sea.\n"})
    heard_from_the_begin(inbox, "**/gates?run=r1*")
    inbox.goto("/gates?run=r1&stage=script")
    assert inbox.inner_text(".diff del") == "moon"
    assert inbox.inner_text(".diff ins") == "sun"
    assert "rejected by ann" in inbox.inner_text(".changed")
    inbox.wait_for_selector("#live[data-state=live]")
    approve_gate(desk.ledger, "r3", "script", operator="ben")
    inbox.wait_for_selector("[data-gate][data-run=r3]", state="detached")  # so it has heard all before that
    at(inbox, "r1")  # and takes no earlier decision about it for one about this


def test_two_decide_at_once_and_the_second_hears_who_was_first(inbox: Page, desk: ConsoleDesk) -> None:
    asked: list[str] = []
    inbox.on("request", lambda request: asked.append(request.method))
    inbox.keyboard.press("a")
    at(inbox, "r2")
    approve_gate(desk.ledger, "r1", "script", operator="ben")
    inbox.wait_for_selector(".notice.problem:has-text('approved by ben first')")
    approve_gate(desk.ledger, "r2", "script", operator="ben")  # the one that is looked at goes
    inbox.wait_for_selector(".notice:has-text('script of r2 was approved by ben')")
    at(inbox, "r3")
    inbox.clock.fast_forward(2 * WINDOW_MS)
    inbox.keyboard.press("a")  # r3, so that something is asked for behind what must not be
    with inbox.expect_response("**/runs/r3/gates/script/approve"):
        inbox.clock.fast_forward(WINDOW_MS)
    assert asked.count("POST") == 1
    assert [gate_of(desk, run).operator for run in ("r1", "r2", "r3")] == ["ben", "ben", "ann"]


@pytest.mark.soak
def test_who_was_first_is_told_without_live_events_too(
    page: Page, desk: ConsoleDesk, complaints: list[str]
) -> None:
    waits(desk, "r1")
    page.route("**/api/v1/events*", lambda _: None)  # it is never answered
    page.clock.install()
    page.goto("/gates")
    page.wait_for_selector("#gate")
    approve_gate(desk.ledger, "r1", "script", operator="ben")
    page.keyboard.press("a")
    page.clock.fast_forward(WINDOW_MS)
    page.wait_for_selector(".notice.problem:has-text('was approved by ben')")
    page.wait_for_selector("#card:has-text('script of r1 was approved by ben')")
    assert "409" in complaints.pop()


def test_what_changed_since_it_was_shown_is_not_decided_about(inbox: Page, desk: ConsoleDesk) -> None:
    inbox.keyboard.press("a")
    at(inbox, "r2")
    other = Artifact(path="script.txt", type="text/plain", sha256="0" * 64, size=1)
    look_again(desk.ledger, "r1", "script", [other])
    inbox.wait_for_selector(".notice.problem:has-text('was changed')")
    inbox.clock.fast_forward(2 * WINDOW_MS)
    assert gate_of(desk).decision is None
    look_again(desk.ledger, "r2", "script", [other])  # what is looked at is shown as it is now
    inbox.wait_for_selector(f"#gate[data-run=r2][data-seen='{gate_of(desk, 'r2').seen}']")
    inbox.keyboard.press("k")  # the one that changed waits still
    at(inbox, "r1")
    inbox.keyboard.press("a")
    at(inbox, "r2")
    inbox.keyboard.press("u")


def test_the_only_gate_is_shown_anew_where_it_changed_after_the_decision(
    page: Page, desk: ConsoleDesk
) -> None:
    waits(desk, "r1")
    page.goto("/gates")
    page.wait_for_selector("#live[data-state=live]")
    page.keyboard.press("a")
    look_again(
        desk.ledger, "r1", "script", [Artifact(path="script.txt", type="text/plain", sha256="0" * 64, size=1)]
    )
    page.wait_for_selector(f"#gate:not(.decided)[data-seen='{gate_of(desk).seen}']")
    assert gate_of(desk).decision is None


def test_notes_at_a_time_go_with_a_rejection_and_listening_decides_nothing(
    page: Page, desk: ConsoleDesk, url: str
) -> None:
    waits(desk, "r1", voice_wav=sound(30.0))  # it plays until it is seen to play
    told = {"run": "r1", "path": "voice.wav", "seconds": 0.2, "words": "too fast", "operator": "ann"}
    made = httpx.post(f"{url}/api/v1/notes", json=told, headers=BEARER, timeout=20)
    assert made.is_success, made.text
    page.clock.install()
    page.goto("/gates")
    page.wait_for_selector("#notes-go:has-text('1 note')")
    page.wait_for_selector("#files pre:has-text('The moon')")
    usable_on_a_phone(page)
    page.keyboard.press("1")
    assert page.get_attribute("#files .file >> nth=0", "class") == "file chosen"
    page.keyboard.press("2")
    page.wait_for_selector(".file.chosen [data-toggle]:focus")
    page.keyboard.press(" ")
    page.wait_for_selector(".file.chosen [data-toggle]:has-text('Pause')")
    assert page.locator("#gate.decided").count() == 0
    page.keyboard.press("r")
    page.clock.fast_forward(WINDOW_MS)
    until(lambda: get_job_status(desk.ledger, "r1").line.tasks[0].instruction)
    assert gate_of(desk).notes == "voice.wav 0:00.2 too fast"
    desk.work("r1", files={"voice.wav": sound(0.3)})
    page.goto("/gates")
    assert "too fast" in page.inner_text("[aria-label='Notes of earlier attempts']")


def test_the_first_gate_comes_to_an_empty_inbox(page: Page, desk: ConsoleDesk) -> None:
    page.goto("/gates")
    page.wait_for_selector("#live[data-state=live]")
    assert "Nothing waits" in page.inner_text("#card")
    assert page.is_hidden("#gates-waiting")
    waits(desk, "r1")
    at(page, "r1")
    page.wait_for_selector("#gates-waiting:text-is('1')")


def log_in_anew(page: Page, url: str) -> None:
    cookie, _ = sign_in("ann", TOKEN, SystemClock().now() + 60)
    page.context.add_cookies([{"name": COOKIE, "value": cookie, "url": url}])


def test_a_key_that_is_held_down_decides_once(inbox: Page, desk: ConsoleDesk) -> None:
    inbox.keyboard.down("a")
    at(inbox, "r2")
    inbox.keyboard.down("a")  # the keyboard repeats it
    inbox.keyboard.up("a")
    inbox.keyboard.press("j")
    at(inbox, "r3")
    assert inbox.locator("[data-decided]").count() == 1
    inbox.keyboard.press("u")


def test_what_was_written_of_a_gate_is_there_again_when_it_is_looked_at_again(inbox: Page) -> None:
    inbox.fill("[name=note]", "less moon")
    inbox.check("[value=Tone]")
    inbox.keyboard.press("Escape")
    inbox.keyboard.press("r")
    at(inbox, "r2")
    assert inbox.input_value("[name=note]") == ""
    inbox.keyboard.press("u")
    at(inbox, "r1")
    assert inbox.input_value("[name=note]") == "less moon"
    assert inbox.is_checked("[value=Tone]")


def test_a_decision_after_the_session_is_refused_aloud_and_the_page_stays(
    inbox: Page, desk: ConsoleDesk, url: str, complaints: list[str]
) -> None:
    inbox.keyboard.press("a")
    at(inbox, "r2")
    inbox.fill("[name=note]", "half a thought")
    inbox.context.clear_cookies()
    inbox.clock.fast_forward(WINDOW_MS)
    inbox.wait_for_selector(".notice.problem:has-text('session is over') button:has-text('Log in')")
    inbox.wait_for_selector("[data-gate][data-run=r1]:not([data-decided])")
    assert inbox.input_value("[name=note]") == "half a thought"
    assert gate_of(desk).decision is None
    log_in_anew(inbox, url)
    inbox.click("[data-gate][data-run=r1]")
    at(inbox, "r1")
    inbox.keyboard.press("a")
    inbox.clock.fast_forward(WINDOW_MS)
    until(lambda: gate_of(desk).decision)
    complaints.clear()


def test_what_was_decided_as_the_session_ended_is_told_after_the_next_login(
    inbox: Page, desk: ConsoleDesk, url: str, complaints: list[str]
) -> None:
    inbox.keyboard.press("a")
    at(inbox, "r2")
    inbox.context.clear_cookies()
    inbox.goto("/runs")  # which is the login now
    assert gate_of(desk).decision is None
    log_in_anew(inbox, url)
    inbox.goto("/runs")
    inbox.wait_for_selector(".notice.problem:has-text('script of r1 is approved. It is not known whether')")
    inbox.goto("/gates")
    inbox.wait_for_selector("#live[data-state=live]")
    assert inbox.locator(".notice").count() == 0  # once
    complaints.clear()


def test_who_logs_out_has_sent_what_was_decided(inbox: Page, desk: ConsoleDesk) -> None:
    inbox.keyboard.press("a")
    at(inbox, "r2")
    inbox.click("[data-log-out]")
    inbox.wait_for_url("**/login")
    assert gate_of(desk).decision == "approved"


def test_times_go_on_and_a_notice_leaves_the_buttons_free(
    inbox: Page, desk: ConsoleDesk, complaints: list[str]
) -> None:
    inbox.clock.fast_forward(3_600_000)
    assert inbox.inner_text("#gate time[data-age]").startswith("1h0")
    inbox.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    late = {"error": {"code": "conflict", "message": "script of " + "a-long-name-of-a-run" * 12}}
    inbox.route("**/approve", lambda route: route.fulfill(status=409, json=late))
    inbox.keyboard.press("a")
    at(inbox, "r2")
    inbox.clock.fast_forward(WINDOW_MS)
    inbox.wait_for_selector(".notice.problem:has-text('a-long-name')")
    box = "each => each.getBoundingClientRect().toJSON()"
    told, close, buttons = (
        inbox.eval_on_selector(each, box) for each in (".notice", ".notice button", ".decisions")
    )
    assert 0 <= told["x"] < told["x"] + told["width"] <= PHONE[0]
    assert close["x"] + close["width"] <= told["x"] + told["width"]
    assert close["width"] > close["height"]
    assert told["y"] + told["height"] <= buttons["y"]
    assert "409" in complaints.pop()


def test_an_empty_text_is_shown_as_empty(page: Page, desk: ConsoleDesk, complaints: list[str]) -> None:
    waits(desk, "r1", notes_md=b"")
    page.goto("/gates")
    page.wait_for_selector("#files [data-file='notes.md'] pre:text-is('(empty)')")
    complaints.clear()  # that no part of nothing can be had


def test_words_are_neither_torn_away_nor_taken_for_keys(
    inbox: Page, desk: ConsoleDesk, complaints: list[str]
) -> None:
    late = {"error": {"code": "conflict", "message": "script of r1 was approved by ben"}}
    inbox.route("**/runs/r1/gates/script/approve", lambda route: route.fulfill(status=409, json=late))
    inbox.keyboard.press("a")
    at(inbox, "r2")
    inbox.focus("[name=note]")
    inbox.keyboard.type("a rare")
    inbox.clock.fast_forward(WINDOW_MS)
    inbox.wait_for_selector(".notice.problem:has-text('approved by ben')")
    inbox.keyboard.type(" jar")  # the refusal of r1 left the card of r2 where it was
    approve_gate(desk.ledger, "r2", "script", operator="ben")
    inbox.wait_for_selector("#meanwhile:has-text('approved by ben')")
    inbox.wait_for_selector("[data-gate][data-run=r2]", state="detached")
    inbox.keyboard.type(" of tar")
    assert inbox.input_value("[name=note]") == "a rare jar of tar"
    inbox.keyboard.press("Escape")
    inbox.click("[data-gate][data-run=r3]")
    at(inbox, "r3")
    assert inbox.input_value("[name=note]") == ""
    # Who types looks up within a second: the page's, and none of it passes however slow we type.
    inbox.clock.pause_at(inbox.evaluate("Date.now()") / 1000 + 1)
    inbox.keyboard.press("r")  # it asks for a word, and has the focus
    inbox.keyboard.type("kept")
    inbox.evaluate("document.getElementById('decide').remove()")  # whatever took the field away
    inbox.keyboard.type("jar")
    at(inbox, "r3")
    inbox.clock.fast_forward(1500)
    inbox.keyboard.press("j")
    at(inbox, "r1")
    inbox.keyboard.press("k")
    at(inbox, "r3")
    assert inbox.input_value("[name=note]") == "kept"
    assert [gate_of(desk, run).operator for run in ("r1", "r2", "r3")] == [None, "ben", None]
    assert "409" in complaints.pop()
