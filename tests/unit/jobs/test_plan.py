"""`job-runner plan` and `schema`: everything that can be known without a server (Q8, Q10)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadConfiguration
from lib.jobs.plan import Answer, JobVoice, Plan, RegistryCheck, load_speakable, plan_job_file
from lib.jobspec import InvalidJobFile, job_file_schema, load_job_file
from lib.voices import VoiceRegistry

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "jobs.example.yaml"

MIXED = """\
defaults: {voice: newsroom}
jobs:
- {output_name: fine, text: Hello there., variants: 3}
- {output_name: unknown-voice, text: Hello., voice: newsrom}
- {output_name: wrong, text: Hello., variants: 99}
- {output_name: unknown-speaker, text: Hello., voice: null, speaker: Rian}
- {output_name: other-script, text: 潮が満ちる。}
- {output_name: other-language, text: Hallo., language: German}
- {output_name: no-language, text: Hello., language: Klingon}
"""


class Everybody:
    """A check that lets any job pass."""

    def check(self, values: Mapping[str, Any]) -> Answer:
        return Answer(JobVoice("test-engine", None))


@pytest.fixture
def check() -> RegistryCheck:
    return RegistryCheck(VoiceRegistry(), "hibari")


def _plan(tmp_path: Path, text: str, check: RegistryCheck) -> Plan:
    path = tmp_path / "jobs.yaml"
    path.write_text(text, encoding="utf-8")
    return plan_job_file(path, check)


def _run(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from job_runner.main import main; main()", *args]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=60)


def test_the_example_has_a_plan_without_problems(check: RegistryCheck) -> None:
    """Q10."""
    plan = plan_job_file(EXAMPLE, check)

    assert plan.problems == ()
    assert len(plan.jobs) >= 8
    assert {job.speech.engine for job in plan.jobs if job.speech} == {"hibari"}


def test_a_plan_lists_problems_of_the_file_and_of_the_voices_together(
    tmp_path: Path, check: RegistryCheck
) -> None:
    """Q10."""
    plan = _plan(tmp_path, MIXED, check)

    assert [(problem.line, problem.job, problem.field) for problem in plan.problems] == [
        (4, "unknown-voice", "voice"),
        (5, "wrong", "variants"),
        (6, "unknown-speaker", "speaker"),
        (7, "other-script", "text"),
        (8, "other-language", "language"),
        (9, "no-language", "language"),
    ]
    assert "newsroom" in plan.problems[0].message
    assert "Ryan" in plan.problems[2].message


def test_totals_are_sums_over_the_jobs(tmp_path: Path, check: RegistryCheck) -> None:
    """Q10."""
    text = "a" * 178
    one_take_s = 0.35 + 178 / 16.8
    plan = _plan(tmp_path, f"- {{output_name: a, text: {text}, voice: newsroom, variants: 4}}\n", check)

    assert plan.jobs[0].estimated_audio_s == round(one_take_s, 1)
    assert plan.totals() == {
        "jobs": 1,
        "takes": 4,
        "pictures": 0,
        "estimated_draw_s": 0,
        "pictures_price_usd": "0.000000",
        "characters": 178,
        "estimated_audio_s": round(4 * round(one_take_s, 1), 1),
        "estimated_cost_usd": None,
        "problems": 0,
    }


def test_the_json_has_stable_keys(tmp_path: Path, check: RegistryCheck) -> None:
    """Q10. docs/reference/jobs-yaml.md names each of them."""
    shape = _plan(tmp_path, MIXED, check).to_json()

    assert list(shape) == ["jobs", "voices", "totals", "problems", "warnings"]
    assert list(shape["problems"][0]) == ["file", "line", "job", "field", "message", "suggestion"]
    page = (ROOT / "docs/reference/jobs-yaml.md").read_text(encoding="utf-8")
    for key in (*shape["jobs"][0], *shape["totals"], *shape["problems"][0]):
        assert f"`{key}`" in page or f"`jobs[].{key}`" in page, key
    json.dumps(shape, allow_nan=False)


SPREAD = """\
defaults:
  speaker: Rian
  language: German
jobs:
- output_name: of-the-defaults
  text: Hallo.
- output_name: also-of-the-defaults
  text: Hallo.
- output_name: wrong-in-all-ways
  text: 潮が満ちる。
  chunk: maybe
  voice: newsroom
  speaker: null
  language: Klingon
- output_name: of-its-own
  text: >-
    Hello.
  voice: newsrom
  speaker: null
  variant: 2
