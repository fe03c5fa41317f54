"""P32: jobs and voices in a browser: takes compared by keys, a note, a line changed and heard again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from job_console.voice_samples import VoiceSamples
from job_console.waveforms import Waveforms
from lib.jobqueue import Changed
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.cancel import cancel
from lib.jobspec import normalize_job_spec
from tests.doubles.console import ConsoleDesk
from tests.doubles.spoken_jobs import peaks, perform, tone
from tests.pages import PHONE, grave_faults, logged_in, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

TEXT = "The moon pulls at the water, and the water follows."
#: Audio that a script makes stands in no document: it is caught where it is made.
CATCH = """
window.made = [];
window.Audio = class extends Audio { constructor() { super(); window.made.push(this); } };
"""
LOADED = """
made.length === 3 &&
made.every(({ buffered, duration }) => buffered.length && buffered.end(0) > duration - 0.1)
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleDesk]:
    """One for all tests here, each with a job of its own: a server costs more than most of them."""
    desk = ConsoleDesk(tmp_path_factory.mktemp("desk"), MemoryQueue())
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def url(desk: ConsoleDesk) -> Iterator[str]:
    with desk.served() as url:
        yield url


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """The test's own job is topic:<name>."""
    return str(request.node.name).replace("_", "-")


def ask_for(desk: ConsoleDesk, name: str, text: str = TEXT) -> None:
    spec = normalize_job_spec(
        {"output_name": f"topic/{name}", "text": text, "speaker": "Ryan", "variants": 3}
    )
    desk.queue.enqueue([spec], changed=Changed.REPLACE)


@pytest.fixture
def job(desk: ConsoleDesk, page: Page, name: str) -> Page:
    """The page of a job with three takes of 30 seconds and more, its waveforms drawn.

    None of them comes to its end while somebody looks at what plays, however slow he is.
    """
    ask_for(desk, name)
    perform(desk, name, TEXT, takes=3, seconds=30.0, lufs=(-16.0, -22.0, -19.0))
    page.add_init_script(CATCH)
    page.goto(f"/jobs/topic:{name}")
    until(page, "document.querySelectorAll('.wave.loading').length === 0")
    page.wait_for_selector(".said span")
    return page


def place(page: Page) -> float:
    """Where the player is, in seconds."""
    return float(page.locator("[data-seek]").input_value())


def audio(page: Page, number: int, what: str) -> Any:
    """Of the audio of a take, from 1."""
    return page.evaluate(
        f"made.find((each) => each.src.endsWith('/takes/{number}?revision=1'))?.{what}",
    )


class TestTheKeys:
    """Compared without a mouse."""

    def test_takes_are_heard_at_one_place_and_as_loud(self, job: Page) -> None:
        job.locator(".said span").nth(4).click()
        begun = place(job)
        assert begun > 1.5
        job.keyboard.press("Space")
        until(job, f"made[0]?.currentTime > {begun} && !made[0].paused")
        assert audio(job, 1, "volume") == pytest.approx(10 ** (-6 / 20), abs=0.001)
        before = audio(job, 1, "currentTime")
        job.keyboard.press("2")
        second = "made.find((each) => each.src.includes('/takes/2?'))"
        until(job, f"!{second}?.paused && {second}?.currentTime > 0.2")
        assert audio(job, 1, "paused")
        assert audio(job, 2, "currentTime") >= before
        assert audio(job, 2, "volume") == 1
        assert job.locator(".take.at-hand [data-choose]").inner_text().endswith("Take 2")
        job.keyboard.press("m")
        job.keyboard.press("1")
        until(job, "made[0].paused === false")
        assert audio(job, 1, "volume") == 1
        job.keyboard.press("Space")
        assert audio(job, 1, "paused")

    def test_the_place_is_moved_and_the_speed(self, job: Page) -> None:
        job.keyboard.press("ArrowRight")
        assert place(job) == 5
        job.keyboard.press("Shift+ArrowLeft")
        assert place(job) == 0
        job.keyboard.press("]")
        job.keyboard.press("Space")
        until(job, "made[0]?.playbackRate === 1.25")
        job.keyboard.press("Space")

    def test_a_word_leads_to_its_place_and_is_marked(self, job: Page) -> None:
        words = job.locator(".said span")
        assert words.all_inner_texts() == TEXT.split()
        words.nth(4).click()
        assert place(job) == pytest.approx(float(words.nth(4).get_attribute("data-start") or ""), abs=0.011)
        assert job.locator(".said .now").all_inner_texts() == ["the"]

    def test_keys_are_letters_where_somebody_writes(self, job: Page) -> None:
        job.locator("[name=text]").press_sequentially("n 2m")
        assert "n 2m" in job.locator("[name=text]").input_value()
        assert job.locator(".notes form").count() == 0
        assert job.locator(".take.at-hand [data-choose]").inner_text().startswith("1")


