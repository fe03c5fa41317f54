"""The reference pages say what the program does."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

from lib.clock import SystemClock
from lib.spool import Heartbeat, ResultErrorClass, SpoolJob, SpoolResult, WorkerState, layout
from lib.spool.checked_json import parse_object
from lib.voices import EngineFacts, engine_facts
from lib.voices.engines import HIBARI
from synth.audio.measures import TakeMeasures
from synth.speech.speak import speak
from synth.speech.takes import PieceFault, RawTake, RejectedTake, Style
from synth.speech.verdicts import FAILED, PASSED, UNVERIFIED, verification
from synth.verify import CARE, CHECKS, SignalFault, Verdict
from tests.doubles import records
from tests.unit.synth.fakes import RATE, HummingEngine, hum, request

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def named(page: str) -> set[str]:
    """Everything the page sets in code type."""
    return set(re.findall(r"`([^`\n]+)`", (REFERENCE / page).read_text()))


def test_every_key_of_a_record_is_explained(tmp_path: Path) -> None:
    record = speak(request(), HummingEngine(), SystemClock(), tmp_path / "o", lambda *_: None).to_json()
    take = record["takes"][0]

    assert {*record, *take, *take["measures"], *record["chosen"]} <= named("result-json.md")


def test_every_field_of_the_spools_files_is_explained() -> None:
    job = SpoolJob("a", 1, "marknone", 1, "v1:any", {})
    result = SpoolResult(job.entry, "a", 0.0, 0.0, records.spoken())
    beat = Heartbeat(1, WorkerState.IDLE, 0.0, 0.0, "hibari", 0)
    keys = {key for file in (job, result, beat) for key in parse_object(file.to_bytes(), "it")}

    assert keys <= named("spool.md")
    assert {error.value for error in ResultErrorClass} <= named("spool.md")
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


def test_the_table_of_care_is_the_one_in_use() -> None:
    times = {0: "never", 1: "once", 2: "twice", 3: "three times", 4: "four times"}
    page = (REFERENCE / "engines.md").read_text()

    for profile, care in CARE.items():
        end = "the job fails" if care.refuses else "the job passes with a warning"
        assert f"| `{profile}` | {times[care.retakes]} | {end}" in page


def test_every_check_of_the_signal_is_explained() -> None:
    assert set(CHECKS) <= named("result-json.md")


def test_every_key_of_a_verification_is_explained() -> None:
    verdict = Verdict(False, 0.4, "it differs")
    take = RawTake(Style(1), hum(0.1), RATE, TakeMeasures(1, 15, 0, 0.3, 0.1, 0, 0, -25), (), verdict)
    rejected, fault = (
        RejectedTake(Style(2), "it differs", 0.4),
        PieceFault(1, SignalFault("gap", "It is silent.")),
    )
    (told,) = verification([replace(take, rejected=(rejected,), faults=(fault,))])

    entry = told.to_json()
    assert {"verification", *entry, *entry["rejected"][0], *entry["faults"][0]} <= named("result-json.md")
    assert {UNVERIFIED, PASSED, FAILED} <= named("result-json.md")


def test_every_field_of_the_facts_of_an_engine_is_explained() -> None:
    assert {field.name for field in fields(EngineFacts)} <= named("engines.md")


def test_the_page_on_pronunciation_lists_the_phonemes_of_the_engine() -> None:
    """V16: no sign is missing, and none is there that it would refuse."""
    page = (REFERENCE / "pronunciation.md").read_text()
    listed = page.split("<!-- phonemes -->")[1].split("<!-- end of phonemes -->")[0]
    signs = {cell for row in listed.splitlines() for cell in re.findall(r"`([^`]+)`", row) if len(cell) == 1}
    spellings = page.split("The usual alphabet")[1].split("A blank parts")[0]

    assert signs == HIBARI.phonemes
    assert set(re.findall(r"`([^`]+)`", spellings)) >= set(HIBARI.phoneme_spellings)
    assert all(not HIBARI.unknown_phonemes(written) for written in HIBARI.phoneme_spellings)
