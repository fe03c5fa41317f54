"""Files that were written to hurt are one sentence and the documented status, in little time.

The doors themselves meet more of them: unit/test_foreign.py, voices/test_voicefile.py, jobspec/test_yaml.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.home import Home

DEEP = {
    "in a field": b"description: " + b"[" * 60_000,
    "bomb": b"a0: &a0 {k: v}\n"
    + b"".join(b"a%d: &a%d {<<: [*a%d, *a%d]}\n" % (n, n, n - 1, n - 1) for n in range(1, 40)),
    "large": b"[" * 10_000_000,
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    user = Home(tmp_path)
    yield user
    user.close()


def is_a_sentence(err: str) -> bool:
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    return len(lines) == 1 and "Traceback" not in err and len(err) < 1_500


@pytest.mark.parametrize("content", DEEP.values(), ids=DEEP.keys())
def test_a_voice_of_others_is_one_sentence_and_65(home: Home, content: bytes) -> None:
    folder = home.folder / "voices" / "mine"
    folder.mkdir(parents=True)
    (folder / "voice.yaml").write_bytes(content)
    started = time.monotonic()

    listed = home.run(
        "voices", "list", "--voices-dir", home.folder / "voices", "--json", program="voice-synth"
    )
    shown = home.run("voices", "show", "mine", "--voices-dir", home.folder / "voices", program="voice-synth")

    assert shown.returncode == 65, shown
    assert listed.returncode == 0, listed
    (mine,) = (row for row in json.loads(listed.stdout)["voices"] if row["name"] == "mine")
    assert mine["problem"] in shown.stderr
    assert is_a_sentence(shown.stderr), shown.stderr
    assert time.monotonic() - started < 30


def test_doctor_names_the_voice_and_lives(home: Home) -> None:
    folder = home.folder / "voices" / "mine"
    folder.mkdir(parents=True)
    (folder / "voice.yaml").write_bytes(DEEP["in a field"])

    told = home.run("doctor", "--json", VOICES_DIR=str(home.folder / "voices"))
    home.run("down")

    assert told.returncode == 78, told.stderr  # nothing else is wrong with this home
    voices = [item for item in json.loads(told.stdout)["findings"] if item["id"] == "D012"]
    assert ["nested deeper than 64 levels" in str(item) for item in voices] == [True]


@pytest.mark.parametrize("content", DEEP.values(), ids=DEEP.keys())
def test_a_job_file_of_others_is_refused_with_65(home: Home, content: bytes) -> None:
    (home.folder / "jobs.yaml").write_bytes(content)

    done = home.run("plan", "jobs.yaml")

    assert done.returncode == 65, done.stderr
    assert "Traceback" not in done.stderr
    assert "jobs.yaml" in done.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("job-runner.toml", b"max_machines = " + b"[" * 200_000),
        ("job-runner.toml", b"max_machines = " + b"9" * 200_000),
        ("job-runner.toml", b"a" + b".a" * 200_000 + b" = 1"),
        (".env", b"x" * 10_000_000),
    ],
    ids=lambda value: str(value[:24]),
)
def test_settings_of_others_are_one_sentence_and_78(home: Home, name: str, content: bytes) -> None:
    (home.folder / name).write_bytes(content)

    done = home.run("config", "show")

    assert done.returncode == 78, done.stderr
    assert is_a_sentence(done.stderr), done.stderr


@pytest.mark.parametrize("sign", ["#", "/", "?"])
def test_no_command_tells_a_piece_of_a_password(home: Home, sign: str) -> None:
    url = f"redis://:abc@Secret9{sign}1@host/0"

    for words in (["config", "show", "--sources"], ["status", "--json"], ["doctor", "--json"]):
        done = home.run(*words, REDIS_URL=url)

        assert done.returncode == 78, done
        assert "percent-encode" in done.stderr
        assert "secret9" not in (done.stdout + done.stderr).lower()


def test_a_manifest_of_others_is_one_sentence_and_65(home: Home) -> None:
    (home.folder / "manifest.json").write_bytes(b'{"format": 2, "jobs": ' + b"[" * 1_000_000)

    done = home.run("execute-manifest", "manifest.json")

    assert done.returncode == 65, done.stderr
    assert is_a_sentence(done.stderr), done.stderr
