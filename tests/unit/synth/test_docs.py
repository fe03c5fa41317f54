"""The reference pages say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from lib.clock import SystemClock
from lib.spool import ErrorClass, Heartbeat, ResultFile, SpoolJob, SpoolResult, WorkerState, layout
from lib.spool.checked import parse_object
from lib.voices import engine_facts
from synth.speaking import speak
from tests.unit.synth.fakes import HummingEngine, request

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def named(page: str) -> set[str]:
    """Everything the page sets in code type."""
    return set(re.findall(r"`([^`\n]+)`", (REFERENCE / page).read_text()))


def test_every_key_of_a_record_is_explained(tmp_path: Path) -> None:
    record = speak(request(), HummingEngine(), SystemClock(), tmp_path / "o", lambda *_: None).record
    take = record["takes"][0]

    assert {*record, *take, *take["measures"], *record["chosen"]} <= named("result-json.md")


def test_every_field_of_the_spools_files_is_explained() -> None:
    job = SpoolJob("a", 1, "marknone", 1, "v1:any", {})
    result = SpoolResult(job.entry, "a", 0.0, 0.0, {}, (ResultFile("a.wav", 1, "0" * 64, 1),))
    beat = Heartbeat(1, WorkerState.IDLE, 0.0, 0.0, "hibari", 0)
    fields = {key for file in (job, result, beat) for key in parse_object(file.to_bytes(), "it")}

    assert fields <= named("spool.md")
    assert {error.value for error in ErrorClass} <= named("spool.md")
    assert {state.value for state in WorkerState} <= named("spool.md")


def test_every_place_of_the_spool_is_explained() -> None:
    text = (REFERENCE / "spool.md").read_text()

    for place in (
        *layout.FOLDERS,
        layout.HEARTBEAT,
        layout.WORKER_LOCK,
        layout.WORKER_BELL,
        layout.CLIENT_BELL,
    ):
        assert place in text


def test_the_table_of_speakers_is_the_one_in_use() -> None:
    facts = engine_facts("hibari")
    rows = re.findall(
        r"^\| (`.+`) \| `(\w+)` \| ([\d.]+), ([\d.]+)", (REFERENCE / "engines.md").read_text(), re.M
    )

    documented: dict[str, str] = {}
    for speakers, preset, pitch, formant in rows:
        assert (float(pitch), float(formant)) == (facts.presets[preset].pitch, facts.presets[preset].formant)
        documented |= dict.fromkeys(re.findall(r"`(\w+)`", speakers), preset)
    assert documented == dict(facts.speakers)
