"""A job's own pronunciation, breaks, speed and loudness, measured in the audio that `run` publishes (V16)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth.audio.level_stream import measure_levels
from synth.audio.loudness_meter import integrated_loudness
from synth.audio.spectrum import Samples
from synth.audio.trim import FRAME_S, sounding_frames
from tests.integration.execution.conftest import Machine

TEXT = (
    "The Ouse was high in the morning, and the old bridge was under water. Nobody had crossed it for a week."
)
BREAK = "The Ouse was high. [pause 1.35s] Nobody had crossed it for a week."


def heard(path: Path) -> tuple[Samples, int]:
    samples, rate = soundfile.read(str(path), dtype="float32")
    return samples, rate


def seconds(path: Path) -> float:
    samples, rate = heard(path)
    return len(samples) / rate


def loudness(path: Path) -> float:
    found = integrated_loudness(measure_levels(*heard(path)))
    assert found is not None
    return found


def longest_silence(path: Path) -> float:
    samples, rate = heard(path)
    return float(np.diff(np.flatnonzero(sounding_frames(samples, rate))).max() - 1) * FRAME_S


@pytest.fixture
def spoken(machine: Machine, tmp_path: Path) -> Path:
    """The folder of the audio of one job file."""
    (tmp_path / "words.txt").write_text("# rivers\nOuse: /ˈæntidˌɪsɪstˈæblɪʃmənt/\n")
    jobs = machine.jobs(
        {"output_name": "plain", "text": TEXT},
        {"output_name": "quick", "text": TEXT, "speed": 1.5},
        {"output_name": "slow", "text": TEXT, "speed": 0.75},
        {"output_name": "quiet", "text": TEXT, "loudness": -27},
        {"output_name": "loud", "text": TEXT, "loudness": -16},
        {"output_name": "break", "text": BREAK, "speed": 1.5},
        {"output_name": "respelled", "text": TEXT.replace("Ouse", "Zzz"), "pronounce": {"Zzz": "Ouse"}},
        {"output_name": "phonemes", "text": TEXT, "lexicon": "words.txt"},
    )
    machine.run("run", jobs, "--out", "out", "--engine", "hibari")
    return tmp_path / "out"


def test_it_is_heard_as_the_job_file_asks(spoken: Path) -> None:
    usual = seconds(spoken / "plain.wav")

    assert usual / seconds(spoken / "quick.wav") == pytest.approx(1.5, rel=0.06)
    assert usual / seconds(spoken / "slow.wav") == pytest.approx(0.75, rel=0.06)
    levels = [loudness(spoken / f"{name}.wav") for name in ("plain", "quiet", "loud")]
    assert levels == pytest.approx([-19.0, -27.0, -16.0], abs=0.2)
    assert longest_silence(spoken / "break.wav") == pytest.approx(1.35, abs=0.05)
    assert seconds(spoken / "respelled.wav") == usual
    assert seconds(spoken / "phonemes.wav") > usual + 0.5


def test_a_changed_line_of_the_lexicon_is_spoken_anew_and_another_order_is_not(
    machine: Machine, tmp_path: Path
) -> None:
    words = tmp_path / "words.txt"
    words.write_text("Ouse: ooz\nCam: kam\n")
    jobs = machine.jobs({"output_name": "one", "text": "The Ouse froze.", "lexicon": "words.txt"})

    def state() -> set[str]:
        return set(machine.run("run", jobs, "--out", "out", "--json", "--engine", "hibari").states().values())

    first = state()
    words.write_text("Cam: kam\nOuse: ooz\n")
    ordered = state()
    words.write_text("Cam: kam\nOuse: ouse\n")
    changed = state()

    assert [first, ordered, changed] == [{"done"}, {"skipped"}, {"done"}]


def test_other_pauses_are_heard_and_ask_for_new_audio(machine: Machine, tmp_path: Path) -> None:
    """V17: the setting reaches the worker, and what was made with another is not taken for it."""
    jobs = machine.jobs({"output_name": "one", "text": "The Ouse froze. Nobody crossed it."})
    found = []
    for pauses in ("0.2,0.45,0.9", "0.2,0.45,0.9", "0.2,1.2,1.5"):
        machine.environ["VOICE_PAUSES"] = pauses
        ran = machine.run("run", jobs, "--out", "out", "--json", "--engine", "hibari")
        found.append((*ran.states().values(), longest_silence(tmp_path / "out/one.wav")))

    assert [state for state, _ in found] == ["done", "skipped", "done"]
    assert [silence for _, silence in found] == pytest.approx([0.45, 0.45, 1.2], abs=0.05)
