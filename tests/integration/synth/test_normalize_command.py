"""`voice-synth normalize` as a user calls it (V15)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.synth.conftest import VoiceSynth


def test_it_shows_the_words_and_each_change_with_its_place(voice_synth: VoiceSynth) -> None:
    done = voice_synth.run("normalize", "--text", "Dr. Who paid\n$5 for ☂.")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Doctor Who paid five dollars for.",
        '  1:1  abbreviation: "Dr." as "Doctor"',
        '  2:1  money: "$5" as "five dollars"',
        '  2:8  sign: "☂" left out',
    ]
    assert "2:8: The sign ☂ has no name in speech" in done.stderr


def test_it_shows_pauses_and_what_a_voice_leaves_out(voice_synth: VoiceSynth) -> None:
    done = voice_synth.run("normalize", "--text", "One. [PAUSE 1s] He said Привет at 5.")

    assert done.stdout.splitlines() == [
        "One. He said Привет at five.",
        '  1:6  pause: "[PAUSE 1s]" 1 s of silence',
        '  1:25  script: "Привет" left out by a voice of English',
        '  1:35  number: "5" as "five"',
    ]
    assert "1:25: The letters are Cyrillic" in done.stderr


def test_phonemes_that_cannot_be_said_are_warned_of(voice_synth: VoiceSynth) -> None:
    done = voice_synth.run("normalize", "--text", "A [tomato](/tə'QQ/) and a [pear](/pˈɛɹ/).", "--json")

    (warning,) = json.loads(done.stdout)["warnings"]
    assert (warning["kind"], warning["written"], warning["start"]) == ("phonemes", "[tomato](/tə'QQ/)", 2)
    assert "'Q'" in warning["message"]
    assert "pronunciation.md" in warning["remedy"]


def test_as_json_it_tells_offsets_in_what_was_written(voice_synth: VoiceSynth) -> None:
    done = voice_synth.run("normalize", "--text", "It costs $5.", "--json")

    assert json.loads(done.stdout) == {
        "written": "It costs $5.",
        "spoken": "It costs five dollars.",
        "changes": [{"written": "$5", "spoken": "five dollars", "kind": "money", "start": 9, "end": 11}],
        "warnings": [],
    }


def test_each_line_is_a_text_of_its_own(voice_synth: VoiceSynth, tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes(b"One 5.\r\n\n[word](/w\xc9\x9c\xcb\x90d/) 2\n")

    done = voice_synth.run("normalize", "--text-file", path, "--lines", "--json")

    read = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["written"], each["spoken"]) for each in read] == [
        ("One 5.", "One five."),
        ("", ""),
        ("[word](/wɜːd/) 2", "word two"),
    ]


@pytest.mark.parametrize(
    ("words", "status"),
    [((), 2), (("--text", "a", "--text-file", "b"), 2), (("--text-file", "nowhere.txt"), 65)],
)
def test_what_it_cannot_read_is_said_in_one_line(
    voice_synth: VoiceSynth, words: tuple[str, ...], status: int
) -> None:
    done = voice_synth.run("normalize", *words)

    assert done.returncode == status
    assert len(done.stderr.strip().splitlines()) == 1
