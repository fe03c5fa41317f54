"""Pages in a real Chromium, from the disk: what they ask for, what runs in them, how they are used (Q46)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from synth.page.document import write_page
from synth.page.page_list import read_pages
from tests.chromium import Tab, chromium, needs_chromium
from tests.unit.synth.page.pages import ATTACKS, beat, hostile, page_list

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


def written(folder: Path, beats: list[dict[str, Any]], **more: Any) -> Path:
    (page,) = read_pages(page_list(folder, beats, **more))
    write_page(page)
    return page.file


def names_of(tab: Tab) -> list[str]:
    return [unquote(url.rpartition("/")[2]) for url in tab.requests]


@pytest.mark.parametrize("count", [10, pytest.param(50, marks=pytest.mark.soak)])
def test_a_page_asks_for_nothing_but_its_own_audio_and_runs_nobody_elses_script(
    tab: Tab, tmp_path: Path, count: int
) -> None:
    """Scripts in every text that a caller controls, names out of every script; all of them are played."""
    folder = tmp_path / "topic #1 100% ?"
    folder.mkdir()
    beats = hostile(folder, count)
    page = written(folder, beats, title=ATTACKS[0] + ATTACKS[6], name="listen # 100%?.html")

    tab.open(page.as_uri())
    assert len(names_of(tab)) == 1  # itself: no audio before it is played
    for at in range(count):
        tab.press("j")
        tab.press(" ")
        tab.until(f"isLoaded({at}) && audio.currentTime > 0 && audio.paused")  # to its end
        assert tab.value("audio.error") is None
    tab.press("?")
    tab.value("document.querySelectorAll('*').forEach((each) => each.dispatchEvent(new Event('mouseover')))")

    assert tab.value("window.hacked") is None
    assert tab.said == []  # no dialog, no console, nothing that the policy had to stop
    assert names_of(tab)[1:] == [Path(each["files"][0]).name for each in beats]
    assert all(url.startswith("file:///") for url in tab.requests)
    assert tab.value("document.querySelectorAll('iframe, img, base, form, link:not([rel=icon])').length") == 0
    shown = tab.value("[...document.querySelectorAll('h2[id^=t]')].map((each) => each.textContent)")
    assert shown[:2] == [f"{ATTACKS[0]} 0", f"{ATTACKS[1]} 1"]


def test_its_policy_stops_a_script_that_came_in_all_the_same(tab: Tab, tmp_path: Path) -> None:
    page = written(tmp_path, [beat(tmp_path, "one")])
    spoilt = page.read_text().replace("</main>", "</main><script>window.hacked=1</script><img src=x.png>")
    page.write_text(spoilt)

    tab.open(page.as_uri())

    assert tab.value("window.hacked") is None
    assert len(tab.requests) == 1


def test_the_keys_go_through_the_beats_and_play_them(tab: Tab, tmp_path: Path) -> None:
    # None of them ends while this looks at it, however slow the machine is.
    beats = [beat(tmp_path, name, seconds=60.0) for name in ("one", "two", "three")]
    beats.insert(1, {"title": "waiting", "text": "Not yet.", "state": "waiting", "note": "for 3s"})
    tab.open(written(tmp_path, beats).as_uri())
    current = "document.querySelector('.current h2').textContent"

    tab.press("j")
    assert tab.value(current) == "one"
    assert tab.value("document.activeElement.getAttribute('aria-label')") == "Play one"
    assert tab.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"  # seen where it is
    tab.press(" ")
    tab.until("!audio.paused && audio.currentTime > 0.1")
    assert tab.value("document.activeElement.getAttribute('aria-label')") == "Pause one"
    shown = "getComputedStyle(document.querySelector('#toggle .to-%s')).display"
    assert [tab.value(shown % each) for each in ("play", "pause")] == ["none", "inline"]
    assert tab.value("document.querySelector('#toggle .to-pause').getBoundingClientRect().width") > 0
    assert tab.value("CSS.highlights.get('said').values().next().value.toString()") == "This is one."
    tab.press(" ")
    tab.until("audio.paused")
    tab.press("j")
    assert tab.value(current) == "waiting"  # shown, and passed over by whatever plays
    tab.press(" ")
    assert tab.value("audio.paused")
    tab.press("j")
    tab.press("k")
    tab.press("k")
    tab.press("a")  # all, from here on
    tab.until("!audio.paused")
    tab.value("void (audio.currentTime = audio.duration - 4)")
    tab.press("ArrowRight")  # five seconds on, so beyond its end
    tab.until(f"{current} === 'two' && audio.currentTime > 0.1")
    tab.press("?")
    assert tab.value("help.open && document.activeElement.textContent") == "Close"
    tab.press("Escape")
    assert tab.value("help.open") is False
    tab.press("f")
    assert tab.value(current) == "two"  # nothing wrong behind it
    assert tab.said == []


def test_a_take_is_downloaded_by_its_own_name_wherever_it_lies(tab: Tab, tmp_path: Path) -> None:
    made = beat(tmp_path, "one")
    (take,) = made["record"]["takes"]
    second = {**take, "take": 2, "file": "one.take-02.wav"}
    blob = tmp_path / "9f86d081884c7d65"  # as a store keeps it, once another job took its name
    blob.write_bytes((tmp_path / "one.wav").read_bytes())
    made["record"]["takes"], made["files"] = [take, second], [made["files"][0], str(blob)]
    tab.open(written(tmp_path, [made]).as_uri())

    tab.value("document.querySelectorAll('.take')[1].click()")

    link = "(({href, download}) => [href.split('/').pop(), download])(document.querySelector('.download'))"
    assert tab.value(link) == [blob.name, "one.take-02.wav"]
    assert tab.said == []


def test_audio_that_went_after_the_page_was_made_is_said(tab: Tab, tmp_path: Path) -> None:
    page = written(tmp_path, [beat(tmp_path, "one")])
    (tmp_path / "one.wav").unlink()

    tab.open(page.as_uri())
    tab.press(" ")

    tab.until("document.getElementById('said').textContent === 'one cannot be played.'")


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_and_can_be_read_in_light_and_dark_on_a_phone_and_a_desk(
    tab: Tab, tmp_path: Path, width: int, dark: bool
) -> None:
    """Nothing to scroll sideways, whatever the texts; each text with a contrast of 4.5 at least (WCAG AA)."""
    long = "Donaudampfschifffahrtsgesellschaftskapitän" * 6
    beats = [beat(tmp_path, "one", title=long, text=long, flags=("gap", long)), *hostile(tmp_path, 6)]
    beats += [{"title": "waiting", "text": "Not yet.", "state": "failed", "note": long}]
    tab.open(written(tmp_path, beats, title=long).as_uri(), width=width, height=800, dark=dark)
    tab.press("j")
    tab.value("document.styleSheets[0].insertRule('li.beat { content-visibility: visible }')")  # all laid out

    assert tab.value("document.documentElement.scrollWidth") == width
    assert tab.value(_CONTRASTS) == []
    sizes = (
        "[...document.querySelectorAll('.play, .bar button, .bar select')].map((each) => each.offsetHeight)"
    )
    assert min(tab.value(sizes)) >= 44  # for a finger


#: The elements with text of their own whose contrast with what is behind them is under 4.5.
_CONTRASTS = """(() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((each) => each / 255)
    .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return parse(getComputedStyle(document.documentElement).backgroundColor);
  };
  return [...document.body.querySelectorAll("*")]
    .filter((each) => !each.closest("script, dialog, noscript, .visually-hidden, :disabled"))
    .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((each) => {
      const [one, other] = [light(parse(getComputedStyle(each).color)), light(behind(each))];
      return [each.className, (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)];
    })
    .filter(([, ratio]) => ratio < 4.5);
})()"""
