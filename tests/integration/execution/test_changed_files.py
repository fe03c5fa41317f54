"""A file that is changed and run again: its folder holds what it asks for now."""

from __future__ import annotations

from pathlib import Path

from tests.integration.execution.conftest import Machine, audio

_ONE = {"output_name": "one", "text": "This is the first.", "variants": 2}
_TWO = {"output_name": "b/two", "text": "This is the second."}
_ONE_NOW = {"output_name": "one", "text": "This is new.", "format": "mp3"}


def test_audio_of_another_format_and_further_takes_are_gone(machine: Machine, tmp_path: Path) -> None:
    machine.run("run", machine.jobs(_ONE, _TWO), "--out", "out")

    ended = machine.run("run", machine.jobs(_ONE_NOW, _TWO), "--out", "out", "--json")

    assert ended.states() == {"one": "done", "b:two": "skipped"}
    assert {path.name for path in (tmp_path / "out").iterdir() if path.name.startswith("one")} == {
        *("one", "one.mp3", "one.peaks.json", "one.srt", "one.vtt", "one.captions.json")
    }
    assert "of no job" not in ended.err
    assert ended.json["jobs"][0]["warnings"] == []


def test_an_edited_take_stays_and_is_told_once(machine: Machine, tmp_path: Path) -> None:
    machine.run("run", machine.jobs(_ONE), "--out", "out")
    (tmp_path / "out/one.take-02.wav").write_bytes(b"mine")

    ended = machine.run("run", machine.jobs(_ONE_NOW), "--out", "out", "--json")
    again = machine.run("run", machine.jobs(_ONE_NOW), "--out", "out")

    assert (tmp_path / "out/one.take-02.wav").read_bytes() == b"mine"
    assert not (tmp_path / "out/one.wav").exists()
    sentence = "out/one.take-02.wav is of its earlier audio; it was edited, so it stays"
    assert ended.json["jobs"][0]["warnings"] == [sentence]
    assert f"one: {sentence}" in ended.err
    assert "edited" not in again.err


def test_the_audio_of_jobs_that_are_gone_stays_and_is_told(machine: Machine, tmp_path: Path) -> None:
    three = {"output_name": "three", "text": "This is the third."}
    machine.run("run", machine.jobs(_ONE, _TWO, three), "--out", "out")

    one = machine.run("run", machine.jobs(_ONE, three), "--out", "out")
    two = machine.run("run", machine.jobs(_ONE), "--out", "out")

    assert (
        "1 output is of no job of this file any more: out/b/two.wav; it stays until you remove it" in one.err
    )
    assert (
        "2 outputs are of no job of this file any more: out/b/two.wav, out/three.wav; "
        "they stay until you remove them"
    ) in two.err.splitlines()[-1]
    assert {"b/two.wav", "three.wav"} <= set(audio(tmp_path / "out"))
