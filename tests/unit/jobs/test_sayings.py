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


JOBS = "jobs:\n- output_name: a\n  text: The Rue.\n- output_name: b\n  text: The Rue.\n"


def lexicon_said(folder: Path, lexicon: str, content: str) -> list[tuple[int | None, str | None, str]]:
    (folder / "river.txt").write_text(lexicon)
    (folder / "jobs.yaml").write_text(content)
    plan = plan_job_file(folder / "jobs.yaml", RegistryCheck(VoiceRegistry(), "hibari"))
    return [(item.line, item.field, item.message) for item in plan.problems]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("defaults: {speaker: Ryan, lexicon: river.txt}\n" + JOBS, (1, "defaults.lexicon")),
        (
            "defaults: {speaker: Ryan}\n" + JOBS.replace("  text", "  lexicon: river.txt\n  text"),
            (4, "lexicon"),
        ),
    ],
)
def test_a_lexicon_is_told_of_once_with_every_faulty_line(
    tmp_path: Path, content: str, place: tuple[int, str]
) -> None:
    found = lexicon_said(tmp_path, 'Ouse ooz\nCam: kam\n"Ure": yoor\nCam: kem\n', content)

    assert [item[:2] for item in found] == [place] * 3
    assert [message.split(";")[0] for _, _, message in found] == [
        '"river.txt" line 1 is no entry',
        '"river.txt" line 3 has quotes, which are no part of a word',
        '"river.txt" line 4 says "Cam" a second time, first in line 2',
    ]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("defaults: {speaker: Ryan, lexicon: river.txt}\n" + JOBS, (1, "defaults.lexicon")),
        (
            "defaults: {speaker: Ryan}\n" + JOBS.replace("  text", "  lexicon: river.txt\n  text"),
            (4, "lexicon"),
        ),
    ],
)
def test_phonemes_of_a_lexicon_that_nobody_can_say_are_told_once_with_their_lines(
    tmp_path: Path, content: str, place: tuple[int, str]
) -> None:
    found = lexicon_said(tmp_path, "Rue: /ʁy/\nOuse: ooz\nSaône: /soʁn/\n", content)

    assert [item[:2] for item in found] == [place] * 2
    assert [message.split(": ")[0] for _, _, message in found] == [
        '"river.txt" line 1',
        '"river.txt" line 3',
    ]


def test_phonemes_that_nobody_can_say_are_told_of_each_word_at_its_line(tmp_path: Path) -> None:
    found = lexicon_said(
        tmp_path,
        "",
        "defaults:\n  speaker: Ryan\n  pronounce:\n    one: wan\n    two: /ʁ/\n"
        "jobs:\n- output_name: a\n  text: The Rue.\n- output_name: b\n  text: The Rue.\n  pronounce:\n"
        "    three: /ʁa/\n    four: /ʁo/\n",
    )

    assert [item[:2] for item in found] == [
        (5, "defaults.pronounce"),
        (12, "pronounce"),
        (13, "pronounce"),
    ]


def test_of_a_file_that_is_no_lexicon_the_first_lines_are_told_and_how_many_more(tmp_path: Path) -> None:
    found = lexicon_said(tmp_path, "words\n" * 1000, "defaults: {speaker: Ryan, lexicon: river.txt}\n" + JOBS)

    assert len(found) == 21
    assert found[-1][2] == '"river.txt" has 980 more lines that are no entries'