class TestNotes:
    """A note at a time of a take."""

    def test_is_kept_and_stands_where_the_line_is_changed(
        self, desk: ConsoleDesk, job: Page, name: str
    ) -> None:
        job.keyboard.press("3")
        job.locator(".said span").nth(6).click()
        at = place(job)
        job.keyboard.press("n")
        job.keyboard.type("<b>too</b> fast")
        job.keyboard.press("Enter")
        job.wait_for_selector(".notes li")
        (kept,) = desk.parts.notes.of(job=f"topic:{name}")
        assert (kept.words, kept.operator, kept.part) == ("<b>too</b> fast", "ann", "r1.3")
        assert kept.seconds == pytest.approx(at, abs=0.01)
        assert job.locator("#open-notes li").inner_text().endswith("<b>too</b> fast")
        assert job.locator(".take:nth-child(3) .pin").count() == 1
        job.keyboard.press("1")
        job.get_by_role("button", name="Go to").click()
        assert job.locator(".take.at-hand [data-choose]").inner_text().endswith("Take 3")
        job.get_by_role("button", name="Settled").click()
        job.wait_for_selector("#open-notes", state="hidden")
        assert desk.parts.notes.of(job=f"topic:{name}")[0].settled_by == "ann"


class TestTheLine:
    """Changed, and heard again beside what it was."""

    def test_new_audio_arrives_beside_the_old(self, desk: ConsoleDesk, job: Page, name: str) -> None:
        job.fill("[name=text]", "Other words.")
        job.locator("[name=text]").press("Tab")
        until(job, "document.getElementById('consequence').textContent.startsWith('Revision 2')")
        said = job.locator("#consequence").inner_text()
        assert "Stale then: its 3 takes" in said
        assert "nothing was rented" in said
        record = desk.queue.job(f"topic:{name}")
        assert record is not None
        assert record.revision == 1  # so far it was only asked about
        job.get_by_role("button", name="Speak it anew").click()
        job.wait_for_selector("#state .word[data-state=waiting]")
        perform(desk, name, "Other words.", takes=1, seconds=2.0)
        job.wait_for_selector("#heard[data-revision='2'] .takes li:nth-child(4)")
        assert job.locator("#consequence").inner_text().startswith("Revision 2 is heard above")
        labels = [text.split(" ", 1)[1] for text in job.locator("[data-choose]").all_inner_texts()]
        assert labels == ["Take 1", "Revision 1, take 1, chosen", "Revision 1, take 2", "Revision 1, take 3"]
        job.keyboard.press("2")
        job.keyboard.press("Space")
        until(job, "made.some((each) => each.src.endsWith('/takes/1?revision=1') && each.currentTime > 0)")

    def test_what_plays_is_not_taken_away(self, desk: ConsoleDesk, job: Page, name: str) -> None:
        asked: list[Route] = []
        job.route("**/takes/3?*", lambda route: asked.append(route))
        job.keyboard.press("Space")
        until(job, "made[0]?.currentTime > 0")
        ask_for(desk, name, "Other words.")
        perform(desk, name, "Other words.", takes=1)
        compare = job.get_by_role("button", name="Compare")
        compare.wait_for()
        for route in asked:
            route.continue_()
        job.unroute("**/takes/3?*")
        until(job, LOADED)  # what is asked for only now is the audio before, too
        assert not audio(job, 1, "paused")
        compare.click()
        job.wait_for_selector("#heard[data-revision='2']")

    def test_what_is_wrong_is_said_and_nothing_is_done(
        self, desk: ConsoleDesk, job: Page, name: str, complaints: list[str]
    ) -> None:
        job.fill("[name=pronounce]", "moon: /not phonemes 5/")
        job.get_by_role("button", name="What would that do?").click()
        job.wait_for_selector("#problems li")
        job.fill("[name=pronounce]", "")
        job.get_by_role("button", name="What would that do?").click()
        job.wait_for_selector("#problems", state="hidden")
        until(job, "document.getElementById('consequence').textContent.startsWith('Nothing that is heard')")
        job.get_by_role("button", name="Another seed").click()
        until(job, "document.getElementById('consequence').textContent.startsWith('Revision 2')")
        record = desk.queue.job(f"topic:{name}")
        assert record is not None
        assert record.revision == 1
        assert all("422" in each for each in complaints)  # what was refused, as the browser tells it
        complaints.clear()


