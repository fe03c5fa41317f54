"""P32: the waveform of an audio file of a run is made when it is first looked at, once, and is kept."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import httpx
import pytest

from job_console.waveforms import NoWaveform, Waveforms
from lib.errors import TryAgain
from tests.doubles.console import ConsoleDesk, check_answer
from tests.doubles.spoken_jobs import tone


class Drawer:
    """Stands for the process: writes what it was given of the audio, or says why not."""

    def __init__(self, why: str = "") -> None:
        self.why, self.calls = why, 0

    def __call__(self, audio: Path, target: Path) -> str:
        self.calls += 1
        if not self.why:
            target.write_bytes(audio.read_bytes())
        return self.why


def drawn(waveforms: Waveforms, file: Path, tag: str = "tag") -> bytes:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        return waveforms.of_file(descriptor, file.name, tag)
    finally:
        os.close(descriptor)


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    file = tmp_path / "over.wav"
    file.write_bytes(b"sound")
    return file


class TestTheFolder:
    """What is made and kept."""

    def test_each_is_made_once_whoever_looks(self, tmp_path: Path, audio: Path) -> None:
        drawer = Drawer()
        for _ in range(2):  # the second time a console that was started anew
            waveforms = Waveforms(tmp_path / "peaks", drawer)
            assert drawn(waveforms, audio) == drawn(waveforms, audio) == b"sound"
        assert drawer.calls == 1

    def test_the_file_is_read_that_was_opened(self, tmp_path: Path, audio: Path) -> None:
        descriptor = os.open(audio, os.O_RDONLY)
        audio.unlink()
        audio.symlink_to("/etc/passwd")
        assert Waveforms(tmp_path / "peaks", Drawer()).of_file(descriptor, "over.wav", "t") == b"sound"
        os.close(descriptor)

    def test_what_has_none_is_tried_once(self, tmp_path: Path, audio: Path) -> None:
        drawer = Drawer("it is no audio")
        waveforms = Waveforms(tmp_path / "peaks", drawer)
        for _ in range(2):
            with pytest.raises(NoWaveform, match=r"over\.wav has no waveform: it is no audio"):
                drawn(waveforms, audio)
        assert drawer.calls == 1

    def test_the_folder_does_not_grow_for_ever(self, tmp_path: Path, audio: Path) -> None:
        waveforms = Waveforms(tmp_path / "peaks", Drawer(), most_kept=3)
        for number in range(5):
            drawn(waveforms, audio, f"tag-{number}")
            os.utime(tmp_path / "peaks" / f"tag-{number}.json", (number, number))
        drawn(waveforms, audio, "tag-2")  # what is looked at stays
        drawn(waveforms, audio, "tag-5")
        assert sorted(each.stem for each in (tmp_path / "peaks").iterdir()) == ["tag-2", "tag-4", "tag-5"]

    def test_few_wait_for_their_turn_so_that_others_are_answered(self, tmp_path: Path, audio: Path) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def slow(audio: Path, target: Path) -> str:
            begun.set()
            assert go_on.wait(20)
            target.write_bytes(b"peaks")
            return ""

        waveforms = Waveforms(tmp_path / "peaks", slow, most_waiting=1)
        maker = threading.Thread(target=drawn, args=(waveforms, audio))
        maker.start()
        assert begun.wait(20)
        with pytest.raises(TryAgain, match="waits for others"):  # at once
            drawn(waveforms, audio, "another")
        go_on.set()
        maker.join(20)
        assert drawn(waveforms, audio, "another") == b"peaks"


class TestOfARun:
    """The route, with the process that is real."""

    def test_of_an_audio_file(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start()
        desk.work(files={"voice/over.wav": tone(2.0), "script.txt": b"Hello."})
        answer = client.get("/api/v1/runs/r1/peaks/voice/over.wav")
        assert answer.status_code == 200, answer.text
        check_answer("GET", "/runs/{run}/peaks/{path}", 200, answer.json())
        assert (answer.json()["length"], max(answer.json()["data"])) == (100, 39)
        refused = client.get("/api/v1/runs/r1/peaks/script.txt")
        assert refused.status_code == 404
        assert "script.txt has no waveform: it is no audio" in refused.json()["error"]["message"]
        assert "/proc" not in refused.text

    def test_of_nothing_else(self, desk: ConsoleDesk, client: httpx.Client) -> None:
        desk.start()
        desk.work(files={"over.wav": tone(0.1)})
        (desk.folder / "runs" / "r1" / "other.wav").write_bytes(tone(0.1))
        for path in ("other.wav", "../r1/other.wav", "..%2fother.wav"):
            assert client.get(f"/api/v1/runs/r1/peaks/{path}").status_code == 404
