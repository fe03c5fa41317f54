"""What every command used to say is said where it is asked for, and what was not said is (Q49)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.home import Home

NAMED = "using the embedded server in "


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    made.close()
    made.run("down", "--force")


def test_the_embedded_server_is_named_where_it_is_asked_for(home: Home) -> None:
    jobs = home.jobs(1)
    quiet = [("enqueue", jobs), ("report", jobs), ("history",), ("explain", "topic:beat-001"), ("pause",)]
    for words in quiet:
        assert NAMED not in home.run(*words).stderr, words
        assert NAMED in home.run(*words, "-v").stderr, words
    for words in [("status",), ("doctor",)]:
        assert NAMED in home.run(*words).stderr, words
    home.run("resume")
    assert NAMED in home.run("up", jobs).stderr


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("job-runner", ("history",)),
        ("job-runner", ("config", "show")),
        ("job-watcher", ("once",)),
        ("voice-synth", ("voices", "list")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_program_tells_of_a_mistyped_setting(home: Home, program: str, words: tuple[str, ...]) -> None:
    (home.folder / ".env").write_text("JOBS_DATADIR=/secret/place\n")

    done = home.run(*words, program=program)

    assert done.returncode == 0
    assert done.stderr.count("did you mean JOBS_DATA_DIR?") == 1
    assert "/secret/place" not in done.stdout + done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_stream_that_is_not_utf8_gets_what_it_can_write(home: Home, encoding: str) -> None:
    file = home.folder / "gezeiten.yaml"
    file.write_text(
        '- {output_name: tides/one, speaker: Ryan, text: "日 Wait… → “there”."}\n', encoding="utf-8"
    )

    for words in (("plan", file), ("plan", file, "--spoken"), ("plan", file, "--json"), ("plan", "日…")):
        done = home.run(*words, PYTHONIOENCODING=encoding)
        assert done.returncode in (0, 65), done.stderr
        assert "Traceback" not in done.stderr
        assert "internal error" not in done.stderr
    assert "? Wait... " in home.run("plan", file, PYTHONIOENCODING="ascii").stdout
