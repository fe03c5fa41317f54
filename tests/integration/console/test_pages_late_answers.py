"""P32: answers that come late or in another order, and presses while a page is renewed, undo nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lib.jobqueue import Changed
from lib.jobspec import normalize_job_spec
from lib.pipeline.gates import approve_gate, look_again, reject_gate
from lib.pipeline.model import Artifact
from lib.pipeline.views import get_job_status
from tests.chromium import needs_chromium
from tests.doubles.console import ConsoleDesk, job_file, sound
from tests.doubles.spoken_jobs import perform
from tests.pages import HeldAnswers, until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

pytestmark = needs_chromium

TEXT = "The moon pulls at the water."


def press_down(page: Page, what: Locator) -> None:
    """Begin to press, and hold on."""
    box = what.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()


def test_a_press_counts_though_its_part_is_taken_anew_meanwhile(desk: ConsoleDesk, page: Page) -> None:
    page.goto("/")
    page.wait_for_selector("#live[data-state=live]")
    press_down(page, page.locator("#pause"))
    desk.enqueue("a")
    page.wait_for_selector("#work:has-text('0 of 1 jobs ended')")  # another part of the same look
    page.mouse.up()
    page.get_by_role("button", name="Resume the queue").wait_for()
    page.locator("#verdict dd >> nth=0", has_text="1").wait_for()  # what was left then comes, too


def test_what_happened_is_shown_though_the_first_look_is_refused(
    desk: ConsoleDesk, page: Page, complaints: list[str]
) -> None:
    desk.start("r1")
    page.goto("/runs/r1")
    page.wait_for_selector("#live[data-state=live]")
    refused: list[str] = []

    def answer(route: Route) -> None:
        if len(refused) < 2:  # the live parts, and the files
            refused.append(route.request.url)
            route.fulfill(status=503, body="")
        else:
            route.continue_()

    page.route("**/runs/r1", answer)
    desk.work(files={"script.txt": b"Hello."})
    page.get_by_role("link", name="Decide about script").wait_for()
    page.wait_for_selector("[data-file='script.txt']")
    assert len(refused) == 2
    complaints.clear()


def test_what_is_decided_is_pressed_once_though_its_button_comes_anew(desk: ConsoleDesk, page: Page) -> None:
    desk.start("r1")
    page.goto("/runs/r1")
    page.wait_for_selector("#live[data-state=live]")
    cancel = page.get_by_role("button", name="Cancel the run")
    cancel.click()
    desk.work(files={"script.txt": b"Hello."})
    page.get_by_role("link", name="Decide about script").wait_for()  # so the button is another one
    assert cancel.is_disabled()
    page.locator("h1").click()
    page.keyboard.press("u")
    page.wait_for_selector("button:text-is('Cancel the run'):enabled")
    assert page.locator(".notice").count() == 0


def test_who_logs_out_waits_for_what_is_being_sent(desk: ConsoleDesk, page: Page) -> None:
    desk.start("r1")
    desk.work()
    page.clock.install()
    page.goto("/gates")
    page.keyboard.press("a")
    held = HeldAnswers(page, "**/approve")
    page.clock.fast_forward(10_000)
    held.wait()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    page.click("[data-log-out]")
    page.wait_for_timeout(200)
    assert "DELETE" not in asked
    with page.expect_navigation(url="**/login"):
        held.let_go()
    assert get_job_status(desk.ledger, "r1").gates[-1].decision == "approved"


def test_the_number_of_gates_is_the_one_that_was_counted_last(desk: ConsoleDesk, page: Page) -> None:
    held = HeldAnswers(page, "**/gates/count")
    page.goto("/runs")
    held.wait()
    desk.start("r1")
    desk.work()
    held.wait(2)
    held.let_go(1)
    page.wait_for_selector("#gates-waiting:text-is('1')")
    held.let_go(0)
    assert page.inner_text("#gates-waiting") == "1"


def edit(page: Page, desk: ConsoleDesk) -> None:
    """The one gate that waits, its text being mended."""
    desk.start("r1")
    desk.work(files={"script.txt": b"Teh sea."})
    page.goto("/gates")
    page.wait_for_selector("#live[data-state=live]")
    page.click("text=Edit script.txt")
    page.fill("form[data-editing] textarea", "The sea.")


def test_an_own_change_is_nobodys_else_though_it_is_told_before_it_is_answered(
    page: Page, desk: ConsoleDesk
) -> None:
    edit(page, desk)
    held = HeldAnswers(page, "**/files/script.txt")
    page.click("form[data-editing] [type=submit]")
    held.wait()
    desk.start("r2")
    desk.work("r2")
    page.wait_for_selector("[data-gate][data-run=r2]")  # so it has heard of the change before
    assert "changed" not in page.inner_text("#notices")
    held.let_go()
    page.wait_for_selector(".file pre:text-is('The sea.')")
    assert "changed" not in page.inner_text("#notices")
    assert page.is_hidden("#meanwhile")
    other = Artifact(path="script.txt", type="text/plain", sha256="0" * 64, size=1)
    look_again(desk.ledger, "r1", "script", [other])
    page.wait_for_selector(".notice:has-text('has changed')")


def test_nothing_is_written_or_left_while_a_text_is_saved(
    page: Page, desk: ConsoleDesk, complaints: list[str]
) -> None:
    edit(page, desk)
    approve_gate(desk.ledger, "r1", "script", operator="ben")
    held = HeldAnswers(page, "**/files/script.txt")
    page.click("form[data-editing] [type=submit]")
    held.wait()
    field = page.locator("form[data-editing] textarea")
    assert not field.is_editable()
    assert page.is_disabled("[data-edit-leave]")
    held.let_go()
    page.wait_for_selector("[data-edit-wrong]:has-text('ben')")
    assert field.is_editable()
    assert page.is_enabled("[data-edit-leave]")
    complaints.clear()


def test_a_text_that_opens_takes_nobody_from_his_note(page: Page, desk: ConsoleDesk) -> None:
    desk.start("r1")
    desk.work(files={"script.txt": b"The sea."})
    page.goto("/gates")
    page.wait_for_selector(".file pre:text-is('The sea.')")
    held = HeldAnswers(page, "**/script.txt*")
    page.click("text=Edit script.txt")
    held.wait()
    page.focus("[name=note]")
    page.keyboard.type("less ")
    held.let_go()
    page.wait_for_selector("form[data-editing] textarea")
    page.keyboard.type("moon")
    assert page.input_value("[name=note]") == "less moon"


def test_a_gate_that_does_not_come_leaves_the_page_as_it_is(
    page: Page, desk: ConsoleDesk, complaints: list[str]
) -> None:
    for run in ("r1", "r2"):
        desk.start(run)
        desk.work(run, files={"script.txt": b"Hello."})
    page.goto("/gates")
    page.wait_for_selector("#gate[data-run=r1]")
    page.fill("[name=note]", "louder")
    page.keyboard.press("Escape")
    page.route("**/gates?run=r2*", lambda route: route.fulfill(status=503, body=""), times=1)
    page.keyboard.press("j")
    page.wait_for_selector(".notice.problem:has-text('The console answered 503')")
    assert page.input_value("[name=note]") == "louder"
    page.keyboard.press("j")
    page.wait_for_selector("#gate[data-run=r2]")
    complaints.clear()


def test_the_next_note_is_written_while_one_is_sent(page: Page, desk: ConsoleDesk) -> None:
    desk.start("r1")
    desk.work(files={"script.txt": b"Hello."})
    page.goto("/runs/r1")
    held = HeldAnswers(page, "**/api/v1/runs/r1/**")
    page.fill("#anew textarea", "shorter")
    page.click("text=Run it anew")
    held.wait()
    page.fill("#anew textarea", "and slower")
    held.let_go()
    page.get_by_text("script runs anew.").wait_for()
    assert page.input_value("#anew textarea") == "and slower"


def test_a_gate_that_was_chosen_comes_though_the_inbox_is_renewed(page: Page, desk: ConsoleDesk) -> None:
    for run in ("r0", "r1", "r2"):
        desk.start(run)
        desk.work(run)
    reject_gate(desk.ledger, "r0", "script", operator="ben")
    page.goto("/gates?run=r0&stage=script")  # it does not wait any more: no gate is shown
    page.wait_for_selector("#live[data-state=live]")
    held = HeldAnswers(page, "**/gates?run=r2*")
    page.click("[data-gate][data-run=r2]")
    held.wait()
    desk.start("r3")
    desk.work("r3")
    page.wait_for_selector("[data-gate][data-run=r3]")
    held.let_go()
    page.wait_for_selector("#gate[data-run=r2]")


def ask_for(desk: ConsoleDesk, text: str = TEXT) -> None:
    spec = normalize_job_spec({"output_name": "topic/a", "text": text, "speaker": "Ryan", "variants": 2})
    desk.queue.enqueue([spec], changed=Changed.REPLACE)


@pytest.fixture
def job(page: Page, desk: ConsoleDesk) -> Page:
    """The page of a job with two takes of 20 seconds and more."""
    ask_for(desk)
    perform(desk, "a", TEXT, takes=2, seconds=20.0)
    page.goto("/jobs/topic:a")
    page.wait_for_selector("#live[data-state=live]")
    page.wait_for_selector(".said span")
    return page


def test_what_was_asked_first_is_not_answered_last(job: Page, complaints: list[str]) -> None:
    held = HeldAnswers(job, "**/queue/jobs?*")
    for written, count in (("moon: /not phonemes 5/", 1), ("", 2)):
        job.fill("[name=pronounce]", written)
        job.keyboard.press("Tab")
        held.wait(count)
    held.let_go(1)
    until(job, "document.getElementById('consequence').textContent.startsWith('Nothing that is heard')")
    held.let_go(0)
    assert job.inner_text("#consequence").startswith("Nothing that is heard")
    assert job.is_hidden("#problems")
    complaints.clear()  # what was refused, as the browser tells it


def test_audio_that_came_before_its_order_was_answered_is_not_announced(job: Page, desk: ConsoleDesk) -> None:
    job.fill("[name=text]", "Other words.")
    held = HeldAnswers(job, "**/queue/jobs?*dry_run=false")
    job.get_by_role("button", name="Speak it anew").click()
    held.wait()
    perform(desk, "a", "Other words.")
    job.wait_for_selector("#heard[data-revision='2']")
    held.let_go()
    assert job.inner_text("#consequence").startswith("Revision 2 is heard above")


def test_new_audio_waits_for_a_note_that_is_being_written(job: Page, desk: ConsoleDesk) -> None:
    job.keyboard.press("n")
    job.keyboard.type("half a ")
    ask_for(desk, "Other words.")
    perform(desk, "a", "Other words.")
    compare = job.get_by_role("button", name="Compare")
    job.wait_for_selector("#state .word[data-state=done] ~ .soft:text-is('revision 2')")
    job.keyboard.type("thought")
    assert job.input_value(".notes [name=words]") == "half a thought"
    compare.click()
    job.wait_for_selector("#heard[data-revision='2']")


def test_new_audio_waits_for_a_note_that_was_begun_while_it_was_fetched(job: Page, desk: ConsoleDesk) -> None:
    held = HeldAnswers(job, "**/jobs/topic:a")
    ask_for(desk, "Other words.")
    perform(desk, "a", "Other words.")
    held.wait(2)  # the parts that are live, and the audio
    job.keyboard.press("n")
    job.keyboard.type("a thought")
    for at in (0, 1):
        held.let_go(at)
    assert job.input_value(".notes [name=words]") == "a thought"
    job.get_by_role("button", name="Compare").wait_for()


def test_a_note_that_is_kept_stays_listed_whatever_was_asked_before(
    page: Page, job: Page, desk: ConsoleDesk
) -> None:
    held = HeldAnswers(page, "**/api/v1/notes?*")
    page.goto("/jobs/topic:a")
    held.wait()
    page.keyboard.press("n")
    page.keyboard.type("too fast")
    page.keyboard.press("Enter")
    held.wait(2)
    held.let_go(1)
    page.wait_for_selector(".notes li")
    held.let_go(0)
    assert page.locator(".notes li").count() == 1


def test_a_take_begins_where_the_one_before_was_though_its_audio_comes_late(job: Page) -> None:
    held = HeldAnswers(job, "**/takes/2?*")
    job.locator(".said span").nth(4).click()
    seek = job.locator("[data-seek]")
    begun = float(seek.input_value())
    job.keyboard.press("Space")
    held.wait()
    until(job, f"Number(document.querySelector('[data-seek]').value) > {begun}")
    job.keyboard.press("2")
    job.wait_for_selector("[data-toggle]:text-is('Pause')")
    job.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert float(seek.input_value()) > begun
    job.keyboard.press("Space")


def test_a_note_is_written_on_while_files_come(page: Page, desk: ConsoleDesk) -> None:
    desk.start("r1")
    desk.work(files={"voice.wav": sound()})
    page.goto("/runs/r1")
    page.wait_for_selector("#live[data-state=live]")
    page.click("[data-note]")
    page.keyboard.type("half a ")
    approve_gate(desk.ledger, "r1", "script", operator="ben")
    desk.work(files={"mix.wav": sound()})
    page.wait_for_selector("[data-file='mix.wav']")
    page.keyboard.type("thought")
    assert page.input_value(".notes [name=words]") == "half a thought"


def test_a_script_is_handed_in_as_it_was_looked_over(page: Page, desk: ConsoleDesk) -> None:
    desk.enqueue("a")
    page.goto("/upload")
    page.get_by_label("The script").fill(job_file("a", text="Mine."))
    hand_in = page.get_by_role("button", name="Hand in, 1 line spoken anew")
    hand_in.wait_for()
    held = HeldAnswers(page, "**/scripts/plan?*")
    hand_in.click()
    held.wait()
    page.focus("#text")
    page.keyboard.type("# written on")
    assert page.input_value("#text") == job_file("a", text="Mine.")
    held.let_go()
    page.wait_for_url("**/scripts/*")


def test_what_is_written_while_a_script_is_made_is_not_written_over(page: Page) -> None:
    page.goto("/upload")
    page.get_by_label("The script").fill("The sea comes.")
    make = page.get_by_role("button", name="Make a script of it")
    make.wait_for()
    held = HeldAnswers(page, "**/scripts/draft?*")
    make.click()
    held.wait()
    page.focus("#text")
    page.keyboard.type("And it goes.")
    assert page.input_value("#text") == "The sea comes."
    held.let_go()
    assert "text: The sea comes." in page.input_value("#text")
    page.keyboard.type("#")  # from then on it is written in again
    assert "#" in page.input_value("#text")
