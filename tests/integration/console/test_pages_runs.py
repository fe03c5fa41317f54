"""P32: runs are started, followed and steered from their pages; nothing of a trail is lost or doubled."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sse_starlette.sse import AppStatus

from job_console.listening import open_listener
from job_console.serving import server_config
from job_pipeline.dags import video
from lib.pipeline.gates import approve_gate
from lib.pipeline.runs import NewRun, cancel_job, start_job
from lib.pipeline.snapshots import save_snapshot
from lib.pipeline.trail import events_after
from lib.pipeline.views import get_job_status
from tests.doubles.console import GATED, ConsoleDesk, served
from tests.integration.console.replayed import heard_from_the_begin
from tests.pages import PHONE, HeldAnswers, grave_faults, logged_in, until
from tests.ports import kept_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def trail_of(page: Page) -> list[tuple[int, str]]:
    """What the page shows of a trail: positions and lines, as they stand there."""
    lines = page.eval_on_selector_all(
        "#trail li", "all => all.map(e => [Number(e.dataset.position), e.innerText])"
    )
    return [(position, text) for position, text in lines]


def caught_up(page: Page, desk: ConsoleDesk, run: str) -> None:
    """Wait until the page shows the last event of the run."""
    last = events_after(desk.ledger, 0, run=run)[-1].position
    page.wait_for_selector(f"#trail li[data-position='{last}']")


@contextlib.contextmanager
def console_at(desk: ConsoleDesk, port: int) -> Iterator[None]:
    """A console of its own; it ends as with a signal, which tells open streams to end."""
    listener = open_listener(f"127.0.0.1:{port}", None, in_the_clear=False)
    config = server_config(desk.app(), None, desk.parts.limits)
    try:
        with served(config, listener):
            yield
            AppStatus.should_exit = True
    finally:
        AppStatus.should_exit = False


def test_a_trail_that_is_open_while_the_server_is_started_anew_loses_and_repeats_nothing(
    browser: Browser, desk: ConsoleDesk
) -> None:
    desk.start("r1")
    complaints: list[str] = []
    with kept_port() as port, logged_in(browser, f"http://127.0.0.1:{port}", complaints=complaints) as page:
        with console_at(desk, port):
            page.goto("/runs/r1")
            page.wait_for_selector("#live[data-state=live]")
            desk.work("r1", files={"script.txt": b"Hello."})
            caught_up(page, desk, "r1")
            page.wait_for_selector("#graph a[aria-label='script: GATE']")
            page.wait_for_selector("#files [data-file='script.txt']")
        page.wait_for_selector("#live[data-state=reconnecting], #live[data-state=waiting]")
        cancel_job(desk.ledger, "r1", operator="ann", notes="while nobody served")
        with console_at(desk, port):
            caught_up(page, desk, "r1")
            page.wait_for_selector("#graph a[aria-label='audio: CANCELED']")
            shown = trail_of(page)
            whole = [event.position for event in events_after(desk.ledger, 0, run="r1")]
            assert [position for position, _ in shown] == whole
            page.reload()
            assert trail_of(page) == shown  # in the words that the server has
        assert all("ERR_" in each for each in complaints), (
            complaints
        )  # it was away, and no more is complained of
        complaints.clear()


def test_what_the_page_has_already_is_not_put_there_again(page: Page, desk: ConsoleDesk) -> None:
    """An event may be both in the page and behind the place that it was made at."""
    desk.start("r1")
    desk.work("r1")
    heard_from_the_begin(page, "**/runs/r1")
    page.goto("/runs/r1")
    before = trail_of(page)
    page.wait_for_selector("#live[data-state=live]")
    approve_gate(desk.ledger, "r1", "script", operator="ann")
    caught_up(page, desk, "r1")
    assert trail_of(page)[: len(before)] == before
    assert len(trail_of(page)) == len(events_after(desk.ledger, 0, run="r1"))


def test_what_a_pipeline_says_of_its_inputs_is_what_the_form_asks_for(page: Page, desk: ConsoleDesk) -> None:
    save_snapshot(desk.ledger, video.dag.graph())
    page.goto("/start?dag=video")
    assert page.locator(".input-said").count() == len(video.dag.inputs)
    assert grave_faults(page) == []
    page.click("form#start [type=submit]")
    page.wait_for_selector("#wrong:has-text('Give one of script, uri, beats, topic')")
    page.set_input_files(
        "label:has-text('script from a file') input", {"name": "a.md", "mimeType": "", "buffer": b"The sea."}
    )
    until(page, "document.getElementById('input-script').value === 'The sea.'")
    page.fill("#input-title", "Tides")
    page.check("text=verbatim")
    page.fill("[name=id]", "ep-8")
    page.click("form#start [type=submit]")
    page.wait_for_url("**/runs/ep-8")
    given = get_job_status(desk.ledger, "ep-8").inputs
    assert given == {"script": "The sea.", "title": "Tides", "verbatim": True}


def test_a_run_is_started_followed_and_canceled(page: Page, desk: ConsoleDesk) -> None:
    save_snapshot(desk.ledger, GATED.graph())
    page.goto("/start")
    page.fill("[data-name]", "topic")
    page.fill("[data-value]", "tides")
    page.click("[data-add]")
    page.fill("[data-name] >> nth=1", "topic")
    page.click("text=Start >> nth=-1")
    page.wait_for_selector("#wrong:has-text('two inputs of the name topic')")
    page.fill("[data-name] >> nth=1", "length")
    page.select_option("[data-kind] >> nth=1", "json")
    page.fill("[data-value] >> nth=1", "{")
    page.click("form#start [type=submit]")
    page.wait_for_selector("#wrong:has-text('length is no JSON')")
    page.fill("[data-value] >> nth=1", '{"seconds": 90}')
    page.fill("[name=id]", "ep-7")
    page.click("form#start [type=submit]")
    page.wait_for_url("**/runs/ep-7")
    assert get_job_status(desk.ledger, "ep-7").inputs == {"topic": "tides", "length": {"seconds": 90}}

    page.wait_for_selector("#live[data-state=live]")
    page.clock.install()
    page.click("text=Cancel the run")
    page.keyboard.press("u")
    page.clock.fast_forward(20_000)
    assert get_job_status(desk.ledger, "ep-7").line.run.finished_at is None
    page.click("text=Cancel the run")
    page.clock.fast_forward(20_000)
    page.wait_for_selector("#head:has-text('canceled')")
    page.click("text=Go on with it")
    page.wait_for_selector("#head:has-text('queued')")


def test_a_stage_is_run_anew_with_words(page: Page, desk: ConsoleDesk) -> None:
    desk.start("r1")
    desk.work("r1", files={"script.txt": b"Hello."})
    page.goto("/runs/r1")
    page.click("#files summary")
    page.wait_for_selector("#files pre:text-is('Hello.')")
    page.fill("#anew textarea", "shorter")
    page.click("text=Run it anew")
    page.wait_for_selector("#stages:has-text('It was told: shorter')")
    desk.work("r1", files={"script.txt": b"Hi."})
    page.wait_for_selector("#graph a[aria-label='script: GATE']")
    page.click("#files details:not([open]) summary")  # the new file stands where the old one was
    page.wait_for_selector("#files pre:text-is('Hi.')")


def test_pages_of_runs_and_machines_can_be_used_by_everybody(
    browser: Browser, desk: ConsoleDesk, url: str
) -> None:
    snapshot = save_snapshot(desk.ledger, GATED.graph())
    evil = "<img src=x onerror=\"document.title='taken'\">"
    start_job(desk.ledger, snapshot.id, NewRun(id="r1", slug=evil, intent=evil, inputs={evil: evil}))
    desk.work("r1", files={"script.txt": evil.encode(), "plan.json": b'{"a": [1]}', "broken.png": b"none"})
    desk.start("r2")
    with logged_in(browser, url, size=PHONE) as page:
        for path in ("/runs", "/start?like=r1", "/machines", "/runs/r1"):
            page.goto(path)
            assert grave_faults(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], path
            assert page.title() != "taken"
        page.locator("[data-file='broken.png']").scroll_into_view_if_needed()
        page.wait_for_selector("[data-file='broken.png'] .advice:has-text('cannot be read')")
        for summary in page.query_selector_all("#files summary"):
            summary.click()
        page.wait_for_selector("#files pre:has-text('<img src=x')")
        # Each text is asked for by itself: this one may come after the other.
        page.wait_for_selector("#files [data-file='plan.json'] pre:not(:has(*))")
        assert page.inner_text("#files [data-file='plan.json'] pre") == '{\n  "a": [\n    1\n  ]\n}'
        assert page.title() != "taken"


def mend(page: Page, text: str) -> None:
    """Change the script at its gate."""
    page.click("text=Edit script.txt")
    page.fill("form[data-editing] textarea", text)
    page.click("form[data-editing] [type=submit]")
    page.wait_for_selector(f".file pre:text-is('{text}')")


def tell_changed(page: Page, seen: str) -> None:
    """Pass on, as the stream of events does, that the gate of r1 is about something else now."""
    told = {"run": "r1", "stage": "script", "attempt": 1, "event": "gate_voided", "data": {"seen": seen}}
    page.evaluate(
        "told => document.dispatchEvent(new CustomEvent('console:news', {detail: {kind: 'run', told}}))", told
    )


def test_a_text_is_mended_at_its_gate_and_then_decided_about(page: Page, desk: ConsoleDesk) -> None:
    desk.start("r1")
    desk.work(files={"script.txt": b"Teh sea."})
    page.goto("/gates")
    page.click("text=Edit script.txt")
    page.click("[data-act=approve]")  # it would be about what is about to be changed
    page.wait_for_selector("#notices:has-text('A text is open')")
    page.wait_for_selector("form[data-editing] textarea")
    assert grave_faults(page) == []
    page.click("[data-edit-leave]")
    mend(page, "The sea.")
    assert (desk.folder / "runs/r1/script.txt").read_text() == "The sea."
    page.clock.install()
    page.click("[data-act=approve]")
    with page.expect_response("**/approve") as decided:
        page.clock.fast_forward(20_000)
    assert decided.value.ok
    assert get_job_status(desk.ledger, "r1").gates[-1].decision == "approved"


def test_what_was_saved_here_is_nobodys_else_change(page: Page, desk: ConsoleDesk) -> None:
    desk.start("r1")
    desk.work(files={"script.txt": b"Teh sea."})
    page.route("**/api/v1/events*", lambda _: None)  # events come when the test tells them
    page.clock.install()
    page.goto("/gates")
    seen = []
    for text in ("The sae.", "The sea."):
        mend(page, text)
        seen.append(get_job_status(desk.ledger, "r1").gates[-1].seen)
    page.click("[data-act=approve]")
    for each in seen:
        tell_changed(page, each)
    assert "changed" not in page.inner_text("#notices")
    tell_changed(page, seen[-1])  # as where the page was loaded anew: it is what was decided about
    with page.expect_response("**/approve") as decided:
        page.clock.fast_forward(20_000)
    assert decided.value.ok


def test_a_key_decides_nothing_while_a_text_is_about_to_open(page: Page, desk: ConsoleDesk) -> None:
    desk.start("r1")
    desk.work(files={"script.txt": b"Teh sea."})
    page.goto("/gates")
    page.wait_for_selector(".file pre:text-is('Teh sea.')")
    held = HeldAnswers(page, "**/script.txt*")
    page.click("text=Edit script.txt")
    held.wait()
    page.keyboard.press("a")
    page.wait_for_selector("#notices:has-text('A text is open')")
    assert page.locator("#gate.decided").count() == 0
    held.let_go()
    page.wait_for_selector("form[data-editing] textarea")
