"""The one builder of command lines and spool files."""

from __future__ import annotations

from lib.jobspec.fields import STORED
from lib.manifest import Order
from lib.manifest.order import _ADDED, _SWITCHES, _VALUES, CARRIED_OTHERWISE
from tests.unit.manifest.jobs import spec


def test_the_argv_is_the_documented_one() -> None:
    """Q11."""
    assert Order(spec()).argv() == [
        *("voice-synth", "speak", "--text-file", "topic/beat-001/text.txt"),
        *("--out-exact", "topic/beat-001", "--json-result", "topic/beat-001/result.json"),
        *("--speaker", "Ryan", "--language", "English", "--profile", "balanced"),
        *("--variants", "1", "--format", "wav"),
        *("--title", "beat-001", "--album", "topic", "--peaks", "--captions"),
    ]


def test_options_that_are_set_are_all_in_the_argv() -> None:
    full = spec(voice="newsroom", variants=4, select_best=True, chunk=True, seed=0, format="flac")

    tail = Order(full).argv()[8:]

    assert tail == [
        *("--voice", "newsroom", "--language", "English", "--profile", "balanced", "--variants", "4"),
        *("--seed", "0", "--format", "flac", "--select-best", "--chunk"),
        *("--title", "beat-001", "--album", "topic", "--peaks", "--captions"),
    ]


def test_a_job_without_a_folder_has_no_album() -> None:
    assert Order(spec("intro")).argv()[-4:] == ["--title", "intro", "--peaks", "--captions"]


def test_how_it_is_said_reaches_the_argv_only_where_a_job_says_it() -> None:
    """V16; manifests of jobs that say nothing stay as they were, byte for byte."""
    text = "The Ouse is A=B."
    said = spec(text=text, speed=1.25, loudness=-16, pronounce={"Ouse": "ooz", "A=B": "/ˈA/"})

    added = [word for word in Order(said).argv() if word not in Order(spec(text=text)).argv()]

    assert added == ["--speed=1.25", "--loudness=-16", "--pronounce=A=B=/ˈA/", "--pronounce=Ouse=ooz"]


def test_numbers_reach_the_argv_with_all_their_digits() -> None:
    """A resident worker gets them all, and the audio must be the same."""
    argv = Order(spec(speed=1.2345678, loudness=-16.123456)).argv()

    assert {"--speed=1.2345678", "--loudness=-16.123456"} <= set(argv)


def test_every_field_that_changes_the_audio_reaches_the_argv() -> None:
    carried = {name for name, *_ in (*_VALUES, *_SWITCHES, *_ADDED)} | CARRIED_OTHERWISE

    assert {field.name for field in STORED if field.in_fingerprint} <= carried


def test_takes_are_named_by_number() -> None:
    order = Order(spec("a.b/c.d", format="opus"))

    assert order.audio_path() == "a.b/c.d.opus"
    assert order.audio_path(12) == "a.b/c.d.take-12.opus"
