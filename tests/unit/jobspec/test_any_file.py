"""A beatsheet is a job file: one door takes both, and tells them apart by what they hold (Q44)."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lib.errors import UsageError
from lib.jobspec import InvalidJobFile, load_job_file, load_request_ids
from lib.jobspec.files.anyfile import is_beatsheet
from lib.jobspec.files.beatsheet import load_beatsheet
from lib.jobspec.files.beatsheet_schema import beatsheet_schema

SHEET: dict[str, Any] = {"topic": "tides", "beats": [{"id": "one", "text": "The sea comes back."}]}


def written(folder: Path, text: str | bytes, name: str = "tides.json") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def sheet(folder: Path, **root: Any) -> Path:
    return written(folder, json.dumps({**SHEET, **root}))


def messages(path: Path, **flags: Any) -> list[str]:
    with pytest.raises(InvalidJobFile) as caught:
        load_job_file(path, **flags)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


@pytest.mark.parametrize("name", ["tides.json", "tides.yaml", "tides"])
def test_a_beatsheet_is_the_same_jobs_by_either_door_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, json.dumps(SHEET), name)

    both = load_job_file(path, voice="newsroom"), load_beatsheet(path, voice="newsroom")

    assert both[0] == both[1]
    assert [spec.request_id for spec in both[0].specs] == ["tides:one"]


@pytest.mark.parametrize(
    "text",
    [
        "- {output_name: topic/one, speaker: Ryan, text: Hello.}",
        '{"jobs": [{"output_name": "topic/one", "speaker": "Ryan", "text": "Hello."}]}',
        '{"defaults": {"speaker": "Ryan"}, "jobs": [{"output_name": "topic/one", "text": "Hello."}]}',
        '{"output_name": "topic/one", "speaker": "Ryan", "text": "She said {\\"beats\\": 3}"}',
        "{output_name: topic/one, speaker: Ryan, text: Hello.}",
    ],
)
def test_yaml_and_json_of_jobs_are_job_files(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text, "jobs.json")

    assert [spec.request_id for spec in load_job_file(path).specs] == ["topic:one"]


@pytest.mark.parametrize(
    "text",
    [
        '{"topic": "tides", "beats": [}',
        '{"topic": "tides", "beats": [],}',
        "{'topic': 'tides', 'beats': []}",
        '// the tides\n{"topic": "tides", "beats": []}',
        '/* the */ /* tides */ {"topic": "tides", "beats": []}',
        '```json\n{"topic": "tides", "beats": []}\n```',
        '\ufeff \n{"beats": []}',
        '{"topic": "tides"}',
        '# my sheet\n{"topic": "tides", "beats": []}',
        'Here is the beatsheet:\n{"topic": "tides", "beats": []}',
        'Here is the beatsheet:\n\n```json\n{"topic": "tides", "beats": []}\n```\nEnjoy!',
        'Sure! {"topic": "tides", "beats": []}',
        'Beatsheet:\n{"topic": "tides", "beats": []}',
    ],
)
def test_a_sheet_that_is_broken_is_still_judged_as_a_sheet(tmp_path: Path, text: str) -> None:
    assert is_beatsheet(text.encode())
    path = written(tmp_path, text)

    with pytest.raises(InvalidJobFile) as by_its_own_door:
        load_beatsheet(path)
    with pytest.raises(InvalidJobFile) as by_the_one_door:
        load_job_file(path)

    assert by_the_one_door.value.problems == by_its_own_door.value.problems


@pytest.mark.parametrize("words", ["Here is the beatsheet:\n", "Sure! ", "Beatsheet:\n"])
def test_words_before_a_sheet_are_said_to_be_words(tmp_path: Path, words: str) -> None:
    assert messages(written(tmp_path, words + json.dumps(SHEET))) == [
        "1: is no valid JSON: words stand before the value; keep only what is between { and }"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "# my jobs\n{output_name: a, text: hi, speaker: Ryan}",
        'output_name: a\ncallback_data: {"topic": 1, "beats": 2}',
        'Here are the jobs:\n{"jobs": [], "topic": 1, "beats": 2}',
        'defaults: {"topic": 1, "beats": 2}',
        'text: |\n  {"topic": 1, "beats": 2}',
    ],
)
def test_a_job_file_that_speaks_of_beats_is_no_beatsheet(text: str) -> None:
    assert not is_beatsheet(text.encode())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"jobs": [\n// the first\n{"output_name": "a"}]}', 2),
        ('{"jobs": [{"output_name": "a", // x\n"text": "Hello."}]}', 1),
        ('{"jobs": [{"output_name": "a",\n"text": "Hello." // x\n}]}', 2),
        ('{"jobs": [{"output_name": "a"}, /* x */\n{}]}', 1),
        ('// jobs\n{"jobs": [{"output_name": "a"}]}', 1),
    ],
)
def test_a_comment_of_another_language_between_jobs_is_called_one(
    tmp_path: Path, text: str, line: int
) -> None:
    assert messages(written(tmp_path, text)) == [
        f"{line}: is no valid YAML: a comment begins with // or /* here; "
        "begin it with # and a space, or take it away"
    ]


@pytest.mark.parametrize("folder", ["", "sub/"])
def test_a_file_of_which_the_suffix_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("york.yaml", "york.wav"):
        written(tmp_path / folder, "", name)
    monkeypatch.chdir(tmp_path)

    assert messages(Path(f"{folder}york")) == [
        f' cannot be read: No such file or directory; did you mean "{folder}york.yaml"?'
    ]


def test_jobs_beside_a_topic_make_a_job_file_with_a_stray_key(tmp_path: Path) -> None:
    text = '{"topic": "t", "jobs": [{"output_name": "topic/one", "speaker": "Ryan", "text": "Hello."}]}'

    [stray] = messages(written(tmp_path, text))
    assert stray.startswith("1: topic: is no known key of a job file")


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe{", b"topic: tides\nbeats: []", b'[{"beats": 1}]'])
def test_what_is_no_json_object_is_left_to_yaml(text: bytes) -> None:
    assert not is_beatsheet(text)


def test_looking_for_the_beginning_takes_no_longer_for_odd_beginnings() -> None:
    began = time.monotonic()

    assert not is_beatsheet(b"/* a */ " * 5_000)
    assert not is_beatsheet(b"{" * 100_000)
    assert time.monotonic() - began < 5


def test_the_sheet_names_its_own_voice_and_the_command_line_beats_it(tmp_path: Path) -> None:
    own = load_job_file(sheet(tmp_path, voice="newsroom")).specs
    told = load_job_file(sheet(tmp_path, voice="newsroom"), speaker="Ryan").specs
    by_speaker = load_job_file(sheet(tmp_path, speaker="Vivian")).specs

    assert [(spec.voice, spec.speaker) for spec in (*own, *told, *by_speaker)] == [
        ("newsroom", None),
        (None, "Ryan"),
        (None, "Vivian"),
    ]


def test_a_beat_that_names_somebody_is_not_spoken_by_the_sheets_voice(tmp_path: Path) -> None:
    beats = [{"id": "one", "text": "Hello.", "speaker": "Ryan"}, {"id": "two", "text": "Bye."}]

    specs = load_job_file(sheet(tmp_path, voice="newsroom", beats=beats)).specs

    assert [(spec.voice, spec.speaker) for spec in specs] == [(None, "Ryan"), ("newsroom", None)]


def test_a_sheets_voice_is_checked_and_stands_once(tmp_path: Path) -> None:
    [wrong] = messages(sheet(tmp_path, voice=7))
    assert wrong.startswith("1: voice: must be text, not the number 7")
    [both] = messages(sheet(tmp_path, voice="newsroom", speaker="Ryan"), voice="newsroom")
    assert both == "1: speaker: stands beside voice; name one of the two"
    [twice] = messages(sheet(tmp_path, voice="newsroom", defaults={"speaker": "Ryan"}))
    assert twice == "1: voice: stands beside defaults that name somebody; name one of them"


def test_a_voice_beside_a_job_file_is_refused_with_what_to_write(tmp_path: Path) -> None:
    path = written(tmp_path, "- {output_name: topic/one, speaker: Ryan, text: Hello.}", "jobs.yaml")

    with pytest.raises(UsageError, match=r"jobs\.yaml is a job file; write voice under its defaults"):
        load_job_file(path, voice="newsroom")
    with pytest.raises(UsageError, match="one of --voice and --speaker"):
        load_job_file(sheet(tmp_path), voice="newsroom", speaker="Ryan")


def test_the_ids_of_a_file_are_known_without_knowing_who_speaks(tmp_path: Path) -> None:
    jobs = written(tmp_path, "- {output_name: topic/one, speaker: Ryan, text: Hello.}", "jobs.yaml")

    assert load_request_ids(sheet(tmp_path)) == ("tides:one",)
    assert load_request_ids(sheet(tmp_path, speaker="Ryan")) == ("tides:one",)
    assert load_request_ids(jobs) == ("topic:one",)
    with pytest.raises(InvalidJobFile):
        load_request_ids(sheet(tmp_path, beats=[{"id": "a/b", "text": "Hello."}]))


def test_a_sheet_that_nobody_speaks_says_where_to_name_somebody(tmp_path: Path) -> None:
    assert messages(sheet(tmp_path)) == [
        "1: job one: voice: is missing; name who speaks at the top of the sheet, in the beat, or with --voice"
    ]


@pytest.mark.parametrize(
    ("root", "fits"),
    [
        ({"voice": "newsroom"}, True),
        ({"speaker": "Ryan"}, True),
        ({"voice": None, "speaker": "Ryan"}, True),
        ({"voice": "newsroom", "speaker": "Ryan"}, False),
        ({"voice": 7}, False),
    ],
)
def test_the_schema_says_the_same_of_a_sheets_voice(tmp_path: Path, root: dict[str, Any], fits: bool) -> None:
    path = sheet(tmp_path, **root)

    assert jsonschema.Draft202012Validator(beatsheet_schema()).is_valid(json.loads(path.read_text())) is fits
    if fits:
        load_job_file(path)
    else:
        messages(path)