def test_a_waveform_that_waits_for_others_is_asked_for_again(
    page: Page, desk: ConsoleDesk, name: str, complaints: list[str]
) -> None:
    ask_for(desk, name)
    perform(desk, name, TEXT, takes=1, seconds=1.0, lufs=(-16.0,))
    refusals = [503, 503]

    def answer(route: Route) -> None:
        if refusals:
            route.fulfill(status=refusals.pop(), headers={"Retry-After": "0"}, json={})
        else:
            route.continue_()

    page.route("**/takes/1/peaks?*", answer)
    page.goto(f"/jobs/topic:{name}")
    until(page, "document.querySelectorAll('.wave.loading, .wave.unseen-wave').length === 0")
    assert refusals == []
    complaints.clear()


def test_a_note_of_the_audio_before_is_told_as_such(job: Page, desk: ConsoleDesk, name: str) -> None:
    first = f"topic:{name}"
    finished = desk.queue.result(first)
    done = finished.done() if finished else None
    assert done
    sha256 = done.takes[0].main.sha256
    desk.parts.notes.add(operator="ann", words="too fast", seconds=1.0, sha256=sha256, part="r1.1", job=first)
    job.reload()
    job.get_by_text("Noted about this audio:").wait_for()
    ask_for(desk, name, "Slowly.")
    perform(desk, name, "Slowly.")
    job.get_by_text("Noted about the audio before, which was spoken anew since:").wait_for()
    assert job.locator("#open-notes li").inner_text().endswith("too fast, of revision 1")


def test_a_line_that_was_changed_elsewhere_is_looked_at_before_it_is_replaced(
    page: Page, desk: ConsoleDesk, name: str
) -> None:
    ask_for(desk, name)
    page.goto(f"/jobs/topic:{name}")
    ask_for(desk, name, "The sun pulls.")  # by somebody else
    page.fill("#change [name=text]", "The wind pulls.")
    page.get_by_role("button", name="Speak it anew").click()
    until(page, "document.getElementById('consequence').textContent.includes('Revision 2 was asked for')")
    (spec,) = desk.queue.specs([f"topic:{name}"])
    assert spec is not None
    assert spec.text == "The sun pulls."
    page.get_by_role("button", name="Speak it anew").click()
    until(page, "document.getElementById('consequence').textContent.includes('Revision 3 is on the queue')")
    cancel(desk.queue, f"topic:{name}")  # the queue is that of the other tests, too


def test_what_nobody_changed_is_asked_for_as_it_was(page: Page, desk: ConsoleDesk, name: str) -> None:
    text = "\nAt 12:30 the sea\r\ncomes back."
    asked = {"output_name": f"topic/{name}", "text": text, "speaker": "Ryan"}
    desk.queue.enqueue([normalize_job_spec({**asked, "pronounce": {"12:30": "half past twelve"}})])
    page.goto(f"/jobs/topic:{name}")
    page.get_by_role("button", name="What would that do?").click()
    until(page, "document.getElementById('consequence').textContent.startsWith('Nothing that is heard')")
    cancel(desk.queue, f"topic:{name}")


def test_a_voice_is_heard_and_everybody_can_use_the_page(browser: Browser, desk: ConsoleDesk) -> None:
    def speak(words: list[str]) -> tuple[int, dict[str, Any]]:
        Path(f"{words[words.index('--out-exact') + 1]}.wav").write_bytes(tone(30.0))
        told = {"engine": "hibari", "audio_seconds": 30.0, "loudness_lufs": -19.0, "sha256": "a" * 64}
        return 0, told

    def draw(audio: Path, target: Path) -> str:
        target.write_bytes(peaks(30.0))
        return ""

    made = desk.folder / "console"
    rooms = {
        "samples": VoiceSamples(made / "samples", desk.folder, "hibari", speak),
        "waveforms": Waveforms(made / "peaks", draw),
    }
    with desk.served(**rooms) as url, logged_in(browser, url) as page:
        page.add_init_script(CATCH)
        page.goto("/voices")
        page.fill("#line", "<b>Good</b> evening.")
        page.get_by_role("button", name="Hear Ryan").click()
        until(page, "window.made[0]?.currentTime > 0.2")
        assert page.locator("[data-heard] [data-choose]").inner_text() == "<b>Good</b> evening."
        assert page.get_by_role("button", name="Pause Ryan").count() == 1
        assert grave_faults(page) == []
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_everybody_can_use_it(job: Page) -> None:
    job.locator("details").first.locator("summary").click()
    job.keyboard.press("n")
    assert grave_faults(job) == []
    job.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert job.evaluate("document.documentElement.scrollWidth") == PHONE[0]
