"""What a plan shows of a text before anybody hears it (V15), and how long it makes it (Q48)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lib.jobs.plan import Plan, RegistryCheck, plan_job_file
from lib.jobspec import Draft
from lib.voices import Pauses, VoiceRegistry


def plan(tmp_path: Path, text: str, check: RegistryCheck) -> Plan:
    path = tmp_path / "jobs.yaml"
    path.write_text(text, encoding="utf-8")
    return plan_job_file(path, check)


@pytest.fixture
def check() -> RegistryCheck:
    return RegistryCheck(VoiceRegistry(), "hibari")


def test_the_words_and_each_change_with_its_class_and_place(tmp_path: Path, check: RegistryCheck) -> None:
    (job,) = plan(tmp_path, "- {output_name: a, speaker: Ryan, text: It cost $3 in 1999.}\n", check).jobs

    shown = job.spoken_json()

    assert shown["spoken"] == "It cost three dollars in nineteen ninety nine."
    assert [(change["written"], change["kind"]) for change in shown["changes"]] == [
        ("$3", "money"),
        ("1999", "year"),
    ]
    assert all(job.spec.text[c["start"] : c["end"]] == c["written"] for c in shown["changes"])


def test_the_job_says_how_its_words_are_said(tmp_path: Path, check: RegistryCheck) -> None:
    text = "- {output_name: a, speaker: Ryan, text: Ask Siobhan., pronounce: {Siobhan: shivawn}}\n"

    (job,) = plan(tmp_path, text, check).jobs

    assert job.spoken.spoken == "Ask shivawn."


def test_what_is_not_read_well_is_told_with_its_line_and_what_to_write(
    tmp_path: Path, check: RegistryCheck
) -> None:
    lines = ["defaults: {speaker: Ryan}", "jobs:", "- {output_name: a, text: All is well.}"]
    lines += ["- output_name: b", "  text: A snowman ☃ fell."]

    (warning,) = plan(tmp_path, "\n".join(lines) + "\n", check).warnings

    assert (warning.line, warning.job, warning.field) == (5, "b", "text")
    assert "☃" in warning.message
    assert warning.suggestion


def test_letters_that_an_engine_leaves_out_are_told_once(tmp_path: Path, check: RegistryCheck) -> None:
    text = "- {output_name: a, speaker: Ryan, text: We flew from 東京 to London in one long day.}\n"

    (warning,) = plan(tmp_path, text, check).warnings

    assert "the engine hibari leaves out: 東京" in warning.message


def test_a_text_with_very_much_that_is_not_read_well_does_not_fill_the_screen(
    tmp_path: Path, check: RegistryCheck
) -> None:
    signs = " and ".join("☃☄☎☘☢☣☮☯♨♻")

    found = plan(tmp_path, f"- {{output_name: a, speaker: Ryan, text: We saw {signs}.}}\n", check).warnings

    assert len(found) == 6
    assert "and 5 more of this text" in found[-1].message


@pytest.mark.parametrize(
    "text",
    [
        "It is 5 µm thick, at 20 ℃.",
        "Say [tomato](/təmˈɑːtoʊ/).",
        "“Oh no,” he said.",
        "Wait. [pause 1s] Go.",
        "≈",
    ],
)
def test_nothing_is_told_of_what_is_read_well(tmp_path: Path, check: RegistryCheck, text: str) -> None:
    assert plan(tmp_path, f"- {{output_name: a, speaker: Ryan, text: '{text}'}}\n", check).warnings == ()


def test_another_language_than_english_is_left_as_it_is(tmp_path: Path) -> None:
    text = "- {output_name: a, speaker: Ryan, language: German, text: Es kostet 3 €.}\n"

    (job,) = plan(tmp_path, text, RegistryCheck(VoiceRegistry(), "hibari")).jobs

    assert job.spoken.script == "Es kostet 3 €."


@pytest.mark.parametrize("language", ["english", "ENGLISH", "auto"])
def test_english_is_english_however_a_job_writes_it(
    tmp_path: Path, check: RegistryCheck, language: str
) -> None:
    """The voice takes it for English, so the words and the length that are shown must be those of English."""
    text = "- {{output_name: a, speaker: Ryan, language: {}, text: It cost $9.6bn.}}\n"
    (job,) = plan(tmp_path, text.format(language), check).jobs
    (usual,) = plan(tmp_path, text.format("English"), check).jobs

    assert job.spoken.spoken == "It cost nine point six billion dollars."
    assert job.estimated_audio_s == usual.estimated_audio_s


def test_every_draft_is_tracked(tmp_path: Path, check: RegistryCheck) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_text("".join(f"- {{output_name: a{n}, speaker: Ryan, text: Hello.}}\n" for n in range(3)))
    seen: list[str] = []

    def track(drafts: Sequence[Draft]) -> Iterator[Draft]:
        for draft in drafts:
            yield draft
            seen.append(draft.label)

    plan_job_file(path, check, track)

    assert seen == ["a0", "a1", "a2"]


def test_a_word_of_another_script_is_spoken_where_the_job_says_how(
    tmp_path: Path, check: RegistryCheck
) -> None:
    said = "- {output_name: a, speaker: Ryan, text: 東京, pronounce: {東京: Tokyo}}\n"
    found = plan(tmp_path, said, check)
    assert (found.problems, found.warnings) == ((), ())
    assert found.jobs[0].spoken.spoken == "Tokyo"

    linked = "- {output_name: a, speaker: Ryan, text: 'See [東京](/tˈOkiO/).'}\n"
    assert plan(tmp_path, linked, check).warnings == ()

    bare = "- {output_name: a, speaker: Ryan, text: 東京}\n"
    assert len(plan(tmp_path, bare, check).problems) == 1


def test_a_break_alone_is_nothing_to_speak(tmp_path: Path, check: RegistryCheck) -> None:
    (problem,) = plan(tmp_path, "- {output_name: a, speaker: Ryan, text: '[pause 1s]'}\n", check).problems

    assert "holds no letter or digit" in problem.message


def test_longer_pauses_make_longer_plans(tmp_path: Path, check: RegistryCheck) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_text("- {output_name: a, speaker: Ryan, text: 'One. Two. Three.'}\n")

    usual = plan_job_file(path, check).totals()["estimated_audio_s"]
    slow = plan_job_file(path, check, pauses=Pauses(0.2, 1.45, 0.9)).totals()["estimated_audio_s"]

    assert slow == pytest.approx(usual + 2.0, abs=0.11)
