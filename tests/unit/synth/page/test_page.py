"""What a page holds, where it goes, and what becomes of texts and names on the way (Q46)."""

from __future__ import annotations

import errno
import json
import os
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.errors import BadConfiguration, BadInput, ExitStatus
from synth.audio.peaks import peaks_json
from synth.commands.page import command
from synth.page.document import page_html, write_page
from synth.page.markup import address, escaped, script_json, tag
from synth.page.page_list import ListenPage, ShownBeat, read_pages
from synth.page.waveform import BARS, bars_of
from tests.unit.synth.join.playlists import RATE, hard
from tests.unit.synth.page.pages import ATTACKS, NAMES, beat, page_list


class Seen(HTMLParser):
    """Elements and their attributes, texts, and nothing else."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(folder: Path, *beats: dict[str, Any], **more: Any) -> ListenPage:
    (page,) = read_pages(page_list(folder, list(beats), **more))
    return page


@settings(max_examples=50)
@given(st.text())
@example(ATTACKS[1])
@example(ATTACKS[8])
def test_no_text_becomes_an_element_or_leaves_its_attribute(text: str) -> None:
    seen = Seen(tag("p", text, title=text, class_="x"))

    ((name, attributes),) = seen.elements
    assert (name, set(attributes)) == ("p", {"title", "class"})
    assert escaped(text) == escaped(seen.text) or "\r" in text  # which a document reads as a line end
    assert "\x00" not in seen.text


@settings(max_examples=30)
@given(st.lists(st.text() | st.floats(allow_nan=False, allow_infinity=False), max_size=3))
@example("</script><!--<script>\u2028\u2029")
def test_json_for_a_script_cannot_end_it_and_says_the_same(value: Any) -> None:
    text = script_json(value)

    assert json.loads(text) == value
    assert text.isascii()
    assert not set("<>&") & set(text)


@pytest.mark.parametrize("name", [*NAMES, "a:b", "c\\d", os.fsdecode(b"\xff\xfe bytes")])
def test_any_name_has_an_address_that_leads_to_it_and_nowhere_else(tmp_path: Path, name: str) -> None:
    file = tmp_path / "audio" / name
    url = urlsplit(address(file, tmp_path / "pages"))

    assert (url.scheme, url.netloc, url.query, url.fragment) == ("", "", "", "")
    path = unquote(url.path, errors="surrogateescape")
    assert os.path.normpath(tmp_path / "pages" / path) == os.path.normpath(file)


def test_the_bars_are_those_of_the_peaks_else_of_the_audio(tmp_path: Path) -> None:
    made = beat(tmp_path, "one", seconds=4.0)
    samples = hard(4.0, 220.0)
    samples[: len(samples) // 2] *= 0.5
    peaks = tmp_path / "one.peaks.json"
    peaks.write_bytes(peaks_json(samples, RATE))
    audio = Path(made["files"][0])

    told, heard = bars_of(audio, peaks), bars_of(audio, None)

    assert (len(told), len(heard)) == (BARS, BARS)
    assert told[0] == pytest.approx(0.075, abs=0.01)
    assert told[-1] == pytest.approx(heard[-1], abs=0.01) == pytest.approx(0.15, abs=0.01)
    for broken in (
        b"[]",
        b"{}",
        b'{"bits":8,"channels":1,"data":["1",2]}',
        b'{"bits":8,"channels":1,"data":[1]}',
    ):
        peaks.write_bytes(broken)
        assert bars_of(audio, peaks) == heard
    assert bars_of(peaks, tmp_path / "none") == []  # no audio either
    assert bars_of(tmp_path, None) == []


def test_what_is_not_done_or_missing_is_shown_as_such(tmp_path: Path) -> None:
    gone = beat(tmp_path, "gone")
    Path(gone["files"][0]).unlink()
    failed = {"title": "bad", "text": "No.", "state": "failed", "note": "bad_input: It cannot be spoken."}

    seen = Seen(page_html(page_of(tmp_path, beat(tmp_path, "here"), gone, failed)))

    for said in ("2 cannot be played", "audio missing", "Its audio is not where it was spoken to.", "failed"):
        assert said in seen.text
    assert "bad_input: It cannot be spoken." in seen.text
    assert "UNVERIFIED: no recogniser compared" in seen.text
    plays = [attributes for _, attributes in seen.elements if attributes.get("class") == "play"]
    assert ["disabled" in each for each in plays] == [False, True, True]
    assert all(each["aria-label"] for each in plays)


def test_a_page_is_the_same_bytes_for_the_same_beats(tmp_path: Path) -> None:
    page = page_of(tmp_path, beat(tmp_path, "one"))

    write_page(page)
    first = page.file.read_bytes()
    write_page(page)

    assert page.file.read_bytes() == first


def test_only_a_page_of_ours_is_written_over(tmp_path: Path) -> None:
    page = page_of(tmp_path, beat(tmp_path, "one"))
    page.file.write_text("<!doctype html>My own notes.")
    with pytest.raises(BadInput, match="is no page of ours"):
        write_page(page)
    assert page.file.read_text() == "<!doctype html>My own notes."

    page.file.unlink()
    page.file.symlink_to(tmp_path / "one.wav")
    with pytest.raises(BadInput, match="is no file"):
        write_page(page)
    assert page.file.is_symlink()


def test_a_full_disk_is_one_sentence_and_leaves_no_half_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(tmp_path, beat(tmp_path, "one"))
    write_page(page)
    before = page.file.read_bytes()

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("lib.files.os.write", full)
        with pytest.raises(
            BadConfiguration, match=r"listen\.html cannot be written: No space left on device\."
        ):
            write_page(page)
    assert page.file.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))
    with pytest.raises(BadConfiguration, match="there is no such folder"):
        write_page(ListenPage(tmp_path / "none" / "x.html", "x", ()))


def test_a_list_that_breaks_its_form_is_refused_with_the_field(tmp_path: Path) -> None:
    good = beat(tmp_path, "one")
    path = page_list(tmp_path, [good])
    for change, said in (
        ({"files": ["a", "b"]}, "must hold 1 of them"),
        ({"files": [good["files"][0] + "\0"]}, "must name a file"),
        ({"title": 7}, "title must be a text"),
        ({"record": {}}, "is no list of pages"),
    ):
        page_list(tmp_path, [{**good, **change}])
        with pytest.raises(BadInput, match=said):
            read_pages(path)
    path.write_text('{"format": 2, "pages": []}')
    with pytest.raises(BadInput, match="format is not 1"):
        read_pages(path)


def test_a_page_of_too_many_beats_is_refused_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [
        {
            "file": str(tmp_path / f"{count}.html"),
            "title": f"of {count}",
            "beats": [{"title": "", "text": ""}] * count,
        }
        for count in (10_001, 2)
    ]
    path = tmp_path / "pages.json"
    path.write_text(json.dumps({"format": 1, "pages": pages}))

    assert command(path) == ExitStatus.BAD_CONFIGURATION

    said = "error: of 10001 has 10,001 beats, and a page shows at most 10,000; name fewer of them.\n"
    assert capsys.readouterr().err == said
    assert not (tmp_path / "10001.html").exists()
    assert "2 beats" in Seen((tmp_path / "2.html").read_text()).text


def test_nobody_is_left_out_of_a_page_without_beats(tmp_path: Path) -> None:
    seen = Seen(page_html(ListenPage(tmp_path / "x.html", "", (ShownBeat("", ""),))))

    assert "1 beat" in seen.text
