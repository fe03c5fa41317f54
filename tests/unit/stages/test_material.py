"""What a run may be given, in any script and language, and what is refused in one line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from job_pipeline.stages.material import MOST_BYTES, Material, path_of, read_material
from lib.errors import BadInput

NEWSROOM = {"voice": "newsroom"}
EMPTY = "there is nothing to say in it"


def material(**inputs: Any) -> Material:
    found = read_material(inputs, NEWSROOM)
    assert Material.from_json(json.loads(json.dumps(found.to_json()))) == found
    return found


def texts(**inputs: Any) -> list[str]:
    return [beat.text for beat in material(**inputs).narration.beats]


def test_a_script_is_read_as_people_write_it() -> None:
    found = material(
        script="---\ndraft: 2\n---\n# Tides\r\n\r\nThe **sea**\r\nis [wide](http://a.b).\r\n<!-- cut -->\r\n"
        "\r\n"
        "## Why\n- the moon\n- the `sun`\n\n***\n\n> Fin."
    )

    assert found.title == "Tides"
    assert [(beat.id, beat.section, beat.text) for beat in found.narration.beats] == [
        ("beat-001", "", "The sea is wide."),
        ("beat-002", "Why", "the moon"),
        ("beat-003", "Why", "the sun"),
        ("beat-004", "Why", "Fin."),
    ]


@pytest.mark.parametrize(
    "script",
    [
        "潮は満ちて、また引く。月が引く。",
        "المد يعود مرتين كل يوم. لماذا؟",
        "ज्वार दो बार आता है। क्यों?",
        "Прилив приходит дважды.",
    ],
)
def test_every_script_of_the_world_is_read(script: str) -> None:
    assert texts(script=script) == [script]
    assert material(script=script).narration.words >= 3
    assert material(script=script).narration.seconds > 1.0


def test_a_file_is_read_by_path_and_by_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my script.txt").write_bytes("\ufeffThe sea.\n".encode())
    monkeypatch.chdir(tmp_path)

    for uri in ("my script.txt", str(tmp_path / "my script.txt"), f"file://{tmp_path}/my%20script.txt"):
        assert (texts(uri=uri), material(uri=uri).title) == (["The sea."], "my script")


def test_a_beatsheet_keeps_who_speaks_and_the_operators_voice_has_the_rest(tmp_path: Path) -> None:
    sheet = {
        "topic": "tides",
        "beats": [{"id": "a", "text": "One."}, {"id": "b", "text": "Two.", "speaker": "Ryan"}],
    }
    (tmp_path / "sheet.json").write_text(json.dumps(sheet))

    found = material(uri=str(tmp_path / "sheet.json"))

    assert (found.kind, found.title) == ("beats", "tides")
    assert [
        (beat.title, beat.options.get("voice"), beat.options.get("speaker")) for beat in found.narration.beats
    ] == [
        ("a", "newsroom", None),
        ("b", None, "Ryan"),
    ]
    (tmp_path / "sheet.json").write_text(json.dumps({**sheet, "speaker": "Vivian"}))
    found = material(uri=str(tmp_path / "sheet.json"))
    assert [beat.options.get("speaker") for beat in found.narration.beats] == ["Vivian", "Ryan"]


def test_a_job_file_and_its_text_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "two.txt").write_text("Two.")
    (tmp_path / "jobs.yaml").write_text(
        "defaults: {speaker: Ryan, speed: 1.1}\njobs:\n- {output_name: show/a, text: One.}\n"
        "- {output_name: show/b, text_file: two.txt, callback_data: {x: 1}}\n"
    )

    found = material(uri=str(tmp_path / "jobs.yaml"))

    assert [beat.text for beat in found.narration.beats] == ["One.", "Two."]
    assert found.narration.beats[1].options == {"speaker": "Ryan", "speed": 1.1, "callback_data": {"x": 1}}


def test_beats_may_stand_in_the_inputs() -> None:
    assert texts(beats=["One.", {"text": "Two.", "speed": 1.2}], topic="show") == ["One.", "Two."]
    with pytest.raises(
        BadInput, match=r"the run's inputs:1: job beat-001: sped: is no known field of a beat"
    ):
        texts(beats=[{"text": "Two.", "sped": 1.2}])


def test_a_topic_has_a_title_and_no_narration_yet() -> None:
    found = material(topic=" why\tthe sea\n comes back ")
    assert (found.kind, found.title, found.narration.beats) == ("topic", "why the sea comes back", ())


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({}, "name nothing to make"),
        ({"script": "a", "uri": "b"}, "both uri and script"),
        ({"script": 3}, "script is no text"),
        ({"script": ""}, EMPTY),
        ({"script": " \n\t\n"}, EMPTY),
        ({"script": "# Only a title"}, EMPTY),
        ({"script": "*** !!! …\u200b"}, EMPTY),
        ({"script": "a" * (MOST_BYTES + 1)}, "longer than 256 KiB"),
        ({"topic": "..."}, "topic is empty"),
        ({"beats": {}}, "no list"),
        ({"beats": []}, "is empty"),
        ({"uri": "https://example.com/a.txt"}, "no file of this machine"),
        ({"uri": "file://elsewhere/a.txt"}, "no file of this machine"),
        ({"uri": "file://[/a"}, "no file of this machine"),
        ({"uri": "a\0b"}, "is no path"),
        ({"uri": "file:///a%00b"}, "is no path"),
        ({"uri": " "}, "is no path"),
        ({"uri": "missing.txt"}, "missing.txt, the run's uri, cannot be read: No such file"),
        ({"uri": "a" * 5000}, "cannot be read: File name too long"),
    ],
)
def test_what_cannot_be_used_is_one_line(inputs: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput) as caught:
        material(**inputs)

    assert told in caught.value.message
    assert len(caught.value.message) < 6000


def test_only_plain_files_of_some_size_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "wide.txt").write_bytes(b"\xff\xfea\0")
    (tmp_path / "long.txt").write_bytes(b"a" * (MOST_BYTES + 1))

    for name, told in (
        ("pipe.txt", "is no file"),
        (".", "is no file"),
        ("wide.txt", "UTF-16, not UTF-8"),
        ("long.txt", "longer than 256 KiB"),
    ):
        with pytest.raises(BadInput, match=told):
            material(uri=str(tmp_path / name))


def test_a_script_that_looks_like_a_command_is_a_text_and_no_more(tmp_path: Path) -> None:
    text = "$(touch here); `id` && ../../etc/passwd {0} %s"
    assert texts(script=text) == [text.replace("`", "")]
    assert path_of("../x; rm -rf y") == Path("../x; rm -rf y")