"""


def test_each_problem_has_the_line_of_its_field_and_one_of_the_defaults_is_told_once(
    tmp_path: Path, check: RegistryCheck
) -> None:
    """Q7, Q10: and a job with one problem is checked for all others."""
    plan = _plan(tmp_path, SPREAD, check)

    assert [(problem.line, problem.job, problem.field) for problem in plan.problems] == [
        (2, None, "defaults.speaker"),
        (3, None, "defaults.language"),
        (10, "wrong-in-all-ways", "text"),
        (11, "wrong-in-all-ways", "chunk"),
        (14, "wrong-in-all-ways", "language"),
        (18, "of-its-own", "voice"),
        (20, "of-its-own", "variant"),
    ]


def test_nothing_is_said_about_what_cannot_be_known(tmp_path: Path, check: RegistryCheck) -> None:
    long = "ab " * 3000
    fields = (f"chunk: maybe, text: {long}", "language: 7, text: Hi.", "speaker: Ryan, text: Hi.")
    jobs = [f"- {{output_name: a{n}, voice: newsroom, {some}}}\n" for n, some in enumerate(fields)]
    plan = _plan(tmp_path, "".join(jobs), check)

    assert [problem.field for problem in plan.problems] == ["chunk", "language", "speaker"]


def test_a_text_from_a_file_is_wrong_where_the_file_is_named(tmp_path: Path, check: RegistryCheck) -> None:
    (tmp_path / "words.txt").write_text("潮が満ちる。", encoding="utf-8")
    plan = _plan(tmp_path, "output_name: a\nvoice: newsroom\ntext_file: words.txt\n", check)

    assert [(problem.line, problem.field) for problem in plan.problems] == [(3, "text_file")]


def test_letters_that_are_left_out_are_a_warning_and_no_problem(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(
        "- output_name: a\n  voice: newsroom\n  text: From Zürich to 東京 and Москва by night train.\n",
        encoding="utf-8",
    )

    shown = _run("plan", "jobs.yaml", cwd=tmp_path)
    listed = _run("plan", "jobs.yaml", "--json", cwd=tmp_path)

    assert (shown.returncode, listed.returncode) == (0, 0)
    assert (
        "jobs.yaml:3: job a: text: holds letters that the engine hibari leaves out: 東京Москва"
        in shown.stderr
    )
    assert shown.stdout.splitlines()[-1].startswith("1 job, 1 take, 44 characters, about ")
    shape = json.loads(listed.stdout)
    assert shape["problems"] == []
    assert [(warning["line"], warning["job"], warning["field"]) for warning in shape["warnings"]] == [
        (3, "a", "text")
    ]


def test_the_audio_of_the_example_is_estimated_as_it_is_spoken(check: RegistryCheck) -> None:
    """Q10, Q48: hibari makes 136.5 s of it."""
    assert plan_job_file(EXAMPLE, check).totals()["estimated_audio_s"] == pytest.approx(136.5, rel=0.05)


def test_a_preview_is_one_short_line(tmp_path: Path, check: RegistryCheck) -> None:
    """Q10."""
    plan = _plan(tmp_path, "output_name: a\nvoice: newsroom\ntext: |\n" + "  Two words\n\n" * 50, check)

    assert "\n" not in plan.jobs[0].preview
    assert len(plan.jobs[0].preview) <= 60
    assert plan.jobs[0].preview.startswith("Two words Two words")


def test_a_text_over_the_limit_of_the_engine_is_refused_unless_chunked(
    tmp_path: Path, check: RegistryCheck
) -> None:
    """Q10."""
    job = "- {{output_name: {}, voice: newsroom, chunk: {}, text: {}}}\n"
    plan = _plan(
        tmp_path, job.format("a", "false", "ab " * 3000) + job.format("b", "true", "ab " * 3000), check
    )

    assert [(problem.job, problem.field) for problem in plan.problems] == [("a", "text")]


def test_a_file_that_is_not_there_is_a_problem_of_the_plan(tmp_path: Path, check: RegistryCheck) -> None:
    plan = plan_job_file(tmp_path / "none.yaml", check)

    assert plan.jobs == ()
    assert "cannot be read" in plan.problems[0].message


def test_loading_for_work_raises_every_problem_at_once(tmp_path: Path, check: RegistryCheck) -> None:
    """Q7, Q10."""
    path = tmp_path / "jobs.yaml"
    path.write_text(MIXED, encoding="utf-8")

    with pytest.raises(InvalidJobFile) as caught:
        load_speakable(path, check)

    assert caught.value.problems == plan_job_file(path, check).problems
    assert load_speakable(EXAMPLE, Everybody()).specs == load_job_file(EXAMPLE).specs


def test_the_voices_of_a_loaded_file_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_text("- {output_name: a, text: Hello., voice: nobody}\n")

    with pytest.raises(InvalidJobFile, match=r"jobs\.yaml:1: job a: voice: There is no voice"):
        load_speakable(path, RegistryCheck(VoiceRegistry(), "hibari"))
    load_speakable(EXAMPLE, RegistryCheck(VoiceRegistry(), "hibari"))


def test_an_unknown_engine_is_a_setting_to_mend_and_no_problem_of_the_file() -> None:
    with pytest.raises(BadConfiguration):
        plan_job_file(EXAMPLE, RegistryCheck(VoiceRegistry(), "no-such-engine")).to_json()


def test_plan_exits_65_with_every_problem_on_stderr_and_one_json_value_on_stdout(tmp_path: Path) -> None:
    """Q10."""
    (tmp_path / "jobs.yaml").write_text(MIXED, encoding="utf-8")

    done = _run("plan", "jobs.yaml", "--json", cwd=tmp_path)

    assert done.returncode == 65
    shape: dict[str, Any] = json.loads(done.stdout)
    assert len(shape["problems"]) == 6
    assert all(f"jobs.yaml:{problem['line']}: " in done.stderr for problem in shape["problems"])


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """A plan of the example for people, and the folder it was made in."""
    folder = tmp_path_factory.mktemp("planned")
    return _run("plan", str(EXAMPLE), cwd=folder), folder


def test_plan_shows_a_table_and_exits_0(planned: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """Q10."""
    done, _ = planned

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split()[:2] == ["request", "id"]
    assert any("topic:beat-001" in line and "newsroom" in line and "~" in line for line in lines)
    assert "9 jobs, 9 takes" in lines[-1]


def test_plan_touches_nothing(planned: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """Q10: no server, no folder, no file."""
    _, folder = planned

    assert list(folder.iterdir()) == []


def test_schema_prints_the_schema(tmp_path: Path) -> None:
    """Q8."""
    done = _run("schema", cwd=tmp_path)

    assert done.returncode == 0
    assert json.loads(done.stdout) == job_file_schema()
