"""What is right in a file and was probably not meant is a warning with its line (Q7)."""

from __future__ import annotations

import pytest

from lib.jobspec import parse_job_file
from lib.jobspec.files.beatsheet import parse_beatsheet


def _warnings(job: str) -> list[str]:
    data = f"voice: newsroom\n{job}".encode()
    return [str(warning) for warning in parse_job_file(data, name="jobs.yaml", base_dir=None).warnings]


@pytest.mark.parametrize(
    ("value", "comment"),
    [
        ("We are number #1", "#1"),
        ("I live in flat #4.", "#4."),
        ("Hello # and more", "# and more"),
        ("He won. #1 in the charts", "#1 in the charts"),
        ("Two lines\n  of text #2", "#2"),
        ("Grüße\t#1", "#1"),
    ],
)
def test_a_text_that_a_comment_cuts_off_is_warned_of(value: str, comment: str) -> None:
    assert _warnings(f"output_name: a\ntext: {value}\n") == [
        f'jobs.yaml:3: job a: text: ends before "{comment}": a " #" begins a comment in YAML; '
        "put quotes around the whole text if that belongs to it"
    ]


def test_a_name_that_a_comment_cuts_off_is_warned_of() -> None:
    (warning,) = _warnings("output_name: topic/beat #1\ntext: Hello.\n")

    assert warning.startswith('jobs.yaml:2: job topic/beat: output_name: ends before "#1"')


@pytest.mark.parametrize(
    "job",
    [
        "output_name: a # the first\ntext: Hello.",
        "output_name: a\ntext: Hello there.  # the greeting",
        "output_name: a\ntext: Hello there  # the greeting",
        "output_name: a\ntext: Hello there. # the greeting",
        'output_name: a\ntext: "We are number #1" # quoted',
        "output_name: a\ntext: C# is a language, and F#, too",
        "output_name: a\ntext: >-\n  We are number #1",
        "output_name: a\ntext: Hello.\npriority: high #1",
        "# of jobs\noutput_name: a\ntext: Hello\n# the end\n",
    ],
)
def test_a_comment_that_was_meant_is_none(job: str) -> None:
    assert _warnings(job) == []


def test_a_file_with_a_byte_order_mark_has_its_columns_right() -> None:
    data = "\ufefftext: We are number #1\noutput_name: a\nvoice: newsroom\n".encode()

    (warning,) = parse_job_file(data, name="jobs.yaml", base_dir=None).warnings

    assert warning.line == 1
    assert 'ends before "#1"' in warning.message


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("output_name: a/b.wav\ntext: x", 'output_name: ends in .wav, and the audio is called "a/b.wav.wav"'),
        ("output_name: a/b.MP3\ntext: x\nformat: mp3", 'is called "a/b.MP3.mp3"; leave it away'),
        ("output_name: ~/b\nrequest_id: b\ntext: x", "begins with ~, which is a name like any other here"),
        ("output_name: a\ntext: x\nnot_before: 3600", "not_before: is 1970-01-01T01:00:00"),
    ],
)
def test_a_value_that_is_hardly_meant_is_warned_of(job: str, said: str) -> None:
    (warning,) = _warnings(job)

    assert said in warning


def test_a_name_with_the_suffix_of_another_format_is_no_doubt() -> None:
    assert _warnings("output_name: a/b.mp3\ntext: x") == []


def test_a_beat_is_warned_of_in_its_own_words() -> None:
    data = b'{"topic": "tides", "defaults": {"voice": "newsroom"},\n"beats": [{"id": "a.wav", "text": "x"}]}'

    (warning,) = parse_beatsheet(data, name="tides.json").warnings

    assert str(warning).startswith("tides.json:2: job a.wav: id: ends in .wav")
