"""What `plan` says of each voice: engine, GPU memory, download, and its part of the cost (V5)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from lib.jobs.plan import Plan, RegistryCheck, load_speakable, plan_job_file
from lib.jobs.plan_cost import Cost
from lib.jobspec import InvalidJobFile
from lib.voices import VoiceKind, VoiceRegistry, engine_facts

FILE = """\
jobs:
- output_name: a
  voice: jo
  text: Welcome to the show.
  profile: fast
- output_name: b
  voice: newsroom
  text: And now the news.
- output_name: c
  voice: jo
  text: Goodbye for today.
  variants: 3
"""
RECORDING = b"as nobody listens here, any bytes"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A folder of voices with a clone, jo."""
    folder = tmp_path / "voices" / "jo"
    folder.mkdir(parents=True)
    (folder / "ref.flac").write_bytes(RECORDING)
    sha256 = hashlib.sha256(RECORDING).hexdigest()
    (folder / "voice.yaml").write_text(
        "name: jo\nengine: qwen3\nlanguage: English\nlicence: own\nconsent: Jo agreed to it in 2026\n"
        f"reference_audio: ref.flac\nreference_text: Hello.\nsha256: '{sha256}'\n"
    )
    return folder.parent


def plan(registry: Path, text: str = FILE) -> Plan:
    path = registry.parent / "jobs.yaml"
    path.write_text(text)
    return plan_job_file(path, RegistryCheck(VoiceRegistry([registry]), "hibari"))


def test_each_voice_has_its_needs_once_with_the_models_of_its_profiles(registry: Path) -> None:
    jo, newsroom = plan(registry).voices()

    assert (jo.voice, jo.engine, jo.kind, jo.jobs) == ("jo", "qwen3", VoiceKind.CLONED, 2)
    assert jo.models == ("Qwen3-TTS-12Hz-0.6B-Base", "Qwen3-TTS-12Hz-1.7B-Base")
    assert jo.least_vram_gb == engine_facts("qwen3").least_vram_gb > 0
    assert jo.download_gb == 2 * engine_facts("qwen3").download_gb > 0
    assert jo.requirement == "job-runner[qwen]"
    assert jo.is_large
    assert (newsroom.voice, newsroom.kind, newsroom.is_large) == ("newsroom", VoiceKind.BUILT_IN, False)
    assert (newsroom.least_vram_gb, newsroom.download_gb, newsroom.requirement) == (0.0, 0.0, "")


def test_a_speaker_of_a_large_engine_needs_its_own_checkpoint(registry: Path) -> None:
    path = registry.parent / "jobs.yaml"
    path.write_text("- output_name: a\n  speaker: Ryan\n  text: Hello.\n")

    (ryan,) = plan_job_file(path, RegistryCheck(VoiceRegistry([registry]), "qwen3")).voices()

    assert (ryan.voice, ryan.speaker, ryan.kind) == (None, "Ryan", VoiceKind.BUILT_IN)
    assert ryan.models == ("Qwen3-TTS-12Hz-1.7B-CustomVoice",)


def test_a_voice_costs_what_its_jobs_cost(registry: Path) -> None:
    cost = Cost(
        700_000, 1_500_000, (100_000, 200_000, 400_000), (300_000, 400_000, 800_000), "vast", "X", 0.0
    )

    jo, newsroom = replace(plan(registry), cost=cost).voices()

    assert (jo.expected_micros, jo.worst_micros) == (500_000, 1_100_000)
    assert (newsroom.expected_micros, newsroom.worst_micros) == (200_000, 400_000)
    assert jo.to_json()["estimated_cost_usd"] == "0.500000"
    assert jo.sentence() == (
        "jo is cloned by qwen3, which needs a GPU with 16 GB, up to 9 GB to download "
        "(Qwen3-TTS-12Hz-0.6B-Base, Qwen3-TTS-12Hz-1.7B-Base) and job-runner[qwen]: "
        "2 jobs, about $0.5000, at worst $1.1000"
    )


