"""Texts as people give them to `voice-synth`: typed, in a file, or from another program."""

from __future__ import annotations

import json

import pytest
import soundfile

from lib.voices import engine_facts
from tests.integration.synth.conftest import VoiceSynth


def test_a_text_is_all_that_it_takes_to_hear_something(voice_synth: VoiceSynth) -> None:
    done = voice_synth.run("speak", "Hello there.")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("speech.wav  ")
    assert soundfile.info(str(voice_synth.home / "speech.wav")).duration > 0.3
    first = next(iter(engine_facts("hibari").speakers))
    assert done.stderr == f"{first} speaks; others are listed by: voice-synth voices list\n"


def test_a_dash_is_standard_input(voice_synth: VoiceSynth) -> None:
    typed = voice_synth.run("speak", "Hello there.", "--speaker", "Ryan", "--json")
    by_pipe = voice_synth.pipe(b"Hello there.", "speak", "-", "--speaker", "Ryan", "--json")
    as_file = voice_synth.pipe(b"Hello there.", "speak", "--text-file", "-", "--speaker", "Ryan", "--json")

    assert by_pipe.returncode == 0, by_pipe.stderr
    sums = {json.loads(done.stdout)["sha256"] for done in (typed, by_pipe, as_file)}
    assert len(sums) == 1


def test_normalize_takes_the_same(voice_synth: VoiceSynth) -> None:
    typed = voice_synth.run("normalize", "It costs $5.")

    assert typed.stdout.splitlines()[0] == "It costs five dollars."
    assert voice_synth.pipe(b"It costs $5.", "normalize", "-").stdout == typed.stdout
    assert voice_synth.run("normalize", "--text", "It costs $5.").stdout == typed.stdout


@pytest.mark.parametrize("command", ["speak", "normalize"])
def test_a_file_named_as_the_text_is_not_read_out_by_its_name(voice_synth: VoiceSynth, command: str) -> None:
    (voice_synth.home / "intro.txt").write_text("Hello.")

    refused = voice_synth.run(command, "intro.txt")

    assert refused.returncode == 2
    assert refused.stderr == (
        "error: intro.txt is a file; for what is written in it say "
        f"voice-synth {command} --text-file intro.txt\n"
    )


@pytest.mark.parametrize("command", ["speak", "normalize"])
@pytest.mark.parametrize(
    ("text", "words", "status", "sentence"),
    [
        (b"", (), 2, "Give one text: "),
        (b"", ("Hello.", "--text-file", "x.txt"), 2, "Give one text: "),
        (b"caf\xe9", ("-",), 65, "The text on standard input is not UTF-8 (byte 3)."),
    ],
    ids=["none", "two", "latin-1"],
)
def test_what_is_no_text_is_a_sentence(
    voice_synth: VoiceSynth, command: str, text: bytes, words: tuple[str, ...], status: int, sentence: str
) -> None:
    refused = voice_synth.pipe(text, command, *words)

    assert refused.returncode == status
    assert sentence in refused.stderr


def test_a_text_that_is_too_long_for_a_file_name_is_a_text(voice_synth: VoiceSynth) -> None:
    assert voice_synth.run("normalize", "x" * 5000).returncode == 0
