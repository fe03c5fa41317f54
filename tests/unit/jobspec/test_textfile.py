"""`text_file`: read from its folder, and from nowhere else (Q3, Q5)."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from lib.jobspec import InvalidJobSpec, normalize_job_spec
from tests.unit.jobspec.jobs import raw_job


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("A secret.")
    return folder


def _text(base: Path, name: str) -> str:
    return normalize_job_spec(raw_job(text=..., text_file=name), base_dir=base).text


def _refusal(base: Path, name: str) -> str:
    with pytest.raises(InvalidJobSpec) as caught:
        _text(base, name)
    assert "A secret" not in str(caught.value)
    assert [problem.field for problem in caught.value.problems] == ["text_file"]
    return caught.value.problems[0].message


def test_the_text_is_that_of_the_file_without_its_byte_order_mark(base: Path) -> None:
    """Q3."""
    (base / "sub").mkdir()
    (base / "sub" / "a.txt").write_bytes(b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe.\r\n")

    assert _text(base, "sub/a.txt") == "Grüße.\r\n"


@pytest.mark.parametrize("name", ["../secret.txt", "x/../../secret.txt", "..", "./../secret.txt"])
def test_a_path_may_not_leave_the_folder(base: Path, name: str) -> None:
    """Q3, Q5."""
    assert "leads out of the YAML's folder" in _refusal(base, name)


def test_an_absolute_path_is_refused_even_inside_the_folder(base: Path) -> None:
    (base / "a.txt").write_text("Hello.")

    assert "is absolute" in _refusal(base, str(base / "a.txt"))


def test_a_link_may_not_leave_the_folder(base: Path) -> None:
    """Q5."""
    (base / "link.txt").symlink_to("../secret.txt")
    (base / "out").symlink_to("..")

    assert "leads out" in _refusal(base, "link.txt")
    assert "leads out" in _refusal(base, "out/secret.txt")


def test_a_folder_whose_name_starts_alike_is_another_folder(base: Path) -> None:
    """Q5."""
    (base.parent / "base-2").mkdir()
    (base.parent / "base-2" / "a.txt").write_text("A secret.")

    assert "leads out" in _refusal(base, "../base-2/a.txt")


def test_a_link_inside_the_folder_is_followed(base: Path) -> None:
    (base / "a.txt").write_text("Hello.")
    (base / "link.txt").symlink_to("a.txt")

    assert _text(base, "link.txt") == "Hello."


def test_a_folder_that_is_itself_reached_by_a_link_works(base: Path) -> None:
    (base / "a.txt").write_text("Hello.")
    (base.parent / "alias").symlink_to(base)

    assert _text(base.parent / "alias", "a.txt") == "Hello."


@pytest.mark.timeout(10)
def test_a_fifo_does_not_hang(base: Path) -> None:
    os.mkfifo(base / "pipe")

    assert "is not a regular file" in _refusal(base, "pipe")


def test_what_is_no_regular_file_is_refused(base: Path) -> None:
    (base / "folder").mkdir()
    (base / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(base / "s"))

    for name in ("folder", "s", "loop"):
        assert "is not a regular file" in _refusal(base, name)


def test_a_missing_file_is_named(base: Path) -> None:
    assert _refusal(base, "a.txt") == '"a.txt" does not exist'
    assert "cannot be read" in _refusal(base, "x" * 300)


def test_a_file_may_have_a_mebibyte_and_not_a_byte_more(base: Path) -> None:
    (base / "full.txt").write_bytes(b"x" * 1024 * 1024)
    (base / "more.txt").write_bytes(b"x" * (1024 * 1024 + 1))

    assert len(_text(base, "full.txt")) == 1024 * 1024
    assert "is larger than 1048576 bytes" in _refusal(base, "more.txt")


def test_bytes_that_are_no_utf_8_are_named_with_their_line(base: Path) -> None:
    (base / "latin.txt").write_bytes(b"One.\nCaf\xe9.\n")

    assert _refusal(base, "latin.txt") == '"latin.txt" is not UTF-8: byte 0xe9 in its line 2'


def test_a_file_without_anything_to_speak_is_refused(base: Path) -> None:
    (base / "blank.txt").write_text("\n — \n")

    assert "holds nothing to speak" in _refusal(base, "blank.txt")


def _hint(base: Path, name: str) -> str | None:
    with pytest.raises(InvalidJobSpec) as caught:
        _text(base, name)
    return caught.value.problems[0].suggestion


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        (r"narration\one.txt", 'folders are separated by /: write "narration/one.txt"'),
        ("narration/One.TXT", 'did you mean "narration/one.txt"?'),
        ("narration/on.txt", 'did you mean "narration/one.txt"?'),
        ("narration/caf\u00e9.txt", "a file of that name is there in another Unicode form (accents apart)"),
        ("~/one.txt", "~ stands for no folder here; write the path"),
    ],
)
def test_a_file_that_is_not_there_leads_to_the_one_that_was_meant(base: Path, name: str, hint: str) -> None:
    (base / "narration").mkdir()
    (base / "narration" / "one.txt").write_text("Hello.")
    (base / "narration" / "cafe\u0301.txt").write_text("Hello.")

    assert hint in str(_hint(base, name))


def test_a_file_beside_the_shell_and_not_beside_the_yaml_is_said_to_be_so(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (base.parent / "one.txt").write_text("Hello.")
    monkeypatch.chdir(base.parent)

    assert _hint(base, "one.txt") == "it is relative to the YAML's folder, not to the current one"


def test_nothing_is_guessed_where_nothing_is_like_it(base: Path) -> None:
    (base / "one.txt").write_text("Hello.")

    assert _hint(base, "another/thing.md") is None
    assert _hint(base, "thing.md") is None