def test_machines_are_made_ready_for_one_engine(registry: Path) -> None:
    jo, newsroom = plan(registry).voices()

    assert "Set VOICE_ENGINE=qwen3" in jo.missing_on_machines("hibari")
    assert jo.missing_on_machines("qwen3") == ""
    assert newsroom.missing_on_machines("qwen3") == ""  # hibari comes with the program


DESIGN = "A warm, low voice of an old woman, in no hurry."
DESIGNED = "- {output_name: a, voice: granny, text: Welcome to the show.}\n"


def design(registry: Path, engine: str = "qwen3", name: str = "granny") -> None:
    (registry / name).mkdir()
    (registry / name / "voice.yaml").write_text(
        f"name: {name}\nengine: {engine}\nlanguage: English\nlicence: own\ndesign: {DESIGN}\n"
    )


def test_a_designed_voice_needs_the_checkpoint_that_designs(registry: Path) -> None:
    design(registry)

    (granny,) = plan(registry, DESIGNED).voices()

    assert granny.kind is VoiceKind.DESIGNED
    assert (granny.to_json()["cloned"], granny.to_json()["designed"]) == (False, True)
    assert granny.sentence() == (
        "granny is designed by qwen3, which needs a GPU with 16 GB, up to 4.5 GB to download "
        "(Qwen3-TTS-12Hz-1.7B-VoiceDesign) and job-runner[qwen]: 1 job"
    )


def test_a_profile_without_a_smaller_checkpoint_for_it_is_told(registry: Path) -> None:
    design(registry)
    text = DESIGNED.replace("}", ", profile: fast}") + FILE.partition("\n")[2]

    granny, jo, _ = plan(registry, text).voices()

    assert granny.models == ("Qwen3-TTS-12Hz-1.7B-VoiceDesign",)
    assert "job-runner[qwen]; fast has no smaller model for it: 1 job" in granny.sentence()
    assert "smaller" not in jo.sentence()


def test_a_voice_whose_engine_cannot_design_is_refused_in_a_line(registry: Path) -> None:
    design(registry, "hibari")

    (problem,) = plan(registry, DESIGNED).problems

    assert "the engine hibari cannot make a voice from a description" in problem.message
    assert "\n" not in problem.message


def test_without_a_market_the_cost_is_not_known(registry: Path) -> None:
    jo, _ = plan(registry).voices()

    assert (jo.expected_micros, jo.to_json()["estimated_cost_usd"]) == (None, None)
    assert jo.sentence().endswith(": 2 jobs")


def test_a_job_that_nobody_can_speak_needs_nothing(registry: Path) -> None:
    found = plan(registry, FILE + "- output_name: d\n  voice: nobody\n  text: Hello.\n")

    assert [needs.name for needs in found.voices()] == ["jo", "newsroom"]


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda folder: (folder / "ref.flac").unlink(), "reference_audio 'ref.flac' is missing"),
        (
            lambda folder: (folder / "ref.flac").write_bytes(b"other"),
            "reference_audio 'ref.flac' has changed",
        ),
        (
            lambda folder: change(folder, "consent: Jo agreed to it in 2026", "consent: todo"),
            "consent is 'todo'",
        ),
        (lambda folder: change(folder, "consent: Jo agreed to it in 2026\n", ""), "consent is missing"),
        (lambda folder: change(folder, "language: English", "language: German"), "was recorded in German"),
    ],
    ids=["missing", "changed", "no consent", "consent left out", "another language"],
)
def test_a_voice_that_is_not_what_was_agreed_to_is_refused_by_plan_and_enqueue(
    registry: Path, harm: object, sentence: str
) -> None:
    """Before anything is queued, and so before anything is rented for it."""
    assert callable(harm)
    harm(registry / "jo")

    found = plan(registry)

    assert len(found.problems) == 2  # one for each job of the voice
    assert all(sentence in problem.message for problem in found.problems)
    with pytest.raises(InvalidJobFile):
        load_speakable(registry.parent / "jobs.yaml", RegistryCheck(VoiceRegistry([registry]), "hibari"))


def change(folder: Path, before: str, after: str) -> None:
    """Write `after` where `before` stands in the voice's file."""
    path = folder / "voice.yaml"
    path.write_text(path.read_text().replace(before, after))
