"""Pictures of each page of the console, while a production runs.

python -m tests.e2e.console_pictures docs/images/console
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image

from tests import warm
from tests.e2e.studio import Studio
from tests.pages import PHONE, chromium_driven, logged_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT: Final = """\
defaults: {speaker: Ryan}
jobs:
  - output_name: tides/beat-001
    text: Twice a day, on most coasts of the world, the sea leaves and comes back.
  - output_name: tides/beat-002
    text: Boats that floated at breakfast lie on mud by noon.
    variants: 2
  - output_name: tides/beat-003
    text: By evening they float again.
"""
#: Each page's name as a picture, its path, and what has to be there before it is taken.
_PAGES: Final = (
    ("overview", "/", "text=Jobs ended"),
    ("queue", "/queue", "main h1"),
    ("history", "/history", "text=tides:beat-003"),
    ("upload", "/upload", "text=tides.yaml"),
    ("job", "/jobs/tides:beat-002", "#takes .take:nth-child(2) canvas"),
    ("runs", "/runs", "text=lighthouse"),
    ("run", "/runs/lighthouse", "svg"),
    ("gates", "/gates?run=lighthouse&stage=script", "#gate"),
    ("machines", "/machines", "main h1"),
    ("voices", "/voices", "main h1"),
)
_COLOURS: Final = 128  # a page has few, and a picture of them a third of the bytes


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        studio = Studio(Path(place))
        try:
            with chromium_driven() as browser:
                with logged_in(browser, studio.url) as page:
                    _hand_in(page, folder)
                    studio.film("lighthouse")
                    studio.until_gate("lighthouse")
                    for name, path, there in _PAGES:
                        _take(page, path, there, folder / f"{name}.png")
                with logged_in(browser, studio.url, size=PHONE, dark=True) as page:
                    page.goto(studio.link("lighthouse", "ann"))
                    _save(page.screenshot(full_page=True), folder / "link-on-a-phone.png")
        finally:
            studio.close()
            warm.stop()


def _hand_in(page: Page, folder: Path) -> None:
    page.goto("/upload")
    page.fill("[name=name]", "tides.yaml")
    page.fill("#text", SCRIPT.replace("text: By", "txt: By"))
    page.wait_for_selector("#found li")
    _save(page.screenshot(), folder / "problems.png")
    page.fill("#text", SCRIPT)
    page.click("#hand-in:enabled")
    page.wait_for_url("**/scripts/*")
    for number in (1, 2, 3):
        page.wait_for_selector(f"#play-{number}", timeout=60_000)
    _save(page.screenshot(full_page=True), folder / "script.png")


def _take(page: Page, path: str, there: str, file: Path) -> None:
    page.goto(path)
    page.wait_for_selector(there)
    page.wait_for_selector("#live[data-state=live]")
    page.evaluate("document.fonts.ready")
    _save(page.screenshot(full_page=True), file)


def _save(shot: bytes, file: Path) -> None:
    picture = Image.open(io.BytesIO(shot)).convert("RGB").quantize(_COLOURS)
    picture.save(file, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
