"""A picture among the beats of a page: shown, described, and missing where it is missing (Q46, I7)."""

from __future__ import annotations

from pathlib import Path

from lib.png import write_palette_png
from lib.records import DrawnRecord, JobPicture
from synth.page.document import page_html
from synth.page.page_list import ListenPage, ShownBeat
from tests.doubles import records

PNG = write_palette_png(64, [bytes(64)] * 72, [(200, 10, 10)])


def shown(file: Path | None, prompt: str = "A pier.") -> ShownBeat:
    picture = JobPicture(records.file_ref("tides/pier.png", PNG), 64, 72, 7)
    record = DrawnRecord("card", "", len(prompt), 0.1, picture, "2026-11-30T05:00:00.000Z")
    return ShownBeat("pier", prompt, record=record, files=(file,), peaks=(None,))


def test_a_picture_is_shown_with_its_prompt_as_its_description(tmp_path: Path) -> None:
    file = tmp_path / "pier.png"
    file.write_bytes(PNG)

    page = page_html(ListenPage(tmp_path / "listen.html", "tides", (shown(file, 'A "pier" <b>'),)))

    assert '<img src="./pier.png" alt="A &quot;pier&quot; &lt;b&gt;" width="64" height="72"' in page
    policy = "img-src &#x27;self&#x27; file: data:;"
    assert policy in page
    silent = page_html(ListenPage(tmp_path / "listen.html", "tides", (ShownBeat("a", "Hello."),)))
    assert policy not in silent, "a page without pictures loads none"
    assert "1 picture<" in page
    assert "UNVERIFIED" not in page, "nothing that is heard is on it"
    assert "64 × 72" in page


def test_a_picture_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    page = page_html(ListenPage(tmp_path / "listen.html", "tides", (shown(tmp_path / "pier.png"),)))

    assert "<img" not in page
    assert "The picture is not where it was drawn to." in page
    assert "1 cannot be shown" in page
