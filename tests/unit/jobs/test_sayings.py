"""What `plan` says of pronunciation and speed (V15, V16)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.jobs.plan import Plan, RegistryCheck, plan_job_file
from lib.voices import EngineFacts, VoiceRegistry, engines


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> str:
    """An engine that says nothing of phonemes and speeds."""
    facts = EngineFacts("plain", "an engine", frozenset({"English"}), {"Ryan": "one"}, {})
    monkeypatch.setitem(engines._BUILT_IN, "plain", facts)
    return "plain"


def planned(folder: Path, content: str, engine: str = "hibari") -> Plan:
    (folder / "jobs.yaml").write_text(content)
    (folder / "words.txt").write_text("# rivers\nOuse: /ˈuz/\n")
    return plan_job_file(folder / "jobs.yaml", RegistryCheck(VoiceRegistry(), engine))


def test_the_documented_forms_draw_no_warning(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        "defaults: {speaker: Ryan, lexicon: words.txt, speed: 1.2, loudness: -16}\n"
        "jobs:\n- output_name: a\n  pronounce: {Cam: /kˈæm/}\n  text: The [Ure](/jˈʊɹ/) [pause 0.8s] rose.\n",
    )

    assert (plan.problems, plan.warnings) == ((), ())


def test_an_unknown_sign_stands_at_the_line_of_its_field(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        "defaults:\n  speaker: Ryan\n  pronounce: {Rue: /ʁy/}\n"
        "jobs:\n- output_name: a\n  text: The Rue.\n"
        "- output_name: b\n  text: The [Rue](/ʁy/).\n  pronounce: null\n",
    )

    assert [(problem.line, problem.job, problem.field) for problem in plan.problems] == [
        (3, None, "defaults.pronounce"),
        (8, "b", "text"),
    ]
    assert all("'ʁ'" in problem.message for problem in plan.problems)


def test_an_engine_of_one_pace_and_no_phonemes(tmp_path: Path, plain: str) -> None:
    plan = planned(
        tmp_path,
        "defaults: {speaker: Ryan}\njobs:\n"
        "- output_name: a\n  text: The Ouse.\n  lexicon: words.txt\n"
        "- output_name: b\n  text: The Ouse.\n  speed: 1.1\n",
        plain,
    )

    assert [(problem.line, problem.field) for problem in plan.problems] == [(8, "speed")]
    assert [(w.line, w.field, w.message) for w in plan.warnings] == [
        (5, "lexicon", "gives phonemes, which the engine plain does not read: Ouse")
    ]
