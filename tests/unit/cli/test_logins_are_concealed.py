"""A URL that stands where none belongs is told without its password (Q49)."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from os.path import normpath
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.cli import output
from lib.cli.failures import guarded
from lib.errors import BadInput
from lib.urls import login_of
from tests.unit.test_no_password_shows import passwords, pieces

URLS = ("redis://me:{}@host/0", "redis://:{}@host:6379", "me:{}@host", "--redis-url=rediss://me:{}@host")


def printed(*args: str) -> str:
    """All that a command prints which takes its argument for a name, and then for a file."""
    word = args[0]

    def refuse() -> int:
        output.note(f"looking for {word}")
        output.say(f"looking for {' '.join(word.split())}")
        raise BadInput(f"there is no {word!r}, nor {Path(word)}, nor {normpath(word)}")

    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        guarded(refuse, program="sample", args=args)
    return out.getvalue() + err.getvalue()


@given(password=passwords, url=st.sampled_from(URLS), flags=st.sampled_from([[], ["--json"]]))
@example(password="QXZ//Z\\8'9", url=URLS[0], flags=["--json"])
@example(password='/QXZ "Z8\t9', url=URLS[1], flags=["--json"])
@example(password="QXZ@ü8é9", url=URLS[2], flags=["--json"])
@example(password="888//", url=URLS[0], flags=[])
@example(password="8/888/./9//", url=URLS[2], flags=["--json"])
@example(password="QXZ/../ZX8", url=URLS[0], flags=["--json"])
def test_no_piece_of_a_password_on_the_command_line_is_told(
    password: str, url: str, flags: list[str]
) -> None:
    told = printed(url.format(password), *flags).lower()

    assert "***@host" in told
    assert [piece for piece in pieces(password) if piece in told] == [], told


def test_the_next_command_line_is_told_as_it_is() -> None:
    printed("redis://me:hush@host")

    assert "'topic/a'" in printed("topic/a")
    with redirect_stdout(io.StringIO()) as out:
        output.say("redis://me:hush@host")
    assert out.getvalue() == "redis://me:hush@host\n"


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("redis://me:a/b@c@host/0", "me:a/b@c"),
        ("me:secret@host", "me:secret"),
        ("--redis_url=redis://:x@host", ":x"),
        ("--url=me:x@host", "me:x"),
        ("redis://host/0", None),
        ("topic/a@2", None),
        ("jobs.yaml", None),
        ("@", None),
    ],
)
def test_what_looks_like_a_login(text: str, login: str | None) -> None:
    assert login_of(text) == login
